//! A small CBOR writer (RFC 8949): every function returns one complete item, of definite length and in the shortest form.
//!
//! It writes what it is told, so malformed structures can be made of its parts. It parses nothing.

/// The first bytes of an item of that major type (0 to 7) with that argument.
pub fn head(major: u8, argument: u64) -> Vec<u8> {
    let first = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..24 => vec![first | bytes[7]],
        24..0x100 => vec![first | 24, bytes[7]],
        0x100..0x1_0000 => [&[first | 25], &bytes[6..]].concat(),
        0x1_0000..0x1_0000_0000 => [&[first | 26], &bytes[4..]].concat(),
        _ => [&[first | 27], &bytes[..]].concat(),
    }
}

/// An integer.
pub fn integer(value: i64) -> Vec<u8> {
    if value < 0 { head(1, value.unsigned_abs() - 1) } else { head(0, value.unsigned_abs()) }
}

/// A byte string.
pub fn bytes(content: &[u8]) -> Vec<u8> {
    [&head(2, content.len() as u64), content].concat()
}

/// A text.
pub fn text(content: &str) -> Vec<u8> {
    [&head(3, content.len() as u64), content.as_bytes()].concat()
}

/// An array of already encoded items.
pub fn array<T: AsRef<[u8]>>(items: &[T]) -> Vec<u8> {
    let items_bytes = items.iter().flat_map(|item| item.as_ref().iter().copied());
    head(4, items.len() as u64).into_iter().chain(items_bytes).collect()
}

/// A map of already encoded keys and values, in the order given.
pub fn map<K: AsRef<[u8]>, V: AsRef<[u8]>>(entries: &[(K, V)]) -> Vec<u8> {
    let mut out = head(5, entries.len() as u64);
    for (key, value) in entries {
        out.extend(key.as_ref());
        out.extend(value.as_ref());
    }
    out
}

/// A tagged item.
pub fn tag(number: u64, item: &[u8]) -> Vec<u8> {
    [&head(6, number), item].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of RFC 8949, appendix A.
    #[test]
    fn items_are_those_of_the_standard() {
        for (value, expected) in [
            (23, "17"),
            (24, "1818"),
            (1000, "1903e8"),
            (1_000_000, "1a000f4240"),
            (1_000_000_000_000, "1b000000e8d4a51000"),
            (-1, "20"),
            (-100, "3863"),
        ] {
            let hex: String = integer(value).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected, "{value}");
        }
        assert_eq!(map(&[(text("a"), array(&[bytes(&[1])]))]), [0xa1, 0x61, b'a', 0x81, 0x41, 1]);
        assert_eq!(tag(1, &integer(1_363_896_240)), [0xc1, 0x1a, 0x51, 0x4b, 0x67, 0xb0]);
    }
}
