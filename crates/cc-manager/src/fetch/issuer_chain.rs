//! The issuer chain that comes in a header: Intel's services send the certificates of the signer beside a signed
//! document, as percent-encoded PEM (*verification.md* 2.5).

use reqwest::header::HeaderMap;

/// Under which names: TCB info, the same of older services, identities of enclaves. The chain of a revocation list's
/// issuer is left where it is: a quote brings its own.
const NAMES: [&str; 3] =
    ["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain", "SGX-Enclave-Identity-Issuer-Chain"];
/// Longest value of the header, in bytes; two certificates have less than 3000.
const MAX_LENGTH: usize = 16 * 1024;

/// The chain as PEM, if there is one. `Err` says why a header that is there is not it.
pub(super) fn of(headers: &HeaderMap) -> Result<Option<String>, String> {
    let mut values = NAMES.iter().flat_map(|name| headers.get_all(*name));
    let Some(value) = values.next() else { return Ok(None) };
    if values.any(|other| other != value) {
        return Err("several chains that differ".to_owned());
    }
    if value.len() > MAX_LENGTH {
        return Err(format!("{} bytes, the limit is {MAX_LENGTH}", value.len()));
    }
    let chain = decode(value.as_bytes()).ok_or("not percent-encoded text")?;
    if !chain.starts_with("-----BEGIN CERTIFICATE-----") {
        return Err("does not begin as a certificate in PEM does".to_owned());
    }
    Ok(Some(chain))
}

/// Decodes `%XX` with upper-case digits; a plus sign is a plus sign, as in base64. The text is ASCII.
fn decode(value: &[u8]) -> Option<String> {
    let (mut text, mut rest) = (String::with_capacity(value.len()), value);
    while let Some((&first, after)) = rest.split_first() {
        let byte;
        (byte, rest) = match first {
            b'%' => {
                let (&[high, low], after) = after.split_first_chunk()?;
                (digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?, after)
            }
            other => (other, after),
        };
        text.push(char::from(Some(byte).filter(u8::is_ascii)?));
    }
    Some(text)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => byte.checked_sub(b'0'),
        b'A'..=b'F' => byte.checked_sub(b'A')?.checked_add(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const BEGIN: &str = "-----BEGIN%20CERTIFICATE-----";

    fn headers(values: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        values.iter().map(pair).collect()
    }

    #[test]
    fn a_chain_has_one_spelling() {
        let read = |value: &str| of(&headers(&[(NAMES[0], &format!("{BEGIN}{value}"))]));
        for (value, expected) in
            [("", ""), ("%0AMII%2B/%3D%3D%0A", "\nMII+/==\n"), ("a+b=", "a+b="), ("%00%7F", "\0\x7f")]
        {
            let expected = format!("-----BEGIN CERTIFICATE-----{expected}");
            assert_eq!(read(value), Ok(Some(expected)), "{value}");
        }
        for value in ["%", "%0", "%0a", "%0G", "%%30A", "% 0A", "%+A", "%80", "%C3%A9"] {
            assert_eq!(read(value), Err("not percent-encoded text".to_owned()), "{value}");
        }
    }

    #[test]
    fn only_certificates_of_limited_size() {
        let read = |value: &str| of(&headers(&[(NAMES[2], value)]));
        for value in ["", "BEGIN", "%2D----BEGIN%20PRIVATE%20KEY-----", "-----BEGIN+CERTIFICATE-----"] {
            assert!(read(value).is_err(), "{value}");
        }
        let longest = format!("{BEGIN}{}", "a".repeat(MAX_LENGTH.saturating_sub(BEGIN.len())));
        assert!(read(&longest).is_ok());
        assert_eq!(read(&format!("{longest}a")), Err("16385 bytes, the limit is 16384".to_owned()));
    }

    #[test]
    fn each_name_is_read_and_no_two_chains() {
        for name in NAMES {
            let lower = name.to_ascii_lowercase();
            for name in [name, &lower] {
                assert!(of(&headers(&[(name, BEGIN)])).unwrap().is_some(), "{name}");
            }
        }
        assert_eq!(of(&headers(&[("SGX-PCK-CRL-Issuer-Chain", BEGIN)])), Ok(None));
        let other = format!("{BEGIN}a");
        assert!(of(&headers(&[(NAMES[0], BEGIN), (NAMES[1], BEGIN)])).is_ok());
        assert!(of(&headers(&[(NAMES[0], BEGIN), (NAMES[1], &other)])).is_err());
        assert!(of(&headers(&[(NAMES[0], BEGIN), (NAMES[0], &other)])).is_err());
    }
}
