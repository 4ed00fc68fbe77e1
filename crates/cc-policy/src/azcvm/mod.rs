//! Confidential virtual machines of Azure (*verification.md* 4.6): the `[azcvm]` section and its steps.
//!
//! [`policy`] is the section as a type, [`load()`] its format and defaults, [`facts`] the claims read once, [`steps`] the
//! comparison, [`describe()`] the summary for people. The processor's report measures the paravisor, which gives the machine
//! its virtual TPM, and is judged by `[azcvm.snp]` or `[azcvm.tdx]`, with the steps of `[snp]` and `[tdx]`; the TPM's quote
//! measures what the machine booted.
//!
//! The quote is fresh, the HCL report dates from boot; with `fresh_hcl` it must be one that was made for this verifier.

mod describe;
mod facts;
mod load;
mod policy;
mod steps;

/// The evidence that the section is about.
pub(crate) const PROFILE: &str = "az-cvm-vtpm-1";

pub(crate) use describe::describe;
pub(crate) use load::load;
pub(crate) use policy::{CvmPolicy, needs_init_data, waivable};
pub(crate) use steps::appraise;
