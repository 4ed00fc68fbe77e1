//! Bounded memories of what was verified, keyed by content (*decisions.md* 26).
//!
//! A key is the content itself, compared in full; only a sample of it is hashed to find the candidates, which costs a
//! tenth of a digest.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

/// Everything that a remembered result depends on, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key(Arc<Vec<u8>>);

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
    /// For a memory that remembers nothing.
    pub(crate) fn none() -> Self {
        Self(Arc::default())
    }
}

/// Makes keys: every part is preceded by its length, so that no two inputs run into the same bytes.
pub(crate) struct KeyBuilder(Vec<u8>);

impl KeyBuilder {
    /// Starts a key of the table with that name.
    pub(crate) fn new(table: &str) -> Self {
        Self(Vec::with_capacity(TYPICAL_KEY)).part(table.as_bytes())
    }

    fn length(&mut self, length: usize) {
        self.0.extend_from_slice(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }

    /// Adds one part.
    pub(crate) fn part(mut self, bytes: &[u8]) -> Self {
        self.length(bytes.len());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a list, preceded by the number of its parts.
    pub(crate) fn list<'a>(mut self, parts: impl ExactSizeIterator<Item = &'a [u8]> + Clone) -> Self {
        self.0.reserve(parts.clone().fold(0, |sum, part| part.len().saturating_add(sum)));
        self.length(parts.len());
        parts.fold(self, Self::part)
    }

    pub(crate) fn finish(self) -> Key {
        Key(Arc::new(self.0))
    }
}

/// A memory of at most so many results; with a capacity of 0 it remembers nothing.
#[derive(Debug)]
pub(crate) struct Memory<T> {
    capacity: usize,
    generations: Mutex<Generations<T>>,
}

impl<T> Memory<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, generations: Mutex::default() }
    }

    /// Whether anything is ever remembered; if not, keys need not be computed.
    pub(crate) const fn is_enabled(&self) -> bool {
        self.capacity != 0
    }

    /// Looks up what has that key, which is computed only if anything is ever remembered.
    pub(crate) fn look_up(&self, key: impl FnOnce() -> KeyBuilder) -> Lookup<'_, T> {
        let key = self.is_enabled().then(|| key().finish());
        let found = key.as_ref().and_then(|key| self.find(key));
        Lookup { memory: self, key, found }
    }

    pub(crate) fn find(&self, key: &Key) -> Option<Arc<T>> {
        self.lock().find(key, self.capacity)
    }

    pub(crate) fn put(&self, key: Key, value: Arc<T>) {
        self.lock().put(key, value, self.capacity);
    }

    /// A table holds no broken intermediate state, so a panic elsewhere does not spoil it.
    fn lock(&self) -> std::sync::MutexGuard<'_, Generations<T>> {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was looked up, remembered or not; to be kept once it led to accepted evidence.
pub(crate) struct Lookup<'c, T> {
    memory: &'c Memory<T>,
    key: Option<Key>,
    found: Option<Arc<T>>,
}

impl<T> Lookup<'_, T> {
    /// What is remembered, otherwise what `judge` says.
    pub(crate) fn or_judge<E>(&self, judge: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        self.found.as_ref().map_or_else(|| judge().map(Arc::new), |found| Ok(Arc::clone(found)))
    }

    pub(crate) const fn is_remembered(&self) -> bool {
        self.found.is_some()
    }

    /// Remembers `value`, if it was not remembered.
    pub(crate) fn keep(self, value: &Arc<T>) {
        if let (Some(key), None) = (self.key, self.found) {
            self.memory.put(key, Arc::clone(value));
        }
    }
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
