//! Evidence of an Azure machine whose virtual TPM the platform vouches for (*verification.md* 4.6).
//!
//! The platform keeps a report of the processor in the TPM's memory, over the public part of a key that only the TPM can
//! sign with. A [`Collector`] reads that report, quotes the PCRs with the key over the binding, and asks the metadata
//! service of the platform for what endorses the report: the processor's certificates for SNP, a quote in place of the
//! local report for TDX.
//!
//! The report dates from the start of the machine. It can be renewed with user data in it; that is not done here, since
//! the user data that a policy asks for (SHA-512 of the transcript) cannot be told from a binding of 32 bytes.

mod attest;
mod collector;
mod command;
mod hcl;
mod metadata;
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
    /// How long the metadata service may take to answer once; a quote takes it a while.
    pub metadata_timeout: Duration,
}

impl Default for Options {
    /// The kernel's path, the platform's address, 120 s and 20 s.
    fn default() -> Self {
        Self {
            device: "/dev/tpmrm0".into(),
            metadata: "http://169.254.169.254".to_owned(),
            lock: "/run/muster-vtpm.lock".into(),
            timeout: Duration::from_secs(120),
            metadata_timeout: Duration::from_secs(20),
        }
    }
}
