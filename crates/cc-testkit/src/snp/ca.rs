//! The certification authorities: specifications in AMD's shape, and the committed certificates.
//!
//! The committed ones (`keys/*.der`) are byte-stable although PSS signatures are random, because a trust anchor is
//! compared as a whole. `examples/gen-keys.rs` makes them anew together with the keys.

use super::cert::{CertSpec, Ext, SigKind, amd_name};
use super::keys::{self, SignKey};
use super::product::{LeafKind, Product};
use crate::der;

/// Identifier of basicConstraints.
pub const BASIC_CONSTRAINTS: &str = "2.5.29.19";
/// Identifier of keyUsage.
pub const KEY_USAGE: &str = "2.5.29.15";
/// Identifier of subjectKeyIdentifier.
pub const SUBJECT_KEY_ID: &str = "2.5.29.14";
/// Identifier of authorityKeyIdentifier.
pub const AUTHORITY_KEY_ID: &str = "2.5.29.35";
/// Identifier of cRLDistributionPoints.
pub const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";

/// Start of validity of the authorities: 2020-01-01T00:00:00Z.
pub const CA_NOT_BEFORE: i64 = 1_577_836_800;
/// End of validity of the authorities: 2049-12-31T23:59:59Z, the last second that is written as UTCTime.
pub const CA_NOT_AFTER: i64 = 2_524_607_999;

/// The committed root certificate of the product line.
pub fn ark_der(product: Product) -> &'static [u8] {
    match product {
        Product::Milan => include_bytes!("../../keys/ark-milan.der"),
        Product::Genoa => include_bytes!("../../keys/ark-genoa.der"),
        Product::Turin => include_bytes!("../../keys/ark-turin.der"),
    }
}

/// The committed certificate of the VCEK issuer.
pub fn ask_der(product: Product) -> &'static [u8] {
    match product {
        Product::Milan => include_bytes!("../../keys/ask-milan.der"),
        Product::Genoa => include_bytes!("../../keys/ask-genoa.der"),
        Product::Turin => include_bytes!("../../keys/ask-turin.der"),
    }
}

/// The committed certificate of the VLEK issuer.
pub fn asvk_der(product: Product) -> &'static [u8] {
    match product {
        Product::Milan => include_bytes!("../../keys/asvk-milan.der"),
        Product::Genoa => include_bytes!("../../keys/asvk-genoa.der"),
        Product::Turin => include_bytes!("../../keys/asvk-turin.der"),
    }
}

/// The committed certificate of the issuer of leaves of this kind: [`ask_der`] or [`asvk_der`].
pub fn intermediate_der(product: Product, kind: LeafKind) -> &'static [u8] {
    match kind {
        LeafKind::Vcek => ask_der(product),
        LeafKind::Vlek => asvk_der(product),
    }
}

/// Common name of the root: `ARK-<Product>`.
pub fn ark_name(product: Product) -> String {
    format!("ARK-{}", product.name())
}

/// Common name of the issuer of leaves of this kind: `SEV-<Product>` or `SEV-VLEK-<Product>`.
pub fn intermediate_name(product: Product, kind: LeafKind) -> String {
    match kind {
        LeafKind::Vcek => format!("SEV-{}", product.name()),
        LeafKind::Vlek => format!("SEV-VLEK-{}", product.name()),
    }
}

/// Serial number (INTEGER content bytes) of the root.
pub fn ark_serial(product: Product) -> Vec<u8> {
    vec![0x5A, line(product), 0]
}

/// Serial number (INTEGER content bytes) of the issuer of leaves of this kind.
pub fn intermediate_serial(product: Product, kind: LeafKind) -> Vec<u8> {
    vec![0x5A, line(product), if kind == LeafKind::Vcek { 1 } else { 2 }]
}

fn line(product: Product) -> u8 {
    match product {
        Product::Milan => 1,
        Product::Genoa => 2,
        Product::Turin => 3,
    }
}

impl CertSpec {
    /// The root of the product line with its committed key.
    pub fn ark(product: Product) -> Self {
        Self::ark_with_key(product, keys::ark(product))
    }

    /// A root with the names of the product line and any key.
    pub fn ark_with_key(product: Product, key: &SignKey) -> Self {
        let extensions = vec![
            Ext::critical(KEY_USAGE, der::bit_string(1, &[0b0000_0110])),
            Ext::new(SUBJECT_KEY_ID, der::octet_string(&key.key_id())),
            Ext::critical(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])),
            Ext::new(CRL_DISTRIBUTION_POINTS, distribution_point(product, LeafKind::Vcek)),
        ];
        let name = amd_name(&ark_name(product));
        authority(ark_serial(product), name.clone(), name, key, extensions)
    }

    /// The ASK (for VCEK leaves) or ASVK (for VLEK leaves) with its committed key, issued by the committed root.
    pub fn intermediate(product: Product, kind: LeafKind) -> Self {
        Self::intermediate_with_keys(product, kind, keys::intermediate(product, kind), keys::ark(product))
    }

    /// An ASK or ASVK with any key and any issuer key.
    pub fn intermediate_with_keys(product: Product, kind: LeafKind, key: &SignKey, issuer: &SignKey) -> Self {
        let extensions = vec![
            Ext::new(SUBJECT_KEY_ID, der::octet_string(&key.key_id())),
            Ext::new(AUTHORITY_KEY_ID, authority_key_id(issuer)),
            Ext::critical(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true), der::integer(0)])),
            // One unused bit too few for DER: so AMD writes it.
            Ext::critical(KEY_USAGE, der::bit_string(1, &[0b0000_0100])),
            Ext::new(CRL_DISTRIBUTION_POINTS, distribution_point(product, kind)),
        ];
        let (issuer, subject) = (amd_name(&ark_name(product)), amd_name(&intermediate_name(product, kind)));
        authority(intermediate_serial(product, kind), issuer, subject, key, extensions)
    }
}

/// The value of an authorityKeyIdentifier that names this key.
pub fn authority_key_id(issuer: &SignKey) -> Vec<u8> {
    der::seq(&[der::context_primitive(0, &issuer.key_id())])
}

fn authority(
    serial: Vec<u8>,
    issuer: Vec<u8>,
    subject: Vec<u8>,
    key: &SignKey,
    extensions: Vec<Ext>,
) -> CertSpec {
    CertSpec {
        version: Some(2),
        serial,
        inner_algorithm: SigKind::PssSha384.algorithm(),
        issuer,
        not_before: CA_NOT_BEFORE,
        not_after: CA_NOT_AFTER,
        subject,
        spki: key.spki().to_vec(),
        extensions,
        outer_algorithm: SigKind::PssSha384.algorithm(),
        signing: SigKind::PssSha384,
    }
}

fn distribution_point(product: Product, kind: LeafKind) -> Vec<u8> {
    let kind = if kind == LeafKind::Vcek { "vcek" } else { "vlek" };
    let uri = format!("https://kdsintf.amd.com/{kind}/v1/{}/crl", product.name());
    let full_name = der::context(0, &[der::context_primitive(6, uri.as_bytes())]);
    der::seq(&[der::seq(&[der::context(0, &[full_name])])])
}
