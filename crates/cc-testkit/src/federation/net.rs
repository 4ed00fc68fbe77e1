//! An emulated network: a queue of deliveries on a virtual clock, with seeded faults.

use std::collections::BTreeMap;
use std::time::Duration;

/// A seeded sequence of numbers (SplitMix64): the same seed is the same run.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `bound`, which is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let number = self.draw().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
        bytes
    }
}

/// What the network does to messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Longest delay; messages of one connection overtake each other where `reorder` says so.
    pub delay: Duration,
    /// Percent of the messages that are lost.
    pub loss: u64,
    /// Percent that arrive twice.
    pub duplication: u64,
    /// Whether messages of one connection may overtake each other.
    pub reorder: bool,
}

/// Deliveries in the order of time.
#[derive(Debug)]
pub struct Queue<T> {
    entries: BTreeMap<(Duration, u64), T>,
    count: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), count: 0 }
    }
}

impl<T> Queue<T> {
    /// Adds a delivery.
    pub fn push(&mut self, at: Duration, entry: T) {
        self.count += 1;
        self.entries.insert((at, self.count), entry);
    }

    /// The next one that is due by `until`, with its instant.
    pub fn pop(&mut self, until: Duration) -> Option<(Duration, T)> {
        let (&(at, _), _) = self.entries.first_key_value()?;
        if at > until {
            return None;
        }
        self.entries.pop_first().map(|((at, _), entry)| (at, entry))
    }
}
