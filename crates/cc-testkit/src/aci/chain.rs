//! The certificates of endorsements, in the shape of Microsoft's supply chain: root, authority, signer.
//!
//! Signatures are PKCS#1 v1.5, which is deterministic, so that the root's fingerprint is fixed without a committed
//! certificate.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::keys;
use crate::der;
use crate::snp::ca::{BASIC_CONSTRAINTS, CA_NOT_AFTER, CA_NOT_BEFORE, KEY_USAGE};
use crate::snp::{CertSpec, Ext, SigKind, SignKey};

/// Identifier of extendedKeyUsage.
pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// The purpose of signers of other components, which the signers of utility VMs have beside their own.
pub const OTHER_PURPOSE: &str = "1.3.6.1.4.1.311.76.59.1.1";
/// The purpose of signers of utility VMs.
pub const PURPOSE: &str = "1.3.6.1.4.1.311.76.59.1.2";
/// The feed of container groups.
pub const FEED: &str = "ContainerPlat-AMD-UVM";

/// Three certificates before they are signed, and who signs them.
#[derive(Clone)]
pub struct Chain {
    /// The signer's certificate.
    pub signer: CertSpec,
    /// The authority's.
    pub authority: CertSpec,
    /// The root's.
    pub root: CertSpec,
    /// Signs endorsements.
    pub signer_key: &'static SignKey,
    /// Signs the signer's certificate.
    pub authority_key: &'static SignKey,
    /// Signs the authority's certificate and its own.
    pub root_key: &'static SignKey,
}

impl Chain {
    /// The committed chain.
    pub fn new() -> Self {
        Self::with_keys(keys::signer(), keys::authority(), keys::root())
    }

    /// The same names and contents with other keys.
    pub fn with_keys(
        signer_key: &'static SignKey,
        authority_key: &'static SignKey,
        root_key: &'static SignKey,
    ) -> Self {
        let root_name = name("Synthetic Supply Chain RSA Root CA");
        let authority_name = name("Synthetic SCD Products RSA CA");
        let purposes = der::seq(&[der::oid(OTHER_PURPOSE), der::oid(PURPOSE)]);
        let signer = vec![
            Ext::critical(KEY_USAGE, der::bit_string(7, &[0b1000_0000])),
            Ext::new(EXTENDED_KEY_USAGE, purposes),
            Ext::critical(BASIC_CONSTRAINTS, der::seq::<&[u8]>(&[])),
        ];
        let ca = vec![
            Ext::critical(KEY_USAGE, der::bit_string(1, &[0b1000_0110])),
            Ext::critical(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])),
        ];
        Self {
            signer: spec(3, &authority_name, &name("ContainerPlat"), signer_key, signer),
            authority: spec(2, &root_name, &authority_name, authority_key, ca.clone()),
            root: spec(1, &root_name, &root_name, root_key, ca),
            signer_key,
            authority_key,
            root_key,
        }
    }

    /// The certificates from the signer's upwards, DER.
    pub fn ders(&self) -> Vec<Vec<u8>> {
        vec![
            self.signer.sign(self.authority_key),
            self.authority.sign(self.root_key),
            self.root.sign(self.root_key),
        ]
    }

    /// The DID that pins the root and the purpose of signers of utility VMs.
    pub fn did(&self) -> String {
        did_of(&self.root.sign(self.root_key))
    }
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

/// The DID that pins this certificate.
pub fn did_of(der: &[u8]) -> String {
    let fingerprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, der));
    format!("did:x509:0:sha256:{fingerprint}::eku:{PURPOSE}")
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, tag: u8, value: &str| {
        der::set(&[der::seq(&[der::oid(kind), der::tlv(tag, value.as_bytes())])])
    };
    der::seq(&[
        attribute("2.5.4.6", der::PRINTABLE_STRING, "US"),
        attribute("2.5.4.10", der::PRINTABLE_STRING, "Synthetic Corporation"),
        attribute("2.5.4.3", der::PRINTABLE_STRING, common_name),
    ])
}

fn spec(serial: u8, issuer: &[u8], subject: &[u8], key: &SignKey, extensions: Vec<Ext>) -> CertSpec {
    CertSpec {
        version: Some(2),
        serial: vec![serial],
        inner_algorithm: SigKind::Pkcs1Sha384.algorithm(),
        issuer: issuer.to_vec(),
        not_before: CA_NOT_BEFORE,
        not_after: CA_NOT_AFTER,
        subject: subject.to_vec(),
        spki: key.spki().to_vec(),
        extensions,
        outer_algorithm: SigKind::Pkcs1Sha384.algorithm(),
        signing: SigKind::Pkcs1Sha384,
    }
}
