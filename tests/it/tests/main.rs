//! Through real shared objects, real processes and the real command.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests fail by panicking"
)]

mod abi;
mod aci_corpus;
mod cli_contract;
mod cli_snapshots;
mod e2e_appraise;
mod e2e_collect;
mod e2e_kds;
mod e2e_pcs;
mod e2e_provision;
mod e2e_vendor;
mod emulated_devices;
mod emulated_group;
mod emulated_guest;
mod emulated_machine;
mod gpu_collect;
mod gpu_corpus;
mod gpu_driver;
mod gpu_nras;
mod gpu_ppcie;
mod isolation;
mod loader;
mod maa_keys;
mod misbehaver;
mod node_start;
mod snp_appraisal;
mod snp_corpus;
mod tdx_corpus;
mod transcript;
