//! What a transcript says, without verifying more than that it is whole.

use cc_core::{Finding, UnixTime, codes};
use fed_proto::crypto::Digest;
use fed_proto::descriptor::Descriptor;
use fed_proto::message::{Kind, MAX_DOWNWARD, VerdictMessage};
use fed_proto::name::Name;
use fed_proto::signed::Signed;
use fed_proto::verdict::Verdict;

use super::line::Judging;
use super::record::Transcript;
use super::report::{PluginUse, Summary};

/// What a transcript says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What it is about.
    pub summary: Summary,
    /// Number of messages.
    pub messages: usize,
    /// Number of pieces of evidence and endorsements.
    pub objects: usize,
    /// How evidence was judged.
    pub judgements: Vec<ShownJudgement>,
    /// The reasons of the verifier's refusals: name, code, text.
    pub refused: Vec<(Name, String, String)>,
    /// The verdicts that it has, the own one first.
    pub verdicts: Vec<ShownVerdict>,
}

/// How one peer's evidence was judged, as the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownJudgement {
    /// Who.
    pub subject: String,
    /// Which kind of evidence.
    pub profile: String,
    /// SHA-256 of the evidence.
    pub evidence: Digest,
    /// For when.
    pub at: UnixTime,
    /// By what.
    pub plugin: Option<PluginUse>,
    /// Number of endorsements.
    pub endorsements: usize,
    /// Why it was refused.
    pub code: Option<String>,
    /// The same for people.
    pub detail: Option<String>,
    /// The first finding of a policy: its line.
    pub policy_line: Option<String>,
}

/// A verdict, as the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownVerdict {
    /// Whose.
    pub verifier: Name,
    /// Digest of the policy by which it judged.
    pub policy: Digest,
    /// Whom it refuses, and why.
    pub refused: Vec<(Name, String)>,
}

/// Reads a transcript. No signature is verified: it may say anything.
pub fn show(bytes: &[u8]) -> Result<Shown, Finding> {
    let (transcript, _) = Transcript::parse(bytes)?;
    let descriptor = Descriptor::parse(&transcript.head.descriptor)
        .map_err(|error| Finding::new(codes::TR_FORMAT_INVALID, format!("descriptor: {error}")))?;
    let mut verdicts: Vec<ShownVerdict> =
        Verdict::parse(&transcript.verdict.bytes.0).map(shown).into_iter().collect();
    let others = transcript.messages.iter().filter_map(|bytes| other(bytes, &transcript.head.verifier));
    verdicts.extend(others.map(shown));
    let refused = transcript.verdict.refused.iter();
    Ok(Shown {
        summary: Summary::of(&transcript, &descriptor),
        messages: transcript.messages.len(),
        objects: transcript.objects.len(),
        judgements: transcript.judgements.iter().map(judgement).collect(),
        refused: refused.map(|one| (one.name.clone(), one.code.clone(), one.detail.clone())).collect(),
        verdicts,
    })
}

fn other(bytes: &[u8], me: &Name) -> Option<Verdict> {
    // Most messages are no verdicts, and a verdict is short.
    let message = Signed::from_bytes(bytes, MAX_DOWNWARD)?;
    if message.header.kind != Kind::Verdict.number() || message.header.sender == *me {
        return None;
    }
    Verdict::parse(&message.read::<VerdictMessage>()?.bytes)
}

fn shown(verdict: Verdict) -> ShownVerdict {
    let refused = verdict.refused.into_iter().map(|(name, code)| (name, code.to_string()));
    ShownVerdict { verifier: verdict.verifier, policy: verdict.policy, refused: refused.collect() }
}

fn judgement(line: &Judging) -> ShownJudgement {
    let mut findings = line
        .appraisals
        .iter()
        .chain(line.devices.iter().flat_map(|d| &d.appraisals))
        .flat_map(|appraisal| &appraisal.findings);
    ShownJudgement {
        subject: line.subject.clone(),
        profile: line.profile.clone(),
        evidence: Digest(line.evidence.0),
        at: line.at.0,
        plugin: line.plugin.as_ref().map(Into::into),
        endorsements: line.endorsements.len(),
        code: line.code.clone(),
        detail: line.detail.clone(),
        policy_line: findings.next().map(|finding| finding.source.clone()),
    }
}
