//! Synthetic container groups and how they are verified.

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyReply, VerifyRequest, WireOutcome};
use cc_core::{Profile, UnixTime};
use cc_testkit::aci::{Chain, FEED, World};
use cc_testkit::snp::{NOW, Product, ark_der};
use cc_verifier::aci::{Anchors, Uvm, Verifier};
use cc_verifier::snp;

use crate::common::codes::reply_code;

/// The synthetic roots and endorser.
pub(crate) fn anchors() -> Anchors {
    let snp = snp::Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin));
    Anchors { snp, uvm: endorser() }
}

/// The synthetic endorser.
pub(crate) fn endorser() -> Uvm {
    Uvm::new(&Chain::new().did(), FEED)
}

/// A verifier that trusts the synthetic roots and endorser, without memory.
pub(crate) fn verifier() -> Verifier {
    Verifier::new(anchors(), 0)
}

/// A request of evidence and endorsements, at the time of worlds.
pub(crate) fn request(evidence: &[u8], endorsements: &[Vec<u8>]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::aci_raw_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}

/// The request of a world as it is.
pub(crate) fn request_of(world: &World) -> VerifyRequest {
    request(world.snp.report.bytes(), &world.endorsements())
}

/// The code for evidence and endorsements.
pub(crate) fn judge(evidence: &[u8], endorsements: &[Vec<u8>]) -> String {
    reply_code(&verifier().verify(&request(evidence, endorsements))).to_owned()
}

/// The code for a world as it is.
pub(crate) fn judge_world(world: &World) -> String {
    judge(world.snp.report.bytes(), &world.endorsements())
}

/// The claims of an accepted reply, as JSON.
pub(crate) fn claims(reply: &VerifyReply) -> serde_json::Value {
    match &reply.outcome {
        WireOutcome::Accept { claims, .. } => serde_json::to_value(claims).unwrap(),
        other => panic!("{other:?}"),
    }
}
