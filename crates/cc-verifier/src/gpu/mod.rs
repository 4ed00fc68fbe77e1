//! Reports of NVIDIA GPUs and switches (*verification.md* section 3, profile `nv-spdm-1`).
//!
//! [`verify()`] is the verification over endorsements in named slots. [`Verifier`] is what a plugin forwards its
//! requests to: it sorts unlabelled endorsements into slots and remembers what was verified.
//!
//! Nothing is fetched, no clock is read, nothing is judged that a policy should judge, and the 32 bound bytes are
//! returned, not compared.

mod anchors;
mod arch;
mod cache;
mod chain;
mod claims;
mod collateral;
mod evidence;
mod fwid;
mod manifests;
mod measurements;
mod members;
mod opaque;
mod plan;
mod pool;
mod reader;
mod revocation;
pub mod rim;
mod served;
mod signature;
mod slots;
mod spdm;
mod steps;
mod verifier;
mod verify;
mod wanted;

pub use crate::verification::Verification;
pub use anchors::{Anchors, RootCertificates};
pub(crate) use arch::Arch;
pub use cache::DeviceCache;
pub use opaque::{Item, Opaque};
pub use slots::Slots;
pub use spdm::Report;
pub use verifier::Verifier;
pub use verify::verify;
