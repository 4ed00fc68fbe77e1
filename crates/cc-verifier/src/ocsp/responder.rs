//! Whom an answer is from (RFC 6960, 3.2 and 4.2.2.2): the issuer itself, or a responder whose certificate the issuer
//! signed for that. One signer: what an answer brings along counts only if it is the certificate of whom it names.

use std::collections::BTreeMap;

use super::problem::Problem;
use super::response::{ResponderId, Response};
use super::subject::{Issuer, is_key_hash};
use crate::pki::{Certificate, EcdsaKey, Window};

/// Which signatures hold, so that each is verified once however many certificates an answer is about, and however many
/// answers a responder gave.
#[derive(Default)]
pub(super) struct Authorities<'a> {
    /// Whether a signature over some bytes is that of the key.
    signatures: BTreeMap<Signed<'a>, bool>,
}

/// Signed bytes, the signature, and the key.
type Signed<'a> = (&'a [u8], &'a [u8], Vec<u8>);

impl<'a> Authorities<'a> {
    /// Checks that `response` is by an authority over what `issuer` issued. The validity of the responder's
    /// certificate, if it has one of its own.
    ///
    /// A responder's certificate is itself not asked about: it lives shortly, and says so (id-pkix-ocsp-nocheck).
    pub(super) fn authenticate(
        &mut self,
        response: &Response<'a>,
        issuer: &Issuer,
    ) -> Result<Option<Window>, Problem> {
        let is_issuer = match response.responder {
            ResponderId::Name(name) => name == issuer.name,
            ResponderId::Key(hash) => issuer.is_named_by_key(hash),
        };
        if is_issuer {
            return self.signed(response, &issuer.key).map(|()| None);
        }
        let certificate = named(response)?;
        certificate.judge_responder().map_err(Problem::Responder)?;
        let key = EcdsaKey::of(certificate.spki)
            .map_err(|_| Problem::Responder("its key is neither on P-256 nor on P-384"))?;
        if certificate.issuer != issuer.name
            || certificate.inner_algorithm != certificate.outer_algorithm
            || !issuer.key.signs_with(certificate.outer_algorithm)
            || !self.verifies(&issuer.key, certificate.tbs, certificate.signature)
        {
            return Err(Problem::Responder("the certificate's issuer did not issue the responder's"));
        }
        let window = certificate.window;
        if response.produced_at < window.from || response.produced_at > window.until {
            return Err(Problem::Responder("its certificate was not valid when it answered"));
        }
        self.signed(response, &key).map(|()| Some(window))
    }

    fn signed(&mut self, response: &Response<'a>, key: &EcdsaKey) -> Result<(), Problem> {
        if key.signs_with(response.algorithm) && self.verifies(key, response.tbs, response.signature) {
            Ok(())
        } else {
            Err(Problem::Signature)
        }
    }

    fn verifies(&mut self, key: &EcdsaKey, message: &'a [u8], signature: &'a [u8]) -> bool {
        let signed = (message, signature, key.point().to_vec());
        *self.signatures.entry(signed).or_insert_with(|| key.verifies(message, signature))
    }
}

/// The one certificate of the responder that the answer names.
fn named<'r, 'a>(response: &'r Response<'a>) -> Result<&'r Certificate<'a>, Problem> {
    let is_named = |certificate: &&Certificate<'_>| match response.responder {
        ResponderId::Name(name) => certificate.subject == name,
        ResponderId::Key(hash) => is_key_hash(certificate.spki, hash),
    };
    let mut named = response.certificates.iter().filter(is_named);
    match (named.next(), named.next()) {
        (Some(certificate), None) => Ok(certificate),
        (None, _) => Err(Problem::Responder("it is not the issuer and shows no certificate")),
        (Some(_), Some(_)) => Err(Problem::Responder("it shows more than one certificate")),
    }
}
