//! A synthetic trust domain and requests about it.

use std::sync::LazyLock;

use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyRequest};
use cc_core::{Profile, UnixTime};
use cc_testkit::tdx::{Ca, Form, NOW, World};

/// A quote with everything that verifies it.
pub static WORLD: LazyLock<World> = LazyLock::new(|| World::new(Form::V5Td15, Ca::Platform));

/// The same platform with quotes of every form.
pub static WORLDS: LazyLock<[World; 3]> =
    LazyLock::new(|| Form::ALL.map(|form| World::new(form, Ca::Platform)));

/// A request to plan for a quote.
pub fn plan_request(evidence: &[u8], endorsements: &[Vec<u8>]) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
    }
}

/// A request to verify a quote, at the instant of the synthetic collateral.
pub fn verify_request(evidence: &[u8], endorsements: &[Vec<u8>]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}
