//! Tokens of Microsoft Azure Attestation about confidential container groups (*verification.md* 4.3 to 4.5, profile
//! `aci-maa-1`).
//!
//! The service is a verifier that somebody else runs: whoever configures an issuer trusts it. Of the token are judged rules
//! J1 to J7 ([`crate::jwt`]), that it is about a container group on a compliant utility VM (M1), and that every claim has
//! its type (M2). A raw report that comes along is verified like one of `snp-raw-1` and must be the one that the token is
//! about (M7). How old a token may be, and what its claims must be, is policy. That the runtime data are those of the token
//! is the host's to check (M5), and `nonce`, which the sidecar chooses itself, is no evidence of anything (M6).

mod claims;
mod field;
mod fields;
mod said;
mod steps;
mod verifier;

pub use verifier::Verifier;
