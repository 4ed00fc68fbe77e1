//! Pure verification of attestation evidence: is it authentic, and what does it say?
//!
//! Every function here is a function of its arguments: no I/O, no clock, no environment. Trust anchors, the
//! instant to judge for and the memory of verified chains are handed in by the caller, who answers for where
//! they come from. Nothing here judges whether authentic evidence is *acceptable*; that is policy.
//!
//! * [`aci`]: container groups of Azure (*verification.md* 4.2).
//! * [`ccel`]: event logs of TDX guests (*verification.md* T22).
//! * [`gpu`]: reports of NVIDIA GPUs and switches (*verification.md* section 3).
//! * [`jwt`]: signed JSON web tokens (*verification.md* 4.4).
//! * [`maa`]: tokens of Microsoft Azure Attestation (*verification.md* 4.5).
//! * [`nras`]: the answers of NVIDIA's attestation service (*verification.md* 3.5).
//! * [`ocsp`]: answers about the revocation of certificates (*verification.md* G8, G13).
//! * [`snp`]: AMD SEV-SNP reports (*verification.md* section 1).
//! * [`tdx`]: Intel TDX quotes (*verification.md* section 2).
//! * [`vtpm`]: report and virtual TPM of Azure's confidential machines (*verification.md* 4.6).

#![forbid(unsafe_code)]

pub mod aci;
mod bytes;
pub mod ccel;
pub mod gpu;
mod json;
pub mod jwt;
pub mod maa;
mod memory;
pub mod nras;
pub mod ocsp;
mod pki;
mod request;
pub mod snp;
pub mod tdx;
mod verification;
pub mod vtpm;
