//! What this crate makes is what others than the code under test take it for.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod azure;
mod maa;
mod nras;
mod snp;
mod support;
mod tdx;
