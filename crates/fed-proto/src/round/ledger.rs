//! Who accepted whom, and how long ago (*verification.md* 5.5 step 8).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::crypto::Digest;
use crate::name::Name;

/// One instance: a name with the digest of its attestation key.
pub(super) type Instance<'a> = (&'a Name, &'a Digest);

#[derive(Clone, Debug)]
struct Accept {
    verifier: Digest,
    subject: Digest,
    /// When this participant drew its own nonce for the round of the verdict.
    at: Duration,
}

/// The latest Accept of each ordered pair, as this participant counted the signed verdicts.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(BTreeMap<(Name, Name), Accept>);

impl Ledger {
    /// Notes an Accept. One of an older round does not replace a newer one of the same instances.
    pub(super) fn accept(&mut self, verifier: Instance<'_>, subject: Instance<'_>, at: Duration) {
        let pair = (verifier.0.clone(), subject.0.clone());
        let accept = Accept { verifier: *verifier.1, subject: *subject.1, at };
        match self.0.get(&pair) {
            Some(known) if known.at > at => {}
            _ => {
                self.0.insert(pair, accept);
            }
        }
    }

    /// A Reject ends what was accepted before.
    pub(super) fn reject(&mut self, verifier: &Name, subject: &Name) {
        self.0.remove(&(verifier.clone(), subject.clone()));
    }

    /// How old the Accept of exactly these instances is.
    pub(super) fn age(
        &self,
        now: Duration,
        verifier: Instance<'_>,
        subject: Instance<'_>,
    ) -> Option<Duration> {
        let accept = self.0.get(&(verifier.0.clone(), subject.0.clone()))?;
        (accept.verifier == *verifier.1 && accept.subject == *subject.1)
            .then(|| now.saturating_sub(accept.at))
    }

    /// Forgets what is older than `lifetime`.
    pub(super) fn forget(&mut self, now: Duration, lifetime: Duration) {
        self.0.retain(|_, accept| now.saturating_sub(accept.at) <= lifetime);
    }

    /// The Accepts in force with their ages, for people.
    pub(super) fn entries(&self, now: Duration) -> impl Iterator<Item = (&Name, &Name, Duration)> {
        self.0
            .iter()
            .map(move |((verifier, subject), accept)| (verifier, subject, now.saturating_sub(accept.at)))
    }
}
