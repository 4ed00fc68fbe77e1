//! Requests as a plugin gets them.

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyReply, VerifyRequest};
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

/// The code of a reply, or `accept`.
pub(crate) fn reply_code(reply: &VerifyReply) -> &str {
    use cc_core::message::WireOutcome::{Accept, Indeterminate, Reject};
    match &reply.outcome {
        Accept { .. } => "accept",
        Reject(denial) | Indeterminate(denial) => &denial.code,
    }
}
