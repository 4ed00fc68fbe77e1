//! The memory of verified chains (*decisions.md* 26).
//!
//! Two tables: whole chains by everything that went into them, so that a known leaf costs one signature; and product
//! lines (root, intermediates, revocation lists) without the leaf, so that a new leaf costs two. Only what led to
//! an accepted report is kept, so nobody without a genuine report can push anything out. Time is not part of what is
//! kept: validity is compared on every call.
//!
//! A key is the content itself, compared in full; only a sample of it is hashed to find the candidates, which costs a
//! tenth of a digest.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use super::anchors::Anchors;
use super::chain::{Chains, Line};
use super::product::{Kind, Product};
use super::slots::Labels;

/// Everything that a remembered result depends on, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(Arc<Vec<u8>>);

/// Room for a leaf, its chain and a revocation list, in bytes.
const TYPICAL_KEY: usize = 8 * 1024;
/// Bytes of each sample that is hashed, and the distance from one sample to the next.
const SAMPLE: usize = 16;
const STRIDE: usize = 512;

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
        self.0.chunks(STRIDE).for_each(|chunk| state.write(chunk.get(..SAMPLE).unwrap_or(chunk)));
    }
}

impl Key {
    /// For a cache that remembers nothing.
    pub(super) fn none() -> Self {
        Self(Arc::default())
    }
}

/// A bounded memory of verified chains. One belongs to one set of callers that may know of each other: how fast
/// an answer comes tells whether a chain was seen before.
#[derive(Debug)]
pub struct ChainCache {
    capacity: usize,
    chains: Mutex<Generations<Known>>,
    lines: Mutex<Generations<Line>>,
}

/// A chain with what its endorsements were recognised as.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) chains: Chains,
    pub(super) labels: Labels,
}

impl ChainCache {
    /// A memory of at most `entries` chains and as many product lines; with 0, nothing is remembered.
    pub fn new(entries: usize) -> Self {
        Self { capacity: entries, chains: Mutex::default(), lines: Mutex::default() }
    }

    /// Whether anything is ever remembered; if not, keys need not be computed.
    pub(super) const fn is_enabled(&self) -> bool {
        self.capacity != 0
    }

    pub(super) fn chain(&self, key: &Key) -> Option<Arc<Known>> {
        lock(&self.chains).find(key, self.capacity)
    }

    pub(super) fn line(&self, key: &Key) -> Option<Arc<Line>> {
        lock(&self.lines).find(key, self.capacity)
    }

    /// Remembers a chain that led to an accepted report, and its lines.
    pub(super) fn keep(&self, key: Key, known: &Arc<Known>) {
        let mut lines = lock(&self.lines);
        for (key, line) in &known.chains.lines {
            lines.put(key.clone(), Arc::clone(line), self.capacity);
        }
        drop(lines);
        lock(&self.chains).put(key, Arc::clone(known), self.capacity);
    }
}

/// The tables hold no broken intermediate state, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A map that forgets what was not used for long: when half the capacity is new, the older half goes.
#[derive(Debug)]
struct Generations<T> {
    young: HashMap<Key, Arc<T>>,
    old: HashMap<Key, Arc<T>>,
}

impl<T> Default for Generations<T> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T> Generations<T> {
    fn find(&mut self, key: &Key, capacity: usize) -> Option<Arc<T>> {
        if let Some(found) = self.young.get(key) {
            return Some(Arc::clone(found));
        }
        let found = self.old.remove(key)?;
        self.put(key.clone(), Arc::clone(&found), capacity);
        Some(found)
    }

    fn put(&mut self, key: Key, value: Arc<T>, capacity: usize) {
        if capacity == 0 {
            return;
        }
        // A capacity of 1 has one young entry and no old ones.
        let half = capacity.div_ceil(2);
        if self.young.len() >= half && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
            if capacity < 2 {
                self.old.clear();
            }
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }
}

/// Makes keys: every part is preceded by its length, so that no two inputs run into the same bytes.
pub(super) struct KeyBuilder(Vec<u8>);

impl KeyBuilder {
    /// Starts the key of a table, for what a result always depends on.
    pub(super) fn new(table: &str, anchors: &Anchors, kind: Kind, product: Option<Product>) -> Self {
        let mut key = Self(Vec::with_capacity(TYPICAL_KEY));
        key.part(table.as_bytes());
        key.part(anchors.digest());
        key.part(kind.name().as_bytes());
        key.part(product.map_or("", Product::name).as_bytes());
        key
    }

    fn length(&mut self, length: usize) {
        self.0.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn part(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Adds a list, preceded by the number of its parts.
    pub(super) fn list<'a>(mut self, parts: impl ExactSizeIterator<Item = &'a [u8]>) -> Self {
        self.length(parts.len());
        for part in parts {
            self.part(part);
        }
        self
    }

    pub(super) fn finish(self) -> Key {
        Key(Arc::new(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key(Arc::new(vec![byte; 32]))
    }

    #[test]
    fn capacity_is_a_bound() {
        for capacity in [0_usize, 1, 2, 3, 8] {
            let mut table = Generations::default();
            for i in 0..100_u8 {
                table.put(key(i), Arc::new(i), capacity);
                assert!(
                    table.young.len() + table.old.len() <= capacity.max(capacity.div_ceil(2) * 2),
                    "{capacity}"
                );
            }
            assert_eq!(table.find(&key(99), capacity).is_some(), capacity != 0);
            assert!(table.find(&key(0), capacity).is_none());
        }
    }

    #[test]
    fn what_is_used_stays() {
        let mut table = Generations::default();
        table.put(key(255), Arc::new(0), 8);
        for i in 0..100_u8 {
            table.put(key(i), Arc::new(i), 8);
            assert!(table.find(&key(255), 8).is_some(), "{i}");
        }
    }

    #[test]
    fn keys_differ_where_the_sample_is_equal() {
        let long = |last: u8| Key(Arc::new([&[7; 1000][..], &[last]].concat()));
        let mut table = Generations::default();
        table.put(long(1), Arc::new(1), 8);
        assert!(table.find(&long(1), 8).is_some());
        assert!(table.find(&long(2), 8).is_none());
    }
}
