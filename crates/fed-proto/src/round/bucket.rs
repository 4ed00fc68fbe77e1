//! How often this machine makes a report, whoever asks (*verification.md* 5.5 step 5).

use std::time::Duration;

const BURST: u32 = 4;
const INTERVAL: Duration = Duration::from_secs(5);

/// On average one report per 5 s, with a burst of 4.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Up to this instant, time is used up; never more than `BURST` intervals ahead of the present.
    spent_until: Duration,
}

impl Bucket {
    pub(super) const fn new(now: Duration) -> Self {
        Self { spent_until: now }
    }

    /// Takes one report, or says how long to wait.
    pub(super) fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let start = self.spent_until.max(now);
        let end = start.saturating_add(INTERVAL);
        let latest = now.saturating_add(INTERVAL.saturating_mul(BURST));
        match end.checked_sub(latest) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.spent_until = end;
                Ok(())
            }
        }
    }

    /// How many reports could be made at once.
    pub(super) fn ready(&self, now: Duration) -> u32 {
        let latest = now.saturating_add(INTERVAL.saturating_mul(BURST));
        let free = latest.saturating_sub(self.spent_until.max(now));
        let whole = free.as_secs().checked_div(INTERVAL.as_secs()).unwrap_or_default();
        u32::try_from(whole).unwrap_or(u32::MAX)
    }

    /// How long to wait for the next report.
    pub(super) fn wait(&self, now: Duration) -> Duration {
        let end = self.spent_until.max(now).saturating_add(INTERVAL);
        end.saturating_sub(now.saturating_add(INTERVAL.saturating_mul(BURST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_of_four_then_one_per_five_seconds() {
        let second = Duration::from_secs;
        let mut bucket = Bucket::new(second(100));
        for left in (0..4).rev() {
            assert_eq!(bucket.take(second(100)), Ok(()));
            assert_eq!(bucket.ready(second(100)), left);
        }
        assert_eq!((bucket.ready(second(104)), bucket.ready(second(110))), (0, 2));
        assert_eq!(bucket.take(second(100)), Err(second(5)));
        assert_eq!(bucket.take(second(104)), Err(second(1)));
        assert_eq!(bucket.take(second(105)), Ok(()));
        assert_eq!(bucket.wait(second(105)), second(5));
        assert_eq!(bucket.take(second(105)), Err(second(5)));
        for _ in 0..4 {
            assert_eq!(bucket.take(second(1000)), Ok(()));
        }
        assert!(bucket.take(second(1000)).is_err(), "no more than the burst, however long it was quiet");
    }
}
