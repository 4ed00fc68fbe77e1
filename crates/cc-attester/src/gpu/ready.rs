//! Whether the evidence of a collection was verified, so that its GPUs may accept work (*verification.md* G19).

use cc_core::gpu::Device;
use cc_core::{BoundKind, ClaimValue, Claims, Finding, Verified, codes};

/// What a collection was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collection {
    nonce: [u8; 32],
    /// The architectures of the GPUs, in alphabetical order.
    architectures: Vec<String>,
}

impl Collection {
    pub(crate) fn new(nonce: [u8; 32], devices: &[Device]) -> Self {
        let mut architectures: Vec<String> =
            devices.iter().filter_map(|device| device.arch.clone()).collect();
        architectures.sort();
        Self { nonce, architectures }
    }

    /// Number of GPUs.
    pub(crate) fn gpus(&self) -> usize {
        self.architectures.len()
    }

    /// Whether `verified` is about this collection and was judged for the present: `gpu.ready.premature` if not. The
    /// nonce was never used for another one, so it stands for the reports; that all of them were verified is seen in
    /// the GPUs' number and architectures.
    pub(crate) fn proven_by(&self, verified: &Verified<Claims>) -> Result<(), Finding> {
        let authentic = verified.admissible().map_err(|finding| premature(&finding.to_string()))?.authentic();
        let bound = authentic.bound();
        if bound.kind != BoundKind::GpuNonce || bound.bytes != self.nonce {
            return Err(premature("what was verified has another nonce than the last collection"));
        }
        let verified = architectures(authentic.value());
        if verified != self.architectures {
            return Err(premature(&format!(
                "GPUs of {verified:?} were verified, collected was {:?}",
                self.architectures
            )));
        }
        Ok(())
    }
}

/// The architectures of the GPUs in claims, in alphabetical order.
fn architectures(claims: &Claims) -> Vec<String> {
    let Some(ClaimValue::List(devices)) = claims.value("devices") else {
        return Vec::new();
    };
    let gpu = |device: &ClaimValue| match device {
        ClaimValue::Map(device) if device.text("class") == Ok("gpu") => {
            device.text("arch").map(str::to_owned).ok()
        }
        _ => None,
    };
    let mut architectures: Vec<String> = devices.iter().filter_map(gpu).collect();
    architectures.sort();
    architectures
}

pub(crate) fn premature(detail: &str) -> Finding {
    Finding::new(codes::GPU_READY_PREMATURE, detail)
}
