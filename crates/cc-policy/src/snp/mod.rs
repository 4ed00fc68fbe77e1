//! AMD SEV-SNP (*verification.md* 1.2 to 1.4): the `[snp]` section and its steps.
//!
//! [`values`] are the words, [`policy`] the section as a type, [`load()`] its format and defaults, [`facts`] the
//! claims read once, [`steps`] the comparison, [`describe()`] the summary for people.

mod describe;
mod facts;
mod load;
mod policy;
mod steps;
mod values;

/// The evidence that the section is about.
pub(crate) const PROFILE: &str = "snp-raw-1";

pub(crate) use describe::describe;
pub(crate) use load::{load, load_within};
pub(crate) use policy::{SnpPolicy, needs_init_data, waivable};
pub(crate) use steps::appraise;
