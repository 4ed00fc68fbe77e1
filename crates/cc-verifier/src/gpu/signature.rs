//! Step G6: the signature of a report.

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, codes};

use super::spdm::Report;
use crate::pki::P384_ORDER;

/// Both numbers of the signature are in 1 to n - 1, and it is ECDSA P-384 with SHA-384 over the signed bytes as received.
pub(super) fn verify(report: &Report<'_>, key: &ParsedPublicKey) -> Result<(), Finding> {
    let (r, s) = report.signature.split_at(P384_ORDER.len());
    for (name, number) in [("r", r), ("s", s)] {
        if number.iter().all(|byte| *byte == 0) || number >= P384_ORDER.as_slice() {
            let detail = format!("{name} of the signature is {}", hex::encode(number));
            return Err(Finding::new(codes::GPU_SIGNATURE_MALFORMED, detail));
        }
    }
    key.verify_sig(report.signed, report.signature).map_err(|_| {
        let detail = "the report's signature does not verify with the key of the leaf certificate";
        Finding::new(codes::GPU_SIGNATURE_INVALID, detail)
    })
}
