//! What came out, as the catalogue names it: a code, or `accept`.

use cc_core::message::{VerifyReply, WireOutcome};
use cc_core::{Finding, Outcome};

/// What a reply says.
pub(crate) fn reply_code(reply: &VerifyReply) -> &str {
    match &reply.outcome {
        WireOutcome::Accept { .. } => "accept",
        WireOutcome::Reject(denial) | WireOutcome::Indeterminate(denial) => &denial.code,
    }
}

/// What an outcome says.
pub(crate) fn outcome_code(outcome: &Outcome) -> &str {
    outcome.code().map_or("accept", |code| code.as_str())
}

/// What a check says.
pub(crate) fn result_code<T>(result: &Result<T, Finding>) -> String {
    result.as_ref().map_or_else(|finding| finding.code.to_string(), |_| "accept".to_owned())
}
