//! What a token says (*verification.md* 4.3), with the types that the service writes.

use cc_core::{Finding, codes};

use super::field::{Claim, Field, Maybe};
use super::fields::Fields;
use crate::jwt::Payload;

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
    pub(super) fn read(payload: &Payload<Fields>) -> Result<Self, Finding> {
        let fields = &payload.more;
        kind("x-ms-attestation-type", &fields.attestation_type, ATTESTATION_TYPE, codes::MAA_TYPE_MISMATCH)?;
        let compliance = codes::MAA_COMPLIANCE_MISMATCH;
        kind("x-ms-compliance-status", &fields.compliance_status, COMPLIANCE_STATUS, compliance)?;
        // Of a token that was judged they are there.
        let missing = || Finding::new(codes::MAA_CLAIM_TYPE, "`iat`, `nbf` or `exp` is absent");
        let [iat, nbf, exp] = payload.times().ok_or_else(missing)?;
        Ok(Self {
            iat,
            nbf,
            exp,
            policy_hash: typed("x-ms-policy-hash", &fields.policy_hash)?,
            is_debuggable: typed("is-debuggable", &fields.is_debuggable)?,
            migration_allowed: typed("migration-allowed", &fields.migration_allowed)?,
            smt_allowed: typed("smt-allowed", &fields.smt_allowed)?,
            vmpl: typed("vmpl", &fields.vmpl)?,
            guestsvn: typed("guestsvn", &fields.guestsvn)?,
            bootloader_svn: typed("bootloader-svn", &fields.bootloader_svn)?,
            tee_svn: typed("tee-svn", &fields.tee_svn)?,
            snpfw_svn: typed("snpfw-svn", &fields.snpfw_svn)?,
            microcode_svn: typed("microcode-svn", &fields.microcode_svn)?,
            hostdata: typed("hostdata", &fields.hostdata)?,
            launchmeasurement: typed("launchmeasurement", &fields.launchmeasurement)?,
            reportdata: typed("reportdata", &fields.reportdata)?,
            reportid: typed("reportid", &fields.reportid)?,
            family_id: typed("familyId", &fields.family_id)?,
            image_id: typed("imageId", &fields.image_id)?,
            idkeydigest: typed("idkeydigest", &fields.idkeydigest)?,
            authorkeydigest: typed("authorkeydigest", &fields.authorkeydigest)?,
        })
    }
}

fn kind(name: &str, field: &Maybe<String>, wanted: &str, code: cc_core::Code) -> Result<(), Finding> {
    match field {
        Some(Field(Some(found))) if found == wanted => Ok(()),
        Some(Field(Some(found))) => Err(Finding::new(code, format!("`{name}` is {found:?}, not {wanted:?}"))),
        _ => Err(Finding::new(code, format!("`{name}` is absent, or no text, not {wanted:?}"))),
    }
}

fn typed<T: Claim + Clone>(name: &str, field: &Maybe<T>) -> Result<T, Finding> {
    match field {
        Some(Field(Some(value))) => Ok(value.clone()),
        _ => Err(Finding::new(codes::MAA_CLAIM_TYPE, format!("`{name}` is absent or no {}", T::NAME))),
    }
}
