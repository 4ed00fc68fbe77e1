//! Values of arguments.

/// An instant as RFC 3339 has it.
pub(super) fn instant(text: &str) -> Result<cc_core::UnixTime, String> {
    let wrong = || "expected an RFC 3339 instant such as 2026-06-01T00:00:00Z".to_owned();
    // jiff reads more forms than RFC 3339 has: the shape is checked first.
    let (date_time, rest) = text.split_at_checked("2026-06-01T00:00:00".len()).ok_or_else(wrong)?;
    let shaped = date_time.bytes().enumerate().all(|(i, byte)| match i {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    let offset = zone.len() == 6 && zone.starts_with(['+', '-']) && !zone.contains('[');
    if !shaped || !(zone == "Z" || offset) || date_time.ends_with(":60") {
        return Err(wrong());
    }
    let stamp: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
    u64::try_from(stamp.as_second())
        .map(cc_core::UnixTime::from_secs)
        .map_err(|_| "instants before 1970 are not supported".to_owned())
}

/// What evidence must be bound to, in hexadecimal digits.
pub(super) fn binding(text: &str) -> Result<cc_core::Binding, String> {
    cc_core::Binding::from_hex(text).map_err(|error| error.to_string())
}

/// A code that may be waived.
pub(super) fn waiver(text: &str) -> Result<cc_core::Code, String> {
    match cc_core::Code::parse(text) {
        Ok(code) if code.is_waivable() => Ok(code),
        _ => Err(format!("only these can be waived: {}", cc_core::Code::waivable_list())),
    }
}
