//! How many jobs run at once, and how often an attempt is repeated (*workflow.md* S1, S2).

use std::time::Duration;

use crate::job::Retry;

/// The limits of a server's scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs that run at once.
    pub max_jobs: usize,
    /// Attempts before a job ends as `FINISHED:CAN_NOT_SCHEDULE`.
    pub max_schedule_count: u32,
    /// Wait after the first attempt.
    pub min_schedule_interval: Duration,
    /// Longest wait between attempts.
    pub max_schedule_interval: Duration,
    /// After this an attempt without outcome counts as failed, so that it cannot hold up other jobs (S8).
    pub attempt_timeout: Duration,
}

impl Default for Limits {
    /// S1. The timeout is twice the longest life of a nonce (*verification.md* 5.5 step 8), which no attempt exceeds.
    fn default() -> Self {
        Self {
            max_jobs: 1,
            max_schedule_count: 10,
            min_schedule_interval: Duration::from_secs(10),
            max_schedule_interval: Duration::from_secs(600),
            attempt_timeout: Duration::from_secs(360),
        }
    }
}

impl Limits {
    /// The limits for a job: its own wishes where they are more modest than the server's.
    pub fn for_job(&self, retry: &Retry) -> Self {
        let count = retry
            .max_schedule_count
            .map_or(self.max_schedule_count, |wish| wish.min(self.max_schedule_count));
        let longest = retry.max_schedule_interval.map_or(self.max_schedule_interval, |wish| {
            wish.clamp(self.min_schedule_interval.min(self.max_schedule_interval), self.max_schedule_interval)
        });
        let shortest = retry
            .min_schedule_interval
            .map_or(self.min_schedule_interval, |wish| wish.max(self.min_schedule_interval))
            .min(longest);
        Self {
            max_schedule_count: count,
            min_schedule_interval: shortest,
            max_schedule_interval: longest,
            ..*self
        }
    }

    /// How long a job waits after `schedule_count` attempts: `min(max, min · 2^max(0, count − 1))`.
    pub fn back_off(&self, schedule_count: u32) -> Duration {
        let doublings = schedule_count.saturating_sub(1).min(31);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.min_schedule_interval.saturating_mul(factor).min(self.max_schedule_interval)
    }
}
