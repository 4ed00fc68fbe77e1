//! Container groups of Azure by a token of Microsoft Azure Attestation (*verification.md* 4.5): the `[maa]` section and its
//! steps.
//!
//! [`policy`] is the section as a type, [`load()`] its format and defaults, [`facts`] the claims read once, [`steps`] the
//! comparison, [`describe()`] the summary for people. The token is the word of a service. Where the raw report comes with it
//! the section `[maa.snp]` judges that, too, with the steps of `[snp]`.

mod describe;
mod facts;
mod load;
mod policy;
mod steps;

/// The evidence that the section is about.
pub(crate) const PROFILE: &str = "aci-maa-1";

pub(crate) use describe::describe;
pub(crate) use load::load;
pub(crate) use policy::{MaaPolicy, needs_init_data, waivable};
pub(crate) use steps::appraise;
