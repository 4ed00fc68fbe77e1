//! Reads the instants that claims carry.

use cc_core::{SECONDS_PER_DAY, UnixTime};

/// Reads exactly what [`UnixTime`]'s display writes, for example `2026-06-01T00:00:00Z`; no other offset, no
/// fraction, no date that does not exist.
pub(crate) fn parse_rfc3339(text: &str) -> Option<UnixTime> {
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
    let time = UnixTime::from_secs(seconds);
    // A date or time out of range was carried over into the next field: it is written differently then.
    (time.to_string() == text).then_some(time)
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
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        assert_eq!(parse_rfc3339("2026-06-01T00:00:00Z"), Some(UnixTime::from_secs(1_780_272_000)));
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
            assert_eq!(parse_rfc3339(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_display_writes(seconds in 0..253_402_300_800_u64) {
            let time = UnixTime::from_secs(seconds);
            prop_assert_eq!(parse_rfc3339(&time.to_string()), Some(time));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,24}") {
            if let Some(time) = parse_rfc3339(&text) {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
