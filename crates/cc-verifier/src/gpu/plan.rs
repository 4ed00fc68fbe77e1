//! Which endorsements devices need, and where they are published (*verification.md* 3.4).

use aws_lc_rs::digest::{Context, SHA256};
use cc_core::SECONDS_PER_DAY;
use cc_core::limits::MAX_PLAN_REQUESTS;
use cc_core::message::EndorsementRequest;

use super::collateral::Collateral;
use super::manifests;
use super::members::{self, Member};
use super::wanted::Wanted;
use crate::ocsp::Subject;

/// NVIDIA's service for reference manifests.
const MANIFESTS: &str = "https://rim.attestation.nvidia.com/v1/rim/";
/// For how long a manifest may be kept, in seconds. There is one of each name, and its certificates are asked about daily.
const MANIFEST_AGE: u64 = SECONDS_PER_DAY.saturating_mul(30);

/// Manifests that are not at hand, then the status of every certificate that has one, whether or not there is an answer
/// at hand: an old one must not stand in for a new one. At most as many as a plan may have; no real evidence has more.
pub(super) fn requests(
    _evidence: &[u8],
    members: &[Member<'_>],
    collateral: &Collateral,
) -> Vec<EndorsementRequest> {
    let wanted = members::wanted(members);
    let mut requests = manifests(&wanted, collateral);
    requests.truncate(MAX_PLAN_REQUESTS);
    requests
}

/// An authentic manifest at hand is the one: there is no newer one of its version.
fn manifests(wanted: &[Wanted], collateral: &Collateral) -> Vec<EndorsementRequest> {
    let is_missing = |one: &&Wanted| manifests::select(&collateral.manifests, one, wanted).is_err();
    let request = |one: &Wanted| EndorsementRequest {
        kind: "gpu.rim".to_owned(),
        url: format!("{MANIFESTS}{}", one.id),
        max_age: MANIFEST_AGE,
    };
    wanted.iter().filter(is_missing).map(request).collect()
}
