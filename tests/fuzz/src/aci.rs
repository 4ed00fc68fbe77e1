//! Endorsements of utility VMs that the synthetic signer ever made.

use std::sync::LazyLock;

use cc_testkit::aci::{Chain, Endorsement};

/// What is endorsed.
pub const MEASUREMENT: [u8; 48] = [0x5e; 48];

/// The endorsements by name.
pub static ENDORSEMENTS: LazyLock<Vec<(&str, Endorsement)>> = LazyLock::new(|| {
    let chain = Chain::new();
    vec![("header", Endorsement::header(&chain, &MEASUREMENT)), ("cwt", Endorsement::cwt(&chain))]
});

/// What they sign.
pub static PAYLOADS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| ENDORSEMENTS.iter().map(|(_, endorsement)| endorsement.payload.clone()).collect());
