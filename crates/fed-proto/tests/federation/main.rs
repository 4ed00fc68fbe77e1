//! Whole federations on a virtual clock: what must always hold, and what must happen when nothing stands against it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::as_conversions,
    clippy::type_complexity,
    reason = "tests fail by panicking"
)]

mod attacks;
mod coordinator;
mod devices;
mod evil;
mod failures;
mod jobs;
mod life;
mod properties;
mod registration;
mod sessions;
mod sites;
mod support;
mod words;
