//! The Merkle tree of challenges, in the shape of RFC 6962 section 2.1.

use cc_core::{Finding, codes};

use crate::crypto::{Digest, same, sha256};

/// `SHA-256(0x00 ‖ leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    let mut bytes = Vec::with_capacity(leaf.len().saturating_add(1));
    bytes.push(0);
    bytes.extend_from_slice(leaf);
    sha256(&bytes)
}

/// `SHA-256(0x01 ‖ left ‖ right)`.
fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut bytes = [1; 65];
    for (to, from) in bytes.iter_mut().skip(1).zip(left.0.iter().chain(&right.0)) {
        *to = *from;
    }
    sha256(&bytes)
}

/// The largest power of two below `count`, which is at least two.
const fn split(count: usize) -> usize {
    match count.saturating_sub(1).checked_ilog2() {
        Some(log) => 1_usize.wrapping_shl(log),
        None => 0,
    }
}

/// The root over leaf hashes; of no leaves, the hash of nothing, as the RFC has it.
pub fn root(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// The audit path of one leaf: what a transcript carries so that one challenge can be checked without the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionPath {
    /// Position of the leaf, from zero.
    pub index: u32,
    /// Number of leaves.
    pub count: u32,
    /// Siblings from the leaf upwards.
    pub siblings: Vec<Digest>,
}

impl InclusionPath {
    /// The path of the leaf at `index`, or nothing if there is no such leaf.
    pub fn of(leaves: &[Digest], index: u32) -> Option<Self> {
        let at = usize::try_from(index).ok().filter(|at| *at < leaves.len())?;
        let mut siblings = Vec::new();
        let (mut slice, mut at) = (leaves, at);
        while slice.len() > 1 {
            let (left, right) = slice.split_at(split(slice.len()));
            if at < left.len() {
                siblings.push(root(right));
                slice = left;
            } else {
                siblings.push(root(left));
                at = at.saturating_sub(left.len());
                slice = right;
            }
        }
        siblings.reverse();
        Some(Self { index, count: u32::try_from(leaves.len()).ok()?, siblings })
    }

    /// The root that this path leads to from `leaf`, the leaf's own bytes: hashed here as a leaf, so that an inner
    /// node cannot be offered as one. Nothing if the path has not the length that its position demands.
    pub fn root_from(&self, leaf: &[u8]) -> Option<Digest> {
        // RFC 9162 section 2.1.3.2.
        let (mut node, mut last) = (self.index, self.count.checked_sub(1)?);
        if node > last {
            return None;
        }
        let mut hash = leaf_hash(leaf);
        for sibling in &self.siblings {
            if last == 0 {
                return None;
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        (last == 0).then_some(hash)
    }

    /// Whether `leaf` hangs under `root` in this place; `fl.root.own_leaf_missing`.
    pub fn leads_to(&self, leaf: &[u8], root: &Digest) -> Result<(), Finding> {
        if self.root_from(leaf).is_some_and(|found| same(&found.0, &root.0)) {
            return Ok(());
        }
        let text = format!("the path of leaf {} of {} does not lead to root {root}", self.index, self.count);
        Err(Finding::new(codes::FL_ROOT_OWN_LEAF_MISSING, text))
    }
}
