//! Chains of devices among the endorsements, for evidence that came without them.

use std::sync::Arc;

use cc_core::gpu::DeviceClass;
use cc_core::limits::{MAX_GPUS, MAX_LEAF_CANDIDATES, MAX_SWITCHES};
use cc_core::{Finding, codes};

use super::anchors::Anchors;
use super::chain::Chain;
use super::signature;
use super::spdm::Report;
use crate::pki::{Certificate, Curve, EcdsaKey, common_name};

/// Most leaves: as many as there can be devices.
const MAX_LEAVES: usize = MAX_GPUS.saturating_add(MAX_SWITCHES);
/// How the names of leaves end.
const LEAF: &str = " FMC LF";
/// Longest chain that is put together; one too many is enough to be refused.
const MAX_CHAIN: usize = 6;

/// The chains that loose certificates make, each judged for each class of device that it may be of.
#[derive(Debug, Default)]
pub(super) struct Pool(Vec<Result<Arc<Chain>, Finding>>);

impl Pool {
    /// Puts certificates (DER) together to chains, from each leaf up by issuers' names.
    pub(super) fn judge(ders: &[&[u8]], anchors: &Anchors) -> Self {
        let parsed: Vec<_> =
            ders.iter().filter_map(|der| Some((*der, Certificate::parse(der).ok()?))).collect();
        let is_leaf = |certificate: &Certificate<'_>| {
            common_name(certificate.subject).is_ok_and(|name| name.ends_with(LEAF))
        };
        let leaves = parsed.iter().filter(|(_, certificate)| is_leaf(certificate)).take(MAX_LEAVES);
        let judge = |leaf| {
            let ders = above(leaf, &parsed);
            let gpu = Chain::judge(ders.clone(), DeviceClass::Gpu, anchors);
            match gpu {
                Err(finding) if finding.code == codes::GPU_ARCH_MISMATCH => {
                    Chain::judge(ders, DeviceClass::Switch, anchors)
                }
                other => other,
            }
        };
        Self(leaves.map(judge).map(|chain| chain.map(Arc::new)).collect())
    }

    /// All chains that are good.
    pub(super) fn chains(&self) -> impl Iterator<Item = &Arc<Chain>> {
        self.0.iter().filter_map(|chain| chain.as_ref().ok())
    }

    /// The chain of the device of that class which signed a report.
    pub(super) fn signer(&self, report: &Report<'_>, class: DeviceClass) -> Option<&Arc<Chain>> {
        self.of_class(class).find(|chain| signature::verify(report, &chain.key).is_ok())
    }

    /// For a device whose report none of the chains signed: the first one that is of no other device, under which the
    /// signature is then refused. Without one the first rejection, and without any `gpu.chain.missing`.
    pub(super) fn other_than(
        &self,
        taken: &[&Arc<Chain>],
        class: DeviceClass,
    ) -> Result<&Arc<Chain>, Finding> {
        let is_free = |chain: &&Arc<Chain>| !taken.iter().any(|other| Arc::ptr_eq(other, chain));
        self.of_class(class).find(is_free).ok_or_else(|| {
            let rejection = self.0.iter().find_map(|chain| chain.as_ref().err());
            rejection.cloned().unwrap_or_else(|| {
                let detail = "no certificate chain of the device in the evidence or among the endorsements";
                Finding::new(codes::GPU_CHAIN_MISSING, detail)
            })
        })
    }

    fn of_class(&self, class: DeviceClass) -> impl Iterator<Item = &Arc<Chain>> {
        self.chains().filter(move |chain| chain.arch.class() == class)
    }
}

/// The chain of a leaf: of each certificate the one that signed it, or one with the right name if none did.
fn above<'a>(leaf: &'a (&'a [u8], Certificate<'a>), all: &'a [(&'a [u8], Certificate<'a>)]) -> Vec<Vec<u8>> {
    let mut chain = vec![leaf.0.to_vec()];
    let mut current = &leaf.1;
    while current.issuer != current.subject && chain.len() < MAX_CHAIN {
        let named = || {
            let named = all.iter().filter(|(_, other)| other.subject == current.issuer);
            named.take(MAX_LEAF_CANDIDATES)
        };
        let has_signed = |issuer: &Certificate<'_>| {
            EcdsaKey::on(Curve::P384, issuer.spki)
                .is_ok_and(|key| key.verifies(current.tbs, current.signature))
        };
        let issuer = named().find(|(_, issuer)| has_signed(issuer)).or_else(|| named().next());
        let Some((der, issuer)) = issuer else { break };
        chain.push(der.to_vec());
        current = issuer;
    }
    chain
}
