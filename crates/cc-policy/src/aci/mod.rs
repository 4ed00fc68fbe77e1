//! Confidential container groups of Azure by their own report (*verification.md* 4.2): the `[aci]` section and its steps.
//!
//! [`policy`] is the section as a type, [`load()`] its format and defaults, [`facts`] the claims read once, [`steps`] the
//! comparison, [`describe()`] the summary for people. What the report says of processor and guest is judged by the section
//! `[aci.snp]`, with the steps of `[snp]`.

mod describe;
mod facts;
mod load;
mod policy;
mod steps;

/// The evidence that the section is about.
pub(crate) const PROFILE: &str = "aci-raw-1";

pub(crate) use describe::describe;
pub(crate) use load::load;
pub(crate) use policy::{AciPolicy, needs_init_data, waivable};
pub(crate) use steps::appraise;
