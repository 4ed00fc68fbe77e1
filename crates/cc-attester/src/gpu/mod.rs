//! Reports of the GPUs of this machine, through NVIDIA's driver (*verification.md* 3.4).
//!
//! A [`Collector`] asks NVML for the state of confidential computing, and each GPU for a report over the caller's nonce
//! and its certificate chain. It checks only that a report answers the request. The driver runs in the guest and is no
//! more trusted than its measured image; its calls can hang, so they run on a thread of their own, each with a
//! deadline.
//!
//! [`Collector::set_ready`] lets the GPUs accept work, against the proof that exactly this evidence was verified.
//!
//! Not done: verification; reports of switches, which NVML does not give.

mod collector;
mod evidence;
mod nvml;
mod ready;
mod session;
mod state;

use std::path::PathBuf;
use std::time::Duration;

pub use collector::Collector;

/// Where and how to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The driver's management library: a path, or a name that the system's loader looks up.
    pub library: PathBuf,
    /// The file that the host's collectors lock while they ask; made where it does not exist. Where it cannot be made,
    /// each collector knows of its own requests only.
    pub lock: PathBuf,
    /// How long a caller waits for one step of a collection, queueing included: loading the driver and reading its
    /// state, then chain and report of each GPU.
    pub timeout: Duration,
}

impl Default for Options {
    /// The driver's name for its library, 10 s.
    fn default() -> Self {
        Self {
            library: "libnvidia-ml.so.1".into(),
            lock: "/run/muster-gpu.lock".into(),
            timeout: Duration::from_secs(10),
        }
    }
}
