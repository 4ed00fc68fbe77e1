//! The memory of verified chains, attestation keys and collateral (*decisions.md* 26).
//!
//! Three tables, each by everything that its results depend on: attestation keys with the quoting enclave's report and
//! the certificates under it, so that a quote of a known key costs one signature; certificates alone, so that a new
//! key of a known platform costs two; and collateral for the platforms of one issuer. Only what led to an accepted
//! quote is kept, so nobody without a genuine quote can push anything out. Time is not part of what is kept: validity
//! is compared on every call. Levels are compared with SVNs anew each time, which costs less than looking an answer up.

use std::sync::Arc;

use super::anchors::Anchors;
use super::chain::{Chain, Issuer};
use super::collateral::Collateral;
use super::qe::AttestationKey;
use super::quote::Attestation;
use super::slots::Labels;
use crate::memory::{Key, KeyBuilder, Memory};

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

    /// Whether anything is ever remembered; if not, keys need not be computed.
    const fn is_enabled(&self) -> bool {
        self.chains.is_enabled()
    }
}

/// What was looked up, remembered or not; to be kept once it led to an accepted quote.
pub(super) struct Lookup<'c, T> {
    memory: &'c Memory<T>,
    key: Option<Key>,
    found: Option<Arc<T>>,
}

impl<T> Lookup<'_, T> {
    /// What is remembered, otherwise what `judge` says.
    pub(super) fn or_judge<E>(&self, judge: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        self.found.as_ref().map_or_else(|| judge().map(Arc::new), |found| Ok(Arc::clone(found)))
    }

    pub(super) const fn is_remembered(&self) -> bool {
        self.found.is_some()
    }

    /// Remembers `value`, if it was not remembered.
    pub(super) fn keep(self, value: &Arc<T>) {
        if let (Some(key), None) = (self.key, self.found) {
            self.memory.put(key, Arc::clone(value));
        }
    }
}

impl QuoteCache {
    fn look_up<'c, T>(&self, memory: &'c Memory<T>, key: impl FnOnce() -> KeyBuilder) -> Lookup<'c, T> {
        let key = self.is_enabled().then(|| key().finish());
        let found = key.as_ref().and_then(|key| memory.find(key));
        Lookup { memory, key, found }
    }

    /// The certificates in a quote.
    pub(super) fn chain(&self, anchors: &Anchors, pem: &[u8]) -> Lookup<'_, Chain> {
        self.look_up(&self.chains, || KeyBuilder::new("chain").part(anchors.digest()).part(pem))
    }

    /// The attestation key of a quote.
    pub(super) fn attestation_key(
        &self,
        anchors: &Anchors,
        attestation: &Attestation<'_>,
    ) -> Lookup<'_, AttestationKey> {
        self.look_up(&self.attestation_keys, || {
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
        self.look_up(&self.collateral, || {
            endorsements(KeyBuilder::new("collateral").part(anchors.digest()).part(&issuer.der))
        })
    }
}
