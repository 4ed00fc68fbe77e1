//! Attestation reports of an SEV-SNP guest, from its own kernel (*verification.md* 1.5).
//!
//! A [`Collector`] asks configfs-tsm first and `/dev/sev-guest` where that is not there. It checks what it got only so
//! far that a report answers the request: length and REPORT_DATA (`snp.collect.wrong_report`). It is careful with the
//! driver, which loses its key for good when the host throttles for too long: requests go out one at a time and paced,
//! by all collectors of the host that have the same lock file, and a caller who waits too long leaves without starting
//! another one.
//!
//! Not done: service providers of configfs-tsm (SVSM), derived keys, the older `/dev/sev` ioctl, verification.

mod certs;
mod collector;
pub mod configfs;
mod device;
pub mod sev_guest;

use std::path::PathBuf;
use std::time::Duration;

pub use collector::Collector;
pub use device::{Device, Failure, RawReport, ReportRequest};

/// Where and how to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Directory of the report tree of configfs-tsm.
    pub configfs: PathBuf,
    /// The guest device.
    pub device: PathBuf,
    /// The file that the host's collectors lock while they ask, and where they note when they did; made where it does
    /// not exist. Where it cannot be made, each collector knows of its own requests only.
    pub lock: PathBuf,
    /// How long a caller waits for a report, queueing included.
    pub timeout: Duration,
    /// Least time between the end of a device request and the start of the next one.
    pub min_interval: Duration,
    /// The privilege level (0 to 3) that reports are to carry; `None` asks for the most privileged one that the
    /// kernel allows, which is 0 where it does not say.
    pub vmpl: Option<u32>,
}

impl Default for Options {
    /// The kernel's paths, 90 s, 2 s, the most privileged level.
    fn default() -> Self {
        Self {
            configfs: "/sys/kernel/config/tsm/report".into(),
            device: "/dev/sev-guest".into(),
            lock: "/run/muster-snp.lock".into(),
            timeout: Duration::from_secs(90),
            min_interval: Duration::from_secs(2),
            vmpl: None,
        }
    }
}
