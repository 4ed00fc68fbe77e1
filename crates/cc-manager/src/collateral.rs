//! The endorsements of one verification: supplied, fetched, and what the plugin made of them.

use std::time::Duration;

use cc_core::limits::{MAX_ENDORSEMENT, MAX_ENDORSEMENTS, MAX_EVIDENCE, MAX_MESSAGE};
use cc_core::message::{Blob, EndorsementRequest, Floor};
use cc_core::{Class, Finding, codes};

use crate::endorsements::{Endorsement, Origin, dedupe, split};
use crate::fetch::{Fetcher, Keep};

/// Room in a message for what is not evidence or endorsements, in bytes.
const MESSAGE_OVERHEAD: usize = 16 * 1024;

/// The endorsements of one verification, with what became of them.
pub(crate) struct Collateral {
    pub(crate) endorsements: Vec<Endorsement>,
    pub(crate) kinds: Vec<String>,
    fetched: Vec<String>,
    failures: Vec<Failure>,
}

/// An endorsement that was wanted and could not be had.
struct Failure {
    kind: String,
    url: String,
    reason: String,
}

impl Collateral {
    pub(crate) fn new(mut endorsements: Vec<Endorsement>) -> Self {
        dedupe(&mut endorsements);
        Self { endorsements, kinds: Vec::new(), fetched: Vec::new(), failures: Vec::new() }
    }

    /// Fetches one after the other, since vendors throttle. What fails is remembered, and never ends it.
    pub(crate) async fn fetch(
        &mut self,
        fetcher: &Fetcher,
        requests: &[EndorsementRequest],
        patience: Duration,
        keep: Keep,
    ) {
        let deadline = fetcher.deadline(patience);
        for request in requests {
            let EndorsementRequest { kind, url, .. } = request;
            tracing::info!(kind, url, "fetching");
            let fetched = fetcher.fetch(request, deadline, keep).await;
            match fetched.map_err(|failure| failure.to_string()).and_then(|content| split(&content)) {
                Ok(objects) => {
                    let new = objects.into_iter().map(|o| Endorsement::new(o, url.clone(), Origin::Fetched));
                    self.endorsements.extend(new);
                    self.fetched.push(url.clone());
                }
                Err(reason) => {
                    self.failures.push(Failure { kind: kind.clone(), url: url.clone(), reason });
                }
            }
        }
        dedupe(&mut self.endorsements);
    }

    /// The objects as the plugin gets them.
    pub(crate) fn blobs(&self) -> Vec<Blob> {
        self.endorsements.iter().map(|endorsement| Blob(endorsement.bytes.clone())).collect()
    }

    /// Who supplied the object that a floor is of.
    pub(crate) fn origin(&self, floor: &Floor) -> Origin {
        let index = usize::try_from(floor.endorsement).unwrap_or(usize::MAX);
        self.endorsements.get(index).map_or(Origin::Attester, |endorsement| endorsement.origin)
    }

    /// Evidence and endorsements must fit into one message to the plugin (*verification.md* 0.11).
    pub(crate) fn within_limits(&self, evidence: &[u8]) -> Result<(), Finding> {
        let within = |what: &str, size: usize, limit: usize| {
            if size <= limit {
                return Ok(());
            }
            Err(Finding::new(codes::ENV_SIZE_EXCEEDED, format!("{what}: {size}, the limit is {limit}")))
        };
        within("bytes of evidence", evidence.len(), MAX_EVIDENCE)?;
        within("endorsements", self.endorsements.len(), MAX_ENDORSEMENTS)?;
        for endorsement in &self.endorsements {
            within("bytes of an endorsement", endorsement.bytes.len(), MAX_ENDORSEMENT)?;
        }
        let total = self.endorsements.iter().fold(evidence.len(), |sum, e| sum.saturating_add(e.bytes.len()));
        within("bytes in total", total, MAX_MESSAGE.saturating_sub(MESSAGE_OVERHEAD))
    }

    /// What was fetched served a successful verification.
    pub(crate) fn confirm(&self, fetcher: &Fetcher) {
        self.fetched.iter().for_each(|url| fetcher.confirm(url));
    }

    /// What could not be fetched, with address and reason.
    pub(crate) fn notes(&self) -> Vec<String> {
        let note = |failure: &Failure| format!("{} from {}: {}", failure.kind, failure.url, failure.reason);
        self.failures.iter().map(note).collect()
    }

    /// Adds to a case that is undecided why things are missing, each reason once.
    pub(crate) fn explain(&self, finding: Finding) -> Finding {
        if finding.code.class() != Class::Indeterminate || self.failures.is_empty() {
            return finding;
        }
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for Failure { kind, reason, .. } in &self.failures {
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, kinds)) if kinds.contains(&kind.as_str()) => {}
                Some((_, kinds)) => kinds.push(kind),
                None => reasons.push((reason, vec![kind])),
            }
        }
        let parts: Vec<_> =
            reasons.iter().map(|(reason, kinds)| format!("{}: {reason}", kinds.join(", "))).collect();
        Finding::new(finding.code, format!("{} ({})", finding.detail, parts.join("; ")))
    }
}
