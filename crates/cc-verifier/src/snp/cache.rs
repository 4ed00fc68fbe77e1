//! The memory of verified chains (*decisions.md* 26).
//!
//! Two tables: whole chains by everything that went into them, so that a known leaf costs one signature; and product
//! lines (root, intermediates, revocation lists) without the leaf, so that a new leaf costs two. Only what led to
//! an accepted report is kept, so nobody without a genuine report can push anything out. Time is not part of what is
//! kept: validity is compared on every call.

use std::sync::Arc;

use super::anchors::Anchors;
use super::chain::{Chains, Line};
use super::product::{Kind, Product};
use super::slots::Labels;
use crate::memory::{Key, KeyBuilder, Memory};

/// A bounded memory of verified chains. One belongs to one set of callers that may know of each other: how fast
/// an answer comes tells whether a chain was seen before.
#[derive(Debug)]
pub struct ChainCache {
    chains: Memory<Known>,
    lines: Memory<Line>,
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
        Self { chains: Memory::new(entries), lines: Memory::new(entries) }
    }

    /// Whether anything is ever remembered; if not, keys need not be computed.
    pub(super) const fn is_enabled(&self) -> bool {
        self.chains.is_enabled()
    }

    pub(super) fn chain(&self, key: &Key) -> Option<Arc<Known>> {
        self.chains.find(key)
    }

    pub(super) fn line(&self, key: &Key) -> Option<Arc<Line>> {
        self.lines.find(key)
    }

    /// Remembers a chain that led to an accepted report, and its lines.
    pub(super) fn keep(&self, key: Key, known: &Arc<Known>) {
        for (key, line) in &known.chains.lines {
            self.lines.put(key.clone(), Arc::clone(line));
        }
        self.chains.put(key, Arc::clone(known));
    }
}

/// Starts the key of a table, for what a result always depends on.
pub(super) fn key(table: &str, anchors: &Anchors, kind: Kind, product: Option<Product>) -> KeyBuilder {
    KeyBuilder::new(table)
        .part(anchors.digest())
        .part(kind.name().as_bytes())
        .part(product.map_or("", Product::name).as_bytes())
}
