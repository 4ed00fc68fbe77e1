//! The claims that the steps need.
//!
//! The raw words are read, not the parts decoded beside them: two readings of one field cannot disagree.

use cc_core::{Claims, UnixTime};

use super::values::{ChipId, FwVersion, Product, SigningKey, parse_word};
use crate::facts::{Fact, bytes, integer, printable, read, read_text};

/// What the claims say.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) version: Fact<u64>,
    pub(super) signing_key: Fact<SigningKey>,
    pub(super) product: Fact<Product>,
    pub(super) chip_id: Fact<ChipId>,
    /// The HWID in the leaf certificate.
    pub(super) hwid: Fact<ChipId>,
    pub(super) csp_id: Fact<String>,
    pub(super) crl_this_update: Fact<UnixTime>,
    pub(super) reported_tcb: Fact<[u8; 8]>,
    pub(super) current_tcb: Fact<[u8; 8]>,
    pub(super) committed_tcb: Fact<[u8; 8]>,
    pub(super) launch_tcb: Fact<[u8; 8]>,
    pub(super) current_fw: Fact<FwVersion>,
    pub(super) committed_fw: Fact<FwVersion>,
    pub(super) vmpl: Fact<u64>,
    pub(super) policy: Fact<u64>,
    pub(super) platform_info: Fact<u64>,
    pub(super) report_id_ma: Fact<[u8; 32]>,
    pub(super) current_mit_vector: Fact<u64>,
    pub(super) launch_mit_vector: Fact<u64>,
    pub(super) measurement: Fact<[u8; 48]>,
    pub(super) host_data: Fact<[u8; 32]>,
    pub(super) author_key_en: Fact<bool>,
    pub(super) id_key_digest: Fact<[u8; 48]>,
    pub(super) author_key_digest: Fact<[u8; 48]>,
    pub(super) guest_svn: Fact<u64>,
    pub(super) family_id: Fact<[u8; 16]>,
    pub(super) image_id: Fact<[u8; 16]>,
}

impl Facts {
    pub(super) fn read(claims: &Claims) -> Self {
        let nothing = Claims::new();
        let leaf = claims.map("leaf_ext").unwrap_or(&nothing);
        Self {
            version: integer(claims, "version"),
            signing_key: read_text(claims, "signing_key", |text| match text {
                "VCEK" => Some(SigningKey::Vcek),
                "VLEK" => Some(SigningKey::Vlek),
                _ => None,
            }),
            product: read_text(claims, "product", Product::parse),
            chip_id: read(claims, "chip_id", |c, n| {
                c.bytes::<64>(n).map(|bytes| ChipId::parse(&hex::encode(bytes)))
            }),
            hwid: read_text(leaf, "hwID", |text| {
                let lower = !text.bytes().any(|b| b.is_ascii_uppercase());
                lower.then(|| ChipId::parse(text))?.filter(|chip| !chip.is_masked())
            }),
            csp_id: read_text(leaf, "cspID", printable),
            crl_this_update: read_text(claims, "crl_this_update", UnixTime::parse),
            reported_tcb: bytes(claims, "reported_tcb"),
            current_tcb: bytes(claims, "current_tcb"),
            committed_tcb: bytes(claims, "committed_tcb"),
            launch_tcb: bytes(claims, "launch_tcb"),
            current_fw: firmware(claims, "current_fw"),
            committed_fw: firmware(claims, "committed_fw"),
            vmpl: integer(claims, "vmpl"),
            policy: read_text(claims, "policy", parse_word),
            platform_info: read_text(claims, "platform_info", parse_word),
            report_id_ma: bytes(claims, "report_id_ma"),
            current_mit_vector: bytes(claims, "current_mit_vector").map(u64::from_le_bytes),
            launch_mit_vector: bytes(claims, "launch_mit_vector").map(u64::from_le_bytes),
            measurement: bytes(claims, "measurement"),
            host_data: bytes(claims, "host_data"),
            author_key_en: read(claims, "author_key_en", |c, n| {
                c.integer(n).map(|number| match number {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                })
            }),
            id_key_digest: bytes(claims, "id_key_digest"),
            author_key_digest: bytes(claims, "author_key_digest"),
            guest_svn: integer(claims, "guest_svn"),
            family_id: bytes(claims, "family_id"),
            image_id: bytes(claims, "image_id"),
        }
    }
}

fn firmware(claims: &Claims, name: &str) -> Fact<FwVersion> {
    read(claims, name, |claims, name| {
        let parts = claims.map(name)?;
        let part = |name| parts.integer(name).map(|number| u8::try_from(number).ok());
        let (major, minor, build) = (part("major")?, part("minor")?, part("build")?);
        let version = || Some(FwVersion { major: major?, minor: minor?, build: build? });
        Ok(version())
    })
}
