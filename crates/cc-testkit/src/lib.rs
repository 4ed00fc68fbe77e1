//! Test machinery for the workspace: test PKIs, evidence minters, emulated devices and fake services.
//!
//! Never a dependency of a production crate. The parts of technologies ([`aci`], [`gpu`], [`snp`], [`tdx`], [`vtpm`]) encode
//! certificates,
//! revocation lists, reports, quotes and collateral by hand, without using any parser or encoder of the crates under
//! test, so that a misunderstanding of the format cannot hide on both sides of a test; and they can express malformed
//! ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a test-only crate whose inputs come from tests: a panic is the wanted failure"
)]
#![forbid(unsafe_code)]

pub mod aci;
pub mod azure;
pub mod cbor;
pub mod der;
pub mod federation;
pub mod fuse;
pub mod gpu;
pub mod https;
pub mod jwt;
pub mod kds;
pub mod maa;
pub mod nras;
pub mod nvidia;
pub mod ocsp;
pub mod pcs;
pub mod published;
pub mod sidecar;
pub mod snp;
pub mod tdx;
pub mod vtpm;
