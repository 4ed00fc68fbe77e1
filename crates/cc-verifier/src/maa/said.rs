//! What a token says (*verification.md* 4.3), with the types that the service writes.

use cc_core::{Finding, codes};
use serde::Deserialize;

use super::field::{Claim, Maybe, Text};
use crate::json::present;
use crate::jwt::Payload;

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Fields<'a> {
    iat: u64,
    nbf: u64,
    exp: u64,
    #[serde(default, rename = "x-ms-attestation-type", deserialize_with = "present")]
    attestation_type: Text<'a>,
    #[serde(default, rename = "x-ms-compliance-status", deserialize_with = "present")]
    compliance_status: Text<'a>,
    #[serde(default, rename = "x-ms-policy-hash", deserialize_with = "present")]
    policy_hash: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-is-debuggable", deserialize_with = "present")]
    is_debuggable: Maybe<bool>,
    #[serde(default, rename = "x-ms-sevsnpvm-migration-allowed", deserialize_with = "present")]
    migration_allowed: Maybe<bool>,
    #[serde(default, rename = "x-ms-sevsnpvm-smt-allowed", deserialize_with = "present")]
    smt_allowed: Maybe<bool>,
    #[serde(default, rename = "x-ms-sevsnpvm-vmpl", deserialize_with = "present")]
    vmpl: Maybe<u32>,
    #[serde(default, rename = "x-ms-sevsnpvm-guestsvn", deserialize_with = "present")]
    guestsvn: Maybe<u32>,
    #[serde(default, rename = "x-ms-sevsnpvm-bootloader-svn", deserialize_with = "present")]
    bootloader_svn: Maybe<u8>,
    #[serde(default, rename = "x-ms-sevsnpvm-tee-svn", deserialize_with = "present")]
    tee_svn: Maybe<u8>,
    #[serde(default, rename = "x-ms-sevsnpvm-snpfw-svn", deserialize_with = "present")]
    snpfw_svn: Maybe<u8>,
    #[serde(default, rename = "x-ms-sevsnpvm-microcode-svn", deserialize_with = "present")]
    microcode_svn: Maybe<u8>,
    #[serde(default, rename = "x-ms-sevsnpvm-hostdata", deserialize_with = "present")]
    hostdata: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-launchmeasurement", deserialize_with = "present")]
    launchmeasurement: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-reportdata", deserialize_with = "present")]
    reportdata: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-reportid", deserialize_with = "present")]
    reportid: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-familyId", deserialize_with = "present")]
    family_id: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-imageId", deserialize_with = "present")]
    image_id: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-idkeydigest", deserialize_with = "present")]
    idkeydigest: Text<'a>,
    #[serde(default, rename = "x-ms-sevsnpvm-authorkeydigest", deserialize_with = "present")]
    authorkeydigest: Text<'a>,
}

/// What a token of the one kind says; types are judged, values are not.
pub(super) struct Said {
    pub(super) iat: u64,
    pub(super) nbf: u64,
    pub(super) exp: u64,
    pub(super) policy_hash: String,
    pub(super) is_debuggable: bool,
    pub(super) migration_allowed: bool,
    pub(super) smt_allowed: bool,
    pub(super) vmpl: u32,
    pub(super) guestsvn: u32,
    pub(super) bootloader_svn: u8,
    pub(super) tee_svn: u8,
    pub(super) snpfw_svn: u8,
    pub(super) microcode_svn: u8,
    pub(super) hostdata: [u8; 32],
    pub(super) launchmeasurement: [u8; 48],
    pub(super) reportdata: [u8; 64],
    pub(super) reportid: [u8; 32],
    pub(super) family_id: [u8; 16],
    pub(super) image_id: [u8; 16],
    pub(super) idkeydigest: [u8; 48],
    pub(super) authorkeydigest: [u8; 48],
}

/// `x-ms-attestation-type` of what this is about.
pub(super) const ATTESTATION_TYPE: &str = "sevsnpvm";
/// `x-ms-compliance-status` of what this is about.
pub(super) const COMPLIANCE_STATUS: &str = "azure-compliant-uvm";

impl Said {
    /// M1 and the types of M2, in this order. Only claims at the top level are looked at: those of a confidential VM stand
    /// one level deeper.
    pub(super) fn read(payload: &Payload) -> Result<Self, Finding> {
        let fields: Fields<'_> = payload.read().map_err(|error| {
            // The times were judged before, and every other claim may be anything here.
            Finding::new(codes::MAA_CLAIM_TYPE, error.to_string())
        })?;
        kind("x-ms-attestation-type", fields.attestation_type, ATTESTATION_TYPE, codes::MAA_TYPE_MISMATCH)?;
        let compliance = codes::MAA_COMPLIANCE_MISMATCH;
        kind("x-ms-compliance-status", fields.compliance_status, COMPLIANCE_STATUS, compliance)?;
        Ok(Self {
            iat: fields.iat,
            nbf: fields.nbf,
            exp: fields.exp,
            policy_hash: typed("x-ms-policy-hash", fields.policy_hash)?.into_owned(),
            is_debuggable: typed("is-debuggable", fields.is_debuggable)?,
            migration_allowed: typed("migration-allowed", fields.migration_allowed)?,
            smt_allowed: typed("smt-allowed", fields.smt_allowed)?,
            vmpl: typed("vmpl", fields.vmpl)?,
            guestsvn: typed("guestsvn", fields.guestsvn)?,
            bootloader_svn: typed("bootloader-svn", fields.bootloader_svn)?,
            tee_svn: typed("tee-svn", fields.tee_svn)?,
            snpfw_svn: typed("snpfw-svn", fields.snpfw_svn)?,
            microcode_svn: typed("microcode-svn", fields.microcode_svn)?,
            hostdata: digits("hostdata", fields.hostdata)?,
            launchmeasurement: digits("launchmeasurement", fields.launchmeasurement)?,
            reportdata: digits("reportdata", fields.reportdata)?,
            reportid: digits("reportid", fields.reportid)?,
            family_id: digits("familyId", fields.family_id)?,
            image_id: digits("imageId", fields.image_id)?,
            idkeydigest: digits("idkeydigest", fields.idkeydigest)?,
            authorkeydigest: digits("authorkeydigest", fields.authorkeydigest)?,
        })
    }
}

fn kind(name: &str, field: Text<'_>, wanted: &str, code: cc_core::Code) -> Result<(), Finding> {
    let found = field.and_then(|field| field.0);
    if found.as_deref() == Some(wanted) {
        return Ok(());
    }
    let found = found.map_or_else(|| "absent, or no text".to_owned(), |found| format!("{found:?}"));
    Err(Finding::new(code, format!("`{name}` is {found}, not {wanted:?}")))
}

fn typed<'a, T: Claim<'a>>(name: &str, field: Maybe<T>) -> Result<T, Finding> {
    field
        .and_then(|field| field.0)
        .ok_or_else(|| Finding::new(codes::MAA_CLAIM_TYPE, format!("`{name}` is absent or no {}", T::NAME)))
}

/// Lower-case hexadecimal digits, as many as the field has bytes.
fn digits<const N: usize>(name: &str, field: Text<'_>) -> Result<[u8; N], Finding> {
    let text = typed(name, field)?;
    lower(text.as_bytes()).ok_or_else(|| {
        let digits = N.saturating_mul(2);
        Finding::new(
            codes::MAA_CLAIM_TYPE,
            format!("`{name}` is {text:?}, not {digits} lower-case hexadecimal digits"),
        )
    })
}

fn lower<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_chunks();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(bytes)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 0xf),
        b'a'..=b'f' => Some((digit & 0xf).wrapping_add(9)),
        _ => None,
    }
}
