//! The distance between device requests.

use std::time::{Duration, Instant};

/// A monotonic clock that can be waited on.
pub trait Pace: Send {
    /// The time.
    fn now(&mut self) -> Instant;
    /// Returns when `duration` has passed.
    fn wait(&mut self, duration: Duration);
}

/// The system's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemPace;

impl Pace for SystemPace {
    fn now(&mut self) -> Instant {
        Instant::now()
    }

    fn wait(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Lets requests through one by one, at the least interval or slower.
pub struct Gate {
    pace: Box<dyn Pace>,
    min_interval: Duration,
    last: Option<Instant>,
}

impl Gate {
    pub(super) fn new(pace: Box<dyn Pace>, min_interval: Duration) -> Self {
        Self { pace, min_interval, last: None }
    }

    /// Returns when the next request may start.
    pub fn pass(&mut self) {
        if let Some(last) = self.last {
            let elapsed = self.pace.now().saturating_duration_since(last);
            if let Some(rest) = self.min_interval.checked_sub(elapsed).filter(|rest| !rest.is_zero()) {
                self.pace.wait(rest);
            }
        }
        self.last = Some(self.pace.now());
    }
}
