//! How a worker is started.

use std::ffi::OsString;
use std::path::PathBuf;

/// Program and arguments of a process that calls [`become_worker`](super::become_worker) at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl WorkerCommand {
    /// The running program itself, with an argument at which it calls [`become_worker`](super::become_worker). It is the
    /// running file even when another one has taken its name since.
    pub fn this_program(argument: &str) -> Self {
        Self { program: PathBuf::from("/proc/self/exe"), arguments: vec![argument.into()] }
    }
}
