//! Step G8, and of G13 what is about revocation: every certificate that has a status is good.

use cc_core::{Code, Finding, UnixTime, Waivers, codes};

use crate::ocsp::{self, Answers, Problem, Subject};

/// What was noted while no step rejected.
#[derive(Default)]
pub(super) struct Notes {
    /// The first thing that was missing and not waived: the outcome, if there is one.
    pub(super) missing: Option<Finding>,
    /// Waivers that were used, in the order of their steps.
    pub(super) waived: Vec<Code>,
}

impl Notes {
    /// Notes that something is missing, unless that is waived.
    pub(super) fn miss(&mut self, finding: Finding, waivers: &Waivers) {
        if !waivers.covers(&finding.code) {
            self.missing.get_or_insert(finding);
        } else if !self.waived.contains(&finding.code) {
            self.waived.push(finding.code);
        }
    }
}

/// Judges the status of certificates and returns the earliest instant at which a new answer is due. All answers are looked
/// at before one is missed, since another one may say revoked.
pub(super) fn judge(
    subjects: &[Subject],
    chain: ocsp::Chain,
    answers: &Answers,
    now: UnixTime,
    waivers: &Waivers,
    notes: &mut Notes,
) -> Result<Option<UnixTime>, Finding> {
    let mut next_update = None;
    for (place, subject) in subjects.iter().enumerate() {
        match answers.status(subject, now) {
            Ok(status) => {
                next_update =
                    Some(next_update.map_or(status.next_update, |other| status.next_update.min(other)));
            }
            Err(problem @ Problem::Missing) => {
                notes.miss(problem.finding(chain, &whose(chain, place)), waivers)
            }
            Err(problem) => return Err(problem.finding(chain, &whose(chain, place))),
        }
    }
    Ok(next_update)
}

fn whose(chain: ocsp::Chain, place: usize) -> String {
    let (of, first) = match chain {
        ocsp::Chain::Device => ("the device's", 2),
        ocsp::Chain::Manifest => ("the manifest's", 1),
    };
    format!("certificate {} of {of} chain", place.saturating_add(first))
}

/// Whether a finding is one of those that are only noted.
pub(super) fn is_missing(finding: &Finding) -> bool {
    [codes::GPU_RIM_NOT_FOUND, codes::GPU_CHAIN_MISSING].contains(&finding.code)
}
