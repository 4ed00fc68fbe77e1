//! The two clocks of a participant.

use std::sync::Arc;
use std::time::Duration;

use cc_core::Finding;
pub use cc_manager::clock::{Clock, SystemClock};
use fed_proto::round::Now;
use rustix::time::{ClockId, clock_gettime};

/// Reads both clocks at once: the time of day, judged whether it can be trusted, and CLOCK_BOOTTIME, which goes on
/// while the machine is suspended (*verification.md* 5.5 step 8).
#[derive(Clone)]
pub struct Clocks(Arc<dyn Clock>);

impl std::fmt::Debug for Clocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clocks")
    }
}

impl Clocks {
    /// With this wall clock.
    pub fn new(wall: Arc<dyn Clock>) -> Self {
        Self(wall)
    }

    /// Now, or `clk.untrusted`.
    pub fn now(&self) -> Result<Now, Finding> {
        Ok(Now { mono: boot_time(), wall: self.0.now()? })
    }
}

/// Time since the machine started.
pub fn boot_time() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}
