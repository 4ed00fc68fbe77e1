//! The SEV-SNP authorizer with the test kit's synthetic roots in place of AMD's. It declares itself emulated:
//! a host refuses it unless its configuration says `[danger] allow_emulated = true`, and no production policy
//! affirms what it accepts.

#[path = "../../../../plugins/cc-snp/src/authorizer.rs"]
mod authorizer;

use cc_core::TrustClass;
use cc_testkit::snp::{Product, ark_der};
use cc_verifier::snp::Anchors;

use authorizer::{Hardware, SnpAuthorizer};

/// Processors that exist in the test kit only.
#[derive(Debug)]
pub(crate) struct Emulated;

impl Hardware for Emulated {
    const NAME: &'static str = "emulated-snp";
    const TRUST_CLASS: TrustClass = TrustClass::Emulated;

    fn anchors() -> Anchors {
        Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin))
    }
}

cc_core::export_authorizer!(SnpAuthorizer<Emulated>);
