//! Transport, start and end of a node's parts and of jobs.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod common;
mod kit;
mod launch;
mod leftovers;
mod rpc;
mod site;
mod tls;
