//! The federation server: one loop around the state machines [`Coordinator`] and [`Scheduler`].
//!
//! Connections, ends of what was begun, administrators' requests and time go in; what comes out is carried out in order,
//! and what must not be forgotten is on disk before anything is done about it: an epoch before it is announced, a job
//! before its submitter hears of it, `DISPATCHED` before anybody is told to start.
#![forbid(unsafe_code)]

mod actions;
mod admin;
pub mod api;
mod jobs;
mod world;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use cc_core::UnixTime;
use cc_store::StoreError;
use fed_node::kit::Part;
use fed_node::launch::LeftoverError;
use fed_node::log::{Line, Sink};
use fed_node::node::{BootError, Node};
use fed_node::rpc::{self, Ended, Limits, Session, Sessions, Status};
use fed_node::tls::{Authenticated, ConfigError};
use fed_node::work::{self, Done, Jobs};
use fed_proto::coordinator::{Action, Conn, Coordinator, Instances, Timing};
use fed_proto::crypto::Digest;
use fed_proto::enrol::Subject;
use fed_proto::job::JobId;
use fed_proto::name::Name;
use fed_proto::round::Now;
use fed_proto::scheduler::Scheduler;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use world::{Wire, World};

/// How often the state machines hear that time passes.
const TICK: Duration = Duration::from_millis(250);
/// Frames that wait for the loop.
const INBOX: usize = 1024;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It must not start.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// Its credentials are none for TLS.
    #[error(transparent)]
    Tls(#[from] ConfigError),
    /// What an earlier server left running cannot be ended.
    #[error(transparent)]
    Leftovers(#[from] LeftoverError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The kit is not a server's.
    #[error("{0} is not the kit of a server")]
    NotAServer(PathBuf),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}; change `server` in muster.toml")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// A stored job cannot be read.
    #[error("the stored job {0} cannot be read: it was written by another version, or the store is damaged")]
    Job(String),
}

/// What arrives at the loop.
enum Message {
    Session(Session),
    Frame(Conn, Bytes),
    Gone(Conn),
    Admin(api::Request, oneshot::Sender<api::Response>),
}

/// The submission of a job, as its identity was made of it.
#[derive(Debug)]
struct Submission {
    nonce: [u8; 16],
    file: Vec<u8>,
}

/// A running server.
pub struct Server {
    node: Parts,
    coordinator: Coordinator,
    scheduler: Scheduler,
    submissions: BTreeMap<JobId, Submission>,
    /// The state of each job that was reported last.
    shown: BTreeMap<JobId, (fed_proto::scheduler::Status, u32)>,
    jobs: Jobs,
    world: World,
    sink: Sink,
    inbox: mpsc::Receiver<Message>,
    messages: mpsc::Sender<Message>,
    done: mpsc::UnboundedReceiver<Done>,
    sender: mpsc::UnboundedSender<Done>,
    next_connection: u64,
    listener: TcpListener,
    tls: fed_node::tls::ServerTls,
}

/// What is left of a [`Node`] without its participant, which the coordinator has.
struct Parts {
    kit: fed_node::kit::Kit,
    judge: std::sync::Arc<fed_node::judge::Judge>,
    store: cc_store::Handle,
    clocks: fed_node::clock::Clocks,
    /// The data folder.
    data: PathBuf,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Server {
    /// A server around a participant that may run; listens when this returns.
    pub async fn new(node: Node, starter: Vec<OsString>, sink: Sink) -> Result<Self, ServerError> {
        let Part::Server { scheduler: limits, .. } = &node.kit.config.part else {
            return Err(ServerError::NotAServer(node.kit.dir.clone()));
        };
        let name = node.kit.config.name.clone();
        let launcher = work::launcher(&node, starter)?;
        let (scheduler, submissions) = jobs::restored(&node.store, *limits, &name)?;
        let tls = node.kit.server_tls()?;
        let address = node.kit.config.server.clone();
        let listener =
            TcpListener::bind(&address).await.map_err(|source| ServerError::Listen { address, source })?;
        let (sender, done) = mpsc::unbounded_channel();
        let (messages, inbox) = mpsc::channel(INBOX);
        // The server's own resources are assumed (S5).
        let allowed = node.configured.allow_code.clone();
        let jobs = Jobs::new(name, launcher, BTreeMap::new(), allowed, sender.clone());
        let Node { kit, configured, participant, judge, store, clocks, .. } = node;
        let now = clocks.now().map_err(BootError::from)?;
        let world = World { store: store.clone(), wires: BTreeMap::new(), wall_ms: 0 };
        let coordinator = Coordinator::new(participant, Timing::default(), instances(&store)?, now);
        let node = Parts { kit, judge, store, clocks, data: configured.data };
        Ok(Self {
            node,
            coordinator,
            scheduler,
            submissions,
            shown: BTreeMap::new(),
            jobs,
            world,
            sink,
            inbox,
            messages,
            done,
            sender,
            next_connection: 0,
            listener,
            tls,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Runs until `shutdown`; then takes no more connections, stops its own processes, and closes the others.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let handler = Handler(self.messages.clone());
        let unused = TcpListener::bind("127.0.0.1:0").await;
        let unused =
            unused.map_err(|source| ServerError::Listen { address: "127.0.0.1:0".to_owned(), source })?;
        let listener = std::mem::replace(&mut self.listener, unused);
        let serving = tokio::spawn(rpc::serve(
            listener,
            self.tls.clone(),
            Limits::default(),
            handler,
            shutdown.clone(),
        ));
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        self.store_jobs();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(message) = self.inbox.recv() => self.message(message),
                Some(done) = self.done.recv() => self.done(done),
                _ = tick.tick() => self.tick(),
            }
        }
        self.jobs.stop_all().await;
        self.store_jobs();
        self.say(|line| line.text("asked to end"), "ended");
        let _ = serving.await;
        Ok(())
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Session(session) => self.session(session),
            Message::Frame(connection, frame) => {
                self.with(|c, now, env, out| c.receive(now, connection, frame.to_vec(), env, out));
            }
            Message::Gone(connection) => {
                self.world.wires.remove(&connection);
                self.with(|c, now, env, out| c.disconnected(now, connection, env, out));
            }
            Message::Admin(request, answer) => {
                let response = self.administer(request);
                let _ = answer.send(response);
            }
        }
    }

    fn session(&mut self, session: Session) {
        let Session { peer, mut inbound, outbound, link, .. } = session;
        let Subject::Participant { role, name } = peer.subject else { return link.end(Ended::Here) };
        self.next_connection = self.next_connection.saturating_add(1);
        let connection = Conn(self.next_connection);
        self.world.wires.insert(connection, Wire { outbound, link, exporter: peer.exporter });
        let messages = self.messages.clone();
        tokio::spawn(async move {
            while let Some(frame) = inbound.recv().await {
                if messages.send(Message::Frame(connection, frame)).await.is_err() {
                    return;
                }
            }
            let _ = messages.send(Message::Gone(connection)).await;
        });
        self.with(|c, now, _, _| c.connected(now, connection, name, role));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Collected { epoch, result } => {
                if result.is_ok() {
                    self.say(|line| Line { epoch: Some(epoch), ..line }, "report");
                }
                self.with(|c, now, env, out| c.collected(now, epoch, result, env, out));
            }
            Done::Judged { epoch, peer, result } => {
                let line = self.node.judge.policy_line(epoch, &peer);
                self.with(|c, now, env, out| {
                    c.explained(epoch, &peer, line);
                    c.judged(now, epoch, &peer, result, env, out);
                });
            }
            Done::Started { job, process } => {
                if self.jobs.started(&job, process) {
                    self.with(|c, now, env, out| c.job_update(now, job.as_str(), "started", "", env, out));
                }
            }
            Done::Ended { job, exit, text } => {
                self.jobs.over(&job);
                let state = work::state_of(exit);
                self.with(|c, now, env, out| c.job_update(now, job.as_str(), state, &text, env, out));
            }
        }
    }

    fn tick(&mut self) {
        self.with(|c, now, env, out| c.tick(now, env, out));
        self.give_up_silent_starts();
        self.schedule();
    }

    /// Calls the coordinator and carries out what it wants. While the clock cannot be trusted nothing is decided.
    fn with(
        &mut self,
        call: impl FnOnce(&mut Coordinator, Now, &mut dyn fed_proto::coordinator::ServerEnv, &mut Vec<Action>),
    ) {
        let Some(now) = self.now() else { return };
        self.world.wall_ms = now.wall.as_secs().saturating_mul(1000);
        let mut out = Vec::new();
        call(&mut self.coordinator, now, &mut self.world, &mut out);
        for action in out {
            self.carry_out(action);
        }
    }

    fn now(&self) -> Option<Now> {
        let now = self.node.clocks.now();
        now.inspect_err(|finding| tracing::error!(%finding, "nothing is decided")).ok()
    }

    fn say(&self, fill: impl FnOnce(Line) -> Line, event: &'static str) {
        let at = self.node.clocks.now().map_or(UnixTime::from_secs(0), |now| now.wall);
        (self.sink)(fill(Line::new(at, event)));
    }
}

/// Hands what connections bring to the loop.
struct Handler(mpsc::Sender<Message>);

impl Sessions for Handler {
    fn open(&self, session: Session) {
        let messages = self.0.clone();
        tokio::spawn(async move {
            let _ = messages.send(Message::Session(session)).await;
        });
    }

    async fn admin(&self, _: &Authenticated, request: Bytes) -> Result<Bytes, Status> {
        let request = serde_json::from_slice(&request).map_err(|error| {
            Status::invalid_argument(format!("not a request that this server knows: {error}"))
        })?;
        let (sender, answer) = oneshot::channel();
        let gone = |_| Status::unavailable("the server is shutting down");
        self.0
            .send(Message::Admin(request, sender))
            .await
            .map_err(|_| Status::unavailable("the server is shutting down"))?;
        let response = answer.await.map_err(gone)?;
        let bytes = serde_json::to_vec(&response).map_err(|error| Status::internal(error.to_string()))?;
        Ok(Bytes::from(bytes))
    }
}

/// The instances that an earlier process of this server registered.
fn instances(store: &cc_store::Handle) -> Result<Instances, ServerError> {
    let roster = store.read(|view| view.roster())?;
    let named = roster.into_iter().filter_map(|member| {
        let name = Name::new(&member.name).ok()?;
        Some((name, Digest(member.key_digest)))
    });
    let retired = store.read(|view| view.retired())?;
    Ok(Instances { latest: named.collect(), retired: retired.into_iter().map(Digest).collect() })
}
