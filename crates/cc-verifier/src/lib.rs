//! Pure verification of attestation evidence: is it authentic, and what does it say?
//!
//! Every function here is a function of its arguments: no I/O, no clock, no environment. Trust anchors, the
//! instant to judge for and the memory of verified chains are handed in by the caller, who answers for where
//! they come from. Nothing here judges whether authentic evidence is *acceptable*; that is policy.
//!
//! * [`snp`]: AMD SEV-SNP reports (*verification.md* section 1).

#![forbid(unsafe_code)]

pub mod ccel;
mod pki;
pub mod snp;
