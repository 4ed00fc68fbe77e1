//! How long to wait before the next attempt to reach the server.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Waits of 1 s doubling to 60 s, each up to 20 % shorter or longer, so that the agents of a federation do not return
/// to a restarted server in step.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { next: FIRST }
    }
}

impl Backoff {
    /// The next wait. `random` is any evenly distributed number.
    pub fn next(&mut self, random: u64) -> Duration {
        let base = self.next;
        self.next = base.saturating_mul(2).min(LONGEST);
        let spread = u32::try_from(random.checked_rem(401).unwrap_or_default()).unwrap_or_default();
        let thousandth = base.checked_div(1000).unwrap_or_default();
        thousandth.saturating_mul(spread.saturating_add(800))
    }

    /// Starts again, after an attempt that succeeded.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_a_minute_and_starts_again() {
        let mut backoff = Backoff::default();
        let waits: Vec<u64> = (0..8).map(|_| backoff.next(200).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        backoff.reset();
        assert_eq!(backoff.next(200), Duration::from_secs(1));
    }

    #[test]
    fn jitter_is_a_fifth_either_way() {
        let first = |random| Backoff::default().next(random);
        assert_eq!(first(0), Duration::from_millis(800));
        assert_eq!(first(400), Duration::from_millis(1200));
        assert_eq!(first(401), Duration::from_millis(800));
        for random in [1, 77, u64::MAX] {
            assert!((Duration::from_millis(800)..=Duration::from_millis(1200)).contains(&first(random)));
        }
    }
}
