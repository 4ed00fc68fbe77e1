//! Which endorsements devices need, and where they are published (*verification.md* 3.4).

use cc_core::SECONDS_PER_DAY;
use cc_core::message::EndorsementRequest;

use super::collateral::Collateral;
use super::manifests;
use super::wanted::Wanted;

/// NVIDIA's service for reference manifests.
const MANIFESTS: &str = "https://rim.attestation.nvidia.com/v1/rim/";
/// For how long a manifest may be kept, in seconds. There is one of each name, and its certificates are asked about daily.
const MANIFEST_AGE: u64 = SECONDS_PER_DAY.saturating_mul(30);

/// The manifests that are not at hand. An authentic one is the one: there is no newer one of its version.
pub(super) fn manifests(wanted: &[Wanted], collateral: &Collateral) -> Vec<EndorsementRequest> {
    let is_missing = |one: &&Wanted| manifests::select(&collateral.manifests, one, wanted).is_err();
    let request = |one: &Wanted| EndorsementRequest {
        kind: "gpu.rim".to_owned(),
        url: format!("{MANIFESTS}{}", one.id),
        max_age: MANIFEST_AGE,
    };
    wanted.iter().filter(is_missing).map(request).collect()
}
