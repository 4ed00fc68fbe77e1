//! The memory of verified chains, attestation keys and collateral (*decisions.md* 26).
//!
//! Three tables, each by everything that its results depend on: attestation keys with the quoting enclave's report and
//! the certificates under it, so that a quote of a known key costs one signature; certificates alone, so that a new
//! key of a known platform costs two; and collateral for the platforms of one issuer. Only what led to an accepted
//! quote is kept, so nobody without a genuine quote can push anything out. Time is not part of what is kept: validity
//! is compared on every call. Levels are compared with SVNs anew each time, which costs less than looking an answer up.

use super::anchors::Anchors;
use super::chain::{Chain, Issuer};
use super::collateral::Collateral;
use super::qe::AttestationKey;
use super::quote::Attestation;
use super::slots::Labels;
use crate::memory::{KeyBuilder, Lookup, Memory};

/// A bounded memory of what was verified. One belongs to one set of callers that may know of each other: how fast
/// an answer comes tells whether something was seen before.
#[derive(Debug)]
pub struct QuoteCache {
    chains: Memory<Chain>,
    attestation_keys: Memory<AttestationKey>,
    collateral: Memory<Known>,
}

/// Collateral with what its endorsements were recognised as.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) collateral: Collateral,
    pub(super) labels: Labels,
}

impl QuoteCache {
    /// A memory of at most `entries` results of each kind; with 0, nothing is remembered.
    pub fn new(entries: usize) -> Self {
        Self {
            chains: Memory::new(entries),
            attestation_keys: Memory::new(entries),
            collateral: Memory::new(entries),
        }
    }

    /// The certificates in a quote.
    pub(super) fn chain(&self, anchors: &Anchors, pem: &[u8]) -> Lookup<'_, Chain> {
        self.chains.look_up(|| KeyBuilder::new("chain").part(anchors.digest()).part(pem))
    }

    /// The attestation key of a quote.
    pub(super) fn attestation_key(
        &self,
        anchors: &Anchors,
        attestation: &Attestation<'_>,
    ) -> Lookup<'_, AttestationKey> {
        self.attestation_keys.look_up(|| {
            KeyBuilder::new("attestation key")
                .part(anchors.digest())
                .part(attestation.key)
                .part(attestation.qe_report.as_bytes())
                .part(attestation.qe_signature)
                .part(attestation.qe_auth_data)
                .part(attestation.pck_chain)
        })
    }

    /// Collateral for platforms of one issuer; `endorsements` adds the endorsements to the key.
    pub(super) fn collateral(
        &self,
        anchors: &Anchors,
        issuer: &Issuer,
        endorsements: impl FnOnce(KeyBuilder) -> KeyBuilder,
    ) -> Lookup<'_, Known> {
        self.collateral
            .look_up(|| endorsements(KeyBuilder::new("collateral").part(anchors.digest()).part(&issuer.der)))
    }
}
