//! Bytes in the one spelling that hexadecimal has here: lower-case digits, two for each byte. Claims are compared and
//! hashed as text, so that a second spelling would be a second value.
//!
//! Without branches, so that the compiler takes many digits at once: dozens of claims are written and read beside one
//! signature verification.

/// Bytes as digits.
pub fn encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| nibble.wrapping_add(if nibble < 10 { b'0' } else { b'a' - 10 });
    let mut text = vec![0; bytes.len().saturating_mul(2)];
    for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0xf)];
    }
    // Digits are ASCII.
    String::from_utf8(text).unwrap_or_default()
}

/// Digits as exactly `N` bytes; `None` for anything else, upper-case digits too.
pub fn decode<const N: usize>(text: impl AsRef<[u8]>) -> Option<[u8; N]> {
    const NO_DIGIT: u8 = 0xff;
    let nibble = |digit: u8| {
        let (number, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
        let letter = if letter < 6 { letter.wrapping_add(10) } else { NO_DIGIT };
        if number < 10 { number } else { letter }
    };
    let (pairs, rest) = text.as_ref().as_chunks();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let (mut bytes, mut all) = ([0; N], 0);
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let (high, low) = (nibble(*high), nibble(*low));
        all |= high | low;
        *byte = high << 4 | low;
    }
    (all < 16).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_spelling() {
        for byte in 0..=u8::MAX {
            let text = encode(&[byte, !byte]);
            assert_eq!(text, format!("{byte:02x}{:02x}", !byte));
            assert_eq!(decode(&text), Some([byte, !byte]));
        }
        assert_eq!((encode(&[]), decode("")), (String::new(), Some([])));
    }

    #[test]
    fn nothing_else_is_a_digit() {
        for digit in 0..=u8::MAX {
            let is_digit = matches!(digit, b'0'..=b'9' | b'a'..=b'f');
            assert_eq!(decode::<2>([digit, b'0', b'0', b'0']).is_some(), is_digit, "{digit:#04x}");
            assert_eq!(decode::<2>([b'0', b'0', b'0', digit]).is_some(), is_digit, "{digit:#04x}");
        }
        for text in ["", "0", "00", "000", "00000", "000000"] {
            assert_eq!(decode::<2>(text), None, "{text:?}");
        }
    }
}
