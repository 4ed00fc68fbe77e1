//! AMD SEV-SNP attestation reports (*verification.md* section 1, profile `snp-raw-1`).
//!
//! [`verify()`] is the verification over endorsements in named slots. [`Verifier`] is what a plugin forwards its
//! requests to: it sorts unlabelled endorsements into slots and remembers verified chains.
//!
//! Nothing is fetched, no clock is read, nothing is judged that a policy should judge, and the 64 bound bytes are
//! returned, not compared.

mod anchors;
pub mod bits;
mod cache;
pub mod certtable;
mod chain;
mod claims;
mod extensions;
mod form;
mod issuer;
mod leaf;
mod plan;
mod product;
mod report;
mod role;
mod signature;
mod slots;
mod steps;
mod verifier;
mod verify;

pub use crate::verification::Verification;
pub use anchors::Anchors;
pub use cache::ChainCache;
pub use product::{Kind, Product, Tcb};
pub use report::{FirmwareVersion, REPORT_LENGTH, Report, SIGNED_LENGTH};
pub use slots::Slots;
pub use verifier::Verifier;
pub(crate) use verifier::recognise;
pub use verify::verify;
