//! Whole federations on a virtual clock: the real state machines of `fed-proto`, with an emulated network, emulated
//! hardware and emulated judging between them. No sockets, no sleeping; the same seed is the same run.
//!
//! [`Federation`] runs one server and its sites. While it runs, [`Watch`] checks from outside the rules that must hold
//! whatever happens; a violation panics, and the seed was printed.

mod drive;
mod fixture;
mod machines;
mod net;
mod server;
mod site;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, Profile, UnixTime};
use fed_proto::bundle::{Bundle, SignedBundle};
use fed_proto::coordinator::{Action, Conn, Coordinator, JobAttempt, ServerEnv, Timing};
use fed_proto::crypto::{AttKey, Digest, sha256};
use fed_proto::job::{JobFile, job_id};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Env, Me, Now, Output, Participant};

use drive::Delivery;
pub use drive::evidence;
pub use fixture::{Enrolled, Owner, WALL, name, site};
pub use machines::Machines;
pub use net::{Faults, Queue, Random};
pub use server::Server;
use site::{FIRST_BACKOFF, SiteWorld};
pub use site::{Forge, Site, Tamper};
pub use watch::{Instance, Watch};

/// What a rule about time is exceeded by, because state machines hear of time only now and then.
const SLACK: Duration = Duration::from_millis(1000);
/// The monotonic clock at the start.
const START: Duration = Duration::from_secs(1000);

/// Why a verifier refuses a subject whatever it shows: the site's own policy, in a test's words.
pub type Policy = BTreeMap<(Name, Name), Finding>;

/// A server, its sites, and the network between them.
pub struct Federation {
    /// The owner.
    pub owner: Owner,
    /// The bundle that new instances start with.
    pub bundle: SignedBundle,
    /// The server.
    pub server: Server,
    /// The sites.
    pub sites: BTreeMap<Name, Site>,
    /// Who refuses whom.
    pub policy: Policy,
    /// What the network does.
    pub faults: Faults,
    /// Whether sites that lose their connection dial again, after 1 s doubling to 60 s.
    pub reconnect: bool,
    /// How long a judge takes.
    pub judge_time: Duration,
    /// How often state machines hear that time passes.
    pub tick: Duration,
    /// The rules.
    pub watch: Watch,
    /// How many times evidence was verified.
    pub verifications: usize,
    /// Bytes that each site received and sent.
    pub traffic: BTreeMap<Name, u64>,
    queue: Queue<Delivery>,
    /// When the latest message of each connection and direction arrives, so that none overtakes it.
    last: BTreeMap<(Conn, bool), Duration>,
    connections: BTreeMap<Conn, Name>,
    next_connection: u64,
    now: Duration,
    random: Random,
    seed: u64,
    machines: Option<Box<dyn Machines>>,
}

impl Federation {
    /// A server and `sites` sites, all down. The seed is printed.
    pub fn new(seed: u64, sites: usize) -> Self {
        Self::with(seed, sites, Owner::new(), |_| {})
    }

    /// The same under a changed bundle.
    pub fn with(seed: u64, sites: usize, owner: Owner, edit: impl FnOnce(&mut Bundle)) -> Self {
        #[expect(clippy::print_stdout, reason = "test runners show it when the test fails")]
        {
            println!("seed {seed}");
        }
        let mut bundle = owner.bundle(1);
        edit(&mut bundle);
        let bundle = owner.sign(&bundle);
        let mut random = Random::new(seed);
        let server = Server::new(owner.enrol(&name("server"), Role::Server), Random::new(random.draw()));
        let mut federation = Self {
            owner,
            bundle,
            server,
            sites: BTreeMap::new(),
            policy: Policy::new(),
            faults: Faults::default(),
            reconnect: false,
            judge_time: Duration::ZERO,
            tick: Duration::from_millis(500),
            watch: Watch::default(),
            verifications: 0,
            traffic: BTreeMap::new(),
            queue: Queue::default(),
            last: BTreeMap::new(),
            connections: BTreeMap::new(),
            next_connection: 0,
            now: START,
            random,
            seed,
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
        let random = Random::new(self.random.draw());
        self.sites.insert(name.clone(), Site::new(enrolled, name, random));
    }

    /// Virtual time, both clocks.
    pub fn now(&self) -> Now {
        let wall = UnixTime::from_secs(WALL.as_secs() + (self.now - START).as_secs());
        Now { mono: self.now, wall }
    }

    fn me(owner: &Owner, enrolled: &Enrolled, random: &mut Random, machines: Option<&dyn Machines>) -> Me {
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
            policy: match machines {
                Some(machines) => machines.policy(&enrolled.name),
                None => sha256(enrolled.name.as_str().as_bytes()),
            },
        }
    }

    /// The present instance of a site.
    pub fn instance(&self, name: &Name) -> Option<Instance> {
        self.sites.get(name)?.agent.as_ref().map(|agent| agent.me().key.public().digest())
    }

    /// The present instance of the server.
    pub fn server_instance(&self) -> Option<Instance> {
        self.server.coordinator.as_ref().map(|server| server.own().me().key.public().digest())
    }

    /// How many reports the present instance of a site, or of the server, made.
    pub fn reports(&self, name: &Name) -> usize {
        let who =
            if *name == self.server.enrolled.name { self.server_instance() } else { self.instance(name) };
        who.map_or(0, |who| self.watch.reports_of(&who))
    }

    /// Starts a new instance of the server, which remembers what the one before had on disk.
    pub fn start_server(&mut self) {
        let now = self.now();
        let machines = self.machines.as_deref();
        let me = Self::me(&self.owner, &self.server.enrolled, &mut self.server.world.random, machines);
        let own = Participant::new(me, self.bundle.clone(), None, now).unwrap();
        self.server.coordinator =
            Some(Coordinator::new(own, Timing::default(), self.server.instances.clone(), now));
    }

    /// The server's process dies; every connection ends.
    pub fn crash_server(&mut self) {
        self.server.coordinator = None;
        self.server.running.clear();
        self.server.held.clear();
        for name in self.sites.keys().cloned().collect::<Vec<_>>() {
            self.cut(&name);
        }
    }

    /// Starts a new instance of a site and connects it.
    pub fn start(&mut self, name: &Name) {
        let now = self.now();
        let site = self.sites.get_mut(name).unwrap();
        let me = Self::me(&self.owner, &site.enrolled, &mut site.random, self.machines.as_deref());
        site.agent = Some(Participant::new(me, self.bundle.clone(), None, now).unwrap());
        site.running.clear();
        site.registered = false;
        site.backoff = FIRST_BACKOFF;
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
        let site = self.sites.get_mut(name).unwrap();
        site.agent = None;
        site.running.clear();
        self.cut(name);
    }

    /// A site's connection breaks; both ends notice at once, and what is under way is lost.
    pub fn cut(&mut self, name: &Name) {
        let site = self.sites.get_mut(name).unwrap();
        if let Some(connection) = site.connection.take() {
            self.queue.push(self.now, Delivery::Gone(connection));
        }
        self.dial_again(name);
    }

    /// A site's connection breaks and the server does not notice.
    pub fn lose(&mut self, name: &Name) {
        let site = self.sites.get_mut(name).unwrap();
        if let Some(connection) = site.connection.take() {
            self.connections.remove(&connection);
        }
        self.dial_again(name);
    }

    /// A site dials the server.
    pub fn connect(&mut self, name: &Name) {
        let now = self.now();
        let site = self.sites.get_mut(name).unwrap();
        if let Some(connection) = site.connection.take() {
            self.queue.push(self.now, Delivery::Gone(connection));
        }
        let certified = site.enrolled.name.clone();
        let (false, Some(server)) = (site.unreachable, &mut self.server.coordinator) else {
            return self.dial_again(name);
        };
        self.next_connection += 1;
        let connection = Conn(self.next_connection);
        self.connections.insert(connection, name.clone());
        server.connected(now, connection, certified, Role::Client);
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

    /// Calls the server's state machine and carries out what it wants.
    pub fn with_server(
        &mut self,
        call: impl FnOnce(&mut Coordinator, Now, &mut dyn ServerEnv, &mut Vec<Action>),
    ) {
        let now = self.now();
        self.server.world.wall_ms = now.wall.as_secs() * 1000;
        let Some(server) = &mut self.server.coordinator else { return };
        let mut out = Vec::new();
        call(server, now, &mut self.server.world, &mut out);
        for action in out {
            self.server_action(action);
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

    /// Announces the jobs whose announcement was held.
    pub fn announce(&mut self) {
        for job in std::mem::take(&mut self.server.held) {
            self.with_server(|server, now, env, out| server.announce(now, &job, env, out));
        }
    }

    /// The owner's new bundle, for the server and for whoever starts from now on.
    pub fn publish_bundle(&mut self, bundle: &Bundle) {
        self.bundle = self.owner.sign(bundle);
        let bundle = self.bundle.clone();
        self.with_server(|server, now, env, out| server.adopt(now, &bundle, env, out).unwrap());
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

    /// Whether every site is registered and connected.
    pub fn all_registered(&self) -> bool {
        self.online().len() == self.sites.len()
    }

    /// The sites that the server counts as online.
    pub fn online(&self) -> BTreeSet<Name> {
        self.server.coordinator.as_ref().map(Coordinator::online).unwrap_or_default()
    }
}
