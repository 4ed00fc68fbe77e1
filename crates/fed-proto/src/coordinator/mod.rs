//! The server's side of the protocol: who is connected, which rounds are under way, who is admitted to what.
//!
//! A state machine without I/O, clock or randomness, like [`crate::round`], whose [`Participant`] it contains: the
//! server attests, judges and counts like everybody else, and the messages of that participant take the same way as
//! those of a site. Coordinating gives no power over verdicts: a coordinator can leave somebody out or stop, and
//! everything else that it says is checked by every member.
//!
//! * `sessions`, `registration`, `alive`: connections, hellos, proofs on the connection, duplicates, heartbeats;
//! * `rounds`, `relay`, `due`: open → contributions → publish → tokens → verdicts, and when;
//! * `jobs`: from the verdicts of a job's round to its admission;
//! * `site`: what the server thinks of each site.

mod alive;
mod due;
mod jobs;
mod registration;
mod relay;
mod rounds;
mod sessions;
mod site;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cc_core::Finding;

use crate::binding::Purpose;
use crate::bundle::SignedBundle;
use crate::crypto::Digest;
use crate::job::JobId;
use crate::message::Kind;
use crate::name::Name;
use crate::round::{self, Env, Event, JudgeOrder, Now, Participant};
use crate::scheduler::Outcome;
use crate::signed::Sequences;
use crate::sybil::Identifiers;

use rounds::Round;
use sessions::Connection;

pub use jobs::JobAttempt;
pub use site::{Site, Standing};

/// Names a connection; the shell never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn(pub u64);

/// What the coordinator cannot make itself.
pub trait ServerEnv: Env {
    /// What one connection exports for a context; nothing if it is gone.
    fn exporter_of(&mut self, connection: Conn, context: &[u8; 32]) -> Option<[u8; 32]>;

    /// A number that no round of this federation had before, stored durably before this returns; nothing if it could not
    /// be stored, and then no round is opened.
    fn epoch(&mut self) -> Option<u64>;
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// For contributions (*verification.md* 5.6).
    pub contribution: Duration,
    /// For tokens: 60 s, or 120 s where a role allows TDX or GPUs.
    pub collection: Duration,
    /// For answers about resources (*workflow.md* 1.3, row 7).
    pub reservation: Duration,
    /// Between challenges to a connected site; three without answer end the connection.
    pub heartbeat: Duration,
    /// For the answer of an instance whose name another one claims, and for greetings.
    pub liveness: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            contribution: seconds(5),
            collection: seconds(60),
            reservation: seconds(15),
            heartbeat: seconds(10),
            liveness: seconds(10),
        }
    }
}

/// What the shell has to do.
#[derive(Debug)]
pub enum Action {
    /// Send a message over a connection.
    Send {
        /// Which.
        to: Conn,
        /// The message.
        bytes: Arc<Vec<u8>>,
    },
    /// End a connection, after what was sent over it.
    Close {
        /// Which.
        connection: Conn,
        /// Why.
        finding: Finding,
    },
    /// Make a hardware report, as [`round::Output::Collect`].
    Collect {
        /// The round.
        epoch: u64,
        /// What it has to be bound to.
        order: Box<round::ReportOrder>,
    },
    /// Verify evidence, as [`round::Output::Judge`].
    Judge(Box<JudgeOrder>),
    /// Something happened.
    Event(ServerEvent),
}

/// What happened.
#[derive(Debug)]
pub enum ServerEvent {
    /// The server's own participant has something to say.
    Own(Event),
    /// A round was opened.
    Opened {
        /// The round.
        epoch: u64,
        /// What for.
        purpose: Purpose,
        /// Who was invited, the server included.
        members: Vec<Name>,
    },
    /// An instance is admitted to the roster.
    Registered {
        /// Who.
        name: Name,
        /// The instance.
        instance_id: [u8; 16],
        /// SubjectPublicKeyInfo of its key.
        spki: Vec<u8>,
        /// The transcript that was accepted.
        transcript: Vec<u8>,
    },
    /// A participant was refused; its connection ends.
    Refused {
        /// Who.
        name: Name,
        /// Why.
        finding: Finding,
    },
    /// A message was refused, and the connection that brought it charged.
    Charged {
        /// Whose connection.
        name: Name,
        /// Why.
        finding: Finding,
    },
    /// The server thinks otherwise of a site.
    Standing {
        /// Which.
        name: Name,
        /// What now.
        standing: Standing,
        /// Why, unless it is trusted.
        reason: Option<Finding>,
    },
    /// A site's connection was proven, or is gone.
    Connected {
        /// Which site.
        name: Name,
        /// Whether it is there.
        connected: bool,
    },
    /// An attempt to start a job is over. Of a scheduled one the announcement waits for [`Coordinator::announce`], which
    /// the shell calls once it has stored that the job is dispatched.
    Attempted {
        /// The job.
        job: JobId,
        /// Which attempt.
        number: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// What became of a job on a site.
    JobUpdate {
        /// The job.
        job_id: String,
        /// The site, or the server itself.
        name: Name,
        /// `started`, `completed`, `failed`, `stopped`, `refused`.
        state: String,
        /// For people.
        text: String,
    },
    /// A job must end everywhere.
    StopJob {
        /// The job.
        job_id: String,
        /// Why.
        finding: Finding,
    },
}

enum Work {
    /// For the own participant.
    ToOwn(Arc<Vec<u8>>),
    /// From the own participant.
    FromOwn(round::Output),
}

/// The instances that were registered, by the digests of their keys. A server has to remember them over a restart:
/// otherwise an instance that a newer one replaced could come back.
#[derive(Clone, Debug, Default)]
pub struct Instances {
    /// The one that each name registered last.
    pub latest: BTreeMap<Name, Digest>,
    /// Those that newer ones of the same name replaced; they do not come back.
    pub retired: BTreeSet<Digest>,
}

impl Instances {
    /// An instance was accepted. Returns the one that it replaces.
    pub fn accepted(&mut self, name: &Name, key: Digest) -> Option<Digest> {
        let replaced = self.latest.insert(name.clone(), key).filter(|earlier| *earlier != key)?;
        self.retired.insert(replaced);
        Some(replaced)
    }
}

/// The state machine.
#[derive(Debug)]
pub struct Coordinator {
    own: Participant,
    timing: Timing,
    connections: BTreeMap<Conn, Connection>,
    sites: BTreeMap<Name, Site>,
    rounds: BTreeMap<u64, Round>,
    received: Sequences,
    /// Which instances there were.
    instances: Instances,
    next_periodic: Duration,
    /// When the last registration round was opened.
    registered_at: Option<Duration>,
    /// How many messages were passed on, which gives them an order over all rounds.
    passed: u64,
    /// A new bundle wants a periodic round before its time.
    hurry: bool,
    work: VecDeque<Work>,
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ToOwn(bytes) => write!(f, "ToOwn({} bytes)", bytes.len()),
            Self::FromOwn(output) => write!(f, "FromOwn({output:?})"),
        }
    }
}

impl Coordinator {
    /// A coordinator around the server's own participant. `instances` are those of which it knew before it started.
    pub fn new(own: Participant, timing: Timing, instances: Instances, now: Now) -> Self {
        let next_periodic = now.mono.saturating_add(half_of(own.bundle().verdict_lifetime));
        Self {
            own,
            timing,
            connections: BTreeMap::new(),
            sites: BTreeMap::new(),
            rounds: BTreeMap::new(),
            received: Sequences::default(),
            instances,
            next_periodic,
            registered_at: None,
            passed: 0,
            hurry: false,
            work: VecDeque::new(),
        }
    }

    /// The server's own participant.
    pub const fn own(&self) -> &Participant {
        &self.own
    }

    /// What the server thinks of each site.
    pub fn sites(&self) -> impl Iterator<Item = (&Name, &Site)> {
        self.sites.iter()
    }

    /// The clients that count as online for jobs (*workflow.md* S4): registered, connected, and neither suspended nor
    /// evicted.
    pub fn online(&self) -> BTreeSet<Name> {
        self.sites.iter().filter(|(_, site)| site.is_online()).map(|(name, _)| name.clone()).collect()
    }

    /// Rounds that are under way.
    pub fn open_rounds(&self) -> usize {
        self.rounds.len()
    }

    /// A report of this machine is made.
    pub fn collected(
        &mut self,
        now: Now,
        epoch: u64,
        result: Result<round::Evidence, Finding>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let mut own = Vec::new();
        self.own.collected(now, epoch, result, &mut own);
        self.follow(now, own, env, out);
    }

    /// As [`Participant::explained`](round::Participant::explained), of the own participant.
    pub fn explained(&mut self, epoch: u64, peer: &Name, line: String) {
        self.own.explained(epoch, peer, line);
    }

    /// A peer's evidence was judged.
    pub fn judged(
        &mut self,
        now: Now,
        epoch: u64,
        peer: &Name,
        result: Result<Identifiers, Finding>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let mut own = Vec::new();
        self.own.judged(now, epoch, peer, result, env, &mut own);
        self.follow(now, own, env, out);
    }

    /// The server's own process of a job started or ended; see [`Participant::job_update`].
    pub fn job_update(
        &mut self,
        now: Now,
        job_id: &str,
        state: &str,
        text: &str,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let mut own = Vec::new();
        self.own.job_update(job_id, state, text, &mut own);
        self.follow(now, own, env, out);
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let mut own = Vec::new();
        self.own.tick(now, &mut own);
        self.follow(now, own, env, out);
        self.sessions_tick(now, env, out);
        self.rounds_tick(now, env, out);
        self.pump(now, env, out);
    }

    /// The owner's new bundle: everybody shows again what it runs, under it.
    pub fn adopt(
        &mut self,
        now: Now,
        bundle: &SignedBundle,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let mut own = Vec::new();
        self.own.adopt(now, &bundle.to_bytes(), &mut own)?;
        let changed = !own.is_empty();
        self.follow(now, own, env, out);
        if changed {
            self.evict_unenrolled(now, env, out);
            self.hurry = true;
        }
        self.tick(now, env, out);
        Ok(())
    }

    fn follow(
        &mut self,
        now: Now,
        outputs: Vec<round::Output>,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        self.work.extend(messages_first(outputs).map(Work::FromOwn));
        self.pump(now, env, out);
    }

    /// Carries messages between the own participant and the rounds until there are none.
    fn pump(&mut self, now: Now, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::ToOwn(bytes) => {
                    let mut own = Vec::new();
                    self.own.receive(now, &bytes, env, &mut own);
                    // What a message leads to comes before the next message.
                    for output in messages_first(own).rev() {
                        self.work.push_front(Work::FromOwn(output));
                    }
                }
                Work::FromOwn(round::Output::Send(bytes)) => self.sent_by_own(now, bytes, env, out),
                Work::FromOwn(round::Output::Collect { epoch, order }) => {
                    out.push(Action::Collect { epoch, order });
                }
                Work::FromOwn(round::Output::Judge(order)) => out.push(Action::Judge(order)),
                Work::FromOwn(round::Output::Event(event)) => self.own_event(now, event, env, out),
            }
        }
    }

    /// A message of the own participant, as if a site had sent it.
    fn sent_by_own(&mut self, now: Now, bytes: Vec<u8>, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let Some(message) = crate::signed::Signed::from_bytes(&bytes, usize::MAX) else { return };
        let name = self.own.me().name.clone();
        if let Some(kind) = Kind::from_number(message.header.kind) {
            // The own participant sends nothing that a coordinator refuses.
            let _ = self.in_round(now, &name, kind, &message, Arc::new(bytes), env, out);
        }
    }

    fn own_event(&mut self, now: Now, event: Event, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        match &event {
            Event::Judged { epoch, purpose: Purpose::Register, peer, result } => {
                self.registration(now, *epoch, peer, result.clone(), out);
            }
            Event::Verdict { epoch, verifier, verdict, .. } => {
                self.counted(*epoch, verifier.clone(), verdict.clone());
            }
            Event::Concluded(concluded) => self.concluded(now, concluded, out),
            Event::Stop { job_id, finding } => {
                let event = ServerEvent::StopJob { job_id: job_id.clone(), finding: finding.clone() };
                out.push(Action::Event(event));
            }
            Event::Abstained { epoch, finding } => self.abandon(now, *epoch, finding, env, out),
            _ => {}
        }
        let epoch = match &event {
            Event::Verdict { epoch, .. } => Some(*epoch),
            Event::Concluded(concluded) => Some(concluded.epoch),
            _ => None,
        };
        out.push(Action::Event(ServerEvent::Own(event)));
        if let Some(epoch) = epoch {
            self.decide_if_ready(now, epoch, env, out);
        }
    }

    fn send(&self, to: Conn, bytes: &Arc<Vec<u8>>, out: &mut Vec<Action>) {
        out.push(Action::Send { to, bytes: Arc::clone(bytes) });
    }
}

/// Periodic rounds start every half lifetime of a verdict, less up to a tenth.
fn half_of(lifetime: Duration) -> Duration {
    lifetime.checked_div(2).unwrap_or_default()
}

/// Messages of the own participant leave before anything that its events lead to: they were signed with lower sequence
/// numbers than what the coordinator signs then.
fn messages_first(outputs: Vec<round::Output>) -> impl DoubleEndedIterator<Item = round::Output> {
    let is_message = |output: &round::Output| matches!(output, round::Output::Send(_));
    let (messages, others): (Vec<_>, Vec<_>) = outputs.into_iter().partition(is_message);
    messages.into_iter().chain(others)
}
