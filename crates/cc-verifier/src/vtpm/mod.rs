//! Confidential machines of Azure, whose processor's report only the paravisor can ask for (*verification.md* 4.6, profile
//! `az-cvm-vtpm-1`).
//!
//! The chain: a genuine processor signs a report whose REPORT_DATA is the digest of runtime data; these name the
//! attestation key that the paravisor made in its virtual TPM; that key signs a quote over PCRs with what a verifier
//! chose as extra data. [`Verifier`] hands the processor's part to [`crate::snp`] or [`crate::tdx`] and judges the rest
//! itself.
//!
//! Only the quote is fresh: report and runtime data are those of the last boot, and claims say so. Nothing is fetched,
//! no clock is read, which PCRs and values are wanted is policy, and the bound bytes are returned, not compared.

mod attest;
mod check;
mod claims;
mod hcl;
mod quote;
mod reader;
mod runtime;
mod td_report;
mod verifier;

pub use attest::{Attest, Bank};
pub use hcl::{Hardware, HclReport};
pub use td_report::{TD_REPORT_LENGTH, TdReport};
pub use verifier::Verifier;

use cc_core::{Finding, codes};

fn malformed(detail: String) -> Finding {
    Finding::new(codes::VTPM_FORMAT_MALFORMED, detail)
}
