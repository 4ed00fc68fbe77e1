//! The answer of every verification.

use cc_core::message::Floor;
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
}
