//! Published evidence of container groups.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest};
use cc_core::{Profile, UnixTime};

/// 2026-06-01T00:00:00Z, when all the processors' certificates are valid.
pub(crate) const MID_2026: u64 = 1_780_272_000;

/// The items with a report.
pub(crate) const REPORTS: [&str; 7] = [
    "css-attested-20250617",
    "css-attested-20250812",
    "milan-v2-kms",
    "milan-v2-ravl",
    "milan-v2-skr-2023",
    "milan-v3-skr-report",
    "scitt-ccf-milan-v3",
];

/// The items with an endorsement of the utility VM.
pub(crate) const ENDORSEMENTS: [&str; 6] = [
    "css-attested-20250617",
    "css-attested-20250812",
    "milan-v2-kms",
    "milan-v2-skr-2023",
    "milan-v3-skr-context",
    "scitt-ccf-milan-v3",
];

/// The endorsement of the utility VM in a folder.
pub(crate) fn uvm(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("uvm_endorsement.cose")).unwrap()
}

/// The text of the CCE policy in a folder, whatever its file is called.
pub(crate) fn policy(folder: &Path) -> Option<Vec<u8>> {
    let files = ["security_policy.base64", "security-policy-base64"].map(|name| folder.join(name));
    let text = files.iter().find_map(|file| std::fs::read(file).ok())?;
    Some(STANDARD.decode(text.trim_ascii()).unwrap())
}

/// A request about the report in a folder, with all the endorsements that are there; revocation lists are waived.
pub(crate) fn request(folder: &Path) -> VerifyRequest {
    let mut endorsements = certificates(folder);
    endorsements.extend(std::fs::read(folder.join("uvm_endorsement.cose")).ok());
    endorsements.extend(policy(folder));
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::aci_raw_1(),
        evidence: std::fs::read(folder.join("report.bin")).unwrap(),
        endorsements: endorsements.into_iter().map(Blob).collect(),
        waivers: vec!["snp.crl.missing".to_owned()],
        vouched: Vec::new(),
        now: UnixTime::from_secs(MID_2026),
    }
}

/// The certificates of the processor, DER.
fn certificates(folder: &Path) -> Vec<Vec<u8>> {
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let mut ders: Vec<_> = ["vcek.der", "ask.der", "ark.der"].into_iter().filter_map(read).collect();
    for pem in ["host_amd_certificate.pem", "vcek_chain.pem"].into_iter().filter_map(read) {
        let pem = String::from_utf8(pem).unwrap();
        ders.extend(pem.split("-----BEGIN CERTIFICATE-----").skip(1).map(|part| {
            let text: String = part.split("-----END").next().unwrap().split_whitespace().collect();
            STANDARD.decode(text).unwrap()
        }));
    }
    ders
}
