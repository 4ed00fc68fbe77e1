//! The NVIDIA GPU authorizer: wires `cc_verifier::gpu` and `cc_attester::gpu` to the plugin ABI, with NVIDIA's own roots
//! as trust anchors. No attestation decision is taken here.

mod authorizer;

use cc_core::TrustClass;
use cc_verifier::gpu::Anchors;

use authorizer::{GpuAuthorizer, Hardware};

/// Real devices.
#[derive(Debug)]
pub(crate) struct Nvidia;

impl Hardware for Nvidia {
    const NAME: &'static str = "cc-gpu";
    const TRUST_CLASS: TrustClass = TrustClass::Hardware;

    fn anchors() -> Anchors {
        Anchors::nvidia()
    }
}

cc_core::export_authorizer!(GpuAuthorizer<Nvidia>);
