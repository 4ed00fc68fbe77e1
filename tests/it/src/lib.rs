//! What the integration tests share: where things are, plugin configurations, emulated participants.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests fail by panicking"
)]

pub mod cli;
pub mod federation;
pub mod place;
pub mod verifier;
