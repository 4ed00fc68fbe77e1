//! The system clock, read once, and trusted only from the release date on (*verification.md* 0.8).

use std::time::{SystemTime, UNIX_EPOCH};

use cc_core::{Finding, UnixTime, codes};

/// No later than the release of this version; set at release. A clock that is earlier is wrong.
const RELEASED: UnixTime = UnixTime::from_secs(1_793_491_200); // 2026-11-01T00:00:00Z

/// A wall clock that knows whether it can be trusted.
pub trait Clock: Send + Sync + 'static {
    /// The current time, or `clk.untrusted`.
    fn now(&self) -> Result<UnixTime, Finding>;
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Result<UnixTime, Finding> {
        now()
    }
}

/// The current time, or `clk.untrusted`.
pub fn now() -> Result<UnixTime, Finding> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs());
    trusted(UnixTime::from_secs(seconds))
}

fn trusted(now: UnixTime) -> Result<UnixTime, Finding> {
    if now < RELEASED {
        return Err(Finding::new(
            codes::CLK_UNTRUSTED,
            format!("the system clock says {now}, this version was released {RELEASED}"),
        ));
    }
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn n_fl_40_a_clock_before_the_release_is_not_trusted() {
        assert_eq!(RELEASED.to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(trusted(RELEASED), Ok(RELEASED));
        let early = UnixTime::from_secs(RELEASED.as_secs() - 1);
        assert_eq!(trusted(early).unwrap_err().code, codes::CLK_UNTRUSTED);
    }
}
