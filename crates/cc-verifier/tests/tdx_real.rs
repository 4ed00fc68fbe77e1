//! Published quotes: each has the outcome and the TCB status that the collateral of a time gives it, with the claims that
//! the corpus observed, or is refused for the reason in the table.

use std::collections::BTreeSet;

use base64::Engine;
use cc_core::message::{
    Blob, MESSAGE_VERSION, Message, PlanRequest, VerifyReply, VerifyRequest, WireOutcome,
};
use cc_core::tdx::declared_length;
use cc_core::{Claims, Profile, UnixTime};
use cc_testkit::published::corpus;
use cc_testkit::published::tdx::{
    ADVISORIES, COLLATERAL, FEB_2025, MAR_2026, MID_2023, NO_QUOTES, OCT_2025, QVL_2025_06, QVL_2025_09,
    QVL_2026_02, ROWS,
};
use cc_verifier::tdx::{Anchors, Verifier};
use serde_json::Value;

use crate::common::codes::reply_code;
use crate::common::tdx_corpus::{QUOTES, blobs, collateral, quote};

fn verify(evidence: Vec<u8>, endorsements: Vec<Vec<u8>>, at: u64, waivers: &[&str]) -> VerifyReply {
    Verifier::new(Anchors::intel(), 0).verify(&VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence,
        endorsements: endorsements.into_iter().map(Blob).collect(),
        waivers: waivers.iter().map(|code| (*code).to_owned()).collect(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(at),
    })
}

fn json(claims: &Claims) -> Value {
    serde_json::to_value(claims).unwrap()
}

#[test]
fn published_quotes_have_the_expected_outcome() {
    for (folder, file, name, at, expected, why) in ROWS {
        let lists = !["trustee-2025-10", "teekit-2025-10"].contains(&name);
        let waivers: &[&str] = if lists { &[] } else { &["tdx.crl.missing"] };
        let reply = verify(quote(folder, file), collateral(name), at, waivers);
        assert!(reply.recognised.iter().all(|name| *name != "unknown"), "{:?}", reply.recognised);
        let WireOutcome::Accept { claims, waived, .. } = &reply.outcome else {
            assert_eq!(reply_code(&reply), expected, "{folder}/{file} with {name}: {:?}", reply.outcome);
            assert!(!why.is_empty() && reply.floors.is_empty());
            same_as_dcap_qvl(folder, file, name, None);
            continue;
        };
        assert_eq!(waived.as_slice(), waivers, "{folder}/{file} with {name}");
        assert_eq!(claims.text("tcb_status"), Ok(expected), "{folder}/{file} with {name}");
        let advisories =
            ADVISORIES.iter().find(|(item, with, _)| *item == folder && ["*", name].contains(with));
        let advisories: Vec<_> =
            advisories.map_or(&[][..], |(_, _, ids)| ids).iter().map(|id| format!("INTEL-SA-{id}")).collect();
        assert_eq!(json(claims)["advisory_ids"], Value::from(advisories), "{folder}/{file} with {name}");
        same_as_dcap_qvl(folder, file, name, Some(claims));
        let names: BTreeSet<_> = reply.floors.iter().map(|floor| floor.name.as_str()).collect();
        let info = format!("tdx.tcb_info.{}", claims.text("fmspc").unwrap());
        let mut floors = BTreeSet::from([info.as_str(), "tdx.qe_identity"]);
        if lists {
            floors.extend(["tdx.root_crl", "tdx.pck_crl.platform"]);
        }
        assert_eq!(names, floors, "{folder}/{file} with {name}");
        // Without the waiver the list is what is missing.
        if !lists {
            let without = verify(quote(folder, file), collateral(name), at, &[]);
            assert_eq!(reply_code(&without), "tdx.crl.missing", "{folder}/{file} with {name}");
        }
    }
    let covered: BTreeSet<_> = ROWS.iter().map(|(folder, file, ..)| (*folder, *file)).collect();
    assert_eq!(covered, QUOTES.into_iter().collect(), "a quote without a row");
    println!("{} quotes in {} rows", covered.len(), ROWS.len());
}

/// Where the corpus has the answer of dcap-qvl with the same collateral, it is the same.
fn same_as_dcap_qvl(folder: &str, file: &str, name: &str, claims: Option<&Claims>) {
    let theirs = &expected(folder)["observed"]["tcb_status_by_collateral"][file][name];
    match claims {
        _ if theirs.is_null() => {}
        Some(claims) => {
            let claims = json(claims);
            assert_eq!(claims["tcb_status"], theirs["status"], "{folder}/{file} with {name}");
            assert_eq!(claims["advisory_ids"], theirs["advisories"], "{folder}/{file} with {name}");
        }
        None => assert!(theirs["error"].is_string(), "{folder}/{file} with {name}: {theirs}"),
    }
}

fn expected(folder: &str) -> Value {
    serde_json::from_slice(&std::fs::read(corpus().join(folder).join("expected.json")).unwrap()).unwrap()
}

/// Every observation of the corpus that is a claim has its value, whether or not the TCB has a level.
#[test]
fn claims_are_what_the_corpus_observed() {
    // The quotes that the observations are of.
    let others = ["quote2.bin", "gcp-quote.bin"];
    // Results of the corpus's own checks, or words of parts that are no claims.
    let no_claims = [
        "key_type",
        "tee",
        "body_size",
        "sig_len",
        "trailing",
        "cert_data_type",
        "inner_type",
        "quote_sig",
        "ncerts",
        "qe_sig",
        "qe_bind",
        "chain",
        "root_is_intel",
        "pck_valid",
        "collateral",
        "dcap_qvl",
        "tcb_status_by_collateral",
        "rtmr_replay",
        "hcl_sig",
        "runtime_data_keys",
        "report_data_binds_runtime_data",
        "tdreport_data_binds_runtime_data",
        "vm_configuration",
        "vtpm_quote",
    ];
    let mut quotes = 0;
    for (folder, file) in QUOTES.into_iter().filter(|(_, file)| !others.contains(file)) {
        let evidence = quote(folder, file);
        let claims = json(&plan(evidence).claims);
        let expected = expected(folder);
        let observed = expected["observed"].as_object().unwrap();
        let mut compared = 0;
        for (name, value) in observed.iter().filter(|(name, _)| !no_claims.contains(&name.as_str())) {
            assert_eq!(&claims[name], value, "{folder}/{file}: {name}");
            compared += 1;
        }
        assert!(compared >= 26, "{folder}/{file}: only {compared} observations");
        let day = |name: &str| claims[name].as_str().unwrap()[..10].to_owned();
        let validity = observed["pck_valid"].as_str().unwrap();
        assert_eq!(validity, format!("{}..{}", day("pck_not_before"), day("pck_not_after")), "{folder}");
        quotes += 1;
    }
    println!("{quotes} quotes");
    assert_eq!(quotes, 16);
}

fn plan(evidence: Vec<u8>) -> cc_core::message::Plan {
    let request = PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence,
        endorsements: Vec::new(),
    };
    Verifier::new(Anchors::intel(), 0).plan(&request).unwrap()
}

/// What follows a quote in a file is not part of it. Kernels leave zeros there; one project added words of its own.
#[test]
fn nothing_may_follow_a_quote() {
    let mut padded = 0;
    for (folder, file) in QUOTES {
        let bytes = std::fs::read(corpus().join(folder).join(file)).unwrap();
        let end = declared_length(&bytes).unwrap();
        let trailing = expected(folder)["observed"]["trailing"].as_u64().unwrap();
        if file != "gcp-quote.bin" && file != "quote2.bin" {
            assert_eq!(bytes.len() - end, usize::try_from(trailing).unwrap(), "{folder}/{file}");
        }
        let zeros = bytes[end..].iter().all(|byte| *byte == 0);
        assert_eq!(zeros, folder != "tdx/v4-gotdx-spr-50806f", "{folder}/{file}");
        if end < bytes.len() {
            let reply = verify(bytes, collateral("dcapqvl-2026-02"), QVL_2026_02, &[]);
            assert_eq!(reply_code(&reply), "tdx.format.length", "{folder}/{file}");
            padded += 1;
        }
    }
    println!("{padded} of {} quotes have something behind them", QUOTES.len());
    assert_eq!(padded, 14);
}

#[test]
fn what_is_no_quote_is_refused() {
    for (file, expected) in NO_QUOTES {
        let evidence = std::fs::read(corpus().join(file)).unwrap();
        let reply = verify(evidence, collateral("dcapqvl-2026-02"), QVL_2026_02, &[]);
        assert_eq!(reply_code(&reply), expected, "{file}");
    }
}

/// The compiled-in root is the one in every quote and in every signing chain.
#[test]
fn the_root_is_intels() {
    let root = include_bytes!("../anchors/intel/sgx-root-ca.der");
    assert!(
        root == std::fs::read(corpus().join("trust-anchors/all/intel/sgx_root_ca.der")).unwrap().as_slice()
    );
    let mut compared = 0;
    let quotes = QUOTES.into_iter().map(|(folder, file)| quote(folder, file));
    let chains = blobs(&[
        "tdx/v4-dcaprs-00806f05/root_ca.pem",
        "tdx/v4-gotdx-spr-50806f/trusted_root.pem",
        "tdx/collateral-2026-03/tcb_signing_chain.pem",
        "tdx/collateral-2026-03/qe_identity_signing_chain.pem",
    ]);
    let bundles = ["dcapqvl-2025-06", "near-gas-2025-09", "dcapqvl-2026-02"];
    let bundled = bundles.into_iter().flat_map(|name| collateral(name).into_iter().skip(2).take(2));
    for bytes in quotes.chain(chains).chain(bundled) {
        assert!(certificates(&bytes).last().unwrap().as_slice() == root);
        compared += 1;
    }
    println!("{compared} chains");
    assert_eq!(compared, 19 + 4 + 6);
}

/// Every quote with every collateral at the time of that: as with a memory that has seen all the others.
#[test]
fn a_memory_changes_nothing() {
    let at = |name: &str| match name {
        "spr-2023-06" => MID_2023,
        "dcaprs-2025-02" => FEB_2025,
        "dcapqvl-2025-06" => QVL_2025_06,
        "near-gas-2025-09" => QVL_2025_09,
        "trustee-2025-10" | "teekit-2025-10" => OCT_2025,
        "dcapqvl-2026-02" => QVL_2026_02,
        _ => MAR_2026,
    };
    let (none, some) = (Verifier::new(Anchors::intel(), 0), Verifier::new(Anchors::intel(), 64));
    let mut accepted = 0;
    for round in 0..3 {
        for (folder, file) in QUOTES {
            for (name, _) in COLLATERAL {
                // In the last round everything is remembered and out of date.
                let late = if round == 2 { 400 * 86_400 } else { 0 };
                let request = VerifyRequest {
                    version: MESSAGE_VERSION,
                    profile: Profile::tdx_quote_1(),
                    evidence: quote(folder, file),
                    endorsements: collateral(name).into_iter().map(Blob).collect(),
                    waivers: vec!["tdx.crl.missing".to_owned()],
                    vouched: Vec::new(),
                    now: UnixTime::from_secs(at(name) + late),
                };
                let (plain, remembered) = (none.verify(&request), some.verify(&request));
                assert_eq!(plain.to_bytes(), remembered.to_bytes(), "{folder}/{file} with {name}");
                assert!(round < 2 || reply_code(&plain) != "accept", "{folder}/{file} with {name}");
                accepted += usize::from(reply_code(&plain) == "accept");
            }
        }
    }
    println!("{accepted} accepted");
    assert!(accepted >= 2 * 15);
}

/// The certificates in a text, DER.
fn certificates(bytes: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let parts = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let decode = |part: &str| {
        let body: String = part.split("-----END").next().unwrap().split_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(body).unwrap()
    };
    parts.map(decode).collect()
}
