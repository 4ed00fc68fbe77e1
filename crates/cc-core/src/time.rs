//! Time as an argument: verification never reads a clock (*verification.md* 0.8).

/// Seconds in a day.
pub const SECONDS_PER_DAY: u64 = 86_400;

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, minicbor::Encode, minicbor::Decode)]
#[cbor(transparent)]
pub struct UnixTime(#[n(0)] u64);

impl UnixTime {
    /// The instant `seconds` after the epoch.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since the epoch.
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Reads exactly what [`Self`]'s display writes, for example `2026-06-01T00:00:00Z`; no other offset, no
    /// fraction, no date that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        let [y1, y2, y3, y4, b'-', mo1, mo2, b'-', d1, d2, b'T', h1, h2, b':', mi1, mi2, b':', s1, s2, b'Z'] =
            *<&[u8; 20]>::try_from(text.as_bytes()).ok()?
        else {
            return None;
        };
        let days = days_from_civil(digits(&[y1, y2, y3, y4])?, digits(&[mo1, mo2])?, digits(&[d1, d2])?);
        let seconds = days
            .saturating_mul(SECONDS_PER_DAY)
            .saturating_add(digits(&[h1, h2])?.saturating_mul(3600))
            .saturating_add(digits(&[mi1, mi2])?.saturating_mul(60))
            .saturating_add(digits(&[s1, s2])?);
        let time = Self(seconds);
        // A date or time out of range was carried over into the next field: it is written differently then.
        (time.to_string() == text).then_some(time)
    }

    /// Seconds from `earlier` to `self`, zero when `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::fmt::Display for UnixTime {
    /// RFC 3339 in UTC, for example `2026-06-01T00:00:00Z`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let days = self.0 / SECONDS_PER_DAY;
        let second = self.0 % SECONDS_PER_DAY;
        let (year, month, day) = civil_from_days(days);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

/// Gregorian date of a day number counted from 1970-01-01 (the era arithmetic of ISO 8601 calendars: years
/// begin in March, 400-year eras of 146 097 days).
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let leap_days = (of_era / 1_460).saturating_sub(of_era / 36_524).saturating_add(of_era / 146_096);
    let year_of_era = of_era.saturating_sub(leap_days) / 365;
    let year_days =
        year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
    let day_of_year = of_era.saturating_sub(year_days);
    let march_month = day_of_year.saturating_mul(5).saturating_add(2) / 153;
    let day =
        day_of_year.saturating_sub(march_month.saturating_mul(153).saturating_add(2) / 5).saturating_add(1);
    let month = if march_month < 10 { march_month.saturating_add(3) } else { march_month.saturating_sub(9) };
    let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(u64::from(month <= 2));
    (year, month, day)
}

fn digits(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.saturating_sub(b'0'))?;
        Some(number.saturating_mul(10).saturating_add(digit.into()))
    })
}

/// Days since 1970-01-01 of a Gregorian date; years are counted from March, so that the leap day is the last.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let march_year = year.saturating_sub(u64::from(month <= 2));
    let march_month = if month <= 2 { month.saturating_add(9) } else { month.saturating_sub(3) };
    march_year
        .saturating_mul(365)
        .saturating_add(march_year / 4)
        .saturating_add(march_year / 400)
        .saturating_add(march_month.saturating_mul(153).saturating_add(2) / 5)
        .saturating_add(day)
        .saturating_sub(march_year / 100)
        .saturating_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::UnixTime;
    use proptest::prelude::*;

    #[test]
    fn display_is_rfc3339() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_780_272_000, "2026-06-01T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime::from_secs(seconds).to_string(), text);
        }
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        assert_eq!(UnixTime::parse("2026-06-01T00:00:00Z"), Some(UnixTime::from_secs(1_780_272_000)));
        for bad in [
            "",
            "2026-06-01",
            "2026-06-01T00:00:00+00:00",
            "2026-06-01T00:00:00.0Z",
            "2026-06-01t00:00:00z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-06-00T00:00:00Z",
            "2026-06-01T24:00:00Z",
            "2026-06-01T00:60:00Z",
            "2026-06-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "+026-06-01T00:00:00Z",
        ] {
            assert_eq!(UnixTime::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_display_writes(seconds in 0..253_402_300_800_u64) {
            let time = UnixTime::from_secs(seconds);
            prop_assert_eq!(UnixTime::parse(&time.to_string()), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}") {
            if let Some(time) = UnixTime::parse(&text) {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
