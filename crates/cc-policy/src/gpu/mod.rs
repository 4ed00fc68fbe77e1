//! NVIDIA GPUs and switches (*verification.md* 3.2 and 3.3): the `[gpu]` section and its steps.
//!
//! [`values`] are the words, [`policy`] the section as a type, [`load()`] its format and defaults, [`facts`] the
//! claims read once, [`steps`] the comparison, [`describe()`] the summary for people.
//!
//! The section is about the devices of one guest together. That they are this guest's devices is not for claims to say:
//! the host compares the binding with the guest's own evidence (G20).

mod describe;
mod facts;
mod load;
mod policy;
mod steps;
mod values;

/// The evidence that the section is about.
pub(crate) const PROFILE: &str = "nv-spdm-1";

pub(crate) use describe::describe;
pub(crate) use load::load;
pub(crate) use policy::{GpuPolicy, waivable};
pub(crate) use steps::appraise;
