//! What a node says about itself while it runs: one line per event, for people or as one JSON object.

use cc_core::{Finding, UnixTime};
use fed_proto::binding::Purpose;
use fed_proto::name::Name;
use serde::Serialize;

/// One event. Absent fields do not apply to it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Line {
    /// RFC 3339, UTC.
    pub at: String,
    /// What happened: `started`, `registered`, `refused`, `judged`, `attempt`, `job`, `stopped`, ...
    pub event: &'static str,
    /// About whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verifier: Option<String>,
    /// The round.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// What the round is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The job's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Its identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// A state, where one is reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The stable code of a denial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Line {
    /// An event at an instant.
    pub fn new(at: UnixTime, event: &'static str) -> Self {
        Self { at: at.to_string(), event, ..Self::default() }
    }

    /// About whom.
    #[must_use]
    pub fn name(mut self, name: impl ToString) -> Self {
        self.name = Some(name.to_string());
        self
    }

    /// How a peer was judged in a round.
    #[must_use]
    pub fn judged(self, epoch: u64, purpose: Purpose, peer: &Name, result: &Result<(), Finding>) -> Self {
        let line = Self { epoch: Some(epoch), purpose: Some(purpose.to_string()), ..self }.name(peer);
        match result {
            Ok(()) => line.state("accepted"),
            Err(finding) => line.state("refused").finding(finding),
        }
    }

    /// With a reason and its code.
    #[must_use]
    pub fn finding(mut self, finding: &Finding) -> Self {
        self.code = Some(finding.code.to_string());
        self.text = Some(finding.detail.clone());
        self
    }

    /// With a text.
    #[must_use]
    pub fn text(mut self, text: impl ToString) -> Self {
        self.text = Some(text.to_string());
        self
    }

    /// With a state.
    #[must_use]
    pub fn state(mut self, state: impl ToString) -> Self {
        self.state = Some(state.to_string());
        self
    }
}

/// Where events go; must not block for long.
pub type Sink = std::sync::Arc<dyn Fn(Line) + Send + Sync>;
