//! [`World`]: a group with everything needed to verify it, consistent until a test makes it otherwise.

use aws_lc_rs::digest::{SHA256, digest};

use super::cce::Policy;
use super::chain::Chain;
use super::uvm::Endorsement;
use crate::snp::{self, LeafKind, Product};

/// A report, the endorsements of its processor and its utility VM, and the text of its CCE policy.
#[derive(Clone)]
pub struct World {
    /// Report, chain and revocation list of the processor.
    pub snp: snp::World,
    /// Who endorses the utility VM.
    pub chain: Chain,
    /// The endorsement, which is signed when it is asked for.
    pub uvm: Endorsement,
    /// The text of the CCE policy.
    pub policy: String,
}

impl World {
    /// A group on a Milan processor: the endorsement is of its MEASUREMENT, HOST_DATA is the digest of a policy without
    /// openings. Verifies at [`snp::NOW`].
    pub fn new() -> Self {
        let mut snp = snp::World::new(Product::Milan, LeafKind::Vcek);
        let policy = Policy::tight().text();
        snp.edit_report(|report| {
            report.set_host_data(sha256(policy.as_bytes()));
        });
        let chain = Chain::new();
        let uvm = Endorsement::header(&chain, &snp.report.measurement());
        Self { snp, chain, uvm, policy }
    }

    /// Another policy, and its digest in the report.
    pub fn set_policy(&mut self, text: &str) -> &mut Self {
        text.clone_into(&mut self.policy);
        self.snp.edit_report(|report| {
            report.set_host_data(sha256(text.as_bytes()));
        });
        self
    }

    /// Edits the chain, and puts it into the endorsement.
    pub fn edit_chain(&mut self, edit: impl FnOnce(&mut Chain)) -> &mut Self {
        edit(&mut self.chain);
        self.uvm.set_chain(&self.chain.ders());
        self
    }

    /// Endorsements of the processor, then of the utility VM, then the text of the policy.
    pub fn endorsements(&self) -> Vec<Vec<u8>> {
        let snp = &self.snp;
        let mut all = [&snp.leaf, &snp.intermediate, &snp.ark, &snp.crl].map(Clone::clone).to_vec();
        all.extend([self.uvm.sign(), self.policy.clone().into_bytes()]);
        all
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("32 bytes")
}
