//! Claims of a token: its own, by their names without `x-ms-` and `sevsnpvm-`, times in seconds since 1970.

use cc_core::Claims;

use super::said::{ATTESTATION_TYPE, COMPLIANCE_STATUS, Said};

/// Of a token of which nothing else can be said.
pub(super) fn of_issuer(iss: &str) -> Claims {
    let mut claims = Claims::new();
    claims.insert("iss", iss);
    claims
}

/// In the order of their names, which is cheaper.
pub(super) fn of(iss: &str, said: &Said) -> Claims {
    let mut claims = Claims::new();
    claims.insert("attestation_type", ATTESTATION_TYPE);
    claims.insert_bytes("authorkeydigest", &said.authorkeydigest);
    claims.insert("bootloader_svn", said.bootloader_svn);
    claims.insert("compliance_status", COMPLIANCE_STATUS);
    claims.insert("exp", said.exp);
    claims.insert_bytes("family_id", &said.family_id);
    claims.insert("guestsvn", said.guestsvn);
    claims.insert_bytes("hostdata", &said.hostdata);
    claims.insert("iat", said.iat);
    claims.insert_bytes("idkeydigest", &said.idkeydigest);
    claims.insert_bytes("image_id", &said.image_id);
    claims.insert("is_debuggable", said.is_debuggable);
    claims.insert("iss", iss);
    claims.insert_bytes("launchmeasurement", &said.launchmeasurement);
    claims.insert("microcode_svn", said.microcode_svn);
    claims.insert("migration_allowed", said.migration_allowed);
    claims.insert("nbf", said.nbf);
    claims.insert("policy_hash", said.policy_hash.as_str());
    claims.insert_bytes("reportdata", &said.reportdata);
    claims.insert_bytes("reportid", &said.reportid);
    claims.insert("smt_allowed", said.smt_allowed);
    claims.insert("snpfw_svn", said.snpfw_svn);
    claims.insert("tee_svn", said.tee_svn);
    claims.insert("vmpl", said.vmpl);
    claims
}
