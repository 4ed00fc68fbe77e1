//! NVIDIA's attestation service in place of manifests and OCSP answers (*verification.md* 3.5).
//!
//! Its tokens stand in for G8 and G11 to G16, nothing else. They are taken only from where the host answers for: a key set
//! is not signed, and a device may sign several reports with one nonce, so that a token which somebody else asked for may
//! be about another one than the evidence has.

mod answers;
mod questions;

pub(super) use answers::Served;
pub(super) use questions::requests;
