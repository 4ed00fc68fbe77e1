//! What the fetcher takes from its surroundings: clocks, waiting, chance. Tests supply their own.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant, SystemTime};

use cc_core::UnixTime;

/// Something to wait for.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Clocks, waiting and chance.
pub trait Environment: Send + Sync + 'static {
    /// The wall clock; for the age of cached objects and for dates in `Retry-After`.
    fn now(&self) -> UnixTime;

    /// Time since some fixed point, never going back; for deadlines.
    fn elapsed(&self) -> Duration;

    /// Over when `duration` has passed: a wait between two attempts.
    fn pause(&self, duration: Duration) -> Wait;

    /// Over when `duration` has passed: the time that an attempt may take.
    fn limit(&self, duration: Duration) -> Wait;

    /// Any number, every one as likely as the others.
    fn chance(&self) -> u8;
}

/// The clocks of this machine.
#[derive(Debug)]
pub struct SystemEnvironment(Instant);

impl SystemEnvironment {
    /// Measures from here on.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment for SystemEnvironment {
    fn now(&self) -> UnixTime {
        // A clock before 1970 makes every cached object look as if it came from the future: not served.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        UnixTime::from_secs(since.as_secs())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, duration: Duration) -> Wait {
        Box::pin(tokio::time::sleep(duration))
    }

    fn limit(&self, duration: Duration) -> Wait {
        Box::pin(tokio::time::sleep(duration))
    }

    fn chance(&self) -> u8 {
        let mut byte = [0];
        // Without randomness the waits are merely all equally long.
        let _ = aws_lc_rs::rand::fill(&mut byte);
        let [byte] = byte;
        byte
    }
}
