//! Keys (RFC 7517, RFC 7518): what makes one usable for an algorithm.

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cc_core::limits::MAX_CERTIFICATE;
use serde::Deserialize;

use super::issuer::Algorithm;
use crate::json::present;
use crate::pki::{Certificate, p384_key, p384_key_of_coordinates, rsa_numbers};

/// Sizes of RSA keys, in bits.
const MODULUS_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A key that can make the signatures of one algorithm.
#[derive(Debug)]
pub(crate) struct Key(ParsedPublicKey);

/// The members that are looked at. Numbers are big-endian, in the Base64 of URLs.
#[derive(Deserialize)]
struct Fields {
    kty: String,
    #[serde(default, rename = "use", deserialize_with = "present")]
    usage: Option<String>,
    #[serde(default, deserialize_with = "present")]
    key_ops: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crv: Option<String>,
    #[serde(default, deserialize_with = "present")]
    x: Option<String>,
    #[serde(default, deserialize_with = "present")]
    y: Option<String>,
    #[serde(default, deserialize_with = "present")]
    n: Option<String>,
    #[serde(default, deserialize_with = "present")]
    e: Option<String>,
    /// Certificates, the key's own first, in Base64.
    #[serde(default, deserialize_with = "present")]
    x5c: Option<Vec<String>>,
}

impl Key {
    /// Reads a key; `Err` says why it cannot be one for that algorithm. Only where the numbers are left out is the key taken
    /// from its certificate, of which nothing else is judged: that it is the issuer's key says the set.
    pub(super) fn parse(text: &str, algorithm: Algorithm) -> Result<Self, String> {
        let fields: Fields = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if let Some(usage) = fields.usage.as_deref().filter(|usage| *usage != "sig") {
            return Err(format!("its `use` is {usage:?}"));
        }
        if fields.key_ops.as_ref().is_some_and(|operations| operations.iter().all(|name| name != "verify")) {
            return Err("its `key_ops` are without \"verify\"".to_owned());
        }
        if let Some(other) = fields.alg.as_deref().filter(|alg| *alg != algorithm.name()) {
            return Err(format!("its `alg` is {other:?}"));
        }
        let expected = match algorithm {
            Algorithm::Es384 => "EC",
            Algorithm::Rs256 => "RSA",
        };
        if fields.kty != expected {
            return Err(format!("its `kty` is {:?}", fields.kty));
        }
        match algorithm {
            Algorithm::Es384 => es384(&fields).map(Self),
            Algorithm::Rs256 => rs256(&fields),
        }
    }

    /// An RSA key for RS256 (RSASSA-PKCS1-v1_5 with SHA-256), of its numbers as a key has them; `Err` as with [`Key::parse`].
    pub(crate) fn rs256(n: &str, e: &str) -> Result<Self, String> {
        rsa(RsaPublicKeyComponents { n: &number("n", n)?, e: &number("e", e)? }).map(Self)
    }

    /// Whether `signature` is this key's over `message`. ES384 has r and s in fixed width (RFC 7518, 3.4), each in 1 to
    /// n - 1.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

fn es384(fields: &Fields) -> Result<ParsedPublicKey, String> {
    if let Some(curve) = fields.crv.as_deref().filter(|curve| *curve != "P-384") {
        return Err(format!("its `crv` is {curve:?}"));
    }
    let key = match (&fields.x, &fields.y) {
        (Some(x), Some(y)) if fields.crv.is_some() => {
            let coordinate = |name, text| {
                let bytes = <[u8; 48]>::try_from(number(name, text)?);
                bytes.map_err(|bytes| format!("its `{name}` has {} bytes, not 48", bytes.len()))
            };
            p384_key_of_coordinates(&coordinate("x", x)?, &coordinate("y", y)?)
        }
        (None, None) => return certified(fields, |spki| p384_key(spki).map_err(|error| error.to_string())),
        _ => return Err("it has not all of `crv`, `x` and `y`".to_owned()),
    };
    key.map_err(|_| "it is no point on P-384".to_owned())
}

fn rs256(fields: &Fields) -> Result<Key, String> {
    match (&fields.n, &fields.e) {
        (Some(n), Some(e)) => Key::rs256(n, e),
        (None, None) => {
            certified(fields, |spki| rsa(rsa_numbers(spki).map_err(|error| error.to_string())?)).map(Key)
        }
        _ => Err("it has not both of `n` and `e`".to_owned()),
    }
}

fn rsa(numbers: RsaPublicKeyComponents<&[u8]>) -> Result<ParsedPublicKey, String> {
    let zeros = numbers.n.first().map_or(0, |first| first.leading_zeros());
    let bits = numbers.n.len().saturating_mul(8).saturating_sub(usize::try_from(zeros).unwrap_or(usize::MAX));
    if !MODULUS_BITS.contains(&bits) {
        return Err(format!("{bits} bits, allowed are {MODULUS_BITS:?}"));
    }
    let is_odd = numbers.e.last().is_some_and(|last| last % 2 == 1);
    if !is_odd || numbers.e == [1] {
        return Err("its exponent is even, or 1".to_owned());
    }
    let key = numbers.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256);
    key.map_err(|error| format!("no RSA key: {error}"))
}

/// The key in the first certificate.
fn certified(
    fields: &Fields,
    key: impl FnOnce(&[u8]) -> Result<ParsedPublicKey, String>,
) -> Result<ParsedPublicKey, String> {
    let first = fields.x5c.as_ref().and_then(|list| list.first());
    let text = first.ok_or("it has neither numbers nor a certificate")?;
    let der = STANDARD.decode(text).map_err(|error| format!("its certificate: {error}"))?;
    if der.len() > MAX_CERTIFICATE {
        return Err(format!("its certificate has {} bytes, the limit is {MAX_CERTIFICATE}", der.len()));
    }
    let certificate = Certificate::parse(&der).map_err(|error| error.to_string())?;
    key(certificate.spki)
}

fn number(name: &str, text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("its `{name}`: {error}"))
}
