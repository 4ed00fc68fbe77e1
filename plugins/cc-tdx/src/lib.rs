//! The Intel TDX authorizer: wires `cc_verifier::tdx` and `cc_attester::tdx` to the plugin ABI, with Intel's own root as
//! trust anchor. No attestation decision is taken here.

mod authorizer;

use cc_core::TrustClass;
use cc_verifier::tdx::Anchors;

use authorizer::{Hardware, TdxAuthorizer};

/// Real platforms.
#[derive(Debug)]
pub(crate) struct Intel;

impl Hardware for Intel {
    const NAME: &'static str = "cc-tdx";
    const TRUST_CLASS: TrustClass = TrustClass::Hardware;

    fn anchors() -> Anchors {
        Anchors::intel()
    }
}

cc_core::export_authorizer!(TdxAuthorizer<Intel>);
