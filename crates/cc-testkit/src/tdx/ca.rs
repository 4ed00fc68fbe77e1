//! The authorities: specifications in Intel's shape, and the committed certificates.
//!
//! The committed ones (`keys/tdx-*.der`) are byte-stable although ECDSA signatures are random, because a trust anchor
//! is compared as a whole. `examples/gen-keys.rs` makes them anew together with the keys.

use super::keys;
use crate::der;
use crate::snp::ca::{
    AUTHORITY_KEY_ID, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, KEY_USAGE, SUBJECT_KEY_ID, authority_key_id,
};
use crate::snp::{CertSpec, Ext, SigKind, SignKey};

/// Which authority issued the PCK certificate of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ca {
    /// Multi-package platforms, all that have TDX; leaves carry the platform instance id and the configuration.
    Platform,
    /// Single-package processors.
    Processor,
}

impl Ca {
    /// Both authorities.
    pub const ALL: [Self; 2] = [Self::Platform, Self::Processor];

    /// The common name of the authority.
    pub fn name(self) -> &'static str {
        match self {
            Self::Platform => "Intel SGX PCK Platform CA",
            Self::Processor => "Intel SGX PCK Processor CA",
        }
    }

    /// The committed certificate.
    pub fn der(self) -> &'static [u8] {
        match self {
            Self::Platform => include_bytes!("../../keys/tdx-platform-ca.der"),
            Self::Processor => include_bytes!("../../keys/tdx-processor-ca.der"),
        }
    }

    pub(super) fn crl_address(self) -> String {
        let ca = if self == Self::Platform { "platform" } else { "processor" };
        format!("https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca={ca}&encoding=der")
    }
}

/// Common name of the root.
pub const ROOT_NAME: &str = "Intel SGX Root CA";
/// Common name of the signer of TCB infos and QE identities.
pub const SIGNER_NAME: &str = "Intel SGX TCB Signing";

/// Start of validity of the authorities: 2020-01-01T00:00:00Z.
pub const CA_NOT_BEFORE: i64 = 1_577_836_800;
/// End of validity of the root: 2049-12-31T23:59:59Z.
pub const ROOT_NOT_AFTER: i64 = 2_524_607_999;
/// End of validity of the PCK authorities and of the signer: 2035-01-01T00:00:00Z.
pub const CA_NOT_AFTER: i64 = 2_051_222_400;

/// Key usage of authorities: keyCertSign and cRLSign.
pub const USAGE_CA: (u8, u8) = (1, 0b0000_0110);
/// Key usage of PCK leaves and signers: digitalSignature and nonRepudiation.
pub const USAGE_LEAF: (u8, u8) = (6, 0b1100_0000);

const ROOT_CRL_ADDRESS: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/// The committed root certificate.
pub fn root_der() -> &'static [u8] {
    include_bytes!("../../keys/tdx-root.der")
}

/// The committed certificate of the signer of TCB infos and QE identities.
pub fn signer_der() -> &'static [u8] {
    include_bytes!("../../keys/tdx-tcb-signing.der")
}

/// The name that Intel's certificates have but for the common name: CN, O, L, ST, C.
pub fn intel_name(common_name: &str) -> Vec<u8> {
    let attribute = |kind: &str, tag: u8, value: &str| {
        der::set(&[der::seq(&[der::oid(kind), der::tlv(tag, value.as_bytes())])])
    };
    der::seq(&[
        attribute("2.5.4.3", der::UTF8_STRING, common_name),
        attribute("2.5.4.10", der::UTF8_STRING, "Intel Corporation"),
        attribute("2.5.4.7", der::UTF8_STRING, "Santa Clara"),
        attribute("2.5.4.8", der::UTF8_STRING, "CA"),
        attribute("2.5.4.6", der::PRINTABLE_STRING, "US"),
    ])
}

/// The identifier of ECDSA with SHA-256.
pub fn ecdsa_sha256() -> Vec<u8> {
    der::seq(&[der::oid("1.2.840.10045.4.3.2")])
}

/// The root with any key.
pub fn root_with_key(key: &SignKey) -> CertSpec {
    let constraints = der::seq(&[der::boolean(true), der::integer(1)]);
    let mut spec = certificate(ROOT_NAME, ROOT_NAME, key, key, ROOT_CRL_ADDRESS, USAGE_CA, constraints);
    spec.not_after = ROOT_NOT_AFTER;
    spec
}

/// A PCK authority with any key under any root key.
pub fn pck_ca_with_keys(ca: Ca, key: &SignKey, root: &SignKey) -> CertSpec {
    let constraints = der::seq(&[der::boolean(true), der::integer(0)]);
    certificate(ca.name(), ROOT_NAME, key, root, ROOT_CRL_ADDRESS, USAGE_CA, constraints)
}

/// The signer of TCB infos and QE identities with any key under any root key.
pub fn signer_with_keys(key: &SignKey, root: &SignKey) -> CertSpec {
    certificate(SIGNER_NAME, ROOT_NAME, key, root, ROOT_CRL_ADDRESS, USAGE_LEAF, der::seq::<Vec<u8>>(&[]))
}

/// The root with its committed key.
pub fn root() -> CertSpec {
    root_with_key(keys::root())
}

/// A PCK authority with its committed key, under the committed root.
pub fn pck_ca(ca: Ca) -> CertSpec {
    pck_ca_with_keys(ca, keys::pck_ca(ca), keys::root())
}

/// The signer with its committed key, under the committed root.
pub fn signer() -> CertSpec {
    signer_with_keys(keys::tcb_signing(), keys::root())
}

/// A certificate in the form that all of Intel's have; the serial number is the subject key identifier, as in those
/// of the authorities.
pub(super) fn certificate(
    subject: &str,
    issuer: &str,
    key: &SignKey,
    issuer_key: &SignKey,
    crl_address: &str,
    (unused_bits, usage): (u8, u8),
    constraints: Vec<u8>,
) -> CertSpec {
    CertSpec {
        version: Some(2),
        serial: serial(&key.key_id()),
        inner_algorithm: ecdsa_sha256(),
        issuer: intel_name(issuer),
        not_before: CA_NOT_BEFORE,
        not_after: CA_NOT_AFTER,
        subject: intel_name(subject),
        spki: key.spki().to_vec(),
        extensions: vec![
            Ext::new(AUTHORITY_KEY_ID, authority_key_id(issuer_key)),
            Ext::new(CRL_DISTRIBUTION_POINTS, distribution_point(crl_address)),
            Ext::new(SUBJECT_KEY_ID, der::octet_string(&key.key_id())),
            Ext::critical(KEY_USAGE, der::bit_string(unused_bits, &[usage])),
            Ext::critical(BASIC_CONSTRAINTS, constraints),
        ],
        outer_algorithm: ecdsa_sha256(),
        signing: SigKind::Ecdsa,
    }
}

/// INTEGER content bytes of a positive number.
pub(super) fn serial(number: &[u8]) -> Vec<u8> {
    let mut content: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    if content.first().is_none_or(|byte| byte & 0x80 != 0) {
        content.insert(0, 0);
    }
    content
}

fn distribution_point(uri: &str) -> Vec<u8> {
    let full_name = der::context(0, &[der::context_primitive(6, uri.as_bytes())]);
    der::seq(&[der::seq(&[der::context(0, &[full_name])])])
}
