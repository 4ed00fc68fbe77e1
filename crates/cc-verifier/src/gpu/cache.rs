//! The memory of verified chains, manifests and collateral (*decisions.md* 26).
//!
//! Three tables, each by everything that its results depend on: chains of devices; reference manifests, so that one is
//! verified once for all devices that need it; and all endorsements together for a set of chains, so that a report of
//! known devices costs one signature each. Only what led to accepted evidence is kept, so nobody without a genuine device can
//! push anything out. Time is not part of what is kept: validity is compared on every call.

use super::anchors::Anchors;
use super::chain::Chain;
use super::collateral::Known;
use super::manifests::Manifest;
use crate::memory::{Key, KeyBuilder, Lookup, Memory};

use cc_core::gpu::{Device, DeviceClass};

/// A bounded memory of what was verified. One belongs to one set of callers that may know of each other: how fast an
/// answer comes tells whether something was seen before.
#[derive(Debug)]
pub struct DeviceCache {
    chains: Memory<Chain>,
    pub(super) manifests: Memory<Manifest>,
    collateral: Memory<Known>,
}

impl DeviceCache {
    /// A memory of at most `entries` results of each kind; with 0, nothing is remembered.
    pub fn new(entries: usize) -> Self {
        Self {
            chains: Memory::new(entries),
            manifests: Memory::new(entries),
            collateral: Memory::new(entries),
        }
    }

    /// The chain that came with a report.
    pub(super) fn chain(&self, anchors: &Anchors, class: DeviceClass, pem: &[u8]) -> Lookup<'_, Chain> {
        self.chains
            .look_up(|| KeyBuilder::new("chain").part(anchors.digest()).part(&[class.number()]).part(pem))
    }

    /// The key of a manifest.
    pub(super) fn manifest_key(&self, anchors: &Anchors, xml: &[u8]) -> Key {
        if !self.manifests.is_enabled() {
            return Key::none();
        }
        KeyBuilder::new("manifest").part(anchors.digest()).part(xml).finish()
    }

    /// Endorsements for devices with these chains; `endorsements` adds the endorsements to the key.
    pub(super) fn collateral(
        &self,
        anchors: &Anchors,
        devices: &[Device],
        endorsements: impl FnOnce(KeyBuilder) -> KeyBuilder,
    ) -> Lookup<'_, Known> {
        self.collateral.look_up(|| {
            let key = KeyBuilder::new("collateral").part(anchors.digest());
            let classes: Vec<_> = devices.iter().map(|device| device.class.number()).collect();
            let chains = devices.iter().map(|device| device.cert_chain.as_slice());
            endorsements(key.part(&classes).list(chains))
        })
    }
}
