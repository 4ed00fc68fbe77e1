//! Certificates that are asked about, and how requests and answers name them.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, digest};
use der::Tag;
use der::oid::ObjectIdentifier;

use super::write::{OCTET_STRING, element, integer, null, oid, sequence};
use crate::pki::{Certificate, EcdsaKey, Element, Elements, Malformed, key_octets};

const WHAT: &str = "CertID";
const SHA1_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA256_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");

/// A certificate that is asked about, with the certificate of its issuer.
#[derive(Debug)]
pub struct Subject {
    /// INTEGER content.
    pub(super) serial: Vec<u8>,
    pub(super) issuer: Issuer,
    id: Vec<u8>,
}

/// Who answers for the certificates that it issued.
#[derive(Debug)]
pub(super) struct Issuer {
    /// The subject's name, all bytes.
    pub(super) name: Vec<u8>,
    /// What key identifiers are a hash of.
    key_octets: Vec<u8>,
    pub(super) key: EcdsaKey,
}

impl Subject {
    /// Takes both certificates, DER. That the one issued the other must be known otherwise. `None` when one is not a
    /// certificate, its issuer has another name, or the issuer's key is neither on P-256 nor on P-384.
    pub fn of(certificate: &[u8], issuer: &[u8]) -> Option<Self> {
        let certificate = Certificate::parse(certificate).ok()?;
        let issuer = Certificate::parse(issuer).ok().filter(|issuer| issuer.subject == certificate.issuer)?;
        let issuer = Issuer {
            name: issuer.subject.to_vec(),
            key_octets: key_octets(issuer.spki).ok()?.to_vec(),
            key: EcdsaKey::of(issuer.spki).ok()?,
        };
        let hash = |bytes| element(OCTET_STRING, digest(&SHA384, bytes).as_ref());
        let id = sequence(&[
            &sequence(&[&oid(SHA384_ID), &null()]),
            &hash(&issuer.name),
            &hash(&issuer.key_octets),
            &integer(certificate.serial),
        ]);
        Some(Self { serial: certificate.serial.to_vec(), issuer, id })
    }

    /// The certificate's `CertID` with SHA-384, DER: what to ask for.
    pub fn id(&self) -> &[u8] {
        &self.id
    }
}

impl Issuer {
    /// SHA-1 of the key: how answers name a responder by its key (RFC 6960, 4.2.1).
    pub(super) fn is_named_by_key(&self, hash: &[u8]) -> bool {
        is_hash(&SHA1_FOR_LEGACY_USE_ONLY, &self.key_octets, hash)
    }
}

/// Whether `hash` is that of a SubjectPublicKeyInfo's key (RFC 6960, 4.2.1: SHA-1, not as a signature).
pub(super) fn is_key_hash(spki: &[u8], hash: &[u8]) -> bool {
    key_octets(spki).is_ok_and(|octets| is_hash(&SHA1_FOR_LEGACY_USE_ONLY, octets, hash))
}

fn is_hash(algorithm: &'static Algorithm, content: &[u8], hash: &[u8]) -> bool {
    digest(algorithm, content).as_ref() == hash
}

/// The name of a certificate in a request or answer (RFC 6960, 4.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct CertId<'a> {
    /// INTEGER content.
    pub(super) serial: &'a [u8],
    hash: &'static Algorithm,
    issuer_name: &'a [u8],
    issuer_key: &'a [u8],
}

impl<'a> CertId<'a> {
    /// Reads a `CertID`. SHA-1 is as good as any here: nobody gains by two issuers with one hash but the one who made
    /// both.
    pub(super) fn read(element: Element<'a>) -> Result<Self, Malformed> {
        let mut fields = Elements::of(element.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let mut algorithm = Elements::of(fields.expect(Tag::Sequence)?.content, WHAT)?;
        let id = algorithm.expect(Tag::ObjectIdentifier)?.content;
        if algorithm.optional(Tag::Null)?.is_some_and(|null| !null.content.is_empty()) {
            return Err(Malformed(WHAT));
        }
        algorithm.finish()?;
        let known = [(SHA1_ID, &SHA1_FOR_LEGACY_USE_ONLY), (SHA256_ID, &SHA256), (SHA384_ID, &SHA384)];
        let (_, hash) = known.into_iter().find(|(known, _)| known.as_bytes() == id).ok_or(Malformed(WHAT))?;
        let issuer_name = fields.expect(Tag::OctetString)?.content;
        let issuer_key = fields.expect(Tag::OctetString)?.content;
        let serial = fields.expect(Tag::Integer)?.content;
        fields.finish()?;
        Ok(Self { serial, hash, issuer_name, issuer_key })
    }

    /// Whether it names that certificate.
    pub(super) fn names(&self, subject: &Subject) -> bool {
        self.serial == subject.serial
            && is_hash(self.hash, &subject.issuer.name, self.issuer_name)
            && is_hash(self.hash, &subject.issuer.key_octets, self.issuer_key)
    }
}
