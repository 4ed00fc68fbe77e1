//! Answers of NVIDIA's remote attestation service, where policy lets it verify GPUs and switches in our place
//! (*verification.md* 3.5).
//!
//! An answer is a detached EAT: a token with the overall result and the digest of each device's token, and those tokens.
//! All are verified as tokens ([`crate::jwt`]), and what they say is judged again device by device: that the service
//! calls the whole good is not enough. Versions are claims for policy to judge. The evidence must have been sent to the
//! service by the verifier, with the nonce that it compares here.

mod claims;
mod device;
mod eat;
mod overall;
mod said;
mod verify;

pub(crate) use device::Good;
pub(crate) use eat::Eat;
pub(crate) use verify::{Answer, judge};
pub use verify::{Service, verify};
