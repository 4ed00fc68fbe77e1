//! A small DER writer (ITU-T X.690): every function returns one complete encoding.
//!
//! It writes what it is told, so non-canonical and malformed structures can be made with [`tlv`]. It parses nothing.

/// Tag of BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Tag of INTEGER.
pub const INTEGER: u8 = 0x02;
/// Tag of BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// Tag of OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of NULL.
pub const NULL: u8 = 0x05;
/// Tag of OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// Tag of UTF8String.
pub const UTF8_STRING: u8 = 0x0C;
/// Tag of PrintableString.
pub const PRINTABLE_STRING: u8 = 0x13;
/// Tag of IA5String.
pub const IA5_STRING: u8 = 0x16;
/// Tag of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Tag of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Tag of SEQUENCE (constructed).
pub const SEQUENCE: u8 = 0x30;
/// Tag of SET (constructed).
pub const SET: u8 = 0x31;

/// One element with any tag byte: tag, shortest definite length, content.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
        out.push(0x80 | octets.len() as u8);
        out.extend(octets);
    }
    out.extend(content);
    out
}

/// A SEQUENCE of already encoded elements.
pub fn seq<T: AsRef<[u8]>>(elements: &[T]) -> Vec<u8> {
    tlv(SEQUENCE, &concat(elements))
}

/// A SET of already encoded elements, in the order given.
pub fn set<T: AsRef<[u8]>>(elements: &[T]) -> Vec<u8> {
    tlv(SET, &concat(elements))
}

/// A constructed context-specific element `[number]` (explicit tagging).
pub fn context<T: AsRef<[u8]>>(number: u8, elements: &[T]) -> Vec<u8> {
    tlv(0xA0 | number, &concat(elements))
}

/// A primitive context-specific element `[number]` (implicit tagging of a primitive type).
pub fn context_primitive(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// The INTEGER with this non-negative value.
pub fn integer(value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1);
    let mut content = bytes[start..].to_vec();
    if content[0] & 0x80 != 0 {
        content.insert(0, 0);
    }
    tlv(INTEGER, &content)
}

/// A BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(BOOLEAN, &[if value { 0xFF } else { 0x00 }])
}

/// A BIT STRING with `unused` unused bits in its last byte.
pub fn bit_string(unused: u8, bits: &[u8]) -> Vec<u8> {
    tlv(BIT_STRING, &concat(&[&[unused], bits]))
}

/// An OCTET STRING.
pub fn octet_string(content: &[u8]) -> Vec<u8> {
    tlv(OCTET_STRING, content)
}

/// NULL.
pub fn null() -> Vec<u8> {
    tlv(NULL, &[])
}

/// An OBJECT IDENTIFIER from its dotted form.
pub fn oid(dotted: &str) -> Vec<u8> {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().expect("a dotted decimal OID")).collect();
    let mut content = Vec::new();
    for arc in std::iter::once(arcs[0] * 40 + arcs[1]).chain(arcs[2..].iter().copied()) {
        let groups = (0..10).rev().map(|i| (arc >> (7 * i)) as u8 & 0x7F).skip_while(|g| *g == 0);
        let mut groups: Vec<u8> = groups.collect();
        let last = groups.pop().unwrap_or(0);
        content.extend(groups.into_iter().map(|g| g | 0x80));
        content.push(last);
    }
    tlv(OID, &content)
}

/// The X.509 `Time` for an instant in seconds since 1970: UTCTime up to the year 2049, then GeneralizedTime.
pub fn time(unix: i64) -> Vec<u8> {
    let (year, ..) = civil(unix);
    if (1950..2050).contains(&year) { utc_time(unix) } else { generalized_time(unix) }
}

/// A UTCTime (two-digit year) for an instant in seconds since 1970.
pub fn utc_time(unix: i64) -> Vec<u8> {
    let (year, month, day, hour, minute, second) = civil(unix);
    let text = format!("{:02}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z", year % 100);
    tlv(UTC_TIME, text.as_bytes())
}

/// A GeneralizedTime for an instant in seconds since 1970.
pub fn generalized_time(unix: i64) -> Vec<u8> {
    let (year, month, day, hour, minute, second) = civil(unix);
    let text = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z");
    tlv(GENERALIZED_TIME, text.as_bytes())
}

fn concat<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.as_ref().iter().copied()).collect()
}

/// Year, month, day, hour, minute and second (UTC, proleptic Gregorian calendar).
fn civil(unix: i64) -> (i64, i64, i64, i64, i64, i64) {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (mut days, seconds) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += if leap(year) { 366 } else { 365 };
    }
    while days >= if leap(year) { 366 } else { 365 } {
        days -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1, seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_minimal_and_positive() {
        let cases: [(u64, &[u8]); 5] = [
            (0, &[2, 1, 0]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (256, &[2, 2, 1, 0]),
            (0xD5, &[2, 2, 0, 0xD5]),
        ];
        for (value, expected) in cases {
            assert_eq!(integer(value), expected, "{value}");
        }
    }

    #[test]
    fn object_identifiers_use_base_128() {
        assert_eq!(oid("2.5.29.15"), [6, 3, 0x55, 0x1D, 0x0F]);
        assert_eq!(oid("1.2.840.113549.1.1.10"), [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 10]);
        assert_eq!(oid("1.3.6.1.4.1.3704.1.4"), [6, 9, 0x2B, 6, 1, 4, 1, 0x9C, 0x78, 1, 4]);
        assert_eq!(oid("2.5.0"), [6, 2, 0x55, 0]);
    }

    #[test]
    fn long_lengths_are_shortest() {
        assert_eq!(tlv(4, &[0; 127])[..2], [4, 127]);
        assert_eq!(tlv(4, &[0; 128])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[0; 546])[..4], [4, 0x82, 2, 0x22]);
    }

    #[test]
    fn times_follow_the_calendar() {
        let cases = [
            (0, UTC_TIME, "700101000000Z"),
            (-1, UTC_TIME, "691231235959Z"),
            (951_782_400, UTC_TIME, "000229000000Z"),
            (1_780_272_000, UTC_TIME, "260601000000Z"),
            (2_524_607_999, UTC_TIME, "491231235959Z"),
            (2_524_608_000, GENERALIZED_TIME, "20500101000000Z"),
        ];
        for (unix, tag, text) in cases {
            assert_eq!(time(unix), tlv(tag, text.as_bytes()), "{unix}");
        }
    }
}
