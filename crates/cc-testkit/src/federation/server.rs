//! The emulated server.

use std::collections::BTreeMap;

use cc_core::Finding;
use fed_proto::coordinator::{Conn, Coordinator, Instances, ServerEnv, ServerEvent};
use fed_proto::job::JobId;
use fed_proto::round::{Env, Start};
use fed_proto::scheduler::Outcome;

use super::site::export;
use super::{Enrolled, Random};

/// The emulated server.
pub struct Server {
    /// The state machine; nothing while it is down.
    pub coordinator: Option<Coordinator>,
    /// Its enrolment.
    pub enrolled: Enrolled,
    /// What it said.
    pub events: Vec<ServerEvent>,
    /// How attempts ended.
    pub attempts: Vec<(String, u32, Outcome)>,
    /// Jobs that run, as its own participant counted.
    pub running: BTreeMap<String, Start>,
    /// Jobs that its own participant stopped, with the reason.
    pub stopped: Vec<(String, Finding)>,
    /// Whether announcements wait for [`super::Federation::announce`].
    pub hold_announcements: bool,
    pub(super) instances: Instances,
    pub(super) held: Vec<JobId>,
    pub(super) world: ServerWorld,
}

impl Server {
    pub(super) fn new(enrolled: Enrolled, random: Random) -> Self {
        Self {
            coordinator: None,
            enrolled,
            events: Vec::new(),
            attempts: Vec::new(),
            running: BTreeMap::new(),
            stopped: Vec::new(),
            hold_announcements: false,
            instances: Instances::default(),
            held: Vec::new(),
            world: ServerWorld { random, last_epoch: 0, wall_ms: 0 },
        }
    }
}

/// The world as the coordinator sees it. The last epoch survives a restart.
pub(super) struct ServerWorld {
    pub(super) random: Random,
    last_epoch: u64,
    pub(super) wall_ms: u64,
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
