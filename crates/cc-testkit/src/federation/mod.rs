//! Whole federations on a virtual clock: the real state machines of `fed-proto`, with an emulated network, emulated
//! hardware and emulated judging between them. No sockets, no sleeping; the same seed is the same run.
//!
//! [`Federation`] runs one server and its sites and checks, while it runs, the rules that must hold whatever happens
//! (see [`Federation::check_start`] and the fields of [`Site`]): a violation panics with the seed.

mod fixture;
mod net;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, Profile, UnixTime, codes};
use fed_proto::bundle::SignedBundle;
use fed_proto::coordinator::{Action, Conn, Coordinator, JobAttempt, ServerEnv, ServerEvent, Timing};
use fed_proto::crypto::{AttKey, Digest, sha256};
use fed_proto::job::{JobFile, job_id};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Concluded, Env, Event, Evidence, JudgeOrder, Me, Now, Output, Participant, Start};
use fed_proto::scheduler::Outcome;
use fed_proto::sybil::Identifiers;

pub use fixture::{Enrolled, Owner, WALL, name, site};
pub use net::{Faults, Queue, Random};

/// How long an emulated hardware report takes.
const REPORT_TIME: Duration = Duration::from_millis(20);
/// How often state machines hear that time passes.
const TICK: Duration = Duration::from_millis(500);

/// Why a verifier refuses a subject whatever it shows: the site's own policy, in a test's words.
pub type Policy = BTreeMap<(Name, Name), Finding>;

/// Changes a message on its way; nothing drops it.
pub type Tamper = Box<dyn FnMut(Vec<u8>) -> Option<Vec<u8>>>;

/// What stands behind the participants where a test wants other answers than the emulation's own.
pub trait Machines {
    /// The digest of a participant's own policy.
    fn policy(&self, who: &Name) -> Digest;
    /// A report of its hardware over a binding.
    fn report(&mut self, who: &Name, binding: &[u8; 64]) -> Evidence;
    /// How it judges.
    fn judge(&mut self, who: &Name, order: &JudgeOrder, at: UnixTime) -> Result<Identifiers, Finding>;
    /// Its verdict is out.
    fn concluded(&mut self, own: &Participant, concluded: Concluded, at: UnixTime);
}

enum Delivery {
    ToServer(Conn, Vec<u8>),
    ToSite(Conn, Name, Arc<Vec<u8>>),
    Collected { who: Name, epoch: u64, binding: [u8; 64] },
    Judged { who: Name, order: Box<JudgeOrder> },
    Gone(Conn),
    Tick,
}

/// One emulated site.
pub struct Site {
    enrolled: Enrolled,
    /// The state machine; nothing while it is down.
    pub agent: Option<Participant>,
    connection: Option<Conn>,
    random: Random,
    /// Its processor, for the rules about shared hardware.
    pub hardware: Identifiers,
    /// Epochs for which it made a report: more than one report for an epoch is a violation.
    pub reports: BTreeSet<u64>,
    /// Jobs that run here.
    pub running: BTreeMap<String, Start>,
    /// Jobs that were stopped here, with the reason.
    pub stopped: Vec<(String, Finding)>,
    /// Why the server turned it away, each time.
    pub turned_away: Vec<Finding>,
    /// Why it took no part in rounds.
    pub abstained: Vec<(u64, Finding)>,
    /// Messages that it refused.
    pub refused: Vec<Finding>,
    /// Whether it was told that it is registered.
    pub registered: bool,
    /// Answers to the server's question about resources.
    pub resources: Result<(), String>,
    /// The machine does not answer requests for reports.
    pub mute: bool,
    /// Changes the bytes that it sends.
    pub tamper: Option<Tamper>,
}

struct ServerWorld {
    random: Random,
    last_epoch: u64,
    wall_ms: u64,
}

fn export(connection: Conn, context: &[u8; 32]) -> [u8; 32] {
    sha256(&[connection.0.to_be_bytes().as_slice(), context].concat()).0
}

impl Env for ServerWorld {
    fn nonce(&mut self) -> [u8; 32] {
        self.random.bytes()
    }

    fn exporter(&mut self, _: &[u8; 32]) -> Option<[u8; 32]> {
        None
    }
}

impl ServerEnv for ServerWorld {
    fn exporter_of(&mut self, connection: Conn, context: &[u8; 32]) -> Option<[u8; 32]> {
        Some(export(connection, context))
    }

    fn epoch(&mut self) -> Option<u64> {
        self.last_epoch = (self.last_epoch + 1).max(self.wall_ms);
        Some(self.last_epoch)
    }
}

struct SiteWorld<'a> {
    random: &'a mut Random,
    connection: Option<Conn>,
}

impl Env for SiteWorld<'_> {
    fn nonce(&mut self) -> [u8; 32] {
        self.random.bytes()
    }

    fn exporter(&mut self, context: &[u8; 32]) -> Option<[u8; 32]> {
        Some(export(self.connection?, context))
    }
}

/// A server, its sites, and the network between them.
pub struct Federation {
    /// The owner.
    pub owner: Owner,
    /// The bundle that new instances start with.
    pub bundle: SignedBundle,
    /// The server; nothing while it is down.
    pub server: Option<Coordinator>,
    server_enrolled: Enrolled,
    server_world: ServerWorld,
    /// Epochs for which the server made a report.
    pub server_reports: BTreeSet<u64>,
    /// The sites.
    pub sites: BTreeMap<Name, Site>,
    /// Who refuses whom.
    pub policy: Policy,
    /// What the network does.
    pub faults: Faults,
    /// What the server said.
    pub events: Vec<ServerEvent>,
    /// How attempts ended.
    pub attempts: Vec<(String, u32, Outcome)>,
    /// Who was judged acceptable by whom in which round, as the emulated judges answered.
    accepted: BTreeSet<(u64, Name, Name)>,
    /// How many times evidence was verified.
    pub verifications: usize,
    /// Bytes that each participant received and sent.
    pub traffic: BTreeMap<Name, u64>,
    queue: Queue<Delivery>,
    /// When the latest message of each connection and direction arrives, so that none overtakes it.
    last: BTreeMap<(Conn, bool), Duration>,
    connections: BTreeMap<Conn, Name>,
    next_connection: u64,
    now: Duration,
    random: Random,
    seed: u64,
    timing: Timing,
    machines: Option<Box<dyn Machines>>,
}

impl Federation {
    /// A server and `sites` sites, all down. The seed is printed.
    pub fn new(seed: u64, sites: usize) -> Self {
        Self::with(seed, sites, Owner::new(), |_| {})
    }

    /// The same under a changed bundle.
    pub fn with(
        seed: u64,
        sites: usize,
        owner: Owner,
        edit: impl FnOnce(&mut fed_proto::bundle::Bundle),
    ) -> Self {
        println!("seed {seed}");
        let mut bundle = owner.bundle(1);
        edit(&mut bundle);
        let bundle = owner.sign(&bundle);
        let mut random = Random::new(seed);
        let server_enrolled = owner.enrol(&name("server"), Role::Server);
        let server_world = ServerWorld { random: Random::new(random.next()), last_epoch: 0, wall_ms: 0 };
        let mut federation = Self {
            owner,
            bundle,
            server: None,
            server_enrolled,
            server_world,
            server_reports: BTreeSet::new(),
            sites: BTreeMap::new(),
            policy: Policy::new(),
            faults: Faults::default(),
            events: Vec::new(),
            attempts: Vec::new(),
            accepted: BTreeSet::new(),
            verifications: 0,
            traffic: BTreeMap::new(),
            queue: Queue::default(),
            last: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_connection: 0,
            now: Duration::from_secs(1000),
            random,
            seed,
            timing: Timing::default(),
            machines: None,
        };
        for number in 1..=sites {
            federation.add(&site(number));
        }
        federation.queue.push(federation.now, Delivery::Tick);
        federation
    }

    /// Provisions another site.
    pub fn add(&mut self, name: &Name) {
        let enrolled = self.owner.enrol(name, Role::Client);
        let site = Site {
            enrolled,
            agent: None,
            connection: None,
            random: Random::new(self.random.next()),
            hardware: Identifiers {
                guest: Some(name.as_str().as_bytes().to_vec()),
                devices: Vec::new(),
                chip: Some(name.as_str().as_bytes().to_vec()),
            },
            reports: BTreeSet::new(),
            running: BTreeMap::new(),
            stopped: Vec::new(),
            turned_away: Vec::new(),
            abstained: Vec::new(),
            refused: Vec::new(),
            registered: false,
            resources: Ok(()),
            mute: false,
            tamper: None,
        };
        self.sites.insert(name.clone(), site);
    }

    /// Puts machines behind all participants; to be called before any is started.
    pub fn run_on(&mut self, machines: impl Machines + 'static) {
        self.machines = Some(Box::new(machines));
    }

    /// Virtual time, both clocks.
    pub fn now(&self) -> Now {
        let wall = UnixTime::from_secs(WALL.as_secs() + self.now.as_secs() - 1000);
        Now { mono: self.now, wall }
    }

    fn me(owner: &Owner, enrolled: &Enrolled, random: &mut Random) -> Me {
        let key = AttKey::from_seed(&random.bytes()).unwrap();
        let identity = enrolled.identity(&owner.descriptor.federation_id(), &key, random.bytes());
        Me {
            descriptor: owner.descriptor.clone(),
            name: enrolled.name.clone(),
            role: enrolled.role,
            profile: Profile::snp_raw_1(),
            identity,
            key,
            runtime: Some(Digest([5; 32])),
            policy: sha256(enrolled.name.as_str().as_bytes()),
        }
    }

    /// Starts a new instance of the server.
    pub fn start_server(&mut self) {
        let now = self.now();
        let mut me = Self::me(&self.owner, &self.server_enrolled, &mut self.server_world.random);
        if let Some(machines) = &self.machines {
            me.policy = machines.policy(&me.name);
        }
        let own = Participant::new(me, self.bundle.clone(), None, now).unwrap();
        self.server = Some(Coordinator::new(own, self.timing, BTreeSet::new(), now));
    }

    /// The server's process dies; every connection ends.
    pub fn crash_server(&mut self) {
        self.server = None;
        let all: Vec<Name> = self.sites.keys().cloned().collect();
        for name in all {
            self.cut(&name);
        }
    }

    /// Starts a new instance of a site and connects it.
    pub fn start(&mut self, name: &Name) {
        let now = self.now();
        let site = self.sites.get_mut(name).unwrap();
        let mut me = Self::me(&self.owner, &site.enrolled, &mut site.random);
        if let Some(machines) = &self.machines {
            me.policy = machines.policy(&me.name);
        }
        site.agent = Some(Participant::new(me, self.bundle.clone(), None, now).unwrap());
        site.running.clear();
        site.registered = false;
        self.connect(name);
    }

    /// Starts another machine under an enrolment that exists: the same name and certificate, an instance of its own.
    /// The harness knows it by the returned label.
    pub fn twin(&mut self, of: &Name) -> Name {
        let label = name(&format!("{of}.twin"));
        let certificate = self.sites.get(of).unwrap().enrolled.clone();
        self.add(&label);
        self.sites.get_mut(&label).unwrap().enrolled = certificate;
        self.start(&label);
        label
    }

    /// Starts the server and all sites.
    pub fn start_all(&mut self) {
        self.start_server();
        for name in self.sites.keys().cloned().collect::<Vec<_>>() {
            self.start(&name);
        }
    }

    /// A site's process dies.
    pub fn crash(&mut self, name: &Name) {
        self.cut(name);
        let site = self.sites.get_mut(name).unwrap();
        site.agent = None;
        site.running.clear();
    }

    /// A site's connection breaks; the server notices at once.
    pub fn cut(&mut self, name: &Name) {
        let site = self.sites.get_mut(name).unwrap();
        if let Some(connection) = site.connection.take() {
            self.queue.push(self.now, Delivery::Gone(connection));
        }
    }

    /// A site dials the server.
    pub fn connect(&mut self, name: &Name) {
        self.cut(name);
        let now = self.now();
        if self.server.is_none() {
            return;
        }
        self.next_connection += 1;
        let connection = Conn(self.next_connection);
        self.connections.insert(connection, name.clone());
        let certified = self.sites.get(name).unwrap().enrolled.name.clone();
        if let Some(server) = &mut self.server {
            server.connected(now, connection, certified, Role::Client);
        }
        self.with_agent(name, Some(connection), |agent, env, out| agent.connected(env, out));
    }

    /// Calls a site's state machine and carries out what it wants.
    pub fn with_agent(
        &mut self,
        name: &Name,
        dialled: Option<Conn>,
        call: impl FnOnce(&mut Participant, &mut dyn Env, &mut Vec<Output>),
    ) {
        let site = self.sites.get_mut(name).unwrap();
        if dialled.is_some() {
            site.connection = dialled;
        }
        let Some(agent) = &mut site.agent else { return };
        let mut out = Vec::new();
        let mut env = SiteWorld { random: &mut site.random, connection: site.connection };
        call(agent, &mut env, &mut out);
        for output in out {
            self.site_output(name, output);
        }
    }

    fn site_output(&mut self, name: &Name, output: Output) {
        let seed = self.seed;
        let site = self.sites.get_mut(name).unwrap();
        match output {
            Output::Send(bytes) => {
                let Some(connection) = site.connection else { return };
                let bytes = match &mut site.tamper {
                    Some(tamper) => tamper(bytes),
                    None => Some(bytes),
                };
                if let Some(bytes) = bytes {
                    *self.traffic.entry(name.clone()).or_default() += bytes.len() as u64;
                    self.transmit(connection, true, |_| Delivery::ToServer(connection, bytes.clone()));
                }
            }
            Output::Collect { epoch, binding } => {
                assert!(site.reports.insert(epoch), "{name} makes a second report for {epoch}, seed {seed}");
                if !site.mute {
                    let delivery =
                        Delivery::Collected { who: name.clone(), epoch, binding: *binding.as_bytes() };
                    self.queue.push(self.now + REPORT_TIME, delivery);
                }
            }
            Output::Judge(order) => {
                self.queue.push(self.now, Delivery::Judged { who: name.clone(), order });
            }
            Output::Event(event) => self.site_event(name, event),
        }
    }

    fn site_event(&mut self, name: &Name, event: Event) {
        let site = self.sites.get_mut(name).unwrap();
        match event {
            Event::Concluded(concluded) => {
                let at = self.now().wall;
                let own = self.sites.get(name).and_then(|site| site.agent.as_ref());
                if let (Some(machines), Some(own)) = (&mut self.machines, own) {
                    machines.concluded(own, *concluded, at);
                }
            }
            Event::Registered => site.registered = true,
            Event::TurnedAway(finding) => site.turned_away.push(finding),
            Event::Refused(finding) => site.refused.push(finding),
            Event::Abstained { epoch, finding } => site.abstained.push((epoch, finding)),
            Event::Reserve { epoch, job_id, .. } => {
                let answer = site.resources.clone();
                self.with_agent(name, None, |agent, _, out| agent.reserved(epoch, &job_id, answer, out));
            }
            Event::Start(start) => {
                self.check_start(name, &start);
                let job = start.grant.job_id.clone();
                let site = self.sites.get_mut(name).unwrap();
                assert!(site.running.insert(job.clone(), *start).is_none(), "a job runs twice at {name}");
                self.with_agent(name, None, |agent, _, out| agent.job_update(&job, "started", "", out));
            }
            Event::Stop { job_id, finding } => {
                if site.running.remove(&job_id).is_some() {
                    site.stopped.push((job_id.clone(), finding));
                    self.with_agent(name, None, |agent, _, out| {
                        agent.job_update(&job_id, "stopped", "", out)
                    });
                }
            }
            _ => {}
        }
    }

    /// No admission without a fresh verdict of every verifier about every subject, each on evidence that was bound to
    /// a root with the verifier's own nonce.
    fn check_start(&self, at: &Name, start: &Start) {
        let grant = &start.grant;
        for verifier in &grant.members {
            for subject in grant.members.iter().filter(|subject| subject.name != verifier.name) {
                let pair = (grant.epoch, verifier.name.clone(), subject.name.clone());
                assert!(
                    self.accepted.contains(&pair),
                    "{at} starts {} although {} did not accept {} in round {}, seed {}",
                    grant.job_id,
                    verifier.name,
                    subject.name,
                    grant.epoch,
                    self.seed
                );
            }
        }
    }

    fn transmit(&mut self, connection: Conn, up: bool, delivery: impl Fn(&Self) -> Delivery) {
        if self.random.percent(self.faults.loss) && self.faults.loss > 0 {
            return;
        }
        let copies =
            if self.faults.duplication > 0 && self.random.percent(self.faults.duplication) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = self.faults.delay.as_millis() as u64;
            let delay = Duration::from_millis(if delay == 0 { 0 } else { self.random.below(delay) });
            let mut at = self.now + delay;
            if !self.faults.reorder {
                let last = self.last.entry((connection, up)).or_default();
                at = at.max(*last);
                *last = at;
            }
            let delivery = delivery(self);
            self.queue.push(at, delivery);
        }
    }

    /// Calls the server's state machine and carries out what it wants.
    pub fn with_server(
        &mut self,
        call: impl FnOnce(&mut Coordinator, Now, &mut dyn ServerEnv, &mut Vec<Action>),
    ) {
        let now = self.now();
        self.server_world.wall_ms = now.wall.as_secs() * 1000;
        let Some(server) = &mut self.server else { return };
        let mut out = Vec::new();
        call(server, now, &mut self.server_world, &mut out);
        for action in out {
            self.server_action(action);
        }
    }

    fn server_action(&mut self, action: Action) {
        match action {
            Action::Send { to, bytes } => {
                let Some(name) = self.connections.get(&to).cloned() else { return };
                *self.traffic.entry(name.clone()).or_default() += bytes.len() as u64;
                self.transmit(to, false, |_| Delivery::ToSite(to, name.clone(), Arc::clone(&bytes)));
            }
            Action::Close { connection, .. } => {
                // What was sent before arrives before.
                let at = self.last.get(&(connection, false)).copied().unwrap_or(self.now).max(self.now);
                self.queue.push(at, Delivery::Gone(connection));
            }
            Action::Collect { epoch, binding } => {
                assert!(self.server_reports.insert(epoch), "the server makes a second report for {epoch}");
                let who = self.server_enrolled.name.clone();
                let delivery = Delivery::Collected { who, epoch, binding: *binding.as_bytes() };
                self.queue.push(self.now + REPORT_TIME, delivery);
            }
            Action::Judge(order) => {
                let who = self.server_enrolled.name.clone();
                self.queue.push(self.now, Delivery::Judged { who, order });
            }
            Action::Event(event) => {
                if let ServerEvent::Attempted { job, number, outcome } = &event {
                    self.attempts.push((job.to_string(), *number, outcome.clone()));
                    if matches!(outcome, Outcome::Scheduled { .. }) {
                        let job = job.clone();
                        self.with_server(|server, now, env, out| server.announce(now, &job, env, out));
                    }
                }
                let at = self.now().wall;
                if let (Some(machines), Some(server), ServerEvent::Own(Event::Concluded(concluded))) =
                    (&mut self.machines, &self.server, &event)
                {
                    machines.concluded(server.own(), (**concluded).clone(), at);
                }
                if let ServerEvent::Own(Event::Start(start)) = &event {
                    self.check_start(&name("server"), start);
                }
                self.events.push(event);
            }
        }
    }

    /// Submits a job and starts one attempt with these sites.
    pub fn attempt(&mut self, file: &str, number: u32, sites: &[&Name]) -> String {
        let nonce = self.random.bytes();
        self.attempt_of(file, nonce, number, sites)
    }

    /// The same for a submission that exists.
    pub fn attempt_of(&mut self, file: &str, nonce: [u8; 16], number: u32, sites: &[&Name]) -> String {
        let id = job_id(&self.owner.descriptor.federation_id(), &nonce, file.as_bytes());
        let attempt = JobAttempt {
            id: id.clone(),
            number,
            nonce,
            file_bytes: file.as_bytes().to_vec(),
            parsed: Arc::new(JobFile::parse(file).unwrap()),
            sites: sites.iter().map(|name| (*name).clone()).collect(),
        };
        self.with_server(|server, now, env, out| server.attempt(now, attempt, env, out));
        id.to_string()
    }

    /// Runs for a stretch of virtual time.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some((at, delivery)) = self.queue.pop(until) {
            self.now = self.now.max(at);
            self.deliver(delivery);
        }
        self.now = until;
    }

    /// Runs until something holds; panics after `limit` of virtual time.
    pub fn run_until(&mut self, what: &str, limit: Duration, holds: impl Fn(&Self) -> bool) {
        let until = self.now + limit;
        while !holds(self) {
            let Some((at, delivery)) = self.queue.pop(until) else {
                panic!("{what}: not within {} s, seed {}", limit.as_secs(), self.seed);
            };
            self.now = self.now.max(at);
            self.deliver(delivery);
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::ToServer(connection, bytes) => self.with_server(|server, now, env, out| {
                server.receive(now, connection, bytes, env, out);
            }),
            Delivery::ToSite(connection, name, bytes) => {
                if self.sites.get(&name).is_some_and(|site| site.connection == Some(connection)) {
                    let now = self.now();
                    self.with_agent(&name, None, |agent, env, out| agent.receive(now, &bytes, env, out));
                }
            }
            Delivery::Gone(connection) => {
                if let Some(name) = self.connections.get(&connection).cloned()
                    && let Some(site) = self.sites.get_mut(&name)
                    && site.connection == Some(connection)
                {
                    site.connection = None;
                }
                self.with_server(|server, now, env, out| server.disconnected(now, connection, env, out));
            }
            Delivery::Collected { who, epoch, binding } => self.report(&who, epoch, binding),
            Delivery::Judged { who, order } => self.judge(&who, &order),
            Delivery::Tick => {
                let now = self.now();
                self.with_server(|server, now, env, out| server.tick(now, env, out));
                for name in self.sites.keys().cloned().collect::<Vec<_>>() {
                    self.with_agent(&name, None, |agent, _, out| agent.tick(now, out));
                }
                self.check_ages();
                self.queue.push(self.now + TICK, Delivery::Tick);
            }
        }
    }

    fn report(&mut self, who: &Name, epoch: u64, binding: [u8; 64]) {
        let now = self.now();
        // The name and the binding stand for what hardware signs.
        let evidence = [who.as_str().as_bytes(), b"\0", &binding].concat();
        let evidence = match &mut self.machines {
            Some(machines) => machines.report(who, &binding),
            None => Evidence { evidence, aux: Vec::new(), endorsements: Vec::new() },
        };
        if *who == self.server_enrolled.name {
            self.with_server(|server, now, env, out| server.collected(now, epoch, Ok(evidence), env, out));
        } else {
            self.with_agent(who, None, |agent, _, out| agent.collected(now, epoch, Ok(evidence), out));
        }
    }

    /// The emulated judge: hardware says which guest made the report and over what.
    fn judge(&mut self, who: &Name, order: &JudgeOrder) {
        let now = self.now();
        self.verifications += 1;
        let evidence = &order.envelope.evidence;
        let parts =
            evidence.iter().position(|byte| *byte == 0).map(|at| (&evidence[..at], &evidence[at + 1..]));
        let guest = parts.and_then(|(guest, _)| std::str::from_utf8(guest).ok()).unwrap_or_default();
        let bound = parts.is_some_and(|(_, binding)| binding == order.binding.as_bytes());
        let hardware = match self.sites.get(&name_or_server(guest)) {
            Some(site) => site.hardware.clone(),
            None => Identifiers::default(),
        };
        let refusal = self.policy.get(&(who.clone(), order.peer.clone()));
        let result = match (&mut self.machines, refusal) {
            (Some(machines), _) => machines.judge(who, order, now.wall),
            _ if !bound => Err(Finding::new(codes::BIND_REPORT_DATA_MISMATCH, "emulated")),
            (None, Some(finding)) => Err(finding.clone()),
            (None, None) => Ok(hardware),
        };
        if result.is_ok() {
            self.accepted.insert((order.epoch, who.clone(), order.peer.clone()));
        }
        let (epoch, peer) = (order.epoch, order.peer.clone());
        if *who == self.server_enrolled.name {
            self.with_server(|server, now, env, out| server.judged(now, epoch, &peer, result, env, out));
        } else {
            self.with_agent(who, None, |agent, _, out| agent.judged(now, epoch, &peer, result, out));
        }
    }

    /// A verdict never outlives its lifetime: no job runs on an Accept that is older, a tick's slack allowed.
    fn check_ages(&self) {
        let now = self.now();
        for (at, site) in &self.sites {
            let Some(agent) = &site.agent else { continue };
            let limit = agent.bundle().verdict_lifetime + TICK;
            for start in site.running.values() {
                let fresh: BTreeSet<(&Name, &Name)> = agent
                    .accepts(now)
                    .filter(|(_, _, age)| *age <= limit)
                    .map(|(verifier, subject, _)| (verifier, subject))
                    .collect();
                for verifier in &start.grant.members {
                    for subject in start.grant.members.iter().filter(|subject| subject.name != verifier.name)
                    {
                        assert!(
                            fresh.contains(&(&verifier.name, &subject.name)),
                            "{at} runs {} on no fresh verdict of {} about {}, seed {}",
                            start.grant.job_id,
                            verifier.name,
                            subject.name,
                            self.seed
                        );
                    }
                }
            }
        }
    }

    /// Whether every site is registered and connected.
    pub fn all_registered(&self) -> bool {
        self.online().len() == self.sites.len()
    }

    /// The sites that the server counts as online.
    pub fn online(&self) -> BTreeSet<Name> {
        self.server.as_ref().map(Coordinator::online).unwrap_or_default()
    }
}

fn name_or_server(guest: &str) -> Name {
    Name::new(guest).unwrap_or_else(|_| name("server"))
}
