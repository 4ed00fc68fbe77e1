//! The distance between device requests, of this collector and of the others on the host.

use std::path::PathBuf;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::lock::{Lock, Taken};

/// How often a lock that another collector has is tried.
const POLL: Duration = Duration::from_millis(100);

/// A clock that the processes of the host share and that can be waited on.
pub trait Pace: Send {
    /// The time since the host started.
    fn now(&mut self) -> Duration;
    /// Returns when `duration` has passed.
    fn wait(&mut self, duration: Duration);
}

/// The system's clock that no suspension stops.
#[derive(Clone, Copy, Debug)]
pub struct SystemPace;

impl Pace for SystemPace {
    fn now(&mut self) -> Duration {
        Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default()
    }

    fn wait(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Lets requests through one by one, at the least interval or slower.
pub struct Gate {
    pace: Box<dyn Pace>,
    min_interval: Duration,
    path: PathBuf,
    /// The host's lock during a collection.
    lock: Option<Lock>,
    /// When a request last started or ended.
    last: Option<Duration>,
    /// When the caller leaves.
    deadline: Duration,
}

impl Gate {
    pub(crate) fn new(pace: Box<dyn Pace>, min_interval: Duration, path: PathBuf) -> Self {
        Self { pace, min_interval, path, lock: None, last: None, deadline: Duration::ZERO }
    }

    /// Takes the host's lock, waiting for it no longer than `patience`; `Err` says that somebody else has it still.
    /// Where there can be no lock, the collector knows of its own requests only.
    pub(crate) fn enter(&mut self, patience: Duration) -> Result<(), String> {
        self.deadline = self.pace.now().saturating_add(patience);
        loop {
            match Lock::take(&self.path) {
                Taken::Ours(lock) => {
                    self.lock = Some(lock);
                    return Ok(());
                }
                Taken::Impossible => return Ok(()),
                Taken::Elsewhere => {}
            }
            if self.pace.now().saturating_add(POLL) >= self.deadline {
                return Err(format!(
                    "another collector has {} still after {patience:?}",
                    self.path.display()
                ));
            }
            self.pace.wait(POLL);
        }
    }

    /// Waits between two attempts, unless the caller would be gone by then. Whether it waited.
    pub(crate) fn pause(&mut self, duration: Duration) -> bool {
        let in_time = self.pace.now().saturating_add(duration) < self.deadline;
        if in_time {
            self.pace.wait(duration);
        }
        in_time
    }

    /// For how long the caller is still there.
    pub(crate) fn rest(&mut self) -> Duration {
        self.deadline.saturating_sub(self.pace.now())
    }

    /// Gives the host's lock back.
    pub(crate) fn leave(&mut self) {
        self.lock = None;
    }

    /// Returns when the next request may start. The request is over when the result is dropped.
    pub fn pass(&mut self) -> Pass<'_> {
        let now = self.pace.now();
        let others = self.lock.as_ref().and_then(Lock::last).filter(|last| *last <= now);
        if let Some(last) = self.last.max(others) {
            let elapsed = now.saturating_sub(last);
            if let Some(rest) = self.min_interval.checked_sub(elapsed).filter(|rest| !rest.is_zero()) {
                self.pace.wait(rest);
            }
        }
        self.record();
        Pass(self)
    }

    fn record(&mut self) {
        let now = self.pace.now();
        self.last = Some(now);
        if let Some(lock) = &self.lock {
            lock.record(now);
        }
    }
}

/// A request that is under way.
#[must_use = "the request is over when this is dropped"]
pub struct Pass<'g>(&'g mut Gate);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.record();
    }
}
