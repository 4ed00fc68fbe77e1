//! What the collector asks of a kernel interface.

use cc_core::{Binding, Code, Finding};

use crate::pace::Gate;

/// Bytes of an attestation report (*verification.md* 1.1).
pub(super) const REPORT_LENGTH: usize = 1184;
/// Where REPORT_DATA lies in it.
pub(super) const REPORT_DATA: std::ops::Range<usize> = 0x50..0x90;
/// Largest certificate table that the kernel passes on, in bytes.
pub(super) const MAX_CERTS: usize = 0x4000;

/// A report that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// REPORT_DATA.
    pub binding: Binding,
    /// The privilege level; see [`Options::vmpl`](super::Options::vmpl).
    pub vmpl: Option<u32>,
}

/// What an interface returned, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawReport {
    /// The report as the interface delimits it.
    pub report: Vec<u8>,
    /// The host's certificate table; empty when there is none.
    pub certs: Vec<u8>,
}

/// Why an interface has no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The interface is not there, or not for SNP; another may be asked.
    Absent(String),
    /// The driver does not talk to the firmware (ENOTTY): not there, or, after it has worked, without its key.
    KeyGone(String),
    /// It is there, and this is its answer.
    Denied(Finding),
}

impl Failure {
    pub(super) fn denied(code: Code, detail: impl Into<String>) -> Self {
        Self::Denied(Finding::new(code, detail))
    }
}

/// A kernel interface that makes reports.
pub trait Device: Send {
    /// Obtains one report. Passes `gate` with each request that reaches the firmware, of which there are two at most.
    /// Must not be called again before it returned.
    fn report(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<RawReport, Failure>;
}
