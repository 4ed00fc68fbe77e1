//! Appraisal: is what authentic evidence says acceptable to the operator's policy?
//!
//! [`Policy::parse`] reads a TOML policy into a typed value whose defaults are the secure ones of
//! *verification.md* 1.3, 2.4 and 3.3; [`appraise`] compares authentic claims with it and reports *all* differences, each
//! with its stable code, the value that was found, the value that was wanted and the line of the policy which
//! wants it.
//!
//! What it refuses to do: authenticate (see `cc_verifier`), compare bindings, read a clock or a file. A claim
//! that is absent or has another type is a finding of the step that needed it, never a step skipped.
//!
//! Covered: AMD SEV-SNP (`snp-raw-1`), Intel TDX (`tdx-quote-1`) and NVIDIA GPUs (`nv-spdm-1`), the appraisal steps of
//! *verification.md* 1.2, 2.2 and 3.2 as *decisions.md* 6 assigns them. A policy has a section for a processor or for
//! both, and may have one for GPUs beside them.

#![forbid(unsafe_code)]

mod allowed;
mod appraisal;
mod description;
mod error;
mod facts;
mod gpu;
mod policy;
mod reader;
mod snp;
mod steps;
mod tdx;

pub use appraisal::{Appraisal, Context, Finding, InitData, Status, appraise};
pub use error::PolicyError;
pub use policy::Policy;
