//! Appraisal: is what authentic evidence says acceptable to the operator's policy?
//!
//! [`Policy::parse`] reads a TOML policy into a typed value whose defaults are the secure ones of
//! *verification.md* 1.3, 2.4, 3.3 and 4.5; [`appraise`] compares authentic claims with it and reports *all* differences, each
//! with its stable code, the value that was found, the value that was wanted and the line of the policy which
//! wants it.
//!
//! What it refuses to do: authenticate (see `cc_verifier`), compare bindings, read a clock or a file. A claim
//! that is absent or has another type is a finding of the step that needed it, never a step skipped.
//!
//! Covered: AMD SEV-SNP (`snp-raw-1`), Intel TDX (`tdx-quote-1`), NVIDIA GPUs (`nv-spdm-1`) and Azure's container groups
//! (`aci-raw-1`, `aci-maa-1`) and machines (`az-cvm-vtpm-1`), the appraisal steps of *verification.md* 1.2, 2.2, 3.2 and 4.2
//! to 4.6 as *decisions.md* 6 assigns them. A policy has sections for one or more of those that run guests, and may have one
//! for GPUs beside them.

#![forbid(unsafe_code)]

mod aci;
mod allowed;
mod appraisal;
mod azcvm;
mod cce;
mod description;
mod error;
mod facts;
mod gpu;
mod maa;
mod policy;
mod reader;
mod snp;
mod steps;
mod tdx;

pub use appraisal::{Appraisal, Context, Finding, InitData, Status, UserData, appraise};
pub use error::PolicyError;
pub use policy::Policy;
