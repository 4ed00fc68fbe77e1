//! Step S16: the signature of the report.

use std::cmp::Ordering;

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, codes};

use super::report::Report;
use crate::pki::P384_ORDER;

/// The signature as R and S, big-endian, 48 bytes each; both are in 1 to n - 1.
pub(super) fn well_formed(report: Report<'_>) -> Result<[u8; 96], Finding> {
    let mut fixed = [0; 96];
    let (r, s) = fixed.split_at_mut(48);
    number("R", report.signature_r(), r)?;
    number("S", report.signature_s(), s)?;
    Ok(fixed)
}

fn number(name: &str, field: &[u8; 72], out: &mut [u8]) -> Result<(), Finding> {
    let malformed = |what: &str| {
        Err(Finding::new(codes::SNP_SIGNATURE_MALFORMED, format!("{name} {what}: {}", hex::encode(field))))
    };
    let Some((low, high)) = field.split_first_chunk::<48>() else { return malformed("is too short") };
    if high.iter().any(|byte| *byte != 0) {
        return malformed("has more than 48 bytes");
    }
    for (to, from) in out.iter_mut().zip(low.iter().rev()) {
        *to = *from;
    }
    if low.iter().all(|byte| *byte == 0) {
        return malformed("is zero");
    }
    match (*out).cmp(P384_ORDER.as_slice()) {
        Ordering::Less => Ok(()),
        Ordering::Equal | Ordering::Greater => malformed("is not below the group order"),
    }
}

/// ECDSA P-384 with SHA-384 over the signed bytes as received.
pub(super) fn verify(report: Report<'_>, signature: &[u8; 96], key: &ParsedPublicKey) -> Result<(), Finding> {
    key.verify_sig(report.signed(), signature).map_err(|_| {
        let detail = "the report's signature does not verify with the key of the leaf certificate";
        Finding::new(codes::SNP_SIGNATURE_INVALID, detail)
    })
}
