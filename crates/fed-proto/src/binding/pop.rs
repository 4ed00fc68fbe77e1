//! Proofs that the sender holds the key which the evidence vouches for (*verification.md* 5.4, 0.12 key 9).

use cc_core::{Binding, Finding, codes};

use crate::crypto::{AttKey, PublicKey, Signature, same, sha256};

use super::Transcript;

/// The label under which both ends of a TLS connection export keying material.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-MUSTER-Attestation";

/// The context for which they export it: `SHA-256(T)`.
pub fn exporter_context(transcript: &Transcript) -> [u8; 32] {
    sha256(&transcript.bytes()).0
}

fn token_message(report_data: &Binding) -> Vec<u8> {
    [b"MUSTER-POP-TOKEN\0".as_slice(), report_data.as_bytes()].concat()
}

/// The proof that travels in the envelope, the same for every verifier: over `SHA-512(T)`.
pub fn sign_token(key: &AttKey, report_data: &Binding) -> Signature {
    key.sign(&token_message(report_data))
}

/// Verifies the envelope's proof with the key that the sender contributed; `bind.pop.invalid`.
pub fn verify_token(key: &PublicKey, report_data: &Binding, pop: &Signature) -> Result<(), Finding> {
    key.verify(&token_message(report_data), pop)
        .map_err(|error| Finding::new(codes::BIND_POP_INVALID, format!("proof in the envelope: {error}")))
}

fn channel_message(report_data: &Binding, exporter: &[u8; 32]) -> Vec<u8> {
    [b"MUSTER-POP\0".as_slice(), report_data.as_bytes(), exporter].concat()
}

/// The proof over one TLS connection: over `SHA-512(T)` and what the connection exports.
pub fn sign_channel(key: &AttKey, report_data: &Binding, exporter: &[u8; 32]) -> Signature {
    key.sign(&channel_message(report_data, exporter))
}

/// Verifies it: a bad signature is `bind.pop.invalid`, a good one over another connection's exporter
/// `bind.channel.mismatch`.
pub fn verify_channel(
    key: &PublicKey,
    report_data: &Binding,
    stated_exporter: &[u8; 32],
    own_exporter: &[u8; 32],
    pop: &Signature,
) -> Result<(), Finding> {
    key.verify(&channel_message(report_data, stated_exporter), pop).map_err(|error| {
        Finding::new(codes::BIND_POP_INVALID, format!("proof over the connection: {error}"))
    })?;
    if same(stated_exporter, own_exporter) {
        Ok(())
    } else {
        Err(Finding::new(codes::BIND_CHANNEL_MISMATCH, "the proof was made for another connection"))
    }
}
