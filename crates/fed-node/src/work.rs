//! What takes time and is done beside the state machines: reports, judgements, jobs. Each ends in one [`Done`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, codes};
use fed_proto::crypto::Digest;
use fed_proto::job::{JobFile, JobId, Resources};
use fed_proto::name::Name;
use fed_proto::round::{Evidence, JudgeOrder, ReportOrder, Start};
use fed_proto::scheduler::Exit;
use fed_proto::scheduler::resources::{Ledger, Token};
use fed_proto::sybil::Identifiers;
use tokio::sync::mpsc;

use crate::clock::boot_time;
use crate::judge::Judge;
use crate::kit::Participant;
use crate::launch::{Launched, Launcher, LeftoverError, Setup, inherited};
use crate::node::Node;

/// How long a job's program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);

/// Something that was begun has ended.
#[derive(Debug)]
pub enum Done {
    /// A report of this machine.
    Collected {
        /// The round.
        epoch: u64,
        /// The evidence.
        result: Result<Evidence, Finding>,
    },
    /// A judgement of a peer.
    Judged {
        /// The round.
        epoch: u64,
        /// The peer.
        peer: Name,
        /// Its hardware, or why not.
        result: Result<Identifiers, Finding>,
    },
    /// A job's program runs.
    Started {
        /// The job.
        job: JobId,
        /// The program.
        process: Arc<Launched>,
    },
    /// A job's program has ended, or did not start.
    Ended {
        /// The job.
        job: JobId,
        /// How.
        exit: Exit,
        /// For people.
        text: String,
    },
}

/// Where ends are reported.
pub type Sender = mpsc::UnboundedSender<Done>;

/// Makes one hardware report.
pub fn collect(judge: &Arc<Judge>, epoch: u64, order: Box<ReportOrder>, done: &Sender) {
    let (judge, done) = (Arc::clone(judge), done.clone());
    tokio::spawn(async move {
        let result = judge.collect(&order).await;
        let _ = done.send(Done::Collected { epoch, result });
    });
}

/// Judges a peer's evidence. A judgement that panics denies that peer and nobody else.
pub fn judge(judge: &Arc<Judge>, order: Box<JudgeOrder>, done: &Sender) {
    let (judge, done) = (Arc::clone(judge), done.clone());
    tokio::spawn(async move {
        let (epoch, peer) = (order.epoch, order.peer.clone());
        let task = tokio::spawn(async move { judge.judge(&order).await });
        let result = task.await.unwrap_or_else(|error| {
            Err(Finding::new(codes::PLUG_PANICKED, format!("judging ended: {error}")))
        });
        let _ = done.send(Done::Judged { epoch, peer, result });
    });
}

/// The state word of an exit, as a [`fed_proto::message::JobUpdate`] has it.
pub const fn state_of(exit: Exit) -> &'static str {
    match exit {
        Exit::Completed => "completed",
        Exit::Exception => "failed",
        Exit::Abnormal => "abnormal",
        Exit::NotStarted => "refused",
        Exit::Stopped => "stopped",
    }
}

/// The exit of a state word; what is not known is infrastructure that failed.
pub fn exit_of(state: &str) -> Exit {
    match state {
        "completed" => Exit::Completed,
        "failed" => Exit::Exception,
        "refused" => Exit::NotStarted,
        "stopped" => Exit::Stopped,
        _ => Exit::Abnormal,
    }
}

/// The launcher of a participant's jobs. What an earlier process of it left running is ended first; its store is open
/// already, which makes sure that the earlier process is gone.
pub fn launcher(node: &Node, starter: Vec<OsString>) -> Result<Launcher, LeftoverError> {
    let Participant { data, inputs, allow_code, .. } = &node.configured;
    let setup = Setup {
        site: node.kit.config.name.clone(),
        inputs: inputs.clone(),
        data: data.clone(),
        allow_code: allow_code.clone(),
        starter,
        grace: GRACE,
        environment: inherited(),
    };
    let (launcher, killed) = Launcher::start(setup)?;
    for leftover in killed {
        tracing::warn!(job = leftover.job, "a job that an earlier process left running was ended");
    }
    Ok(launcher)
}

/// The jobs of one participant: what is set aside for them, and their programs.
#[derive(Debug)]
pub struct Jobs {
    me: Name,
    launcher: Launcher,
    allow_code: BTreeSet<Digest>,
    ledger: Ledger,
    reserved: BTreeMap<JobId, Token>,
    running: BTreeMap<JobId, Option<Arc<Launched>>>,
    done: Sender,
}

impl Jobs {
    /// Jobs of `me`, who has these resources.
    pub fn new(
        me: Name,
        launcher: Launcher,
        resources: Resources,
        allow_code: BTreeSet<Digest>,
        done: Sender,
    ) -> Self {
        let ledger = Ledger::new(resources);
        Self { me, launcher, allow_code, ledger, reserved: BTreeMap::new(), running: BTreeMap::new(), done }
    }

    /// Sets aside what a job wants here; otherwise why not, for the server's history.
    pub fn reserve(&mut self, job: &JobId, file: &[u8]) -> Result<(), String> {
        let parsed = parse(file)?;
        let (_, app) = parsed.app_of(&self.me).ok_or("the job is not deployed here")?;
        if let Some(code) = app.code.iter().find(|code| !self.allow_code.contains(&code.sha256)) {
            return Err(format!("BYOC job not allowed: code {} with SHA-256 {}", code.name, code.sha256));
        }
        let wanted = parsed.resources(&self.me);
        let token = self.ledger.reserve(job, &wanted, boot_time()).map_err(|error| error.to_string())?;
        self.reserved.insert(job.clone(), token);
        Ok(())
    }

    /// Gives a reservation back.
    pub fn release(&mut self, job: &JobId) {
        if !self.running.contains_key(job)
            && let Some(token) = self.reserved.remove(job)
        {
            self.ledger.cancel(token);
        }
    }

    /// Starts the program of an admitted job, if there is one here. Its end, or that it did not start, is a
    /// [`Done::Ended`].
    pub fn start(&mut self, start: &Start) {
        let Ok(job) = JobId::parse(&start.grant.job_id) else { return };
        let app = parse(&start.file).map(|parsed| parsed.app_of(&self.me).map(|(_, app)| app.clone()));
        let app = match app {
            Ok(Some(app)) => app,
            Ok(None) => return,
            Err(text) => return self.ended(job, Exit::NotStarted, text),
        };
        if let Some(token) = self.reserved.get(&job)
            && let Err(error) = self.ledger.commit(*token, boot_time())
        {
            return self.ended(job, Exit::NotStarted, error.to_string());
        }
        self.running.insert(job.clone(), None);
        let (launcher, grant, done) = (self.launcher.clone(), start.signed.clone(), self.done.clone());
        tokio::spawn(async move {
            match launcher.launch(&job, &app, &grant).await {
                Ok(launched) => {
                    let process = Arc::new(launched);
                    let _ = done.send(Done::Started { job: job.clone(), process: Arc::clone(&process) });
                    let ended = process.ended().await;
                    let _ = done.send(Done::Ended { job, exit: ended.exit, text: ended.detail });
                }
                Err(error) => {
                    let _ = done.send(Done::Ended { job, exit: error.exit(), text: error.to_string() });
                }
            }
        });
    }

    fn ended(&self, job: JobId, exit: Exit, text: String) {
        let _ = self.done.send(Done::Ended { job, exit, text });
    }

    /// A program runs. If the job was stopped meanwhile, so is the program.
    pub fn started(&mut self, job: &JobId, process: Arc<Launched>) -> bool {
        match self.running.get_mut(job) {
            Some(slot) => {
                *slot = Some(process);
                true
            }
            None => {
                tokio::spawn(async move { process.stop().await });
                false
            }
        }
    }

    /// A program has ended: what was set aside for it is free.
    pub fn over(&mut self, job: &JobId) {
        self.running.remove(job);
        if let Some(token) = self.reserved.remove(job) {
            self.ledger.cancel(token);
        }
    }

    /// Stops a job's program, if it runs here. Its resources are free when it has ended.
    pub fn stop(&mut self, job: &JobId) {
        match self.running.get(job) {
            Some(Some(process)) => {
                let process = Arc::clone(process);
                tokio::spawn(async move { process.stop().await });
            }
            // On its way: it is stopped as soon as it runs.
            Some(None) => {
                self.running.remove(job);
            }
            None => self.release(job),
        }
    }

    /// Stops everything, and returns when it has ended.
    pub async fn stop_all(&mut self) {
        for process in std::mem::take(&mut self.running).into_values().flatten() {
            process.stop().await;
        }
    }

    /// The jobs that run here.
    pub fn running(&self) -> impl Iterator<Item = &JobId> {
        self.running.keys()
    }
}

fn parse(file: &[u8]) -> Result<JobFile, String> {
    let text = std::str::from_utf8(file).map_err(|_| "the job file is not text".to_owned())?;
    JobFile::parse(text).map_err(|error| error.to_string())
}
