//! Synthetic reports and how they are verified.

use cc_core::{UnixTime, Waivers};
use cc_testkit::snp::{NOW, Product, World, ark_der};
use cc_verifier::snp::{Anchors, ChainCache, Slots, Verification, verify};

/// The synthetic roots.
pub(crate) fn anchors() -> Anchors {
    Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin))
}

/// The instant for which worlds are made.
pub(crate) fn now() -> UnixTime {
    UnixTime::from_secs(NOW.unsigned_abs())
}

/// A world in its slots.
pub(crate) fn slots(world: &World) -> Slots<'_> {
    Slots {
        leaves: vec![&world.leaf],
        intermediates: vec![&world.intermediate],
        roots: vec![&world.ark],
        crls: vec![&world.crl],
    }
}

/// Verifies at [`now`], without waivers and without memory.
pub(crate) fn check(evidence: &[u8], slots: &Slots<'_>) -> Verification {
    verify(evidence, slots, &anchors(), &Waivers::none(), now(), &ChainCache::new(0))
}
