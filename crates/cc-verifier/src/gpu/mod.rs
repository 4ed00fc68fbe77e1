//! Reports of NVIDIA GPUs and switches (*verification.md* section 3, profile `nv-spdm-1`).
//!
//! Nothing is fetched, no clock is read, nothing is judged that a policy should judge, and the 32 bound bytes are
//! returned, not compared.

mod anchors;
mod arch;
mod chain;
mod fwid;
mod opaque;
mod reader;
mod signature;
mod spdm;

pub use anchors::{Anchors, RootCertificates};
pub use opaque::{Item, Opaque};
pub use spdm::Report;
