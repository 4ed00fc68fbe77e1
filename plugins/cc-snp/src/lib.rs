//! The AMD SEV-SNP authorizer: wires `cc_verifier::snp` and `cc_attester::snp` to the plugin ABI, with AMD's own
//! roots as trust anchors. No attestation decision is taken here.

mod authorizer;

use cc_core::TrustClass;
use cc_verifier::snp::Anchors;

use authorizer::{Hardware, SnpAuthorizer};

/// Real processors.
#[derive(Debug)]
pub(crate) struct Amd;

impl Hardware for Amd {
    const NAME: &'static str = "cc-snp";
    const TRUST_CLASS: TrustClass = TrustClass::Hardware;

    fn anchors() -> Anchors {
        Anchors::amd()
    }
}

cc_core::export_authorizer!(SnpAuthorizer<Amd>);
