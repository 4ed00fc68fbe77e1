//! Intel TDX quotes (*verification.md* section 2, profile `tdx-quote-1`).
//!
//! [`verify()`] is the verification over endorsements in named slots. [`Verifier`] is what a plugin forwards its
//! requests to: it sorts unlabelled endorsements into slots and remembers what was verified.
//!
//! Nothing is fetched, no clock is read, nothing is judged that a policy should judge, and the 64 bound bytes are
//! returned, not compared.

mod anchors;
mod body;
mod cache;
mod chain;
mod claims;
mod collateral;
mod crl;
mod document;
mod enclave;
mod level;
mod pck;
mod pem;
mod plan;
mod qe;
mod qe_identity;
mod quote;
mod reader;
mod role;
mod shown;
mod signature;
mod signer;
mod slots;
mod status;
mod steps;
mod tcb;
mod tcb_info;
mod verifier;
mod verify;

pub use crate::verification::Verification;
pub use anchors::Anchors;
pub use body::{Body, TD10_LENGTH, TD15_LENGTH};
pub use cache::QuoteCache;
pub use enclave::{ENCLAVE_REPORT_LENGTH, EnclaveReport};
pub use quote::{Attestation, HEADER_LENGTH, Quote};
pub use slots::Slots;
pub use verifier::Verifier;
pub use verify::verify;
