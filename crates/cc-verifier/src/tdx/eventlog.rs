//! Event logs (step T22).

use cc_core::{Finding, codes};

/// What replaying a log gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replay {
    /// RTMR0 to RTMR3.
    pub(super) rtmrs: [[u8; 48]; 4],
    /// Events in the log, the header not counted.
    pub(super) events: usize,
}

/// Whether a blob begins with the header event of a crypto-agile log.
pub(super) fn is_log(blob: &[u8]) -> bool {
    blob.get(32..).is_some_and(|rest| rest.starts_with(b"Spec ID Event03\0"))
}

/// Replays a log.
pub(super) fn replay(_log: &[u8]) -> Result<Replay, Finding> {
    Err(Finding::new(codes::TDX_EVENTLOG_MALFORMED, "event logs cannot be replayed yet"))
}
