//! X.509 certificates as specifications which are edited and then signed.
//!
//! Every field of RFC 5280's `TBSCertificate` is a public field; nothing is checked, so that wrong certificates can
//! be made. For structures that a [`CertSpec`] cannot express, edit the bytes of [`CertSpec::tbs`] and call
//! [`sign_tbs`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::keys::SignKey;
use crate::der;

/// A signature algorithm for certificates and revocation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigKind {
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a 48-byte salt, the parameters as AMD's roots write them
    /// (trailer field explicit).
    PssSha384,
    /// The same algorithm with the default trailer field left out, as newer leaf certificates have it.
    PssSha384ShortParameters,
    /// RSASSA-PSS with SHA-256 and a 32-byte salt.
    PssSha256,
    /// RSASSA-PSS with SHA-512 and a 64-byte salt.
    PssSha512,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Pkcs1Sha512,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Pkcs1Sha384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Pkcs1Sha256,
    /// ECDSA with the hash of the key's curve; the identifier says SHA-384.
    Ecdsa,
}

impl SigKind {
    /// The AlgorithmIdentifier, DER.
    pub fn algorithm(self) -> Vec<u8> {
        const SHA256: &str = "2.16.840.1.101.3.4.2.1";
        const SHA384: &str = "2.16.840.1.101.3.4.2.2";
        const SHA512: &str = "2.16.840.1.101.3.4.2.3";
        match self {
            Self::PssSha384 => pss(SHA384, 48, true),
            Self::PssSha384ShortParameters => pss(SHA384, 48, false),
            Self::PssSha256 => pss(SHA256, 32, true),
            Self::PssSha512 => pss(SHA512, 64, true),
            Self::Pkcs1Sha512 => der::seq(&[der::oid("1.2.840.113549.1.1.13"), der::null()]),
            Self::Pkcs1Sha384 => der::seq(&[der::oid("1.2.840.113549.1.1.12"), der::null()]),
            Self::Pkcs1Sha256 => der::seq(&[der::oid("1.2.840.113549.1.1.11"), der::null()]),
            Self::Ecdsa => der::seq(&[der::oid("1.2.840.10045.4.3.3")]),
        }
    }
}

/// RSASSA-PSS parameters (RFC 4055, 3.1) with one hash for message and mask.
fn pss(hash: &str, salt: u64, trailer: bool) -> Vec<u8> {
    let hash = der::seq(&[der::oid(hash), der::null()]);
    let mask = der::seq(&[der::oid("1.2.840.113549.1.1.8"), hash.clone()]);
    let mut parameters =
        vec![der::context(0, &[hash]), der::context(1, &[mask]), der::context(2, &[der::integer(salt)])];
    if trailer {
        parameters.push(der::context(3, &[der::integer(1)]));
    }
    der::seq(&[der::oid("1.2.840.113549.1.1.10"), der::seq(&parameters)])
}

/// One extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ext {
    /// The identifier, dotted.
    pub oid: String,
    /// Whether it is marked critical (written only when true, as DER wants).
    pub critical: bool,
    /// The content of the `extnValue` OCTET STRING.
    pub value: Vec<u8>,
}

impl Ext {
    /// An extension that is not critical.
    pub fn new(oid: impl Into<String>, value: Vec<u8>) -> Self {
        Self { oid: oid.into(), critical: false, value }
    }

    /// A critical extension.
    pub fn critical(oid: impl Into<String>, value: Vec<u8>) -> Self {
        Self { oid: oid.into(), critical: true, value }
    }

    /// The `Extension` SEQUENCE.
    pub fn encode(&self) -> Vec<u8> {
        let mut fields = vec![der::oid(&self.oid)];
        if self.critical {
            fields.push(der::boolean(true));
        }
        fields.push(der::octet_string(&self.value));
        der::seq(&fields)
    }
}

/// A certificate before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertSpec {
    /// The encoded version number: 2 means X.509 v3; `None` leaves the field out (v1).
    pub version: Option<u64>,
    /// The content bytes of the serial number INTEGER (big-endian two's complement).
    pub serial: Vec<u8>,
    /// The algorithm identifier inside the signed part, DER.
    pub inner_algorithm: Vec<u8>,
    /// The issuer name, DER; see [`amd_name`].
    pub issuer: Vec<u8>,
    /// Start of validity, seconds since 1970.
    pub not_before: i64,
    /// End of validity (inclusive), seconds since 1970.
    pub not_after: i64,
    /// The subject name, DER.
    pub subject: Vec<u8>,
    /// The SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// The extensions in order; the field is left out when there are none.
    pub extensions: Vec<Ext>,
    /// The algorithm identifier outside the signed part, DER.
    pub outer_algorithm: Vec<u8>,
    /// The kind of signature that [`CertSpec::sign`] makes.
    pub signing: SigKind,
}

impl CertSpec {
    /// Sets the kind of signature and both algorithm identifiers.
    pub fn set_algorithm(&mut self, kind: SigKind) {
        self.signing = kind;
        self.inner_algorithm = kind.algorithm();
        self.outer_algorithm = kind.algorithm();
    }

    /// The first extension with this identifier. Panics if there is none.
    pub fn ext_mut(&mut self, oid: &str) -> &mut Ext {
        let found = self.extensions.iter_mut().find(|ext| ext.oid == oid);
        found.unwrap_or_else(|| panic!("no extension {oid}"))
    }

    /// Replaces the value of the extension with this identifier, or appends it (not critical).
    pub fn set_ext(&mut self, oid: &str, value: Vec<u8>) {
        match self.extensions.iter_mut().find(|ext| ext.oid == oid) {
            Some(ext) => ext.value = value,
            None => self.extensions.push(Ext::new(oid, value)),
        }
    }

    /// Removes every extension with this identifier. Panics if there is none.
    pub fn remove_ext(&mut self, oid: &str) {
        let before = self.extensions.len();
        self.extensions.retain(|ext| ext.oid != oid);
        assert!(self.extensions.len() < before, "no extension {oid}");
    }

    /// Appends a second extension with an identifier that is there already, with this value.
    pub fn duplicate_ext(&mut self, oid: &str, value: Vec<u8>) {
        let mut copy = self.ext_mut(oid).clone();
        copy.value = value;
        self.extensions.push(copy);
    }

    /// The `TBSCertificate`, DER.
    pub fn tbs(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        if let Some(version) = self.version {
            fields.push(der::context(0, &[der::integer(version)]));
        }
        fields.push(der::tlv(der::INTEGER, &self.serial));
        fields.push(self.inner_algorithm.clone());
        fields.push(self.issuer.clone());
        fields.push(der::seq(&[der::time(self.not_before), der::time(self.not_after)]));
        fields.push(self.subject.clone());
        fields.push(self.spki.clone());
        if !self.extensions.is_empty() {
            let extensions: Vec<_> = self.extensions.iter().map(Ext::encode).collect();
            fields.push(der::context(3, &[der::seq(&extensions)]));
        }
        der::seq(&fields)
    }

    /// The signed certificate, DER, with the signature kind of the specification.
    pub fn sign(&self, key: &SignKey) -> Vec<u8> {
        sign(self, key, self.signing)
    }
}

/// The certificate with a signature of any kind, whatever its algorithm identifiers say.
pub fn sign(spec: &CertSpec, key: &SignKey, kind: SigKind) -> Vec<u8> {
    sign_tbs(&spec.tbs(), &spec.outer_algorithm, key, kind)
}

/// The outer SEQUENCE of certificates and revocation lists around any bytes to be signed.
pub fn sign_tbs(tbs: &[u8], outer_algorithm: &[u8], key: &SignKey, kind: SigKind) -> Vec<u8> {
    let signature = der::bit_string(0, &key.sign(kind, tbs));
    der::seq(&[tbs, outer_algorithm, &signature])
}

/// The name that all of AMD's certificates have but for the common name: OU, C, L, ST, O, CN.
pub fn amd_name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, tag: u8, value: &str| {
        der::set(&[der::seq(&[der::oid(kind), der::tlv(tag, value.as_bytes())])])
    };
    der::seq(&[
        attribute("2.5.4.11", der::UTF8_STRING, "Engineering"),
        attribute("2.5.4.6", der::PRINTABLE_STRING, "US"),
        attribute("2.5.4.7", der::UTF8_STRING, "Santa Clara"),
        attribute("2.5.4.8", der::UTF8_STRING, "CA"),
        attribute("2.5.4.10", der::UTF8_STRING, "Advanced Micro Devices"),
        attribute("2.5.4.3", der::UTF8_STRING, common_name),
    ])
}

/// A certificate in PEM: lines of 64 characters, a line feed after each.
pub fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}
