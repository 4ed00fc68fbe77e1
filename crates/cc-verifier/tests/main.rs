//! Verification over synthetic and over published evidence.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod aci_catalogue;
mod aci_cce;
mod aci_claims;
mod aci_outcomes;
mod aci_real;
mod aci_uvm;
mod ccel;
mod common;
mod gpu_catalogue;
mod gpu_certificates;
mod gpu_form;
mod gpu_hostile;
mod gpu_nras;
mod gpu_order;
mod gpu_plans;
mod gpu_real;
mod gpu_rim;
mod gpu_rim_real;
mod gpu_rim_wrapping;
mod jwt_keys;
mod jwt_real;
mod jwt_rules;
mod maa;
mod nras_checks;
mod nras_real;
mod ocsp_catalogue;
mod ocsp_checks;
mod ocsp_real;
mod snp_anchors;
mod snp_catalogue;
mod snp_checks;
mod snp_claims;
mod snp_hostile;
mod snp_limits;
mod snp_order;
mod snp_outcomes;
mod snp_plans;
mod snp_real;
mod tdx_catalogue;
mod tdx_certificates;
mod tdx_checks;
mod tdx_documents;
mod tdx_eventlogs;
mod tdx_hostile;
mod tdx_limits;
mod tdx_oracle;
mod tdx_order;
mod tdx_plans;
mod tdx_real;
mod tdx_relaunch;
mod tdx_requests;
mod tdx_statuses;
mod vtpm_catalogue;
mod vtpm_checks;
mod vtpm_hostile;
mod vtpm_order;
mod vtpm_real;
