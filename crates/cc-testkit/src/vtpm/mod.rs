//! A synthetic confidential machine of Azure: the HCL report of its paravisor around a report of the synthetic AMD or
//! Intel, and quotes of its virtual TPM.
//!
//! Start at [`World`]: consistent and acceptable, every part of which can be edited and signed anew, or damaged after
//! signing.

pub mod hcl;
pub mod mint;
pub mod quote;

pub use hcl::{HclBuilder, td_report};
pub use mint::{Processor, World};
pub use quote::QuoteBuilder;

use crate::snp::SignKey;
use crate::snp::keys::key;

/// The attestation key of the virtual TPM (RSA-2048).
pub fn attestation_key() -> &'static SignKey {
    key!(SignKey::rsa, "vtpm-ak.p8")
}
