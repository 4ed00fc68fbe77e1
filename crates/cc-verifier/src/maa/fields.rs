//! The claims of a token by the names that the service writes, at the top level alone.

use serde::de::MapAccess;

use super::field::{Claim, Field, Maybe};
use crate::json::Members;

/// What stands there, of its type or not.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) attestation_type: Maybe<String>,
    pub(super) compliance_status: Maybe<String>,
    pub(super) policy_hash: Maybe<String>,
    pub(super) is_debuggable: Maybe<bool>,
    pub(super) migration_allowed: Maybe<bool>,
    pub(super) smt_allowed: Maybe<bool>,
    pub(super) vmpl: Maybe<u32>,
    pub(super) guestsvn: Maybe<u32>,
    pub(super) bootloader_svn: Maybe<u8>,
    pub(super) tee_svn: Maybe<u8>,
    pub(super) snpfw_svn: Maybe<u8>,
    pub(super) microcode_svn: Maybe<u8>,
    pub(super) hostdata: Maybe<[u8; 32]>,
    pub(super) launchmeasurement: Maybe<[u8; 48]>,
    pub(super) reportdata: Maybe<[u8; 64]>,
    pub(super) reportid: Maybe<[u8; 32]>,
    pub(super) family_id: Maybe<[u8; 16]>,
    pub(super) image_id: Maybe<[u8; 16]>,
    pub(super) idkeydigest: Maybe<[u8; 48]>,
    pub(super) authorkeydigest: Maybe<[u8; 48]>,
}

impl<'de> Members<'de> for Fields {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "x-ms-attestation-type" => self.attestation_type = value(object)?,
            "x-ms-compliance-status" => self.compliance_status = value(object)?,
            "x-ms-policy-hash" => self.policy_hash = value(object)?,
            "x-ms-sevsnpvm-is-debuggable" => self.is_debuggable = value(object)?,
            "x-ms-sevsnpvm-migration-allowed" => self.migration_allowed = value(object)?,
            "x-ms-sevsnpvm-smt-allowed" => self.smt_allowed = value(object)?,
            "x-ms-sevsnpvm-vmpl" => self.vmpl = value(object)?,
            "x-ms-sevsnpvm-guestsvn" => self.guestsvn = value(object)?,
            "x-ms-sevsnpvm-bootloader-svn" => self.bootloader_svn = value(object)?,
            "x-ms-sevsnpvm-tee-svn" => self.tee_svn = value(object)?,
            "x-ms-sevsnpvm-snpfw-svn" => self.snpfw_svn = value(object)?,
            "x-ms-sevsnpvm-microcode-svn" => self.microcode_svn = value(object)?,
            "x-ms-sevsnpvm-hostdata" => self.hostdata = value(object)?,
            "x-ms-sevsnpvm-launchmeasurement" => self.launchmeasurement = value(object)?,
            "x-ms-sevsnpvm-reportdata" => self.reportdata = value(object)?,
            "x-ms-sevsnpvm-reportid" => self.reportid = value(object)?,
            "x-ms-sevsnpvm-familyId" => self.family_id = value(object)?,
            "x-ms-sevsnpvm-imageId" => self.image_id = value(object)?,
            "x-ms-sevsnpvm-idkeydigest" => self.idkeydigest = value(object)?,
            "x-ms-sevsnpvm-authorkeydigest" => self.authorkeydigest = value(object)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn value<'de, T: Claim, A: MapAccess<'de>>(object: &mut A) -> Result<Maybe<T>, A::Error> {
    object.next_value::<Field<T>>().map(Some)
}
