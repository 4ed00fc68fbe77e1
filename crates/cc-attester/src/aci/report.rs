//! Whether a report that somebody else obtained answers the request.

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::{Finding, codes};

/// Bytes of a report (*verification.md* 1.1).
const LENGTH: usize = 1184;
/// Lowest version that hardware writes.
const LOWEST_VERSION: u32 = 2;
/// REPORT_ID of the canned report of Microsoft's sidecar: of a guest of the day when it was captured.
const CANNED: [u8; 32] = [
    0x2e, 0x88, 0x0a, 0xdd, 0x9a, 0x31, 0x07, 0x7e, 0x5e, 0x8f, 0x35, 0x68, 0xb4, 0xc4, 0x45, 0x1f, 0x0f,
    0xea, 0x43, 0x72, 0xf6, 0x6e, 0x3d, 0xf3, 0xc0, 0xca, 0x3b, 0xa2, 0x6f, 0x44, 0x7d, 0xb2,
];

/// REPORT_DATA over runtime data: their SHA-256, then zeros.
pub(super) fn report_data(runtime_data: &[u8]) -> [u8; 64] {
    let mut report_data = [0; 64];
    for (to, from) in report_data.iter_mut().zip(digest(&SHA256, runtime_data).as_ref()) {
        *to = *from;
    }
    report_data
}

/// Whether the report is one that hardware made over `runtime_data`, as far as that can be seen without a key:
/// `aci.collect.fake_report` for one that cannot be (*verification.md* 4.1), `aci.collect.wrong_report` for one over
/// something else.
pub(super) fn check(report: &[u8], runtime_data: &[u8]) -> Result<(), Finding> {
    let wrong = |detail: String| Finding::new(codes::ACI_COLLECT_WRONG_REPORT, detail);
    if report.len() != LENGTH {
        return Err(wrong(format!("the report has {} bytes, expected {LENGTH}", report.len())));
    }
    let version = report.first_chunk().copied().map_or(0, u32::from_le_bytes);
    if version < LOWEST_VERSION || report.get(0x140..0x160) == Some(&CANNED) {
        let detail = format!("the report has version {version} and REPORT_ID of the sidecar's or none");
        return Err(Finding::new(codes::ACI_COLLECT_FAKE_REPORT, detail));
    }
    let expected = report_data(runtime_data);
    match report.get(0x50..0x90) {
        Some(found) if *found == expected => Ok(()),
        found => Err(wrong(format!(
            "REPORT_DATA is {}, requested was {}",
            hex::encode(found.unwrap_or_default()),
            hex::encode(expected)
        ))),
    }
}
