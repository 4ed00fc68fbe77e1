//! Policies: what is accepted as one, and what each makes of claims.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod appraise;
mod azure;
mod common;
mod context;
mod gpu;
mod load;
mod property;
mod sections;
mod tdx;
