//! What each instance said last of each other one, and how long ago (*verification.md* 5.5 step 8).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::crypto::Digest;
use crate::name::Name;

/// One instance: a name with the digest of its attestation key.
pub(super) type Instance<'a> = (&'a Name, &'a Digest);

/// Verifier and subject. Another instance of a name is another entry: what it says or what is said of it changes
/// nothing about the first.
type Pair = ((Name, Digest), (Name, Digest));

#[derive(Clone, Copy, Debug)]
struct Word {
    accepts: bool,
    /// When this participant drew its own nonce for the round of the verdict.
    at: Duration,
}

/// The word of the newest round for each ordered pair, as this participant counted the signed verdicts.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    words: BTreeMap<Pair, Word>,
    /// No word is older than this, so that [`Ledger::forget`] looks through all of them only when one may be.
    oldest: Option<Duration>,
}

impl Ledger {
    /// Notes an Accept.
    pub(super) fn accept(&mut self, verifier: Instance<'_>, subject: Instance<'_>, at: Duration) {
        self.note(pair(verifier, subject), Word { accepts: true, at });
    }

    /// Notes a Reject: no Accept of the same round or an earlier one counts any longer, whenever it comes.
    pub(super) fn reject(&mut self, verifier: Instance<'_>, subject: Instance<'_>, at: Duration) {
        self.note(pair(verifier, subject), Word { accepts: false, at });
    }

    fn note(&mut self, pair: Pair, word: Word) {
        self.oldest = Some(self.oldest.map_or(word.at, |oldest| oldest.min(word.at)));
        let known = self.words.entry(pair).or_insert(word);
        if word.at > known.at || (word.at == known.at && !word.accepts) {
            *known = word;
        }
    }

    /// How old the Accept of exactly these instances is.
    pub(super) fn age(
        &self,
        now: Duration,
        verifier: Instance<'_>,
        subject: Instance<'_>,
    ) -> Option<Duration> {
        let word = self.words.get(&pair(verifier, subject))?;
        word.accepts.then(|| now.saturating_sub(word.at))
    }

    /// Forgets what is older than `lifetime`.
    pub(super) fn forget(&mut self, now: Duration, lifetime: Duration) {
        let is_old = |at: Duration| now.saturating_sub(at) > lifetime;
        if self.oldest.is_some_and(is_old) {
            self.words.retain(|_, word| !is_old(word.at));
            self.oldest = self.words.values().map(|word| word.at).min();
        }
    }

    /// The Accepts in force with their ages, for people.
    pub(super) fn entries(&self, now: Duration) -> impl Iterator<Item = (&Name, &Name, Duration)> {
        let accepts = self.words.iter().filter(|(_, word)| word.accepts);
        accepts.map(move |((verifier, subject), word)| (&verifier.0, &subject.0, now.saturating_sub(word.at)))
    }
}

fn pair(verifier: Instance<'_>, subject: Instance<'_>) -> Pair {
    ((verifier.0.clone(), *verifier.1), (subject.0.clone(), *subject.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_newest_round_counts_and_of_one_round_the_reject() {
        let (v, s) = (Name::new("v").unwrap(), Name::new("s").unwrap());
        let (one, two) = (Digest([1; 32]), Digest([2; 32]));
        let (verifier, subject) = ((&v, &one), (&s, &one));
        let mut ledger = Ledger::default();
        let age = |ledger: &Ledger| ledger.age(SECOND * 100, verifier, subject);
        assert_eq!(age(&ledger), None);
        ledger.accept(verifier, subject, SECOND * 20);
        ledger.accept(verifier, subject, SECOND * 10);
        assert_eq!(age(&ledger), Some(SECOND * 80), "an older Accept that comes late");
        ledger.reject(verifier, subject, SECOND * 10);
        assert_eq!(age(&ledger), Some(SECOND * 80), "an older Reject that comes late");
        ledger.reject(verifier, subject, SECOND * 30);
        ledger.accept(verifier, subject, SECOND * 30);
        ledger.accept(verifier, subject, SECOND * 25);
        assert_eq!(age(&ledger), None);
        ledger.accept(verifier, subject, SECOND * 35);
        ledger.reject(verifier, subject, SECOND * 35);
        assert_eq!(age(&ledger), None, "of one round, in whichever order");
        ledger.accept(verifier, subject, SECOND * 40);
        assert_eq!(age(&ledger), Some(SECOND * 60));
        // Other instances of the same names.
        ledger.reject((&v, &two), subject, SECOND * 50);
        ledger.reject(verifier, (&s, &two), SECOND * 50);
        assert_eq!(age(&ledger), Some(SECOND * 60));
        assert_eq!(ledger.age(SECOND * 100, (&v, &two), subject), None);
        ledger.forget(SECOND * 100, SECOND * 60);
        assert_eq!(age(&ledger), Some(SECOND * 60));
        ledger.forget(SECOND * 100, SECOND * 59);
        assert_eq!(age(&ledger), None);
    }
}
