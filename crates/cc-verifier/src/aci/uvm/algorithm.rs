//! The signature algorithms that are allowed (*verification.md* A1), by their numbers in COSE (RFC 9053).

use aws_lc_rs::signature::{
    ParsedPublicKey, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters,
};
use cc_core::{Finding, codes};

use crate::pki::{Malformed, p256_key, p384_key, p521_key, rsa_numbers};

/// An allowed algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Es256,
    Es384,
    Es512,
    Ps256,
    Ps384,
    Ps512,
}

impl Algorithm {
    /// The algorithm with that number, if it is allowed.
    pub(super) fn of(number: i64) -> Result<Self, Finding> {
        match number {
            -7 => Ok(Self::Es256),
            -35 => Ok(Self::Es384),
            -36 => Ok(Self::Es512),
            -37 => Ok(Self::Ps256),
            -38 => Ok(Self::Ps384),
            -39 => Ok(Self::Ps512),
            other => {
                let detail =
                    format!("COSE algorithm {other}; allowed are PS256, PS384, PS512, ES256, ES384, ES512");
                Err(Finding::new(codes::ACI_UVM_ALG, detail))
            }
        }
    }

    /// Its name in COSE.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
        }
    }

    /// Reads a SubjectPublicKeyInfo, which must be a key for this algorithm: RSA of 2048 to 8192 bits, or a point on the
    /// curve that goes with the hash.
    pub(super) fn key(self, spki: &[u8]) -> Result<Key, Finding> {
        let key = match self {
            Self::Es256 => p256_key(spki),
            Self::Es384 => p384_key(spki),
            Self::Es512 => p521_key(spki),
            Self::Ps256 => rsa(spki, &RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => rsa(spki, &RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => rsa(spki, &RSA_PSS_2048_8192_SHA512),
        };
        let detail = || format!("the signer's key is none for {}", self.name());
        key.map(Key).map_err(|_| Finding::new(codes::ACI_UVM_ALG, detail()))
    }
}

fn rsa(spki: &[u8], parameters: &'static RsaParameters) -> Result<ParsedPublicKey, Malformed> {
    rsa_numbers(spki)?.to_parsed_public_key(parameters).map_err(|_| Malformed("public key"))
}

/// The key of a signer, for one algorithm.
pub(super) struct Key(ParsedPublicKey);

impl Key {
    /// Whether `signature` is this key's over `message`. ECDSA has r and s in fixed width (RFC 9053, 2.1).
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
