//! The answer of every verification.

use cc_core::message::{Floor, MESSAGE_VERSION, VerifyReply, VerifyRequest};
use cc_core::{Finding, Outcome};

/// Whether evidence is authentic, and how new the collateral was that said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Whether the evidence is authentic, and what it says.
    pub outcome: Outcome,
    /// The sequence numbers of the collateral that was used; only with accepted evidence. Positions are those in the
    /// slot that the collateral was in.
    pub floors: Vec<Floor>,
}

impl Verification {
    pub(crate) fn denied(finding: Finding) -> Self {
        Self { outcome: Outcome::denied(finding), floors: Vec::new() }
    }

    /// The answer to `request`; a name for each of its endorsements.
    pub(crate) fn reply(self, request: &VerifyRequest, names: Vec<&'static str>) -> VerifyReply {
        VerifyReply {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            outcome: self.outcome.into(),
            recognised: names.into_iter().map(str::to_owned).collect(),
            floors: self.floors,
        }
    }
}
