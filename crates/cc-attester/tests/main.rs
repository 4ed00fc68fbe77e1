//! Collection from emulated interfaces and services.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod aci_context;
mod aci_reports;
mod aci_tokens;
mod snp_collect;
mod snp_configfs;
mod snp_lock;
mod snp_true_paths;
mod snp_waiting;
mod support;
mod tdx_collect;
mod vtpm_collect;
mod vtpm_renewal;
mod web_waiting;
