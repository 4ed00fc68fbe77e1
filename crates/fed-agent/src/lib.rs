//! A site of the federation: dials the server, takes part in rounds, runs the jobs to which it was admitted.
//!
//! [`Agent::run`] is one loop around the state machine [`fed_proto::round::Participant`]: messages, ends of what was
//! begun, and time go in; what comes out is carried out in order. Everything that takes time happens beside the loop
//! ([`fed_node::work`]).
#![forbid(unsafe_code)]

mod failure;
mod outputs;
mod world;

use std::time::Duration;

use bytes::Bytes;
use cc_core::Finding;
use fed_node::backoff::Backoff;
use fed_node::kit::Part;
use fed_node::launch::LeftoverError;
use fed_node::log::{Line, Sink};
use fed_node::node::{BootError, Node};
use fed_node::rpc::{self, ConnectError, Session};
use fed_node::tls::{ClientTls, ConfigError};
use fed_node::work::{self, Done, Jobs};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use world::World;

/// How often the state machine hears that time passes.
const TICK: Duration = Duration::from_millis(250);

/// Why an agent does not start, or does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// It must not start.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// Its credentials are none for TLS.
    #[error(transparent)]
    Tls(#[from] ConfigError),
    /// What an earlier agent left running cannot be ended.
    #[error(transparent)]
    Leftovers(#[from] LeftoverError),
    /// The kit is not a site's.
    #[error("{0} is not the kit of a site")]
    NotASite(std::path::PathBuf),
    /// Its own attestation failed, and its configuration says `on_failure = "shutdown"`.
    #[error("shut down, as `attestation.on_failure` demands: {0}")]
    Attestation(Finding),
}

/// A running site.
pub struct Agent {
    node: Node,
    jobs: Jobs,
    tls: ClientTls,
    sink: Sink,
    session: Option<Session>,
    backoff: Backoff,
    done: mpsc::UnboundedReceiver<Done>,
    sender: mpsc::UnboundedSender<Done>,
    /// What became of jobs while there was no connection.
    unsaid: Vec<(String, &'static str, String)>,
    /// Set when the agent has to end.
    fatal: Option<Finding>,
}

impl std::fmt::Debug for Agent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Agent").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Agent {
    /// An agent around a participant that may run. `starter` is how a process is started that becomes a job's program
    /// ([`fed_node::launch::become_job`]).
    pub fn new(node: Node, starter: Vec<std::ffi::OsString>, sink: Sink) -> Result<Self, AgentError> {
        let Part::Client { resources, .. } = &node.kit.config.part else {
            return Err(AgentError::NotASite(node.kit.dir.clone()));
        };
        let launcher = work::launcher(&node, starter)?;
        let tls = node.kit.client_tls()?;
        let (sender, done) = mpsc::unbounded_channel();
        let name = node.kit.config.name.clone();
        let allowed = node.configured.allow_code.clone();
        let jobs = Jobs::new(name, launcher, resources.clone(), allowed, sender.clone());
        Ok(Self {
            node,
            jobs,
            tls,
            sink,
            session: None,
            backoff: Backoff::default(),
            done,
            sender,
            unsaid: Vec::new(),
            fatal: None,
        })
    }

    /// Runs until `shutdown`; then the jobs are stopped and the connection is closed.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), AgentError> {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (dialled, mut connections) = mpsc::channel(1);
        self.dial(Duration::ZERO, &dialled);
        loop {
            let inbound = async {
                match &mut self.session {
                    Some(session) => session.inbound.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => break,
                frame = inbound => match frame {
                    Some(frame) => self.receive(&frame),
                    None => self.disconnected(&dialled),
                },
                Some(connection) = connections.recv() => match connection {
                    Ok(session) => self.connected(session),
                    Err(error) => self.unconnected(&error, &dialled),
                },
                Some(done) = self.done.recv() => self.done(done),
                _ = tick.tick() => self.tick(),
            }
            if let Some(finding) = self.fatal.take() {
                self.jobs.stop_all().await;
                return Err(AgentError::Attestation(finding));
            }
        }
        self.jobs.stop_all().await;
        self.say(|line| line.text("asked to end"), "ended");
        Ok(())
    }

    fn dial(&self, wait: Duration, dialled: &mpsc::Sender<Result<Session, ConnectError>>) {
        let (tls, address, dialled) =
            (self.tls.clone(), self.node.kit.config.server.clone(), dialled.clone());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let _ = dialled.send(rpc::connect(&tls, &address).await).await;
        });
    }

    fn connected(&mut self, session: Session) {
        self.session = Some(session);
        self.with(|participant, _, env, out| participant.connected(env, out));
    }

    fn disconnected(&mut self, dialled: &mpsc::Sender<Result<Session, ConnectError>>) {
        let ended = self.session.take().and_then(|session| session.link.ended());
        let why =
            ended.as_ref().map_or_else(|| "the connection ended".to_owned(), |ended| format!("{ended:?}"));
        self.say(|line| line.text(why), "disconnected");
        self.again(dialled);
    }

    fn unconnected(&mut self, error: &ConnectError, dialled: &mpsc::Sender<Result<Session, ConnectError>>) {
        self.say(|line| line.text(error), "unreachable");
        self.again(dialled);
    }

    fn again(&mut self, dialled: &mpsc::Sender<Result<Session, ConnectError>>) {
        let [a, b, c, d, ..] = fed_node::random();
        let wait = self.backoff.next(u64::from(u32::from_be_bytes([a, b, c, d])));
        self.dial(wait, dialled);
    }

    fn receive(&mut self, frame: &Bytes) {
        self.with(|participant, now, env, out| participant.receive(now, frame, env, out));
    }

    fn tick(&mut self) {
        self.with(|participant, now, _, out| participant.tick(now, out));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Collected { epoch, result } => {
                if result.is_ok() {
                    self.say(|line| Line { epoch: Some(epoch), ..line }, "report");
                }
                self.ends_for(failure::of_report(&result));
                self.with(|participant, now, _, out| participant.collected(now, epoch, result, out));
            }
            Done::Judged { epoch, peer, result } => {
                let line = self.node.judge.policy_line(epoch, &peer);
                self.with(|participant, now, env, out| {
                    participant.explained(epoch, &peer, line);
                    participant.judged(now, epoch, &peer, result, env, out);
                });
            }
            Done::Started { job, process } => {
                if self.jobs.started(&job, process) {
                    self.update(job.as_str(), "started", String::new());
                }
            }
            Done::Ended { job, exit, text } => {
                self.jobs.over(&job);
                self.update(job.as_str(), work::state_of(exit), text);
            }
        }
    }

    /// Ends for a failure of the own attestation, if there is one and the configuration says so.
    fn ends_for(&mut self, failure: Option<&Finding>) {
        if let Some(fatal) = failure::fatal(self.node.configured.on_failure, failure) {
            self.fatal = Some(fatal);
        }
    }

    fn update(&mut self, job: &str, state: &'static str, text: String) {
        self.say(|line| Line { job_id: Some(job.to_owned()), ..line }.state(state).text(&text), "job");
        if self.session.is_none() {
            self.unsaid.push((job.to_owned(), state, text));
            return;
        }
        self.with(|participant, _, _, out| participant.job_update(job, state, &text, out));
    }

    /// Calls the state machine and carries out what it wants. While the clock cannot be trusted nothing is decided.
    fn with(
        &mut self,
        call: impl FnOnce(
            &mut fed_proto::round::Participant,
            fed_proto::round::Now,
            &mut dyn fed_proto::round::Env,
            &mut Vec<fed_proto::round::Output>,
        ),
    ) {
        let now = match self.node.clocks.now() {
            Ok(now) => now,
            Err(finding) => return tracing::error!(%finding, "nothing is decided"),
        };
        let mut world =
            World { exporter: self.session.as_ref().map(|session| session.peer.exporter.clone()) };
        let mut out = Vec::new();
        call(&mut self.node.participant, now, &mut world, &mut out);
        for output in out {
            self.carry_out(output);
        }
    }

    fn say(&self, fill: impl FnOnce(Line) -> Line, event: &'static str) {
        if let Ok(now) = self.node.clocks.now() {
            (self.sink)(fill(Line::new(now.wall, event)));
        }
    }
}

/// What a site says about itself when it starts.
pub fn started(agent: &Agent) -> Vec<Line> {
    let tests = agent.node.self_tests.iter();
    let now = agent.node.clocks.now().map(|now| now.wall).unwrap_or(cc_core::UnixTime::from_secs(0));
    tests
        .map(|test| {
            let text = format!(
                "{} shown by {}; own policy says {}",
                test.profile, test.plugin.name, test.appraisal.status
            );
            Line::new(now, "self-test").name(&agent.node.kit.config.name).text(text)
        })
        .collect()
}
