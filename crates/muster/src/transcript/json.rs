//! The JSON results: one object each, their fields a contract (`docs/OPERATIONS.md`, "Transcripts").

use std::path::Path;

use cc_core::{Finding, UnixTime};
use fed_node::transcript::{
    self, DescriptorFrom, Difference, Judged, Outcome, PluginUse, Report, Summary, Tokens,
};
use serde::Serialize;

use super::first;
use crate::report::PluginRef;

/// `muster.transcript.verify/1`.
#[derive(Debug, Serialize)]
pub(super) struct Verified {
    schema: &'static str,
    file: String,
    /// `same`, `differs`, `not-authentic` or `no-plugin`.
    outcome: &'static str,
    /// Null exactly if the verdict is the same.
    pub(super) code: Option<String>,
    pub(super) detail: Option<String>,
    /// `given` or `from-file`.
    descriptor: &'static str,
    /// The chosen instant; null for the recorded ones.
    replayed_at: Option<String>,
    /// Null if the file could not be read.
    round: Option<Round>,
    judged: Vec<Peer>,
    words: Vec<Word>,
    others: Vec<Other>,
    /// Null if it did not come to that.
    verdict: Option<Verdicts>,
    differences: Vec<Different>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Round {
    federation_id: String,
    federation: String,
    /// `production` or `development`.
    profile: &'static str,
    verifier: String,
    epoch: u64,
    purpose: String,
    job_id: String,
    root: String,
    at: String,
    bundle: Option<String>,
    site_policy: String,
}

#[derive(Debug, Serialize)]
struct Peer {
    subject: String,
    role: String,
    /// The code in the recorded verdict; null if it accepts.
    recorded: Option<String>,
    /// The code that was found; null if accepted.
    found: Option<String>,
    detail: Option<String>,
    at: Option<String>,
    recorded_plugin: Option<PluginRef>,
    plugin: Option<PluginRef>,
}

#[derive(Debug, Serialize)]
struct Word {
    subject: String,
    code: String,
    why: &'static str,
}

#[derive(Debug, Serialize)]
struct Other {
    verifier: String,
    policy: String,
    refused: Vec<Refusal>,
    /// `same`, `other` or `unseen`: whether it accepts the tokens of the file.
    accepts: &'static str,
}

#[derive(Debug, Serialize)]
struct Refusal {
    name: String,
    code: String,
}

#[derive(Debug, Serialize)]
struct Verdicts {
    /// The signed bytes, in hexadecimal.
    recorded: String,
    found: String,
}

#[derive(Debug, Serialize)]
struct Different {
    code: String,
    place: String,
    recorded: String,
    found: String,
}

impl Verified {
    fn empty(file: &Path, outcome: Outcome, descriptor: DescriptorFrom, at: Option<UnixTime>) -> Self {
        Self {
            schema: "muster.transcript.verify/1",
            file: file.display().to_string(),
            outcome: match outcome {
                Outcome::Same => "same",
                Outcome::Differs => "differs",
                Outcome::NotAuthentic => "not-authentic",
                Outcome::NoPlugin => "no-plugin",
            },
            code: None,
            detail: None,
            descriptor: match descriptor {
                DescriptorFrom::Given => "given",
                DescriptorFrom::File => "from-file",
            },
            replayed_at: at.map(|at| at.to_string()),
            round: None,
            judged: Vec::new(),
            words: Vec::new(),
            others: Vec::new(),
            verdict: None,
            differences: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// There are no plugins to verify with.
    pub(super) fn not_loaded(
        file: &Path,
        descriptor: DescriptorFrom,
        at: Option<UnixTime>,
        finding: &Finding,
    ) -> Self {
        let empty = Self::empty(file, Outcome::NoPlugin, descriptor, at);
        Self { code: Some(finding.code.to_string()), detail: Some(finding.detail.clone()), ..empty }
    }

    pub(super) fn new(file: &Path, report: &Report) -> Self {
        let first = first(report);
        let empty = Self::empty(file, report.outcome, report.descriptor, report.replayed_at);
        Self {
            code: first.as_ref().map(|finding| finding.code.to_string()),
            detail: first.map(|finding| finding.detail),
            round: report.summary.as_ref().map(Round::from),
            judged: report.judged.iter().map(Peer::from).collect(),
            words: report
                .words
                .iter()
                .map(|word| Word {
                    subject: word.subject.to_string(),
                    code: word.code.to_string(),
                    why: word.why,
                })
                .collect(),
            others: report
                .others
                .iter()
                .map(|other| Other {
                    verifier: other.verifier.to_string(),
                    policy: other.policy.to_string(),
                    refused: other
                        .refused
                        .iter()
                        .map(|(name, code)| Refusal { name: name.to_string(), code: code.to_string() })
                        .collect(),
                    accepts: match other.accepts {
                        Tokens::Same => "same",
                        Tokens::Other => "other",
                        Tokens::Unseen => "unseen",
                    },
                })
                .collect(),
            verdict: report.verdict.as_ref().map(|verdict| Verdicts {
                recorded: hex::encode(&verdict.recorded),
                found: hex::encode(&verdict.found),
            }),
            differences: report.differences.iter().map(Different::from).collect(),
            notes: report.notes.clone(),
            ..empty
        }
    }
}

impl From<&Summary> for Round {
    fn from(summary: &Summary) -> Self {
        Self {
            federation_id: summary.federation_id.to_string(),
            federation: summary.federation.clone(),
            profile: summary.profile.as_str(),
            verifier: summary.verifier.to_string(),
            epoch: summary.epoch,
            purpose: summary.purpose.to_string(),
            job_id: summary.job_id.clone(),
            root: summary.root.to_string(),
            at: summary.at.to_string(),
            bundle: summary.bundle.map(|digest| digest.to_string()),
            site_policy: summary.site_policy.to_string(),
        }
    }
}

impl From<&Judged> for Peer {
    fn from(judged: &Judged) -> Self {
        Self {
            subject: judged.subject.to_string(),
            role: judged.role.to_string(),
            recorded: judged.recorded.as_ref().map(ToString::to_string),
            found: judged.found.as_ref().map(|finding| finding.code.to_string()),
            detail: judged.found.as_ref().map(|finding| finding.detail.clone()),
            at: judged.at.map(|at| at.to_string()),
            recorded_plugin: judged.recorded_plugin.as_ref().map(PluginRef::from),
            plugin: judged.plugin.as_ref().map(PluginRef::from),
        }
    }
}

impl From<&PluginUse> for PluginRef {
    fn from(plugin: &PluginUse) -> Self {
        Self {
            name: plugin.name.clone(),
            version: plugin.version.clone(),
            sha256: plugin.sha256.to_string(),
            trust_class: plugin.trust_class.clone(),
        }
    }
}

impl From<&Difference> for Different {
    fn from(difference: &Difference) -> Self {
        let Difference { code, place, recorded, found } = difference;
        Self {
            code: code.to_string(),
            place: place.clone(),
            recorded: recorded.clone(),
            found: found.clone(),
        }
    }
}

/// `muster.transcript.show/1`.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    schema: &'static str,
    file: String,
    /// Always false: nothing here was verified.
    verified: bool,
    /// Null when the file is whole.
    code: Option<String>,
    detail: Option<String>,
    round: Option<Round>,
    messages: usize,
    objects: usize,
    judgements: Vec<Judgement>,
    verdicts: Vec<Verdict>,
}

#[derive(Debug, Serialize)]
struct Judgement {
    subject: String,
    profile: String,
    evidence: String,
    at: String,
    plugin: Option<PluginRef>,
    endorsements: usize,
    code: Option<String>,
    detail: Option<String>,
    policy_line: Option<String>,
}

#[derive(Debug, Serialize)]
struct Verdict {
    verifier: String,
    policy: String,
    refused: Vec<Refusal>,
}

impl Shown {
    pub(super) fn new(file: &Path, shown: &Result<transcript::Shown, Finding>) -> Self {
        let empty = Self {
            schema: "muster.transcript.show/1",
            file: file.display().to_string(),
            verified: false,
            code: None,
            detail: None,
            round: None,
            messages: 0,
            objects: 0,
            judgements: Vec::new(),
            verdicts: Vec::new(),
        };
        match shown {
            Err(finding) => {
                Self { code: Some(finding.code.to_string()), detail: Some(finding.detail.clone()), ..empty }
            }
            Ok(shown) => Self {
                round: Some(Round::from(&shown.summary)),
                messages: shown.messages,
                objects: shown.objects,
                judgements: shown
                    .judgements
                    .iter()
                    .map(|judgement| Judgement {
                        subject: judgement.subject.clone(),
                        profile: judgement.profile.clone(),
                        evidence: judgement.evidence.to_string(),
                        at: judgement.at.to_string(),
                        plugin: judgement.plugin.as_ref().map(PluginRef::from),
                        endorsements: judgement.endorsements,
                        code: judgement.code.clone(),
                        detail: judgement.detail.clone(),
                        policy_line: judgement.policy_line.clone(),
                    })
                    .collect(),
                verdicts: shown
                    .verdicts
                    .iter()
                    .map(|verdict| Verdict {
                        verifier: verdict.verifier.to_string(),
                        policy: verdict.policy.to_string(),
                        refused: verdict
                            .refused
                            .iter()
                            .map(|(name, code)| Refusal { name: name.to_string(), code: code.clone() })
                            .collect(),
                    })
                    .collect(),
                ..empty
            },
        }
    }
}
