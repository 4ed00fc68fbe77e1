//! Plugins in processes of their own: a crash or a hang costs one request, and what a verifier can reach is what it is
//! handed.
//!
//! A worker is this program started anew (`command`), with a connection to the host as its standard input and the
//! sealed library as its standard output; nothing else is passed on, the environment is empty. It confines itself
//! (`confine`), loads the library, and answers one request after the other (`process`). The host gives each request a
//! deadline, ends a process that misses it, and starts a fresh one for the next request (`child`, `pool`).
//!
//! Evidence is collected in a process of another kind than verifies it: the one needs devices, the other must have none.

mod child;
mod command;
mod confine;
mod pool;
mod process;
mod wire;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Claims, Finding};

use crate::WorkerLimits;
use crate::load::encode;
use crate::plugin::{Call, CallError, Runner};
use child::Child;
pub use command::WorkerCommand;
use pool::Pool;
pub use process::become_worker;
use wire::Ask;

/// Most processes that verify at once for one plugin, however many processors there are.
const MAX_VERIFIERS: usize = 4;

/// What a process of a plugin is for, and so what it may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `identify`, `plan`, `verify`: memory, and nothing else.
    Verifier,
    /// `collect`: devices and files of this machine, no network.
    Collector,
}

/// What it takes to start a process of a plugin.
struct Spec {
    command: WorkerCommand,
    library: OwnedFd,
    limits: WorkerLimits,
    /// The plugin's settings, encoded.
    settings: Vec<u8>,
}

/// A process that has loaded a library and has not been given any settings.
pub(crate) struct Loaded {
    spec: Spec,
    child: Child,
}

impl Loaded {
    /// Starts a process that loads the library.
    pub(crate) fn start(
        library: OwnedFd,
        command: &WorkerCommand,
        limits: WorkerLimits,
    ) -> Result<Self, Finding> {
        let spec = Spec { command: command.clone(), library, limits, settings: Vec::new() };
        let child = Child::load(&spec, Kind::Verifier).map_err(CallError::into_finding)?;
        Ok(Self { spec, child })
    }

    /// Asks who the plugin is; the raw answer.
    pub(crate) fn identify(&mut self) -> Result<Vec<u8>, CallError> {
        self.child.call(Ask::Identify, &[], self.spec.limits.deadline)
    }

    /// Makes an authorizer with these settings.
    pub(crate) fn create(mut self, settings: &Claims) -> Result<Workers, Finding> {
        self.spec.settings = encode(settings)?;
        self.child.create(&self.spec, Kind::Verifier).map_err(CallError::into_finding)?;
        let spec = Arc::new(self.spec);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let most = processors.min(MAX_VERIFIERS);
        Ok(Workers {
            verifiers: Pool::new(Arc::clone(&spec), Kind::Verifier, most, Some(self.child)),
            collectors: Pool::new(spec, Kind::Collector, 1, None),
        })
    }
}

/// A plugin that runs in processes of its own.
pub(crate) struct Workers {
    verifiers: Pool,
    collectors: Pool,
}

impl Runner for Workers {
    fn call(&self, call: Call, request: &[u8]) -> Result<Vec<u8>, CallError> {
        let (pool, ask) = match call {
            Call::Identify => (&self.verifiers, Ask::Identify),
            Call::Plan => (&self.verifiers, Ask::Plan),
            Call::Verify => (&self.verifiers, Ask::Verify),
            Call::Collect => (&self.collectors, Ask::Collect),
        };
        pool.call(ask, request)
    }

    fn waits(&self) -> bool {
        true
    }
}

impl Spec {
    fn deadline(&self, kind: Kind) -> Duration {
        match kind {
            Kind::Verifier => self.limits.deadline,
            Kind::Collector => self.limits.collect_deadline,
        }
    }
}
