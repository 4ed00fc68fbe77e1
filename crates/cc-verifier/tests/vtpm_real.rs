//! Published evidence of Azure's confidential machines: each is accepted at a time when its certificates and collateral
//! were valid, with the claims that the corpus observed, or refused for the reason in the table.

use std::collections::BTreeSet;

use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyRequest, WireOutcome};
use cc_core::{BoundKind, Claims, Profile, UnixTime};
use cc_testkit::published::corpus;
use cc_testkit::published::tdx::FEB_2025;
use cc_verifier::vtpm::{Hardware, HclReport, Verifier};
use cc_verifier::{snp, tdx};
use serde_json::Value;

use crate::common::codes::reply_code;
use crate::common::tdx_corpus;
use crate::common::vtpm_corpus::{
    Alone, Bincode, CleanRoom, Form, Hexadecimal, Numbers, Texts, certificates, machine, observed,
};

/// 2026-06-01T00:00:00Z, when all VCEKs are valid.
const MID_2026: u64 = 1_780_272_000;

/// Folder, file, form, instant, outcome.
type Row = (&'static str, &'static str, Form, u64, &'static str);

#[rustfmt::skip]
const ROWS: [Row; 12] = [
    // The VCEK beside it is another processor's.
    ("snp-azure-vtpm/milan-v2-hcl-kinvolk-novcek", "quote.bin", Bincode, MID_2026, "snp.signature.invalid"),
    ("snp-azure-vtpm/milan-v2-hcl-trustee", "quote.bin", Bincode, MID_2026, "accept"),
    ("snp-azure-vtpm/milan-v2-hcl-trustee", "tpm-quote-v1.json", Hexadecimal, MID_2026, "accept"),
    ("snp-azure-vtpm/milan-v3-cleanroom-signing", "attestation.json", CleanRoom, MID_2026, "accept"),
    ("snp-azure-vtpm/milan-v3-trustee-v0", "evidence.json", Numbers, MID_2026, "accept"),
    ("snp-azure-vtpm/milan-v3-trustee-v1", "evidence.json", Texts, MID_2026, "accept"),
    ("snp-azure-vtpm/milan-v3-trustee-v2", "evidence.json", Texts, MID_2026, "accept"),
    // A TD report without the quote of it.
    ("tdx-azure-vtpm/kinvolk-hcl", "hcl-report.bin", Alone, FEB_2025, "vtpm.format.malformed"),
    ("tdx-azure-vtpm/trustee-v0-v1", "evidence-v0.json", Numbers, FEB_2025, "accept"),
    ("tdx-azure-vtpm/trustee-v0-v1", "evidence-v1.json", Texts, FEB_2025, "accept"),
    ("tdx-azure-vtpm/trustee-v0-v1", "quote.bin", Bincode, FEB_2025, "accept"),
    ("tdx-azure-vtpm/trustee-v0-v1", "tpm-quote-v1.json", Hexadecimal, FEB_2025, "accept"),
];

fn verifier() -> Verifier {
    Verifier::new(snp::Anchors::amd(), tdx::Anchors::intel(), 0)
}

fn endorsements(folder: &str) -> Vec<Vec<u8>> {
    if folder.starts_with("snp") { certificates(folder) } else { tdx_corpus::collateral("dcaprs-2025-02") }
}

fn request((folder, file, form, at, _): &Row, endorsements: Vec<Vec<u8>>) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::az_cvm_vtpm_1(),
        evidence: machine(folder, file, *form).encode(),
        endorsements: endorsements.into_iter().map(Blob).collect(),
        waivers: vec!["snp.crl.missing".to_owned()],
        vouched: Vec::new(),
        now: UnixTime::from_secs(*at),
    }
}

fn json(claims: &Claims) -> Value {
    serde_json::to_value(claims).unwrap()
}

#[test]
fn published_machines_have_the_expected_outcome() {
    let verifier = verifier();
    let mut accepted = 0;
    for row in ROWS {
        let (folder, file, form, _, expected) = row;
        let case = format!("{folder}/{file}");
        let request = request(&row, endorsements(folder));
        let reply = verifier.verify(&request);
        assert_eq!(reply_code(&reply), expected, "{case}: {:?}", reply.outcome);
        let WireOutcome::Accept { claims, bound, waived } = &reply.outcome else { continue };
        assert!(reply.recognised.iter().all(|name| *name != "unknown"), "{case}: {:?}", reply.recognised);
        let (tee, waivers) = if folder.starts_with("snp") {
            ("snp", &["snp.crl.missing"][..])
        } else {
            assert_eq!(claims.text("tcb_status"), Ok("OutOfDate"), "{case}");
            ("tdx", &[][..])
        };
        assert_eq!(claims.text("tee"), Ok(tee), "{case}");
        assert_eq!(waived.as_slice(), waivers, "{case}");
        assert_eq!(bound.kind, BoundKind::ExtraData, "{case}");
        assert_eq!(machine(folder, file, form).extra_data(), Ok(&bound.bytes[..]), "{case}");
        compare(folder, file, &json(claims));
        accepted += 1;
    }
    let items: BTreeSet<_> = ROWS.iter().map(|(folder, ..)| *folder).collect();
    let published = ["snp-azure-vtpm", "tdx-azure-vtpm"].into_iter().flat_map(|part| {
        let entries = std::fs::read_dir(corpus().join(part)).unwrap();
        entries.map(move |entry| format!("{part}/{}", entry.unwrap().file_name().to_str().unwrap()))
    });
    assert_eq!(items.iter().map(|item| (*item).to_owned()).collect::<BTreeSet<_>>(), published.collect());
    println!("{} items in {} forms, {accepted} accepted", items.len(), ROWS.len());
    assert_eq!((items.len(), accepted), (8, 10));
}

/// Every observation of the corpus that is a claim has its value.
fn compare(folder: &str, file: &str, claims: &Value) {
    // Results of the corpus's own checks, or words of parts that are no claims.
    let no_claims = [
        "report_signature_valid",
        "leaf_issued_by",
        "chain_valid_to_ARK",
        "leaf_validity",
        "hwid_matches_chip_id",
        "report_data_binds_runtime_data",
        "tdreport_data_binds_runtime_data",
        "key_type",
        "tee",
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
        "hcl_sig",
        "tcb_status_by_collateral",
    ];
    let observed = observed(folder);
    let mut compared = 0;
    for (name, value) in observed.as_object().unwrap() {
        match name.as_str() {
            "runtime_data_keys" | "vm_configuration" => {
                assert_eq!(&claims["hcl"][name], value, "{folder}: {name}")
            }
            "vtpm_quote" => {
                let value = &value[file];
                assert!(
                    value.is_null() || claims["vtpm"]["extra_data"] == value["extra_data"],
                    "{folder}/{file}"
                );
            }
            other if no_claims.contains(&other) => continue,
            _ => assert_eq!(&claims[name], value, "{folder}: {name}"),
        }
        compared += 1;
    }
    assert!(compared >= 27, "{folder}: only {compared} observations");
    assert_eq!(claims["vtpm"]["pcrs"].as_object().unwrap().len(), 24, "{folder}");
    assert_eq!(
        (&claims["hcl"]["fresh"], &claims["vtpm"]["quote"]),
        (&false.into(), &"fresh".into()),
        "{folder}"
    );
    assert_eq!(claims["vtpm"]["firmware_version"], 0x2020_0312_0012_0003_u64, "{folder}");
}

/// Without any collateral: what could be rejected is not, and what is missing is told.
#[test]
fn nothing_but_endorsements_is_missing() {
    let verifier = verifier();
    for row in ROWS {
        let (folder, file, .., outcome) = row;
        let reply = verifier.verify(&request(&row, Vec::new()));
        let expected = match outcome {
            "vtpm.format.malformed" => outcome,
            // Beside the wrong VCEK lies the quote of another machine, and its key was not for signatures alone.
            "snp.signature.invalid" => "vtpm.ak.mismatch",
            _ if folder.starts_with("snp") => "snp.chain.missing",
            _ => "tdx.crl.missing",
        };
        assert_eq!(reply_code(&reply), expected, "{folder}/{file}: {:?}", reply.outcome);
    }
}

#[test]
fn plans_show_what_is_verified() {
    let verifier = verifier();
    let mut planned = 0;
    for row in ROWS.iter().filter(|(.., expected)| *expected == "accept") {
        let request = request(row, endorsements(row.0));
        let plan = verifier.plan(&PlanRequest {
            version: MESSAGE_VERSION,
            profile: request.profile.clone(),
            evidence: request.evidence.clone(),
            endorsements: Vec::new(),
        });
        let WireOutcome::Accept { claims, .. } = verifier.verify(&request).outcome else { panic!("{row:?}") };
        let plan = plan.unwrap();
        for (name, value) in plan.claims.iter().filter(|(name, _)| *name != "product") {
            assert_eq!(claims.value(name), Some(value), "{row:?}: {name}");
        }
        assert!(!plan.requests.is_empty(), "{row:?}");
        planned += 1;
    }
    assert_eq!(planned, 10);
}

/// The raw HCL reports of all folders are what the other forms have, and have what the corpus found in them.
#[test]
fn hcl_reports_are_read() {
    let folders: BTreeSet<_> = ROWS.iter().map(|(folder, ..)| *folder).collect();
    for folder in folders {
        let bytes = std::fs::read(corpus().join(folder).join("hcl-report.bin")).unwrap();
        let report = HclReport::new(&bytes).unwrap();
        let (version, report_data) = match report.hardware() {
            Hardware::Snp(bytes) => (1, *snp::Report::new(bytes).unwrap().report_data()),
            Hardware::Tdx(report) => (2, *report.report_data()),
        };
        assert_eq!(report.version(), version, "{folder}");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, report.runtime_data());
        assert_eq!(report_data[..32], *digest.as_ref(), "{folder}");
        let runtime: Value = serde_json::from_slice(report.runtime_data()).unwrap();
        assert_eq!(runtime["vm-configuration"], observed(folder)["vm_configuration"], "{folder}");
        for (_, file, form, ..) in ROWS.iter().filter(|(other, ..)| *other == folder) {
            assert!(machine(folder, file, *form).hcl_report == bytes, "{folder}/{file}");
        }
    }
}
