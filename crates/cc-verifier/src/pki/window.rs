//! Spans of validity.

use cc_core::UnixTime;
use der::asn1::{GeneralizedTime, UtcTime};
use der::{Decode, Tag};

use super::asn1::{Element, Malformed};

/// A span of time, both ends inside it (RFC 5280, 4.1.2.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) from: UnixTime,
    pub(crate) until: UnixTime,
}

/// Reads a `Time`: UTCTime or GeneralizedTime, whole seconds, UTC.
pub(crate) fn time(element: Element<'_>, what: &'static str) -> Result<UnixTime, Malformed> {
    let since_epoch = match element.tag {
        Tag::UtcTime => UtcTime::from_der(element.raw).map(|time| time.to_unix_duration()),
        Tag::GeneralizedTime => GeneralizedTime::from_der(element.raw).map(|time| time.to_unix_duration()),
        _ => return Err(Malformed(what)),
    };
    since_epoch.map(|duration| UnixTime::from_secs(duration.as_secs())).map_err(|_| Malformed(what))
}

/// Whether an element is a `Time`.
pub(crate) const fn is_time(tag: Tag) -> bool {
    matches!(tag, Tag::UtcTime | Tag::GeneralizedTime)
}
