//! A stand-in for Microsoft Azure Attestation: tokens about container groups with the claims of *verification.md* 4.3.

use crate::jwt::{Object, Token, key_set, quoted, rsa_key};
use crate::snp::SignKey;
use crate::snp::keys::key;

/// An issuer: the published address of a regional endpoint.
pub const ISS: &str = "https://sharedeus2.eus2.attest.azure.net";
/// Path of an issuer's keys.
pub const CERTS: &str = "/certs";
/// Path that takes evidence of container groups, with its query.
pub const ATTEST: &str = "/attest/SevSnpVm?api-version=2022-08-01";
/// The name of the key that signs tokens; base64 with all of its characters, as the service names keys.
pub const KID: &str = "bWFhLXRlc3Qta2V5LW9uZSBpcyBub3QgYSBzZWNyZXQ/+A=";
/// The name of the key that comes after it.
pub const NEXT_KID: &str = "bWFhLXRlc3Qta2V5LXR3byBpcyBub3QgYSBzZWNyZXQ/+A=";
/// What the service says of its default policy.
pub const POLICY_HASH: &str = "9NY0VnTQ-IiBriBplVUpFbczcDaEBUwsiFYAzHu_gco";
/// For how long tokens are valid, seconds.
pub const LIFETIME: i64 = 8 * 3600;

/// The key that signs tokens (RSA-2048).
pub fn key() -> &'static SignKey {
    key!(SignKey::rsa, "maa.p8")
}

/// The key that comes after it (RSA-2048).
pub fn next_key() -> &'static SignKey {
    key!(SignKey::rsa, "maa-next.p8")
}

/// The published keys: [`key`] alone.
pub fn jwks() -> Vec<u8> {
    key_set(&[rsa_key(KID, key())])
}

/// A token of `issuer` about the SNP report and the runtime data (JSON) that were sent to it, issued at `now` (seconds
/// since 1970): RS256 with [`KID`], every claim of *verification.md* 4.3, those of the report taken from it. Signed with
/// [`key`], it is one that a verifier accepts; header and payload are there to be changed before that.
pub fn token(issuer: &str, report: &[u8], runtime_data: &[u8], now: i64) -> Token {
    let mut payload = Object::default();
    payload.set_number("exp", now + LIFETIME);
    payload.set_number("iat", now);
    payload.set_text("iss", issuer);
    payload.set_text("jti", &"0d".repeat(32));
    payload.set_number("nbf", now);
    payload.set_text("x-ms-attestation-type", "sevsnpvm");
    payload.set_text("x-ms-compliance-status", "azure-compliant-uvm");
    payload.set_text("x-ms-policy-hash", POLICY_HASH);
    payload.set("x-ms-runtime", std::str::from_utf8(runtime_data).expect("runtime data are JSON"));
    report_claims(&mut payload, report);
    payload.set_text("x-ms-ver", "1.0");

    let mut token = Token::rs256(KID, payload);
    token.header.set_text("jku", &format!("{issuer}{CERTS}"));
    token.header.set_text("typ", "JWT");
    token
}

/// What the token says of the report. The SVNs are those of REPORTED_TCB, by its layout on Milan and Genoa.
fn report_claims(payload: &mut Object, report: &[u8]) {
    let word = |at: usize| i64::from(u32::from_le_bytes(report[at..at + 4].try_into().unwrap()));
    let policy = |bit: u32| (word(0x008) >> bit) & 1 == 1;
    for (name, range) in [
        ("authorkeydigest", 0x110..0x140),
        ("familyId", 0x010..0x020),
        ("hostdata", 0x0C0..0x0E0),
        ("idkeydigest", 0x0E0..0x110),
        ("imageId", 0x020..0x030),
        ("launchmeasurement", 0x090..0x0C0),
        ("reportdata", 0x050..0x090),
        ("reportid", 0x140..0x160),
    ] {
        payload.set(&format!("x-ms-sevsnpvm-{name}"), &quoted(&hex(&report[range])));
    }
    for (name, number) in [
        ("bootloader-svn", i64::from(report[0x180])),
        ("guestsvn", word(0x004)),
        ("microcode-svn", i64::from(report[0x187])),
        ("snpfw-svn", i64::from(report[0x186])),
        ("tee-svn", i64::from(report[0x181])),
        ("vmpl", word(0x030)),
    ] {
        payload.set_number(&format!("x-ms-sevsnpvm-{name}"), number);
    }
    for (name, bit) in [("is-debuggable", 19), ("migration-allowed", 18), ("smt-allowed", 16)] {
        payload.set(&format!("x-ms-sevsnpvm-{name}"), if policy(bit) { "true" } else { "false" });
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
