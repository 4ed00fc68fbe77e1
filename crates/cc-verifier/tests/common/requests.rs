//! Requests as a plugin gets them.

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest};
use cc_core::{Profile, UnixTime};
use cc_testkit::snp::NOW;

/// Makes a request of evidence and endorsements.
pub(crate) fn request(evidence: &[u8], endorsements: &[&[u8]]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.iter().map(|der| Blob(der.to_vec())).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}
