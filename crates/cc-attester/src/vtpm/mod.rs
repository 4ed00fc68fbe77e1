//! Evidence of an Azure machine whose virtual TPM the platform vouches for (*verification.md* 4.6).
//!
//! The platform keeps a report of the processor in the TPM's memory, over the public part of a key that only the TPM can
//! sign with. A [`Collector`] reads that report, quotes the PCRs with the key over the binding, and asks the metadata
//! service of the platform for what endorses the report: the processor's certificates for SNP, a quote in place of the
//! local report for TDX.
//!
//! The report dates from the start of the machine, unless [`Options::fresh_hcl`] has it made anew, with the binding's user
//! data in it: whoever writes these into the TPM's memory is given a new report there.

mod attest;
mod collector;
mod command;
mod hcl;
mod metadata;
mod renewal;
mod tpm;

use std::path::PathBuf;
use std::time::Duration;

pub use collector::{Collector, Surroundings};
pub use tpm::{DevicePort, Port};

/// Where and how to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The TPM, behind the kernel's resource manager.
    pub device: PathBuf,
    /// Address of the metadata service, which serves both certificates and quotes.
    pub metadata: String,
    /// The file that collectors of this machine lock while they ask; see [`crate::snp::Options::lock`].
    pub lock: PathBuf,
    /// How long a caller waits, queueing included.
    pub timeout: Duration,
    /// Whether the processor's report is made anew for each binding that has user data. It takes seconds, writes to the
    /// TPM's memory, and nobody else on the machine may do the same meanwhile.
    pub fresh_hcl: bool,
    /// How long the metadata service may take to answer once; a quote takes it a while.
    pub metadata_timeout: Duration,
}

impl Default for Options {
    /// The kernel's path, the platform's address, the report of the last boot, 120 s and 20 s.
    fn default() -> Self {
        Self {
            device: "/dev/tpmrm0".into(),
            metadata: "http://169.254.169.254".to_owned(),
            lock: "/run/muster-vtpm.lock".into(),
            timeout: Duration::from_secs(120),
            fresh_hcl: false,
            metadata_timeout: Duration::from_secs(20),
        }
    }
}
