//! The JSON results: one object each, their fields a contract (`docs/OPERATIONS.md`, "JSON").

use cc_core::{Claims, Code, Finding, Outcome};
use cc_policy::{Appraisal, Policy};
use serde::Serialize;

/// `muster.evidence.verify/1`, and with `appraisal` `muster.evidence.appraise/1`.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    pub(crate) schema: &'static str,
    pub(crate) profile: String,
    /// `accept`, `reject` or `indeterminate`.
    pub(crate) outcome: &'static str,
    /// Null exactly if accepted.
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
    /// The instant for which it was judged; null when the clock could not be trusted.
    pub(crate) at: Option<String>,
    pub(crate) replayed: bool,
    /// Null when no plugin could be loaded.
    pub(crate) plugin: Option<PluginRef>,
    pub(crate) endorsements: Vec<EndorsementRef>,
    pub(crate) waived: Vec<String>,
    /// `matched` or `not-compared`.
    pub(crate) binding: &'static str,
    pub(crate) claims: Claims,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) appraisal: Option<AppraisalReport>,
}

/// Which plugin answered.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PluginRef {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) sha256: String,
    pub(crate) trust_class: String,
}

/// An endorsement that was at hand.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EndorsementRef {
    pub(crate) kind: String,
    pub(crate) sha256: String,
    pub(crate) source: String,
}

/// What the policy says.
#[derive(Debug, Serialize)]
pub(crate) struct AppraisalReport {
    /// `affirming`, `warning`, `contraindicated` or `none`.
    pub(crate) status: String,
    /// `production` or `development`: what the policy may be used for.
    pub(crate) policy_profile: String,
    pub(crate) findings: Vec<FindingReport>,
}

#[derive(Debug, Serialize)]
pub(crate) struct FindingReport {
    pub(crate) code: String,
    pub(crate) got: String,
    pub(crate) want: String,
    pub(crate) source: String,
}

/// `muster.evidence.show/1`.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub(crate) schema: &'static str,
    pub(crate) profile: String,
    /// Always false: nothing here was verified.
    pub(crate) verified: bool,
    /// Null when the evidence could be parsed.
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) plugin: Option<PluginRef>,
    /// What verification would need, and where it is published.
    pub(crate) requests: Vec<RequestRef>,
    pub(crate) claims: Claims,
}

#[derive(Debug, Serialize)]
pub(crate) struct RequestRef {
    pub(crate) kind: String,
    pub(crate) url: String,
}

/// `muster.evidence.collect/1`.
#[derive(Debug, Serialize)]
pub(crate) struct CollectedReport {
    pub(crate) schema: &'static str,
    pub(crate) profile: String,
    /// Null when evidence was written.
    pub(crate) code: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) plugin: Option<PluginRef>,
    pub(crate) evidence: Option<String>,
    pub(crate) endorsements: Vec<String>,
}

impl Verdict {
    /// A result before anything was judged: a denial without code is never printed, the caller fills it in.
    pub(crate) fn denied(schema: &'static str, profile: &str, finding: &Finding) -> Self {
        Self {
            schema,
            profile: profile.to_owned(),
            outcome: outcome_word(&finding.code),
            code: Some(finding.code.to_string()),
            detail: Some(finding.detail.clone()),
            at: None,
            replayed: false,
            plugin: None,
            endorsements: Vec::new(),
            waived: Vec::new(),
            binding: "not-compared",
            claims: Claims::new(),
            appraisal: None,
        }
    }
}

/// `reject` or `indeterminate`.
pub(crate) fn outcome_word(code: &Code) -> &'static str {
    match Outcome::denied(Finding::new(code.clone(), "")) {
        Outcome::Indeterminate(_) => "indeterminate",
        _ => "reject",
    }
}

impl AppraisalReport {
    /// The report of an appraisal by a policy.
    pub(crate) fn new(appraisal: &Appraisal, policy: &Policy) -> Self {
        Self {
            policy_profile: policy.profile().to_owned(),
            status: appraisal.status.to_string(),
            findings: appraisal
                .findings
                .iter()
                .map(|finding| FindingReport {
                    code: finding.code.to_string(),
                    got: finding.got.clone(),
                    want: finding.want.clone(),
                    source: finding.source.clone(),
                })
                .collect(),
        }
    }
}
