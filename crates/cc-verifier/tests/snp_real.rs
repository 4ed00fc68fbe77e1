//! Published reports: each is accepted at a time when its certificates were valid, with the claims that the corpus
//! observed, or refused for the reason in the table.

use std::path::Path;

use base64::Engine;
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest, WireOutcome};
use cc_core::{Claims, Profile, UnixTime};
use cc_verifier::snp::{Anchors, Verifier};
use serde_json::Value;

use cc_testkit::published::corpus;

/// 2026-06-01T00:00:00Z.
const MID_2026: u64 = 1_780_272_000;
/// 2025-06-01T00:00:00Z, while the published VLEK was valid.
const MID_2025: u64 = 1_748_736_000;

/// Item, time, outcome.
const ITEMS: [(&str, u64, &str); 13] = [
    ("cb-oak", MID_2026, "accept"),
    ("genoa-v3-azure-tav", MID_2026, "accept"),
    ("genoa-v3-tsm-veraison", MID_2026, "accept"),
    ("milan-oc-staging-oak", MID_2026, "accept"),
    ("milan-rk-release-oak", MID_2026, "accept"),
    ("milan-v2-cocos-novcek", MID_2026, "snp.chain.missing"),
    ("milan-v2-debug-gosev", MID_2026, "accept"),
    ("milan-v2-vcek-trustee", MID_2026, "accept"),
    ("milan-v2-virtee", MID_2026, "accept"),
    ("milan-v3-azure-tav", MID_2026, "accept"),
    ("milan-v3-vlek-aws-trustee", MID_2025, "accept"),
    ("milan-v3-vlek-aws-trustee", MID_2026, "snp.chain.expired"),
    ("turin-v5-azure-tav", MID_2026, "accept"),
];

#[test]
fn published_reports_have_the_expected_outcome() {
    let corpus = corpus();
    let verifier = Verifier::new(Anchors::amd(), 0);
    for (item, now, expected) in ITEMS {
        let folder = corpus.join("snp").join(item);
        let request = VerifyRequest {
            version: MESSAGE_VERSION,
            profile: Profile::snp_raw_1(),
            evidence: std::fs::read(folder.join("report.bin")).unwrap(),
            endorsements: certificates(&folder),
            waivers: vec!["snp.crl.missing".to_owned()],
            vouched: Vec::new(),
            now: UnixTime::from_secs(now),
        };
        let reply = verifier.verify(&request);
        match reply.outcome {
            WireOutcome::Accept { claims, waived, .. } => {
                assert_eq!(expected, "accept", "{item}");
                assert_eq!(waived, ["snp.crl.missing"], "{item}");
                assert!(reply.recognised.iter().all(|name| *name != "unknown"), "{item}");
                compare(item, &folder, &claims);
            }
            WireOutcome::Reject(denial) | WireOutcome::Indeterminate(denial) => {
                assert_eq!(expected, denial.code, "{item}: {}", denial.detail);
            }
        }
    }
}

/// Every observation of the corpus that is a claim has its value.
fn compare(item: &str, folder: &Path, claims: &Claims) {
    let expected: Value =
        serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let observed = expected["observed"].as_object().unwrap();
    let claims = serde_json::to_value(claims).unwrap();
    let mut compared = 0;
    for (name, value) in observed {
        // Results of the corpus's own checks, not words of the report.
        let checks = [
            "report_signature_valid",
            "leaf_issued_by",
            "chain_valid_to_ARK",
            "leaf_validity",
            "hwid_matches_chip_id",
        ];
        if checks.contains(&name.as_str()) {
            continue;
        }
        assert_eq!(&claims[name], value, "{item}: {name}");
        compared += 1;
    }
    assert!(compared >= 25, "{item}: only {compared} observations");
    let validity = observed["leaf_validity"].as_str().unwrap();
    let day = |name: &str| claims[name].as_str().unwrap()[..10].to_owned();
    assert_eq!(validity, format!("{}..{}", day("leaf_not_before"), day("leaf_not_after")), "{item}");
}

/// The certificates of a folder, by name, the forged ones left out.
fn certificates(folder: &Path) -> Vec<Blob> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_by_key(|path| path.file_stem().map(ToOwned::to_owned));
    let mut blobs = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.ends_with(".der") && !name.starts_with("bad-") {
            blobs.push(Blob(std::fs::read(&path).unwrap()));
        } else if name.ends_with(".pem") {
            blobs.extend(pem(&std::fs::read_to_string(&path).unwrap()));
        }
    }
    blobs
}

fn pem(text: &str) -> impl Iterator<Item = Blob> {
    text.split("-----BEGIN CERTIFICATE-----").skip(1).map(|part| {
        let body: String = part.split("-----END").next().unwrap().split_whitespace().collect();
        Blob(base64::engine::general_purpose::STANDARD.decode(body).unwrap())
    })
}
