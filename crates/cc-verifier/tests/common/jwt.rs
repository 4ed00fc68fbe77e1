//! Tokens of synthetic issuers and their outcomes.

use cc_core::{Finding, UnixTime};
use cc_testkit::jwt::{Object, Token, ec_key, key_set, rsa_key};
use cc_testkit::snp::{SignKey, keys};
use cc_verifier::jwt::{Algorithm, Issuer, Jwks, Payload, verify};

use crate::common::codes::result_code;

pub(crate) const NOW: i64 = 1_780_272_000;
pub(crate) const ISS: &str = "https://issuer.example";
pub(crate) const JWKS_URL: &str = "https://issuer.example/certs";

pub(crate) const ISSUER: Issuer<'static> =
    Issuer { iss: ISS, algorithm: Algorithm::Es384, jwks_url: JWKS_URL, max_age: 300, audience: None };
pub(crate) const RSA_ISSUER: Issuer<'static> = Issuer { algorithm: Algorithm::Rs256, ..ISSUER };

/// A token, the key that signs it, and the keys and the configuration that it is verified with.
pub(crate) struct Case {
    pub(crate) token: Token,
    pub(crate) key: &'static SignKey,
    pub(crate) jwks: Option<Vec<u8>>,
    pub(crate) issuer: Issuer<'static>,
    pub(crate) now: i64,
    /// Instead of the token.
    pub(crate) compact: Option<String>,
}

impl Case {
    pub(crate) fn es384() -> Self {
        Self::new(Token::es384("ec", payload()), keys::stranger_p384(), ISSUER)
    }

    pub(crate) fn rs256() -> Self {
        Self::new(Token::rs256("rsa", payload()), keys::stranger_rsa(), RSA_ISSUER)
    }

    fn new(token: Token, key: &'static SignKey, issuer: Issuer<'static>) -> Self {
        Self { token, key, jwks: Some(key_set(&published())), issuer, now: NOW, compact: None }
    }

    pub(crate) fn compact(&self) -> String {
        self.compact.clone().unwrap_or_else(|| self.token.sign(self.key))
    }

    pub(crate) fn verify(&self) -> Result<Payload, Finding> {
        let jwks = self.jwks.as_deref().map(Jwks::parse).transpose()?;
        verify(self.compact().as_bytes(), &self.issuer, jwks.as_ref(), instant(self.now))
    }

    pub(crate) fn code(&self) -> String {
        result_code(&self.verify())
    }
}

/// Both keys of the issuer.
pub(crate) fn published() -> Vec<Object> {
    vec![rsa_key("rsa", keys::stranger_rsa()), ec_key("ec", keys::stranger_p384())]
}

pub(crate) fn payload() -> Object {
    let mut payload = Object::of(&[("iss", ISS), ("jti", "1")]);
    payload.set_number("iat", NOW);
    payload.set_number("nbf", NOW);
    payload.set_number("exp", NOW + 3600);
    payload
}

pub(crate) fn instant(now: i64) -> UnixTime {
    UnixTime::from_secs(now.unsigned_abs())
}
