//! One emulated site.

use std::collections::BTreeMap;
use std::time::Duration;

use cc_core::Finding;
use fed_proto::coordinator::Conn;
use fed_proto::crypto::sha256;
use fed_proto::name::Name;
use fed_proto::round::{Env, Participant, Start};
use fed_proto::sybil::Identifiers;

use super::{Enrolled, Random};

/// Changes what is sent: whatever it returns is sent instead.
pub type Tamper = Box<dyn FnMut(Vec<u8>) -> Vec<Vec<u8>>>;

/// Makes evidence over the 64 bytes in place of the site's own hardware.
pub type Forge = Box<dyn FnMut([u8; 64]) -> Vec<u8>>;

/// One emulated site. Fields that a test sets come first, what it can look at after them.
pub struct Site {
    /// Its processor, for the rules about shared hardware.
    pub hardware: Identifiers,
    /// Answers to the server's question about resources.
    pub resources: Result<(), String>,
    /// The machine does not answer requests for reports.
    pub mute: bool,
    /// The hardware makes no report, and says why.
    pub broken: Option<Finding>,
    /// The site has no hardware of its own.
    pub forge: Option<Forge>,
    /// Changes the messages that it sends.
    pub tamper: Option<Tamper>,
    /// Changes the messages that it gets.
    pub tamper_inbound: Option<Tamper>,
    /// It cannot reach the server.
    pub unreachable: bool,

    /// The state machine; nothing while it is down.
    pub agent: Option<Participant>,
    /// Its enrolment.
    pub enrolled: Enrolled,
    /// Jobs that run here.
    pub running: BTreeMap<String, Start>,
    /// Jobs that were stopped here, with the reason.
    pub stopped: Vec<(String, Finding)>,
    /// Jobs that were not started here, with the reason.
    pub not_admitted: Vec<(String, String)>,
    /// Why the server turned it away, each time.
    pub turned_away: Vec<Finding>,
    /// Why it took no part in rounds.
    pub abstained: Vec<(u64, Finding)>,
    /// Messages that it refused.
    pub refused: Vec<Finding>,
    /// Whether it was told that it is registered.
    pub registered: bool,

    pub(super) connection: Option<Conn>,
    pub(super) random: Random,
    pub(super) backoff: Duration,
    pub(super) dialling: bool,
}

impl Site {
    pub(super) fn new(enrolled: Enrolled, label: &Name, random: Random) -> Self {
        let id = label.as_str().as_bytes().to_vec();
        Self {
            hardware: Identifiers { guest: Some(id.clone()), devices: Vec::new(), chip: Some(id) },
            resources: Ok(()),
            mute: false,
            broken: None,
            forge: None,
            tamper: None,
            tamper_inbound: None,
            unreachable: false,
            agent: None,
            enrolled,
            running: BTreeMap::new(),
            stopped: Vec::new(),
            not_admitted: Vec::new(),
            turned_away: Vec::new(),
            abstained: Vec::new(),
            refused: Vec::new(),
            registered: false,
            connection: None,
            random,
            backoff: FIRST_BACKOFF,
            dialling: false,
        }
    }

    /// How many reports its present instance made is the watcher's to say; this is whether it is up.
    pub fn is_up(&self) -> bool {
        self.agent.is_some()
    }
}

pub(super) const FIRST_BACKOFF: Duration = Duration::from_secs(1);
pub(super) const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// What a connection exports, at both ends.
pub(super) fn export(connection: Conn, context: &[u8; 32]) -> [u8; 32] {
    sha256(&[connection.0.to_be_bytes().as_slice(), context].concat()).0
}

/// The world as a site's state machine sees it.
pub(super) struct SiteWorld<'a> {
    pub(super) random: &'a mut Random,
    pub(super) connection: Option<Conn>,
}

impl Env for SiteWorld<'_> {
    fn nonce(&mut self) -> [u8; 32] {
        self.random.bytes()
    }

    fn exporter(&mut self, context: &[u8; 32]) -> Option<[u8; 32]> {
        Some(export(self.connection?, context))
    }
}
