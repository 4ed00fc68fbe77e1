//! Rounds, tokens, admission and scheduling.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::type_complexity,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod admission;
mod federation;
mod orders;
mod scheduler;
mod tokens;
mod vector;
