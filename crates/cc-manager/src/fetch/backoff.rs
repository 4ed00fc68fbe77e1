//! When a host that failed may be asked again.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use cc_core::UnixTime;

/// Wait after the first failure; doubles with each further one.
const FIRST: Duration = Duration::from_secs(10);
/// Longest wait that is not the host's own wish.
const LONGEST: Duration = Duration::from_secs(300);
/// Longest wait that a host can ask for.
const LONGEST_WISH: Duration = Duration::from_secs(3600);

/// Failures in a row, and from when on the host may be asked again.
#[derive(Clone, Copy, Debug, Default)]
struct HostState {
    failures: u32,
    not_before: Duration,
}

/// The state of every host that failed.
#[derive(Debug, Default)]
pub(super) struct Backoff(BTreeMap<String, HostState>);

impl Backoff {
    /// How long to wait at `elapsed` before asking.
    pub(super) fn wait(&self, host: &str, elapsed: Duration) -> Duration {
        self.0.get(host).map_or(Duration::ZERO, |state| state.not_before.saturating_sub(elapsed))
    }

    /// Notes a failure at `elapsed`; `wish` is the host's `Retry-After`, `chance` spreads the waits of many
    /// verifiers.
    pub(super) fn failed(&mut self, host: &str, elapsed: Duration, wish: Option<Duration>, chance: u8) {
        let state = self.0.entry(host.to_owned()).or_default();
        state.failures = state.failures.saturating_add(1);
        let wait = wait_after(state.failures, chance).max(wish.unwrap_or_default());
        state.not_before = state.not_before.max(elapsed.saturating_add(wait));
    }

    /// Notes a wish of the host from an earlier run.
    pub(super) fn wished(&mut self, host: String, elapsed: Duration, wish: Duration) {
        let state = self.0.entry(host).or_default();
        state.not_before = state.not_before.max(elapsed.saturating_add(wish.min(LONGEST_WISH)));
    }

    /// Forgets the failures at `elapsed`, but not that the host wants to be left alone: it may have told another
    /// request so in the meantime.
    pub(super) fn succeeded(&mut self, host: &str, elapsed: Duration) {
        if let Some(state) = self.0.get_mut(host) {
            state.failures = 0;
        }
        self.0.retain(|_, state| state.failures > 0 || state.not_before > elapsed);
    }
}

/// 10, 20, 40 ... 300 s after that many failures, and up to a quarter more.
fn wait_after(failures: u32, chance: u8) -> Duration {
    let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
    let base = FIRST.saturating_mul(doubled).min(LONGEST);
    // A quarter at the largest chance: 255 / 1020.
    let extra = base.saturating_mul(u32::from(chance)).checked_div(1020).unwrap_or_default();
    base.saturating_add(extra).min(LONGEST)
}

/// The wait that a `Retry-After` header asks for, up to the limit: seconds, or a date (RFC 9110, 10.2.3).
pub(super) fn retry_after(header: &str, now: UnixTime) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST_WISH));
    }
    let date = httpdate::parse_http_date(header.trim()).ok()?;
    let date = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(date.saturating_sub(Duration::from_secs(now.as_secs())).min(LONGEST_WISH))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn waits_double_up_to_the_limit() {
        let waits = |chance| (1..=7).map(|n| wait_after(n, chance).as_secs()).collect::<Vec<_>>();
        assert_eq!(waits(0), [10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(waits(u8::MAX), [12, 25, 50, 100, 200, 300, 300]);
        assert_eq!(wait_after(u32::MAX, u8::MAX), LONGEST);
    }

    #[test]
    fn wishes_prolong() {
        for (wish, expected) in [(None, 10), (Some(3), 10), (Some(60), 60)] {
            let mut backoff = Backoff::default();
            backoff.failed("h", seconds(100), wish.map(seconds), 0);
            assert_eq!(backoff.wait("h", seconds(100)), seconds(expected), "{wish:?}");
            assert_eq!(backoff.wait("h", seconds(101)), seconds(expected - 1));
            assert_eq!(backoff.wait("other", seconds(100)), Duration::ZERO);
            backoff.succeeded("h", seconds(101));
            assert_eq!(backoff.wait("h", seconds(101)), seconds(expected - 1), "told another request");
            backoff.failed("h", seconds(500), None, 0);
            assert_eq!(backoff.wait("h", seconds(500)), seconds(10), "the failures are forgotten");
        }
    }

    #[test]
    fn wishes_of_earlier_runs_have_a_limit() {
        for (wish, expected) in [(60, 60), (1_000_000, 3600)] {
            let mut backoff = Backoff::default();
            backoff.wished("h".to_owned(), seconds(100), seconds(wish));
            assert_eq!(backoff.wait("h", seconds(100)), seconds(expected));
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        // 784 111 777 is the instant of the examples in RFC 9110, 5.6.7.
        let now = UnixTime::from_secs(784_111_777 - 30);
        for (header, expected) in [
            ("120", Some(120)),
            ("1000000", Some(3600)),
            ("Mon, 06 Nov 2034 08:49:37 GMT", Some(3600)),
            ("0", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(header, now), expected.map(seconds), "{header:?}");
        }
    }
}
