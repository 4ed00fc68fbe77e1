//! The chain of a manifest's signer.

use crate::der;
use crate::snp::ca::{AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, KEY_USAGE, SUBJECT_KEY_ID, authority_key_id};
use crate::snp::keys::key;
use crate::snp::mint::{DAY, NOW};
use crate::snp::{CertSpec, Ext, SigKind, SignKey};

/// Identifier of authorityInfoAccess.
const AUTHORITY_INFO_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
/// Names of root, authority, issuer and signer.
const NAMES: [&str; 4] = [
    "NVIDIA CoRIM signing Root CA",
    "NVIDIA Reference Value GH100 CA",
    "NVIDIA Reference Value L3 GH100 001",
    "HCC RIM L4 Signer",
];

/// The committed root certificate.
pub fn root_der() -> &'static [u8] {
    include_bytes!("../../../keys/rim-root.der")
}

/// Root, authority, issuer and signer: specifications that can be edited, and their keys.
#[derive(Clone)]
pub struct Chain {
    /// Root first.
    pub specs: [CertSpec; 4],
    /// Their keys.
    pub keys: [&'static SignKey; 4],
    /// The root certificate; the others are signed when they are asked for.
    pub root: Vec<u8>,
}

impl Chain {
    /// NVIDIA's, with the committed keys and root.
    pub fn nvidia() -> Self {
        let keys = [
            key!(SignKey::p384, "rim-root.p8"),
            key!(SignKey::p384, "rim-authority.p8"),
            key!(SignKey::p384, "rim-issuer.p8"),
            key!(SignKey::p384, "rim-signer.p8"),
        ];
        Self::with_keys(keys, root_der().to_vec())
    }

    /// With any keys, and any root certificate at the end.
    pub fn with_keys(keys: [&'static SignKey; 4], root: Vec<u8>) -> Self {
        let [top, authority, issuer, signer] = keys;
        let specs = [
            root_with_key(top),
            certificate(1, authority, top, Some(&[der::boolean(true)])),
            certificate(2, issuer, authority, Some(&[der::boolean(true), der::integer(0)])),
            certificate(3, signer, issuer, None),
        ];
        Self { specs, keys, root }
    }

    /// The certificates as they stand in manifests: signer first, root last, DER.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        let [_, authority, issuer, signer] = &self.specs;
        let [top, by_top, by_authority, _] = self.keys;
        vec![signer.sign(by_authority), issuer.sign(by_top), authority.sign(top), self.root.clone()]
    }
}

/// The root with any key.
pub fn root_with_key(key: &SignKey) -> CertSpec {
    let mut root = certificate(0, key, key, Some(&[der::boolean(true)]));
    (root.not_before, root.not_after) = (NOW - 1000 * DAY, NOW + 10_000 * DAY);
    root
}

fn certificate(level: usize, key: &SignKey, issuer: &SignKey, authority: Option<&[Vec<u8>]>) -> CertSpec {
    let usage = if authority.is_some() { (1, 0b0000_0110) } else { (7, 0b1000_0000) };
    let location = der::context_primitive(6, b"http://ocsp.ndis.nvidia.com");
    let access = der::seq(&[der::oid("1.3.6.1.5.5.7.48.1"), location]);
    let serial: Vec<u8> = [&[0x40], &key.key_id()[..15]].concat();
    CertSpec {
        version: Some(2),
        serial,
        inner_algorithm: SigKind::Ecdsa.algorithm(),
        issuer: name(NAMES[level.saturating_sub(1)]),
        not_before: NOW - 100 * DAY,
        not_after: NOW + 600 * DAY,
        subject: name(NAMES[level]),
        spki: key.spki().to_vec(),
        extensions: vec![
            Ext::critical(BASIC_CONSTRAINTS, der::seq(authority.unwrap_or_default())),
            Ext::critical(KEY_USAGE, der::bit_string(usage.0, &[usage.1])),
            Ext::new(AUTHORITY_INFO_ACCESS, der::seq(&[access])),
            Ext::new(SUBJECT_KEY_ID, der::octet_string(&key.key_id())),
            Ext::new(AUTHORITY_KEY_ID, authority_key_id(issuer)),
        ],
        outer_algorithm: SigKind::Ecdsa.algorithm(),
        signing: SigKind::Ecdsa,
    }
}

/// Organisation and common name.
fn name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, value: &str| {
        der::set(&[der::seq(&[der::oid(kind), der::tlv(der::UTF8_STRING, value.as_bytes())])])
    };
    der::seq(&[attribute("2.5.4.10", "NVIDIA Corporation"), attribute("2.5.4.3", common_name)])
}
