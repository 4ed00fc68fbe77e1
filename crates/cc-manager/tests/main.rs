//! The manager's files, its configuration, loading of plugins and fetching of endorsements.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod azure_files;
mod common;
mod config;
mod device_files;
mod endorsements;
mod fetching;
mod fetching_ocsp;
mod fetching_pcs;
mod loading;
mod nvidia_files;
mod tdx_files;
