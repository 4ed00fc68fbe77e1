//! Container groups of Azure with their own raw report (*verification.md* 4.2, profile `aci-raw-1`).
//!
//! A group's evidence is an SNP report, so [`Verifier`] takes the steps of [`crate::snp`] and adds those that say which
//! utility VM was measured and which CCE policy it enforces: a signed endorsement of the utility VM must be of that
//! MEASUREMENT ([`uvm`]), and a CCE policy, if supplied, must be the one of HOST_DATA and is read for what it lets
//! through ([`cce`]). Whether that is acceptable is for the policy to say.

mod anchors;
pub mod cce;
mod claims;
mod sorted;
pub mod uvm;
mod verifier;

pub use anchors::{Anchors, Uvm};
pub use verifier::Verifier;
