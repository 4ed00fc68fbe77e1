//! Evidence of an Azure confidential container group, from inside one of its containers (*verification.md* 4.1, 4.2, 4.5).
//!
//! A [`Collector`] makes evidence of two profiles. For `aci-raw-1` it asks the kernel for a report over the binding, and the
//! group's sidecar where the kernel's interface is not in this container. For `aci-maa-1` it obtains a token of Microsoft
//! Azure Attestation about runtime data that have the binding, through the sidecar where there is one and otherwise from
//! the service itself, and carries a raw report over the same runtime data along. The security context of the group, which
//! the platform puts into each container, becomes endorsements: the processor's certificates, the signed statement about
//! the utility VM, and the text of the CCE policy.
//!
//! What comes out answers the request and no more is known of it. Whoever is in the group can obtain it: the subject of
//! this evidence is the group. The older form of the context, environment variables, is not read, nor the older `/dev/sev`
//! ioctl.

mod collector;
mod context;
mod maa;
mod report;
mod sidecar;

use std::path::PathBuf;
use std::time::Duration;

pub use collector::{Collector, Surroundings};

use crate::snp;

/// Where and how to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The directory of the security context, which the platform names in UVM_SECURITY_CONTEXT_DIR. Without it, the one
    /// directory `security-context-*` below [`root`](Self::root) is taken, or that of Kata.
    pub context_dir: Option<PathBuf>,
    /// What the file system begins at: `/`.
    pub root: PathBuf,
    /// The group's sidecar for key release, for example `http://localhost:8080`, its own default, or
    /// `http://localhost:8284`, that of NVFlare; of this machine only. Without it nobody but the kernel is asked.
    pub sidecar: Option<String>,
    /// The attestation service, for example `https://sharedeus2.eus2.attest.azure.net`. Without it there are no tokens.
    pub maa_endpoint: Option<String>,
    /// How the kernel is asked.
    pub snp: snp::Options,
    /// Paths of which one is there on a guest with the SNP driver, whether or not this container may use it.
    pub guest_devices: Vec<PathBuf>,
    /// The file that collectors of this machine lock while they ask; see [`snp::Options::lock`].
    pub lock: PathBuf,
    /// How long a caller waits, queueing included.
    pub timeout: Duration,
    /// How long the sidecar may take to answer once.
    pub sidecar_timeout: Duration,
    /// How long the attestation service may take to answer once.
    pub maa_timeout: Duration,
}

impl Default for Options {
    /// The platform's paths, the sidecar at port 8080, no attestation service, 180 s, 10 s and 20 s.
    fn default() -> Self {
        let names = ["/dev/sev-guest", "/dev/sev", "/sys/class/misc/sev-guest", "/sys/class/misc/sev"];
        Self {
            context_dir: None,
            root: "/".into(),
            sidecar: Some("http://localhost:8080".to_owned()),
            maa_endpoint: None,
            snp: snp::Options::default(),
            guest_devices: names.map(PathBuf::from).to_vec(),
            lock: "/run/muster-aci.lock".into(),
            timeout: Duration::from_secs(180),
            sidecar_timeout: Duration::from_secs(10),
            maa_timeout: Duration::from_secs(20),
        }
    }
}
