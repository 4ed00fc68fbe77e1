//! Whether what the driver returns answers the request.

use cc_core::{Finding, codes, gpu};

/// A report's bytes, if it answers the request: it has the form of one, bytes beyond its declared end are zero and are
/// cut (*decisions.md* 12), and its request has the nonce.
pub(crate) fn report(mut report: Vec<u8>, nonce: &[u8; 32]) -> Result<Vec<u8>, Finding> {
    let end = gpu::declared_length(&report).map_err(|finding| failed(finding.detail))?;
    if report.get(end..).unwrap_or_default().iter().any(|byte| *byte != 0) {
        let length = report.len();
        return Err(failed(format!(
            "the report declares {end} bytes and has {length}, not all of them zero"
        )));
    }
    report.truncate(end);
    let found = gpu::nonce(&report).map_err(|finding| failed(finding.detail))?;
    if found != nonce {
        return Err(failed(format!("the report's nonce is {}, requested was {}", hex(found), hex(nonce))));
    }
    Ok(report)
}

/// A chain without the zeros that the driver ends it with.
pub(crate) fn chain(mut chain: Vec<u8>) -> Result<Vec<u8>, Finding> {
    let end = chain.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    chain.truncate(end);
    if chain.is_empty() {
        return Err(failed("the certificate chain is empty".to_owned()));
    }
    Ok(chain)
}

fn failed(detail: String) -> Finding {
    Finding::new(codes::GPU_COLLECT_FAILED, detail)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
