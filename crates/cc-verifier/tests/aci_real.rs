//! Published evidence of container groups: each report with an endorsement is accepted, with the claims that the corpus
//! observed, and no bit of what is signed can be changed.

use std::path::{Path, PathBuf};

use cc_core::message::{VerifyRequest, WireOutcome};
use cc_core::{BoundKind, Claims};
use cc_testkit::published::corpus;
use cc_verifier::aci::uvm::{self, Form};
use cc_verifier::aci::{Anchors, Uvm, Verifier};
use serde_json::Value;

use crate::common::aci_corpus::{self, ENDORSEMENTS, REPORTS};

/// Results of the corpus's own checks, or not words of the report.
const CHECKS: [&str; 14] = [
    "alg",
    "chain_valid_to_ARK",
    "feed",
    "hwid_matches_chip_id",
    "issuer",
    "leaf_issued_by",
    "leaf_validity",
    "report_measurement_matches_uvm",
    "report_signature_valid",
    "root",
    "root_sha256",
    "svn_header",
    "uvm_chain_valid",
    "uvm_cose_signature_valid",
];

fn folders<const N: usize>(items: [&'static str; N]) -> Vec<PathBuf> {
    let corpus = corpus().join("aci");
    items.map(|item| corpus.join(item)).into()
}

fn observed(folder: &Path) -> Value {
    let expected = std::fs::read(folder.join("expected.json")).unwrap();
    serde_json::from_slice::<Value>(&expected).unwrap()["observed"].take()
}

fn verify(request: &VerifyRequest) -> (String, Vec<String>, Option<(Claims, BoundKind)>) {
    let reply = Verifier::new(Anchors::production(), 0).verify(request);
    let (code, accepted) = match reply.outcome {
        WireOutcome::Accept { claims, bound, .. } => ("accept".to_owned(), Some((claims, bound.kind))),
        WireOutcome::Reject(denial) | WireOutcome::Indeterminate(denial) => (denial.code, None),
    };
    (code, reply.recognised, accepted)
}

#[test]
fn published_reports_have_the_expected_outcome() {
    let mut accepted_count = 0;
    for folder in folders(REPORTS) {
        let (code, recognised, accepted) = verify(&aci_corpus::request(&folder));
        assert!(recognised.iter().all(|name| name != "unknown"), "{folder:?}: {recognised:?}");
        if !folder.join("uvm_endorsement.cose").exists() {
            assert_eq!(code, "aci.uvm.missing", "{folder:?}");
            continue;
        }
        assert_eq!(code, "accept", "{folder:?}");
        let (claims, kind) = accepted.unwrap();
        assert_eq!(kind, BoundKind::ReportData);
        compare(&folder, &claims);
        accepted_count += 1;
    }
    eprintln!("{accepted_count} of {} published reports accepted", REPORTS.len());
    assert_eq!(accepted_count, 5);
}

/// Every observation that is a claim has its value.
fn compare(folder: &Path, claims: &Claims) {
    let (observed, claims) = (observed(folder), serde_json::to_value(claims).unwrap());
    let mut compared = 0;
    for (name, value) in observed.as_object().unwrap() {
        if !CHECKS.contains(&name.as_str()) && name != "uvm_payload" {
            assert_eq!(&claims[name], value, "{folder:?}: {name}");
            compared += 1;
        }
    }
    assert!(compared >= 25, "{folder:?}: only {compared} observations");
    for name in ["issuer", "feed", "root", "root_sha256"] {
        assert_eq!(claims["uvm"][name], observed[name], "{folder:?}: {name}");
    }
    let payload = &observed["uvm_payload"];
    let svn = claims["uvm"]["guestsvn"].as_u64().unwrap().to_string();
    assert_eq!(svn, payload["x-ms-sevsnpvm-guestsvn"], "{folder:?}");
    assert_eq!(claims["uvm"]["launchmeasurement"], payload["x-ms-sevsnpvm-launchmeasurement"], "{folder:?}");
    assert_eq!(claims["uvm"]["launchmeasurement"], claims["measurement"], "{folder:?}");
    assert_eq!((&claims["uvm"]["alg"], &claims["uvm"]["form"]), (&"PS384".into(), &"header".into()));
    match aci_corpus::policy(folder) {
        Some(_) => {
            assert_eq!(claims["cce_policy"]["sha256"], claims["host_data"], "{folder:?}");
            let findings = claims["cce_policy"]["findings"].as_array().unwrap();
            assert!(findings.iter().any(|finding| finding.as_str().unwrap().starts_with("allow_all (")));
        }
        None => assert_eq!(claims.get("cce_policy"), None, "{folder:?}"),
    }
}

#[test]
fn published_endorsements_are_authentic() {
    let mut count = 0;
    for folder in folders(ENDORSEMENTS) {
        let endorsement = uvm::verify(&aci_corpus::uvm(&folder), &Uvm::microsoft()).unwrap();
        let observed = observed(&folder);
        let payload = &observed["uvm_payload"];
        assert_eq!(endorsement.guest_svn.to_string(), payload["x-ms-sevsnpvm-guestsvn"], "{folder:?}");
        let measurement = hex::encode(endorsement.launch_measurement.unwrap());
        assert_eq!(measurement, payload["x-ms-sevsnpvm-launchmeasurement"], "{folder:?}");
        assert_eq!(
            (endorsement.form, endorsement.root.as_deref()),
            (Form::Header, observed["root"].as_str())
        );
        assert!(endorsement.signing_time.unwrap() < endorsement.leaf_not_after, "{folder:?}");
        count += 1;
    }
    eprintln!("{count} published endorsements verified");
    assert_eq!(count, ENDORSEMENTS.len());
}

/// Where the time stamp beside the signed headers is, which nobody signed for us.
fn unsigned(endorsement: &[u8]) -> std::ops::Range<usize> {
    let label = b"\x69timestamp\x59";
    let start = endorsement.windows(label.len()).position(|part| part == label).unwrap() + 1;
    let length = start + 9;
    let [high, low] = [endorsement[length + 1], endorsement[length + 2]];
    start..length + 3 + usize::from(u16::from_be_bytes([high, low]))
}

#[test]
fn no_bit_of_a_published_endorsement_can_be_changed() {
    let trust = Uvm::microsoft();
    let mut count = 0;
    for folder in folders(ENDORSEMENTS) {
        let good = aci_corpus::uvm(&folder);
        let (said, unsigned) = (uvm::verify(&good, &trust).unwrap(), unsigned(&good));
        for at in 0..good.len() {
            // Every bit of frame, payload and signature; one bit of some bytes of certificates and time stamp.
            let bits = match at {
                at if at < 16 || unsigned.end <= at => 0..8,
                at if at % 7 == 0 => at % 8..at % 8 + 1,
                _ => continue,
            };
            let mut altered = good.clone();
            for bit in bits {
                altered[at] = good[at] ^ (1 << bit);
                match uvm::verify(&altered, &trust) {
                    Ok(other) => {
                        assert!(unsigned.contains(&at), "{folder:?}: bit {bit} of byte {at}");
                        assert_eq!(other, said);
                    }
                    Err(_) => count += 1,
                }
            }
        }
    }
    eprintln!("{count} altered endorsements refused");
    assert!(count > 25_000);
}

#[test]
fn no_bit_of_a_published_report_can_be_changed() {
    let verifier = Verifier::new(Anchors::production(), 8);
    let mut count = 0;
    for folder in folders(REPORTS).into_iter().filter(|folder| folder.join("uvm_endorsement.cose").exists()) {
        let request = aci_corpus::request(&folder);
        for at in 0..request.evidence.len() {
            let mut altered = request.clone();
            altered.evidence[at] ^= 1 << (at % 8);
            let accepted = matches!(verifier.verify(&altered).outcome, WireOutcome::Accept { .. });
            assert!(!accepted, "{folder:?}: byte {at}");
            count += 1;
        }
    }
    eprintln!("{count} altered reports refused");
    assert_eq!(count, 5 * 1184);
}
