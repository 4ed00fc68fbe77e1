//! Judgements of the rounds under way, so that the same bytes are not verified twice in one round.
//!
//! A judgement is good for its own round only: time passes, lists of revoked certificates change. The caller ends
//! rounds; the bounds hold even if it forgets.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Judgement, Kind};
use crate::Sha256;

/// Most bytes that are kept, as [`weight`] counts.
const MAX_BYTES: usize = 64 * 1024 * 1024;
/// What a judgement takes beside its endorsements, roughly, in bytes.
const OVERHEAD: usize = 8 * 1024;

/// The cache.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Rounds>);

#[derive(Debug, Default)]
struct Rounds {
    rounds: BTreeMap<u64, BTreeMap<Sha256, Arc<Judgement>>>,
    bytes: usize,
}

impl Cache {
    pub(super) fn find(&self, epoch: u64, key: &Sha256) -> Option<Arc<Judgement>> {
        let rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rounds.rounds.get(&epoch)?.get(key).cloned()
    }

    /// Keeps a judgement, unless asking again may give another one. What is full gives up its oldest rounds, never
    /// the one that is written to.
    pub(super) fn keep(&self, epoch: u64, key: Sha256, judgement: &Arc<Judgement>) {
        if judgement.kind() == Kind::CollateralUnavailable {
            return;
        }
        let mut rounds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let weight = weight(judgement);
        while rounds.bytes.saturating_add(weight) > MAX_BYTES {
            match rounds.rounds.keys().next() {
                Some(&oldest) if oldest < epoch => rounds.end(oldest),
                _ => return,
            }
        }
        if rounds.rounds.entry(epoch).or_default().insert(key, Arc::clone(judgement)).is_none() {
            rounds.bytes = rounds.bytes.saturating_add(weight);
        }
    }

    /// Forgets a round.
    pub(super) fn end(&self, epoch: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).end(epoch);
    }
}

impl Rounds {
    fn end(&mut self, epoch: u64) {
        for judgement in self.rounds.remove(&epoch).unwrap_or_default().values() {
            self.bytes = self.bytes.saturating_sub(weight(judgement));
        }
    }
}

fn weight(judgement: &Judgement) -> usize {
    judgement.endorsements.iter().fold(OVERHEAD, |sum, used| sum.saturating_add(used.bytes.len()))
}
