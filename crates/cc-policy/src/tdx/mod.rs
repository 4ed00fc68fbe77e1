//! Intel TDX (*verification.md* 2.2 to 2.4): the `[tdx]` section and its steps.
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
pub(crate) const PROFILE: &str = "tdx-quote-1";

pub(crate) use describe::describe;
pub(crate) use load::load;
pub(crate) use policy::{TdxPolicy, needs_init_data, waivable};
pub(crate) use steps::appraise;
