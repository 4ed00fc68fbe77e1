//! The authorizer of Azure's confidential container groups and machines: wires `cc_verifier::{aci, maa, vtpm}` and
//! `cc_attester::{aci, vtpm}` to the plugin ABI, with the vendors' own trust anchors. No attestation decision is taken here.

mod authorizer;

use cc_core::TrustClass;
use cc_verifier::aci::Uvm;
use cc_verifier::{snp, tdx};

use authorizer::{AciAuthorizer, Hardware};

/// Real processors.
#[derive(Debug)]
pub(crate) struct Azure;

impl Hardware for Azure {
    const NAME: &'static str = "cc-aci";
    const TRUST_CLASS: TrustClass = TrustClass::Hardware;

    fn snp() -> snp::Anchors {
        snp::Anchors::amd()
    }

    fn tdx() -> tdx::Anchors {
        tdx::Anchors::intel()
    }

    fn uvm() -> Uvm {
        Uvm::microsoft()
    }
}

cc_core::export_authorizer!(AciAuthorizer<Azure>);
