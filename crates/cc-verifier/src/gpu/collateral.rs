//! What the endorsements are worth, as far as it does not depend on time.

use std::sync::Arc;

use cc_core::Finding;

use super::anchors::Anchors;
use super::cache::DeviceCache;
use super::chain::Chain;
use super::manifests::{Candidate, Manifest};
use super::pool::Pool;
use super::rim;
use super::slots::Slots;
use crate::ocsp::{Answers, Subject};

/// Judged endorsements.
#[derive(Debug)]
pub(super) struct Collateral {
    pub(super) manifests: Vec<Candidate>,
    pub(super) answers: Answers,
    pub(super) pool: Pool,
}

/// Collateral with what its endorsements were recognised as.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) collateral: Collateral,
    pub(super) names: Vec<&'static str>,
}

impl Collateral {
    /// Judges endorsements for devices with these chains, and for those whose chains are among the endorsements.
    pub(super) fn judge(
        slots: &Slots<'_>,
        chains: &[Arc<Chain>],
        anchors: &Anchors,
        cache: &DeviceCache,
    ) -> Result<Self, Finding> {
        slots.within_limits()?;
        let manifests: Vec<_> =
            slots.rims.iter().filter_map(|blob| candidate(blob, anchors, cache)).collect();
        let certificates: Vec<_> = slots.certificates.iter().map(|der| der.as_ref()).collect();
        let pool = Pool::judge(&certificates, anchors);
        let of_devices = chains.iter().chain(pool.chains()).flat_map(|chain| &chain.subjects);
        let good = manifests.iter().filter_map(|candidate| candidate.manifest.as_ref().ok());
        let of_manifests = good.flat_map(|manifest| &manifest.subjects);
        let subjects: Vec<&Subject> = of_devices.chain(of_manifests).collect();
        let answers = Answers::judge(slots.ocsp.iter().copied(), &subjects);
        Ok(Self { manifests, answers, pool })
    }

    /// Remembers the manifests; after evidence was accepted with them.
    pub(super) fn keep_manifests(&self, cache: &DeviceCache) {
        for candidate in &self.manifests {
            if let Ok(manifest) = &candidate.manifest {
                cache.manifests.put(candidate.key.clone(), Arc::clone(manifest));
            }
        }
    }
}

fn candidate(blob: &[u8], anchors: &Anchors, cache: &DeviceCache) -> Option<Candidate> {
    let rim::Document { id, xml } = rim::document(blob)?;
    let key = cache.manifest_key(anchors, &xml);
    let known = cache.manifests.find(&key);
    let manifest = known.map_or_else(|| Manifest::judge(&xml, anchors).map(Arc::new), Ok);
    Some(Candidate { id, manifest, key })
}
