//! Which endorsements devices need, and where they are published (*verification.md* 3.4).

use std::collections::BTreeSet;

use aws_lc_rs::digest::{Context, SHA256};
use cc_core::SECONDS_PER_DAY;
use cc_core::limits::MAX_PLAN_REQUESTS;
use cc_core::message::{EndorsementRequest, Post};

use super::collateral::Collateral;
use super::manifests;
use super::members::{self, Member};
use super::wanted::Wanted;
use crate::ocsp::{self, Subject};

/// NVIDIA's service for reference manifests.
const MANIFESTS: &str = "https://rim.attestation.nvidia.com/v1/rim/";
/// For how long a manifest may be kept, in seconds. There is one of each name, and its certificates are asked about daily.
const MANIFEST_AGE: u64 = SECONDS_PER_DAY.saturating_mul(30);

/// NVIDIA's OCSP responder.
const RESPONDER: &str = "https://ocsp.ndis.nvidia.com/";
/// For how long an answer may be kept, in seconds; its own time runs out earlier, or then.
const ANSWER_AGE: u64 = SECONDS_PER_DAY;
/// What questions to it are.
const QUESTION: &str = "application/ocsp-request";
/// Separates the hash that makes nonces from all others.
const NONCE_DOMAIN: &[u8] = b"MUSTER-OCSP-NONCE\0";

/// Manifests that are not at hand, then the status of every certificate that has one, whether or not there is an answer
/// at hand: an old one must not stand in for a new one. At most as many as a plan may have; no real evidence has more.
pub(super) fn requests(
    evidence: &[u8],
    members: &[Member<'_>],
    collateral: &Collateral,
) -> Vec<EndorsementRequest> {
    let wanted = members::wanted(members);
    let at_hand = |one: &Wanted| manifests::select(&collateral.manifests, one, &wanted);
    let missing = wanted.iter().filter(|one| at_hand(one).is_err()).map(manifest);
    let of_devices = members.iter().flat_map(|member| &member.chain.subjects);
    let of_manifests =
        wanted.iter().filter_map(|one| at_hand(one).ok()).flat_map(|manifest| &manifest.subjects);
    let mut asked = BTreeSet::new();
    let statuses = of_devices.chain(of_manifests).filter(|subject| asked.insert(subject.id()));
    let statuses = statuses.map(|subject| status(evidence, subject));
    missing.chain(statuses).take(MAX_PLAN_REQUESTS).collect()
}

/// An authentic manifest at hand is the one: there is no newer one of its version.
fn manifest(wanted: &Wanted) -> EndorsementRequest {
    let url = format!("{MANIFESTS}{}", wanted.id);
    EndorsementRequest { kind: "gpu.rim".to_owned(), url, max_age: MANIFEST_AGE, post: None }
}

/// The nonce is as fresh as the evidence, which holds one of the verifier's; and nothing else is needed to make it.
fn status(evidence: &[u8], subject: &Subject) -> EndorsementRequest {
    let mut nonce = Context::new(&SHA256);
    [NONCE_DOMAIN, evidence, subject.id()].into_iter().for_each(|part| nonce.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(nonce.finish().as_ref());
    EndorsementRequest {
        kind: "gpu.ocsp".to_owned(),
        url: RESPONDER.to_owned(),
        max_age: ANSWER_AGE,
        post: Some(Post {
            media_type: QUESTION.to_owned(),
            body: ocsp::request(subject, &bytes),
            key: subject.id().to_vec(),
        }),
    }
}
