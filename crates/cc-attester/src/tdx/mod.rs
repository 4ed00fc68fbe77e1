//! Quotes of a TDX guest, through its own kernel (*verification.md* 2.6).
//!
//! A [`Collector`] asks configfs-tsm, whose driver has the host's quoting service make the quote. That service is not
//! trusted: it may refuse, delay, or answer with a quote of before, so a quote is checked for answering the request
//! (`tdx.collect.wrong_quote`), and nothing more. What may pass is tried again a few times. The event log of the
//! firmware comes along where there is one.
//!
//! [`rtmrs`] reads the registers of the running domain for itself. Such a local report is authenticated by a key of this
//! machine only: it is no evidence, and never leaves this module.
//!
//! Not done: the older ways to a quote (a vsock connection to the quoting service, the GetQuote ioctl), and
//! verification.

mod ccel;
mod collector;
mod guest;

use std::path::PathBuf;
use std::time::Duration;

pub use collector::Collector;
pub use guest::rtmrs;

/// Where and how to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Directory of the report tree of configfs-tsm.
    pub configfs: PathBuf,
    /// The event log of the firmware. A machine need not have one.
    pub ccel: PathBuf,
    /// The file that the host's collectors lock while they ask; made where it does not exist. Where it cannot be made,
    /// each collector knows of its own requests only.
    pub lock: PathBuf,
    /// How long a caller waits for a quote, queueing included. One attempt may take the driver 30 s.
    pub timeout: Duration,
}

impl Default for Options {
    /// The kernel's paths, 90 s.
    fn default() -> Self {
        Self {
            configfs: "/sys/kernel/config/tsm/report".into(),
            ccel: "/sys/firmware/acpi/tables/data/CCEL".into(),
            lock: "/run/muster-tdx.lock".into(),
            timeout: Duration::from_secs(90),
        }
    }
}
