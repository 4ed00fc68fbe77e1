//! The endorsements of one verification: supplied, fetched, and what the plugin made of them.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::limits::{MAX_ENDORSEMENT, MAX_ENDORSEMENTS, MAX_MESSAGE};
use cc_core::message::{Blob, EndorsementRequest, Floor};
use cc_core::{Class, Finding, Profile, codes};

use crate::Sha256;
use crate::contract::UNKNOWN;
use crate::endorsements::{Endorsement, Origin, dedupe, is_der, split};
use crate::fetch::{Content, Deadline, Fetched as Answer, Fetcher, Keep, Source};

/// Room in a message for what is not evidence or endorsements, in bytes.
const MESSAGE_OVERHEAD: usize = 16 * 1024;

/// From which age on, in seconds, what the cache served is fetched anew when it did not do. Who sends evidence that is
/// denied again and again does not make this verifier ask more often.
const REFRESH_AGE: u64 = 300;
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
    /// What plans asked for: addresses, and what the questions posted there are about.
    asked: BTreeSet<(String, Option<Vec<u8>>)>,
    fetched: Vec<Fetched>,
    failures: Vec<Failure>,
}

/// An answer that was taken in.
struct Fetched {
    request: EndorsementRequest,
    body: Sha256,
    /// What the body consists of.
    objects: Vec<Sha256>,
    /// What of it, and of the chain beside it, nobody else had supplied.
    own: Vec<Sha256>,
    /// For how many seconds the cache has had it.
    age: Option<u64>,
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
        Ok(Self { endorsements, total, shed, ..Self::default() })
    }

    /// Fetches what was not asked for before, one after the other, since vendors throttle. What fails or does not fit is
    /// remembered, and never ends it. Says whether anything came.
    pub(crate) async fn fetch(
        &mut self,
        fetcher: &Fetcher,
        requests: Vec<EndorsementRequest>,
        deadline: Deadline,
        keep: Keep,
    ) -> bool {
        let before = self.fetched.len();
        for request in requests {
            let subject = (request.url.clone(), request.post.as_ref().map(|post| post.key.clone()));
            if !self.asked.insert(subject) {
                continue;
            }
            let EndorsementRequest { kind, url, .. } = &request;
            tracing::info!(kind, url, "fetching");
            let answer = fetcher.fetch(&request, deadline, keep, Source::Any).await;
            let taken =
                answer.map_err(|f| f.to_string()).and_then(|answer| self.take(&request, &answer, &[]));
            if let Err(reason) = taken {
                self.failures.push(Failure { kind: request.kind, url: request.url, reason });
            }
        }
        self.fetched.len() > before
    }

    /// Fetches anew what the cache has served for long, until that fails. Says whether anything else came.
    pub(crate) async fn refresh(&mut self, fetcher: &Fetcher, deadline: Deadline, keep: Keep) -> bool {
        let (mut changed, mut failed) = (false, fetcher.is_offline());
        for old in std::mem::take(&mut self.fetched) {
            if failed || old.age.is_none_or(|age| age < REFRESH_AGE) {
                self.fetched.push(old);
                continue;
            }
            let EndorsementRequest { kind, url, .. } = &old.request;
            tracing::info!(kind, url, "fetching anew");
            let answer = fetcher.fetch(&old.request, deadline, keep, Source::Address).await;
            match answer
                .map_err(|f| f.to_string())
                .and_then(|answer| self.take(&old.request, &answer, &old.own))
            {
                Ok(()) => changed |= self.fetched.last().is_some_and(|new| new.body != old.body),
                Err(reason) => {
                    failed = true;
                    self.failures.push(Failure { kind: kind.clone(), url: url.clone(), reason });
                    self.fetched.push(old);
                }
            }
        }
        changed
    }

    /// Takes in an answer with its issuer chain in place of these objects, or nothing of it.
    fn take(
        &mut self,
        request: &EndorsementRequest,
        answer: &Answer,
        replaced: &[Sha256],
    ) -> Result<(), String> {
        let Answer { content: Content { body, issuer_chain }, age } = answer;
        // An exchange is one object, whatever the answer in it looks like.
        let parts = if request.post.is_some() { vec![body.clone()] } else { split(body)? };
        let chain = issuer_chain.as_ref().map_or(Ok(Vec::new()), |chain| split(chain.as_bytes()))?;
        let count = parts.len().saturating_add(chain.len());
        if count > MAX_FETCHED {
            return Err(format!("objects in the answer: {count}, the limit is {MAX_FETCHED}"));
        }
        let url = &request.url;
        let fetched = |source: &str, parts: Vec<Vec<u8>>| -> Vec<_> {
            parts.into_iter().map(|part| Endorsement::new(part, source, Origin::Fetched)).collect()
        };
        let mut new = fetched(url, parts);
        let objects = new.iter().map(|endorsement| endorsement.sha256).collect();
        new.append(&mut fetched(&format!("issuer chain of {url}"), chain));
        let (old, others): (Vec<_>, Vec<_>) =
            self.endorsements.iter().partition(|e| replaced.contains(&e.sha256));
        new.retain(|new| others.iter().all(|known| known.sha256 != new.sha256));
        dedupe(&mut new);
        let freed = old.iter().fold(0_usize, |sum, e| sum.saturating_add(e.bytes.len()));
        let mut room = Room { count: others.len(), total: self.total.saturating_sub(freed) };
        new.iter().try_for_each(|e| room.take(e.bytes.len())).map_err(|finding| finding.detail)?;
        self.total = room.total;
        self.endorsements.retain(|e| !replaced.contains(&e.sha256));
        let own = new.iter().map(|endorsement| endorsement.sha256).collect();
        self.endorsements.append(&mut new);
        let (request, body) = (request.clone(), Sha256::of(body));
        self.fetched.push(Fetched { request, body, objects, own, age: *age });
        Ok(())
    }

    /// The objects as the plugin gets them.
    pub(crate) fn blobs(&self) -> Vec<Blob> {
        self.endorsements.iter().map(|endorsement| Blob(endorsement.bytes.clone())).collect()
    }

    /// Positions of the objects that do not come from the attester alone.
    pub(crate) fn vouched(&self) -> Vec<u32> {
        let fetched: BTreeSet<_> = self.fetched.iter().flat_map(|answer| &answer.objects).collect();
        let is_own = |e: &Endorsement| e.origin != Origin::Attester || fetched.contains(&e.sha256);
        (0..).zip(&self.endorsements).filter(|(_, e)| is_own(e)).map(|(position, _)| position).collect()
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
        for Fetched { request, body, objects, .. } in &self.fetched {
            if objects.iter().any(|object| known.contains(object)) {
                fetcher.confirm(request, *body);
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
