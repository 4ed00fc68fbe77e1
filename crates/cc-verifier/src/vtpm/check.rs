//! What neither endorsements nor time decide: the chain from the processor's report to the quote.

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::azure::Machine;
use cc_core::{Finding, codes};

use super::hcl::{Hardware, HclReport};
use super::quote::Quote;
use super::runtime::RuntimeData;
use crate::snp::Report;
use crate::tdx;

/// Evidence whose parts belong together.
#[derive(Debug)]
pub(super) struct Passed<'a> {
    pub(super) hcl: HclReport<'a>,
    pub(super) runtime: RuntimeData,
    pub(super) quote: Quote<'a>,
}

/// Checks that the paravisor asked for the report, that the report binds the runtime data, what these say, and the quote by
/// the key which they name. The report itself is judged elsewhere.
pub(super) fn check<'a>(machine: &'a Machine, hcl: HclReport<'a>) -> Result<Passed<'a>, Finding> {
    match hcl.hardware() {
        Hardware::Snp(report) => {
            let report = Report::new(report)?;
            paravisor(report)?;
            binds(report.report_data(), hcl.runtime_data())?;
        }
        Hardware::Tdx(report) => {
            let body = tdx::Quote::new(&machine.td_quote)?.body();
            binds(body.report_data(), hcl.runtime_data())?;
            report.agrees(&body)?;
        }
    }
    let runtime = RuntimeData::parse(hcl.runtime_data())?;
    let quote = Quote::check(machine, &runtime.attestation_key)?;
    Ok(Passed { hcl, runtime, quote })
}

/// The paravisor runs at VMPL 0; the guest, which it isolates from its TPM, cannot ask for such a report.
fn paravisor(report: Report<'_>) -> Result<(), Finding> {
    match report.vmpl() {
        0 => Ok(()),
        other => {
            let detail = format!("VMPL is {other}, the paravisor's is 0");
            Err(Finding::new(codes::SNP_VMPL_MISMATCH, detail))
        }
    }
}

/// The report is about the runtime data: their SHA-256, then zeros.
fn binds(report_data: &[u8; 64], runtime_data: &[u8]) -> Result<(), Finding> {
    let digest = digest(&SHA256, runtime_data);
    let rest = report_data.strip_prefix(digest.as_ref());
    if rest.is_some_and(|rest| rest.iter().all(|byte| *byte == 0)) {
        return Ok(());
    }
    let (report_data, digest) = (hex::encode(report_data), hex::encode(digest));
    let detail = format!("REPORT_DATA is {report_data}, the digest of the runtime data {digest}");
    Err(Finding::new(codes::VTPM_HCL_MISMATCH, detail))
}
