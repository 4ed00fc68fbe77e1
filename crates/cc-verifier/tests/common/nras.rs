//! Answers of the synthetic service and their outcomes.

use cc_core::{Claims, Finding, UnixTime};
use cc_testkit::nras::{Answer, jwks};
use cc_verifier::jwt::Jwks;
use cc_verifier::nras::{Service, verify};

use crate::common::codes::result_code;

pub(crate) const NOW: i64 = 1_780_272_000;
pub(crate) const NONCE: [u8; 32] = [0x2a; 32];

pub(crate) fn gpus(count: u64) -> Answer {
    Answer::gpus(count, &NONCE, NOW)
}

/// The outcome of an answer's body under the synthetic service's keys.
pub(crate) fn judge(body: &[u8]) -> Result<Claims, Finding> {
    judge_with(body, Some(&jwks()))
}

pub(crate) fn judge_with(body: &[u8], jwks: Option<&[u8]>) -> Result<Claims, Finding> {
    let jwks = jwks.map(Jwks::parse).transpose()?;
    verify(body, &Service::NVIDIA, jwks.as_ref(), &NONCE, UnixTime::from_secs(NOW.unsigned_abs()))
}

pub(crate) fn outcome(body: &[u8]) -> String {
    result_code(&judge(body))
}
