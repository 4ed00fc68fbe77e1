//! Hashes, and the signatures of participants: Ed25519, or P-256 as r‖s, 64 bytes either way (*verification.md* 5.4).

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey,
};
use aws_lc_rs::{constant_time, digest};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Reads its one spelling: 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        cc_core::lower_hex::decode(text).map(Self)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA256, bytes).as_ref()) {
        *to = *from;
    }
    Digest(out)
}

/// SHA-512.
pub fn sha512(bytes: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    for (to, from) in out.iter_mut().zip(digest::digest(&digest::SHA512, bytes).as_ref()) {
        *to = *from;
    }
    out
}

/// Compares two byte strings of equal length in constant time; different lengths are unequal.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// A signature of 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Bytes are not a public key that this protocol knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SubjectPublicKeyInfo of an Ed25519 or P-256 key")]
pub struct InvalidKey;

/// A signature does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct InvalidSignature;

/// What precedes the key in a DER SubjectPublicKeyInfo of Ed25519 (RFC 8410).
const ED25519_SPKI: &[u8] = &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What precedes the uncompressed point in a DER SubjectPublicKeyInfo of P-256 (RFC 5480).
const P256_SPKI: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A participant's public key, as the DER of its SubjectPublicKeyInfo in the one form that each algorithm has.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PublicKey(Vec<u8>);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.digest())
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo. Compressed points and other encodings of the same key are refused, so that one
    /// key has one digest.
    pub fn from_spki(der: &[u8]) -> Result<Self, InvalidKey> {
        let ed25519 = der.strip_prefix(ED25519_SPKI).is_some_and(|key| key.len() == 32);
        let p256 =
            der.strip_prefix(P256_SPKI).is_some_and(|point| point.len() == 65 && point.first() == Some(&4));
        if ed25519 || p256 { Ok(Self(der.to_vec())) } else { Err(InvalidKey) }
    }

    /// The Ed25519 key of these 32 bytes.
    pub fn from_ed25519(raw: &[u8; 32]) -> Self {
        Self([ED25519_SPKI, raw.as_slice()].concat())
    }

    /// The DER.
    pub fn spki(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of the DER.
    pub fn digest(&self) -> Digest {
        sha256(&self.0)
    }

    /// Verifies a signature over a message.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), InvalidSignature> {
        let verified = if let Some(key) = self.0.strip_prefix(ED25519_SPKI) {
            UnparsedPublicKey::new(&ED25519, key).verify(message, &signature.0)
        } else {
            let point = self.0.strip_prefix(P256_SPKI).ok_or(InvalidSignature)?;
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature.0)
        };
        verified.map_err(|_| InvalidSignature)
    }
}

/// The key of an instance: generated inside the TEE at process start and never written (*verification.md* 5.1).
///
/// Ed25519, since its signatures need no randomness.
pub struct AttKey(Ed25519KeyPair);

impl fmt::Debug for AttKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttKey({})", self.public().digest())
    }
}

impl AttKey {
    /// Makes the key from 32 random bytes, which the caller forgets.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, InvalidKey> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self).map_err(|_| InvalidKey)
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey([ED25519_SPKI, self.0.public_key().as_ref()].concat())
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut out = [0; 64];
        for (to, from) in out.iter_mut().zip(self.0.sign(message).as_ref()) {
            *to = *from;
        }
        Signature(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_form() {
        let ed25519 = AttKey::from_seed(&[1; 32]).unwrap().public();
        assert_eq!(PublicKey::from_spki(ed25519.spki()), Ok(ed25519.clone()));
        let point = |first: u8, length: usize| [P256_SPKI, &[first], &vec![7; length][..]].concat();
        assert!(PublicKey::from_spki(&point(4, 64)).is_ok());
        for (first, length) in [(2, 32), (3, 32), (6, 64), (7, 64), (0, 64), (4, 63), (4, 65)] {
            assert_eq!(PublicKey::from_spki(&point(first, length)), Err(InvalidKey), "{first} {length}");
        }
        for length in [0, 31, 33] {
            let other = [ED25519_SPKI, &vec![7; length][..]].concat();
            assert_eq!(PublicKey::from_spki(&other), Err(InvalidKey), "{length}");
        }
        assert_eq!(PublicKey::from_spki(&[]), Err(InvalidKey));
    }
}
