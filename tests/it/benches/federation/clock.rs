//! Thread CPU time, in nanoseconds.

use rustix::time::{ClockId, clock_gettime};

pub(crate) fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
