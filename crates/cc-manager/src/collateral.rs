//! The endorsements of one verification: supplied, fetched, and what the plugin made of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cc_core::limits::{MAX_ENDORSEMENT, MAX_ENDORSEMENTS, MAX_MESSAGE};
use cc_core::message::{Blob, EndorsementRequest, Floor};
use cc_core::{Class, Finding, Profile, codes};

use crate::Sha256;
use crate::contract::UNKNOWN;
use crate::endorsements::{Endorsement, Origin, dedupe, is_der, split};
use crate::fetch::{Content, Fetcher, Keep};

/// Room in a message for what is not evidence or endorsements, in bytes.
const MESSAGE_OVERHEAD: usize = 16 * 1024;

/// Most objects that one answer may hold: the network must not crowd out what was supplied.
const MAX_FETCHED: usize = 8;

/// The endorsements of one verification, with what became of them. They and the evidence fit into one message to
/// the plugin (*verification.md* 0.11).
#[derive(Default)]
pub(crate) struct Collateral {
    pub(crate) endorsements: Vec<Endorsement>,
    pub(crate) kinds: Vec<String>,
    /// Bytes of evidence and endorsements.
    total: usize,
    shed: Vec<String>,
    fetched: Vec<Fetched>,
    failures: Vec<Failure>,
}

/// An answer that was taken in.
struct Fetched {
    url: String,
    body: Sha256,
    /// What the body consists of.
    objects: Vec<Sha256>,
}

/// An endorsement that was wanted and could not be had.
struct Failure {
    kind: String,
    url: String,
    reason: String,
}

impl Collateral {
    /// What the attester sent must fit. Of what the administrator supplied, a folder perhaps, as much is taken as
    /// there is room for, DER before anything else.
    pub(crate) fn new(
        profile: &Profile,
        evidence: &[u8],
        mut endorsements: Vec<Endorsement>,
    ) -> Result<Self, Finding> {
        dedupe(&mut endorsements);
        let administrator = |e: &&Endorsement| e.origin == Origin::Administrator;
        within("bytes of evidence", evidence.len(), profile.max_evidence())?;
        let mut room = Room { count: 0, total: evidence.len() };
        endorsements.iter().filter(|e| !administrator(e)).try_for_each(|e| room.take(e.bytes.len()))?;
        let (der, other): (Vec<_>, Vec<_>) =
            endorsements.iter().filter(administrator).partition(|e| is_der(&e.bytes));
        let mut refused = BTreeMap::new();
        for endorsement in der.into_iter().chain(other) {
            if let Err(finding) = room.take(endorsement.bytes.len()) {
                refused.insert(endorsement.sha256, finding.detail);
            }
        }
        let mut shed = Vec::new();
        endorsements.retain(|endorsement| {
            let reason = refused.get(&endorsement.sha256);
            shed.extend(reason.map(|reason| format!("{}: left out: {reason}", endorsement.source)));
            reason.is_none()
        });
        let total = room.total;
        Ok(Self { endorsements, kinds: Vec::new(), total, shed, fetched: Vec::new(), failures: Vec::new() })
    }

    /// Fetches one after the other, since vendors throttle. What fails or does not fit is remembered, and never
    /// ends it.
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
            let fetched = fetcher.fetch(request, deadline, keep).await.map_err(|failure| failure.to_string());
            if let Err(reason) = fetched.and_then(|content| self.take(url, &content)) {
                self.failures.push(Failure { kind: kind.clone(), url: url.clone(), reason });
            }
        }
    }

    /// Takes in an answer with its issuer chain, or nothing of it.
    fn take(&mut self, url: &str, Content { body, issuer_chain }: &Content) -> Result<(), String> {
        let parts = split(body)?;
        let chain = issuer_chain.as_ref().map_or(Ok(Vec::new()), |chain| split(chain.as_bytes()))?;
        let count = parts.len().saturating_add(chain.len());
        if count > MAX_FETCHED {
            return Err(format!("objects in the answer: {count}, the limit is {MAX_FETCHED}"));
        }
        let fetched = |source: &str, parts: Vec<Vec<u8>>| -> Vec<_> {
            parts.into_iter().map(|part| Endorsement::new(part, source, Origin::Fetched)).collect()
        };
        let mut new = fetched(url, parts);
        let objects = new.iter().map(|endorsement| endorsement.sha256).collect();
        new.append(&mut fetched(&format!("issuer chain of {url}"), chain));
        new.retain(|new| self.endorsements.iter().all(|known| known.sha256 != new.sha256));
        dedupe(&mut new);
        let mut room = Room { count: self.endorsements.len(), total: self.total };
        new.iter().try_for_each(|e| room.take(e.bytes.len())).map_err(|finding| finding.detail)?;
        self.total = room.total;
        self.endorsements.append(&mut new);
        self.fetched.push(Fetched { url: url.to_owned(), body: Sha256::of(body), objects });
        Ok(())
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

    /// What was fetched and was of use served a successful verification.
    pub(crate) fn confirm(&self, fetcher: &Fetcher) {
        let kinds = self.endorsements.iter().zip(&self.kinds);
        let known: BTreeSet<_> = kinds.filter(|(_, kind)| *kind != UNKNOWN).map(|(e, _)| e.sha256).collect();
        for Fetched { url, body, objects } in &self.fetched {
            if objects.iter().any(|object| known.contains(object)) {
                fetcher.confirm(url, *body);
            }
        }
    }

    /// What was left out, and what could not be fetched, with address and reason.
    pub(crate) fn notes(&self) -> Vec<String> {
        let note = |failure: &Failure| format!("{} from {}: {}", failure.kind, failure.url, failure.reason);
        self.shed.iter().cloned().chain(self.failures.iter().map(note)).collect()
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

/// What one message holds so far.
struct Room {
    count: usize,
    total: usize,
}

impl Room {
    /// Makes room for one more object, or says which limit is in the way.
    fn take(&mut self, size: usize) -> Result<(), Finding> {
        let (count, total) = (self.count.saturating_add(1), self.total.saturating_add(size));
        within("bytes of an endorsement", size, MAX_ENDORSEMENT)?;
        within("endorsements", count, MAX_ENDORSEMENTS)?;
        within("bytes in total", total, MAX_MESSAGE.saturating_sub(MESSAGE_OVERHEAD))?;
        *self = Self { count, total };
        Ok(())
    }
}

fn within(what: &str, size: usize, limit: usize) -> Result<(), Finding> {
    if size <= limit {
        return Ok(());
    }
    Err(Finding::new(codes::ENV_SIZE_EXCEEDED, format!("{what}: {size}, the limit is {limit}")))
}
