//! Who answers, and for whom.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, digest};

use super::{Answer, BASIC, CertStatus, EXTENDED_KEY_USAGE, NO_CHECK, NONCE, OCSP_SIGNING, Single};
use crate::der;
use crate::snp::ca::{AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_KEY_ID, authority_key_id};
use crate::snp::keys::key;
use crate::snp::mint::{DAY, NOW};
use crate::snp::{CertSpec, Ext, SigKind, SignKey};

/// The committed key of the responders of all authorities.
pub fn responder_key() -> &'static SignKey {
    key!(SignKey::p384, "ocsp-responder.p8")
}

/// The committed key of an authority without a technology.
pub fn authority_key() -> &'static SignKey {
    key!(SignKey::p384, "ocsp-authority.p8")
}

/// A name of CN, O and C, as NVIDIA's certificates have.
pub fn name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, tag: u8, value: &str| {
        der::set(&[der::seq(&[der::oid(kind), der::tlv(tag, value.as_bytes())])])
    };
    der::seq(&[
        attribute("2.5.4.3", der::UTF8_STRING, common_name),
        attribute("2.5.4.10", der::UTF8_STRING, "NVIDIA Corporation"),
        attribute("2.5.4.6", der::PRINTABLE_STRING, "US"),
    ])
}

/// The AlgorithmIdentifier of ECDSA as the key signs.
fn algorithm(key: &SignKey) -> Vec<u8> {
    // The uncompressed points of P-256 and P-384.
    let id = if key.public().len() == 65 { "1.2.840.10045.4.3.2" } else { "1.2.840.10045.4.3.3" };
    der::seq(&[der::oid(id)])
}

/// Hash algorithms of a `CertID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384, as NVIDIA's services use it.
    Sha384,
}

impl Hash {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha384];

    fn oid(self) -> &'static str {
        match self {
            Self::Sha1 => "1.3.14.3.2.26",
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
        }
    }

    fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm: &Algorithm = match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
        };
        digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// An authority, with the responder that answers for it.
#[derive(Clone)]
pub struct Authority {
    /// Its subject's name, DER.
    pub name: Vec<u8>,
    /// Its key.
    pub key: &'static SignKey,
    /// The certificate of its responder.
    pub responder: CertSpec,
}

impl Authority {
    /// An authority with this name (DER) and key, and a responder with [`responder_key`].
    pub fn new(name: &[u8], key: &'static SignKey) -> Self {
        let mut responder = certificate(name, key, vec![0x55, 0xdf], "NVIDIA OCSP Responder");
        responder.subject = self::name("NVIDIA OCSP Responder");
        responder.spki = responder_key().spki().to_vec();
        responder.extensions = vec![
            Ext::critical(KEY_USAGE, der::bit_string(7, &[0b1000_0000])),
            Ext::critical(EXTENDED_KEY_USAGE, der::seq(&[der::oid(OCSP_SIGNING)])),
            Ext::new(NO_CHECK, der::null()),
            Ext::new(SUBJECT_KEY_ID, der::octet_string(&responder_key().key_id())),
            Ext::new(AUTHORITY_KEY_ID, authority_key_id(key)),
        ];
        Self { name: name.to_vec(), key, responder }
    }

    /// The authority without a technology.
    pub fn test() -> Self {
        Self::new(&name("Test Authority"), authority_key())
    }

    /// Its certificate, issued by itself.
    pub fn certificate(&self) -> Vec<u8> {
        let mut spec = certificate(&self.name, self.key, vec![1], "");
        spec.subject.clone_from(&self.name);
        spec.spki = self.key.spki().to_vec();
        spec.extensions = vec![
            Ext::critical(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])),
            Ext::critical(KEY_USAGE, der::bit_string(1, &[0b0000_0110])),
        ];
        spec.sign(self.key)
    }

    /// A certificate that it issued, for a key which nobody uses.
    pub fn issue(&self, serial: &[u8]) -> Vec<u8> {
        certificate(&self.name, self.key, serial.to_vec(), "Subject").sign(self.key)
    }

    /// The `CertID` of a certificate with this serial number (INTEGER content), DER.
    pub fn cert_id(&self, hash: Hash, serial: &[u8]) -> Vec<u8> {
        der::seq(&[
            der::seq(&[der::oid(hash.oid()), der::null()]),
            der::octet_string(&hash.of(&self.name)),
            der::octet_string(&hash.of(self.key.public())),
            der::tlv(der::INTEGER, serial),
        ])
    }

    /// A question about the certificate with this serial number (INTEGER content), DER.
    pub fn question(&self, serial: &[u8], nonce: &[u8]) -> Vec<u8> {
        let list = der::seq(&[der::seq(&[self.cert_id(Hash::Sha384, serial)])]);
        let nonce = Ext::new(NONCE, der::octet_string(nonce)).encode();
        der::seq(&[der::seq(&[list, der::context(2, &[der::seq(&[nonce])])])])
    }

    /// An answer that the certificate with this serial number (INTEGER content) is good, current for a day from
    /// [`NOW`] on, without nonce.
    pub fn answer(&self, serial: &[u8]) -> Answer {
        Answer {
            status: 0,
            response_type: BASIC.to_owned(),
            version: None,
            responder: der::context(2, &[der::octet_string(&responder_key().key_id())]),
            produced_at: NOW,
            singles: vec![Single {
                id: self.cert_id(Hash::Sha384, serial),
                status: CertStatus::Good,
                this_update: NOW,
                next_update: Some(NOW + DAY),
                extensions: Vec::new(),
            }],
            extensions: Vec::new(),
            algorithm: algorithm(responder_key()),
            certificates: vec![self.responder.sign(self.key)],
        }
    }
}

fn certificate(issuer: &[u8], key: &SignKey, serial: Vec<u8>, subject: &str) -> CertSpec {
    CertSpec {
        version: Some(2),
        serial,
        inner_algorithm: algorithm(key),
        issuer: issuer.to_vec(),
        not_before: NOW - 365 * DAY,
        not_after: NOW + 365 * DAY,
        subject: name(subject),
        spki: crate::snp::keys::stranger_p384().spki().to_vec(),
        extensions: vec![Ext::critical(KEY_USAGE, der::bit_string(7, &[0b1000_0000]))],
        outer_algorithm: algorithm(key),
        signing: SigKind::Ecdsa,
    }
}
