//! The memory of verified chains (*decisions.md* 26).
//!
//! Two tables: whole chains by everything that went into them, so that a known leaf costs one signature; and product
//! lines (root, intermediates, revocation lists) without the leaf, so that a new leaf costs two. Only what led to
//! an accepted report is kept, so nobody without a genuine report can push anything out. Time is not part of what is
//! kept: validity is compared on every call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Context, SHA256};

use super::anchors::Anchors;
use super::chain::{Chains, Line};
use super::product::{Kind, Product};
use super::slots::Labels;

/// SHA-256 of everything that a remembered result depends on.
pub(super) type Key = [u8; 32];

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
            lines.put(*key, Arc::clone(line), self.capacity);
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
        self.put(*key, Arc::clone(&found), capacity);
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

/// Computes keys: every part is preceded by its length, so that no two inputs run into the same bytes.
pub(super) struct KeyBuilder(Context);

impl KeyBuilder {
    /// Starts the key of a table, for what a result always depends on.
    pub(super) fn new(table: &str, anchors: &Anchors, kind: Kind, product: Option<Product>) -> Self {
        let mut key = Self(Context::new(&SHA256));
        key.part(table.as_bytes());
        key.part(anchors.digest());
        key.part(kind.name().as_bytes());
        key.part(product.map_or("", Product::name).as_bytes());
        key
    }

    fn length(&mut self, length: usize) {
        self.0.update(&u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
    }

    fn part(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.0.update(bytes);
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
        let mut key = [0; 32];
        // SHA-256 has 32 bytes; should it ever be shorter, the rest stays zero.
        for (to, from) in key.iter_mut().zip(self.0.finish().as_ref()) {
            *to = *from;
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_a_bound() {
        for capacity in [0_usize, 1, 2, 3, 8] {
            let mut table = Generations::default();
            for i in 0..100_u8 {
                table.put([i; 32], Arc::new(i), capacity);
                assert!(
                    table.young.len() + table.old.len() <= capacity.max(capacity.div_ceil(2) * 2),
                    "{capacity}"
                );
            }
            assert_eq!(table.find(&[99; 32], capacity).is_some(), capacity != 0);
            assert!(table.find(&[0; 32], capacity).is_none());
        }
    }

    #[test]
    fn what_is_used_stays() {
        let mut table = Generations::default();
        table.put([255; 32], Arc::new(0), 8);
        for i in 0..100_u8 {
            table.put([i; 32], Arc::new(i), 8);
            assert!(table.find(&[255; 32], 8).is_some(), "{i}");
        }
    }
}
