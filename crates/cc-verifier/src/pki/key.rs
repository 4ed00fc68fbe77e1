//! The kinds of key and the signature algorithms of the chains: RSA-PSS and P-384 with AMD, P-256 with Intel, P-384 with
//! NVIDIA.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_FIXED,
    ECDSA_P521_SHA512_FIXED, ParsedPublicKey, RSA_PSS_2048_8192_SHA384, RsaPublicKeyComponents,
    VerificationAlgorithm,
};
use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Element, Elements, Malformed, context, is_minimal_integer, octets_of_bits};

const KEY: &str = "public key";
const ALGORITHM: &str = "algorithm identifier";

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const PRIME256V1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const ECDSA_WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_WITH_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const RSASSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
/// Octets of the modulus of every key that signs certificates.
const MODULUS_LENGTH: usize = 512;

/// The order of the group of P-384, big-endian (SEC 2, 2.5.1).
pub(crate) const P384_ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a,
    0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

/// An RSA key of 4096 bits.
#[derive(Debug)]
pub(crate) struct RsaKey(ParsedPublicKey);

impl RsaKey {
    /// Reads a SubjectPublicKeyInfo.
    pub(crate) fn of(spki: &[u8]) -> Result<Self, Malformed> {
        let numbers = rsa_numbers(spki)?;
        if numbers.n.len() != MODULUS_LENGTH || numbers.n.first().is_none_or(|first| first & 0x80 == 0) {
            return Err(Malformed(KEY));
        }
        let key = numbers.to_parsed_public_key(&RSA_PSS_2048_8192_SHA384);
        key.map(Self).map_err(|_| Malformed(KEY))
    }

    /// Whether `signature` is this key's over `message`: RSASSA-PSS with SHA-384, MGF1 with SHA-384, salt of 48
    /// octets.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// Modulus and exponent in the SubjectPublicKeyInfo of an RSA key, of whatever size.
pub(crate) fn rsa_numbers(spki: &[u8]) -> Result<RsaPublicKeyComponents<&[u8]>, Malformed> {
    let (algorithm, key) = split(spki)?;
    let mut algorithm = Elements::of(algorithm, KEY)?;
    if algorithm.expect(Tag::ObjectIdentifier)?.content != RSA_ENCRYPTION.as_bytes() {
        return Err(Malformed(KEY));
    }
    algorithm.expect(Tag::Null)?;
    algorithm.finish()?;
    let mut numbers = Elements::of(Element::of(key, KEY)?.content_of(Tag::Sequence, KEY)?, KEY)?;
    let [n, e] = [positive(&mut numbers)?, positive(&mut numbers)?];
    numbers.finish()?;
    Ok(RsaPublicKeyComponents { n, e })
}

/// The octets of an INTEGER above zero, big-endian, without leading zeros.
fn positive<'a>(numbers: &mut Elements<'a>) -> Result<&'a [u8], Malformed> {
    let content = numbers.expect(Tag::Integer)?.content;
    match content {
        [0, rest @ ..] if is_minimal_integer(content) && !rest.is_empty() => Ok(rest),
        [1..=0x7f, ..] => Ok(content),
        _ => Err(Malformed(KEY)),
    }
}

/// A curve, and with it the hash that is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    /// P-256 with SHA-256.
    P256,
    /// P-384 with SHA-384.
    P384,
}

/// A key that makes signatures of X.509 with ECDSA: on certificates, revocation lists and OCSP answers.
#[derive(Debug)]
pub(crate) struct EcdsaKey {
    curve: Curve,
    key: ParsedPublicKey,
}

impl EcdsaKey {
    /// Reads a SubjectPublicKeyInfo with an uncompressed point on that curve.
    pub(crate) fn on(curve: Curve, spki: &[u8]) -> Result<Self, Malformed> {
        let key = match curve {
            Curve::P256 => key(&ECDSA_P256_SHA256_ASN1, point(spki, PRIME256V1)?),
            Curve::P384 => key(&ECDSA_P384_SHA384_ASN1, point(spki, SECP384R1)?),
        }?;
        Ok(Self { curve, key })
    }

    /// Reads a SubjectPublicKeyInfo with an uncompressed point on either curve.
    pub(crate) fn of(spki: &[u8]) -> Result<Self, Malformed> {
        Self::on(Curve::P384, spki).or_else(|_| Self::on(Curve::P256, spki))
    }

    /// The uncompressed point.
    pub(crate) fn point(&self) -> &[u8] {
        self.key.as_ref()
    }

    /// Whether an AlgorithmIdentifier (all its bytes) is that of this key's signatures; it has no parameters (RFC 5758,
    /// 3.2).
    pub(crate) fn signs_with(&self, algorithm: &[u8]) -> bool {
        let id = || {
            let content = Element::of(algorithm, ALGORITHM)?.content_of(Tag::Sequence, ALGORITHM)?;
            Element::of(content, ALGORITHM)?.content_of(Tag::ObjectIdentifier, ALGORITHM)
        };
        let own = match self.curve {
            Curve::P256 => ECDSA_WITH_SHA256,
            Curve::P384 => ECDSA_WITH_SHA384,
        };
        id() == Ok(own.as_bytes())
    }

    /// Whether `signature` is this key's over `message`: ECDSA with the hash of its curve, in the form of X.509.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

/// Reads a SubjectPublicKeyInfo with an uncompressed point on P-256, as a key for signatures in fixed width.
pub(crate) fn p256_key(spki: &[u8]) -> Result<ParsedPublicKey, Malformed> {
    key(&ECDSA_P256_SHA256_FIXED, point(spki, PRIME256V1)?)
}

/// A P-256 key for signatures in fixed width, of its coordinates x and y, big-endian; they must be a point on the
/// curve.
pub(crate) fn p256_key_of_coordinates(coordinates: &[u8; 64]) -> Result<ParsedPublicKey, Malformed> {
    key(&ECDSA_P256_SHA256_FIXED, &[&[4], coordinates.as_slice()].concat())
}

/// A P-384 key for signatures in fixed width, of its coordinates x and y, 48 octets each, big-endian; they must be a point
/// on the curve.
pub(crate) fn p384_key_of_coordinates(x: &[u8; 48], y: &[u8; 48]) -> Result<ParsedPublicKey, Malformed> {
    key(&ECDSA_P384_SHA384_FIXED, &[&[4], x.as_slice(), y.as_slice()].concat())
}

/// Reads a SubjectPublicKeyInfo with an uncompressed point on P-384, as a key for signatures in fixed width.
pub(crate) fn p384_key(spki: &[u8]) -> Result<ParsedPublicKey, Malformed> {
    key(&ECDSA_P384_SHA384_FIXED, point(spki, SECP384R1)?)
}

/// Reads a SubjectPublicKeyInfo with an uncompressed point on P-521, as a key for signatures in fixed width, with SHA-512.
pub(crate) fn p521_key(spki: &[u8]) -> Result<ParsedPublicKey, Malformed> {
    key(&ECDSA_P521_SHA512_FIXED, point(spki, SECP521R1)?)
}

fn key(algorithm: &'static dyn VerificationAlgorithm, point: &[u8]) -> Result<ParsedPublicKey, Malformed> {
    ParsedPublicKey::new(algorithm, point).map_err(|_| Malformed(KEY))
}

/// The uncompressed point of a SubjectPublicKeyInfo, which must be for that curve. Whether it lies on the curve says
/// [`key`].
fn point(spki: &[u8], curve: ObjectIdentifier) -> Result<&[u8], Malformed> {
    let (algorithm, key) = split(spki)?;
    let mut algorithm = Elements::of(algorithm, KEY)?;
    let is_curve = algorithm.expect(Tag::ObjectIdentifier)?.content == EC_PUBLIC_KEY.as_bytes()
        && algorithm.expect(Tag::ObjectIdentifier)?.content == curve.as_bytes();
    algorithm.finish()?;
    if is_curve && key.first() == Some(&4) { Ok(key) } else { Err(Malformed(KEY)) }
}

/// The octets of the key in a SubjectPublicKeyInfo: what key identifiers are a hash of (RFC 5280, 4.2.1.2; RFC 6960, 4.1.1).
pub(crate) fn key_octets(spki: &[u8]) -> Result<&[u8], Malformed> {
    split(spki).map(|(_, key)| key)
}

/// The algorithm's content and the key's octets.
fn split(spki: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut fields = Elements::of(Element::of(spki, KEY)?.content_of(Tag::Sequence, KEY)?, KEY)?;
    let algorithm = fields.expect(Tag::Sequence)?.content;
    let key = octets_of_bits(fields.expect(Tag::BitString)?.content, KEY)?;
    fields.finish()?;
    Ok((algorithm, key))
}

/// Whether an AlgorithmIdentifier (all its bytes) is RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48
/// octets. The trailer field may be written or left to its default; AMD's certificates do either.
pub(crate) fn is_pss_sha384(algorithm: &[u8]) -> bool {
    pss_sha384(algorithm).unwrap_or(false)
}

fn pss_sha384(algorithm: &[u8]) -> Result<bool, Malformed> {
    let mut fields =
        Elements::of(Element::of(algorithm, ALGORITHM)?.content_of(Tag::Sequence, ALGORITHM)?, ALGORITHM)?;
    if fields.expect(Tag::ObjectIdentifier)?.content != RSASSA_PSS.as_bytes() {
        return Ok(false);
    }
    let mut parameters = Elements::of(fields.expect(Tag::Sequence)?.content, ALGORITHM)?;
    fields.finish()?;

    let hash = parameters.expect(context(0))?;
    let mask = Element::of(parameters.expect(context(1))?.content, ALGORITHM)?;
    let salt = Element::of(parameters.expect(context(2))?.content, ALGORITHM)?;
    let trailer = parameters.optional(context(3))?;
    parameters.finish()?;

    let mut mask = Elements::of(mask.content_of(Tag::Sequence, ALGORITHM)?, ALGORITHM)?;
    let is_mgf1 = mask.expect(Tag::ObjectIdentifier)?.content == MGF1.as_bytes();
    let mask_hash = mask.next()?;
    mask.finish()?;
    let trailer_is_default = match trailer {
        Some(trailer) => Element::of(trailer.content, ALGORITHM)?.content_of(Tag::Integer, ALGORITHM)? == [1],
        None => true,
    };
    Ok(is_mgf1
        && trailer_is_default
        && is_sha384(hash.content)?
        && is_sha384(mask_hash.raw)?
        && salt.content_of(Tag::Integer, ALGORITHM)? == [48])
}

/// Whether a hash algorithm identifier is SHA-384; its parameters are NULL or absent (RFC 4055, 2.1).
fn is_sha384(algorithm: &[u8]) -> Result<bool, Malformed> {
    let mut fields =
        Elements::of(Element::of(algorithm, ALGORITHM)?.content_of(Tag::Sequence, ALGORITHM)?, ALGORITHM)?;
    let id = fields.expect(Tag::ObjectIdentifier)?.content;
    fields.optional(Tag::Null)?;
    fields.finish()?;
    Ok(id == SHA384.as_bytes())
}
