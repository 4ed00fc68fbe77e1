//! Real evidence of NVIDIA's GPUs and switches through the command and the loaded plugin: reports in every form in which
//! they were published, with the manifests and OCSP answers that were published with them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cc_testkit::published::corpus;
use muster_it::cli::{Muster, Ran};
use muster_it::place::plugins;
use serde_json::Value;

/// Within the validity of most signers of manifests.
const JUNE_2025: &str = "2025-06-01T00:00:00Z";
/// When the answers about the device's chain were current.
const AUGUST_2025: &str = "2025-08-21T12:00:00Z";
/// When those about the manifests' chains were.
const OCTOBER_2025: &str = "2025-10-24T12:00:00Z";
const JUNE_2026: &str = "2026-06-01T00:00:00Z";

const NO_OCSP: &str = "gpu.ocsp.unavailable";
const NO_RIM: &str = "gpu.rim.not_found";

const COMPLETE: &str = "nvidia-gpu/hopper-550.90.07-complete";
const RIMS: &str = "nvidia-gpu/rims-nvat-negative";
const SWITCH: &str = "nvidia-switch/ls10-nvat";

/// Folder, evidence, endorsements (within the folder, or from the corpus's own with a slash), instant, waivers, outcome:
/// a code, or `accept` with the waivers that were used.
type Row = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    &'static str,
);

const CHAIN: &str = "cert_chain.pem";
const BOTH: &[&str] = &[CHAIN, "driver_rim.xml", "vbios_rim.xml"];

const ROWS: &[Row] = &[
    (COMPLETE, "report.bin", BOTH, JUNE_2025, &[NO_OCSP], "accept"),
    (COMPLETE, "hopperAttestationReport.txt", BOTH, JUNE_2025, &[NO_OCSP], "accept"),
    // What is not waived is missing.
    (COMPLETE, "report.bin", BOTH, JUNE_2025, &[], "gpu.ocsp.unavailable"),
    (COMPLETE, "report.bin", &[CHAIN], JUNE_2025, &[NO_OCSP], "gpu.rim.not_found"),
    (COMPLETE, "report.bin", &[], JUNE_2025, &[NO_OCSP, NO_RIM], "gpu.chain.missing"),
    // Another device's chain.
    (
        COMPLETE,
        "report.bin",
        &["nvidia-gpu/hopper-580.159-nvat/cert_chain.pem"],
        JUNE_2025,
        &[NO_OCSP, NO_RIM],
        "gpu.fwid.mismatch",
    ),
    // Before and after the signers of the manifests.
    (COMPLETE, "report.bin", BOTH, "2024-05-31T00:00:00Z", &[NO_OCSP], "gpu.rim.expired"),
    (COMPLETE, "report.bin", BOTH, JUNE_2026, &[NO_OCSP], "gpu.rim.expired"),
    // Manifests of another version, changed, and with another chain.
    (
        COMPLETE,
        "report.bin",
        &[CHAIN, "vbios_rim.xml", "nvidia-gpu/rims-nvat-negative/NV_GPU_DRIVER_GH100_550.144.03.xml"],
        JUNE_2025,
        &[NO_OCSP],
        "gpu.rim.version_mismatch",
    ),
    (
        COMPLETE,
        "report.bin",
        &[CHAIN, "vbios_rim.xml", "nvidia-gpu/rims-nvat-negative/incorrect_signature_driver_rim.xml"],
        JUNE_2025,
        &[NO_OCSP],
        "gpu.rim.signature",
    ),
    (
        COMPLETE,
        "report.bin",
        &[CHAIN, "vbios_rim.xml", "nvidia-gpu/rims-nvat-negative/incorrect_cert_chain_driver_rim.xml"],
        JUNE_2025,
        &[NO_OCSP],
        "gpu.rim.chain",
    ),
    // The answers about the device are current, those about the manifests are not yet; and the other way round.
    (
        COMPLETE,
        "report.bin",
        &[
            CHAIN,
            "driver_rim.xml",
            "vbios_rim.xml",
            "ocsp/test_gpu_certificate_l2_base64encoded_ocsp_response.dat",
            "ocsp/test_gpu_certificate_l3_base64encoded_ocsp_response.dat",
            "ocsp/test_gpu_certificate_l4_base64encoded_ocsp_response.dat",
        ],
        AUGUST_2025,
        &[NO_OCSP],
        "accept",
    ),
    (
        COMPLETE,
        "report.bin",
        &[
            CHAIN,
            "driver_rim.xml",
            "vbios_rim.xml",
            "ocsp/test_gpu_certificate_l2_base64encoded_ocsp_response.dat",
        ],
        OCTOBER_2025,
        &[NO_OCSP],
        "gpu.ocsp.stale",
    ),
    (
        "nvidia-gpu/hopper-535.86-nvat-rim-mismatch",
        "report.bin",
        &[CHAIN, "driver_rim_mismatch.xml", "vbios_rim.xml"],
        JUNE_2025,
        &[NO_OCSP],
        "gpu.rim.signature",
    ),
    (
        "nvidia-gpu/hopper-535.86-nvat-rim-mismatch",
        "report.bin",
        &[CHAIN, "vbios_rim_mismatch.xml"],
        JUNE_2025,
        &[NO_OCSP, NO_RIM],
        "gpu.measurement.mismatch",
    ),
    (
        "nvidia-gpu/hopper-535.86-nvat-rim-mismatch",
        "report.bin",
        &[CHAIN],
        JUNE_2025,
        &[NO_OCSP, NO_RIM],
        "accept",
    ),
    (
        "nvidia-gpu/hopper-570.124-rim-expired",
        "report.bin",
        &[CHAIN, "driver_rim_expired.xml", "vbios_rim.swidtag"],
        JUNE_2025,
        &[NO_OCSP],
        "gpu.rim.signature",
    ),
    ("nvidia-gpu/hopper-580.159-nvat", "report.bin", &[CHAIN], JUNE_2025, &[NO_OCSP, NO_RIM], "accept"),
    ("nvidia-gpu/hopper-590.12-nvat", "evidence.json", &[], JUNE_2025, &[NO_OCSP, NO_RIM], "accept"),
    ("nvidia-gpu/hopper-590.12-nvat", "hopper_evidence.json", &[], JUNE_2025, &[NO_OCSP, NO_RIM], "accept"),
    ("nvidia-gpu/hopper-590.12-nvat", "evidence.json", &[], JUNE_2025, &[NO_OCSP], "gpu.rim.not_found"),
    ("nvidia-gpu/multi-hopper-nvat", "multi_gpu_hopper.json", &[], JUNE_2025, &[NO_OCSP, NO_RIM], "accept"),
    ("nvidia-gpu/blackwell-575.32-nvat", "report.bin", &[CHAIN], JUNE_2025, &[NO_OCSP, NO_RIM], "accept"),
    // Published with the chain of another device, so that even the firmware is not the certified one.
    (
        "nvidia-gpu/hopper-invalid-signature",
        "report.bin",
        &[CHAIN],
        JUNE_2025,
        &[NO_OCSP, NO_RIM],
        "gpu.fwid.mismatch",
    ),
    (SWITCH, "switch_evidence_ls10.json", &["switch_bios_rim.xml"], JUNE_2026, &[NO_OCSP], "accept"),
    (SWITCH, "report.bin", &[CHAIN, "switch_bios_rim.xml"], JUNE_2026, &[NO_OCSP], "accept"),
    (SWITCH, "report.bin", &[CHAIN, "switch_bios_rim.xml"], JUNE_2025, &[NO_OCSP], "gpu.rim.expired"),
    (
        SWITCH,
        "report.bin",
        &[CHAIN, "rim_invalid_signature.xml"],
        "2026-01-01T00:00:00Z",
        &[NO_OCSP],
        "gpu.rim.signature",
    ),
    (
        SWITCH,
        "report_invalid_signature.hex",
        &[CHAIN],
        JUNE_2026,
        &[NO_OCSP, NO_RIM],
        "gpu.signature.invalid",
    ),
    (
        "nvidia-switch/ls10-sigmismatch-gonvattest",
        "report.bin",
        &[CHAIN],
        JUNE_2025,
        &[NO_OCSP, NO_RIM],
        "gpu.signature.invalid",
    ),
];

fn run(
    muster: &Muster,
    evidence: &Path,
    endorsements: impl IntoIterator<Item = String>,
    at: &str,
    waived: &[&str],
) -> Ran {
    let mut line = format!(
        "evidence verify --profile nv-spdm-1 --plugins {} --evidence {} --offline --at {at} --format json",
        plugins().display(),
        evidence.display()
    );
    for file in endorsements {
        line += &format!(" --endorsements {file}");
    }
    for code in waived {
        line += &format!(" --waive {code}");
    }
    muster.run(&line)
}

#[test]
fn every_item_has_its_outcome() {
    let corpus = corpus();
    let corpus = corpus.canonicalize().unwrap();
    let muster = Muster::new();
    let mut folders = std::collections::BTreeSet::new();
    for (folder, file, endorsements, at, waived, expected) in ROWS {
        folders.insert(*folder);
        let place = |file: &&str| {
            let base = if file.starts_with("nvidia-") { corpus.clone() } else { corpus.join(folder) };
            base.join(file).display().to_string()
        };
        let evidence = corpus.join(folder).join(file);
        let ran = run(&muster, &evidence, endorsements.iter().map(place), at, waived);
        let result: Value = ran.json();
        let case = format!("{folder}/{file} at {at}: {result}");
        assert_eq!(result["plugin"]["name"], "cc-gpu", "{case}");
        if *expected != "accept" {
            let exit =
                if ["gpu.ocsp.unavailable", "gpu.rim.not_found", "gpu.chain.missing"].contains(expected) {
                    4
                } else {
                    3
                };
            assert_eq!((&result["code"], ran.exit), (&Value::from(*expected), exit), "{case}");
            continue;
        }
        assert_eq!((&result["outcome"], ran.exit), (&Value::from("accept"), 0), "{case}");
        assert_eq!(result["waived"], Value::from(waived.to_vec()), "{case}");
        observed(&corpus.join(folder), &result["claims"]);
    }
    // Manifests and chains that come without a report are tried with the report of another item.
    let items = |kind: &str| std::fs::read_dir(corpus.join(kind)).unwrap().flatten().map(|e| e.path());
    for item in items("nvidia-gpu").chain(items("nvidia-switch")) {
        let known = folders.iter().any(|folder| corpus.join(folder) == item);
        let elsewhere = [
            "rims-nvtrust",
            "rims-nvat-negative",
            "rim-parser-cases-gonvattest",
            "hopper-certchain-cases-trustee",
        ];
        assert!(known || elsewhere.iter().any(|name| item.ends_with(name)), "{} has no row", item.display());
    }
    assert!(corpus.join(RIMS).is_dir());
    println!("{} cases of real evidence of GPUs and switches", ROWS.len());
}

/// What was observed of the item by other means.
fn observed(folder: &Path, claims: &Value) {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let observed = &expected["observed"];
    let devices = claims["devices"].as_array().unwrap();
    if let Some(listed) = observed["devices"].as_array() {
        assert_eq!(devices.len(), listed.len());
        for (device, said) in devices.iter().zip(listed) {
            assert_eq!(device["driver_version"], said["driver"], "{device}");
            let nonce = device["spdm_nonce"].as_str().unwrap();
            assert!(nonce.starts_with(said["nonce"].as_str().unwrap()));
        }
        return;
    }
    let [device] = devices.as_slice() else { panic!("{} devices", devices.len()) };
    assert_eq!(device["spdm_nonce"], observed["spdm_nonce"]);
    assert_eq!(device["measurement_blocks"], observed["measurement_blocks"]);
    assert_eq!(device["chain_len"], observed["chain_len"]);
    for (name, value) in observed["opaque"].as_object().unwrap() {
        // The corpus writes empty fields too.
        if value != "" {
            assert_eq!(device["opaque"][name], *value, "{name} of {device}");
        }
    }
}

/// Chains as the driver would give them beside a genuine report: whole, root only, one missing in the middle, leaf missing.
#[test]
fn chains_that_are_not_whole_are_refused() {
    const CASES: [(&str, &str); 4] = [
        ("case1.txt", "accept"),
        ("case2.txt", "gpu.chain.length"),
        ("case3.txt", "gpu.chain.length"),
        ("case4.txt", "gpu.chain.length"),
    ];
    let corpus = corpus();
    let corpus = corpus.canonicalize().unwrap();
    let report = std::fs::read(corpus.join(COMPLETE).join("report.bin")).unwrap();
    let (muster, folder) = (Muster::new(), tempfile::tempdir().unwrap());
    for (file, expected) in CASES {
        let chain =
            std::fs::read(corpus.join("nvidia-gpu/hopper-certchain-cases-trustee").join(file)).unwrap();
        let device = serde_json::json!([{
            "arch": "HOPPER",
            "certificate": STANDARD.encode(chain),
            "evidence": STANDARD.encode(&report),
            "nonce": hex::encode(&report[4..36]),
        }]);
        let evidence = folder.path().join(file);
        std::fs::write(&evidence, device.to_string()).unwrap();
        let ran = run(&muster, &evidence, [], JUNE_2025, &[NO_OCSP, NO_RIM]);
        let result: Value = ran.json();
        let found = if ran.exit == 0 { &result["outcome"] } else { &result["code"] };
        assert_eq!(*found, expected, "{file}: {result}");
    }
    println!("{} cases of certificate chains of a GPU", CASES.len());
}

#[test]
fn the_nonce_is_compared() {
    let corpus = corpus();
    let corpus = corpus.canonicalize().unwrap();
    let (muster, item) = (Muster::new(), corpus.join("nvidia-gpu/multi-hopper-nvat/multi_gpu_hopper.json"));
    let ask = |nonce: &str| {
        let more = format!("{JUNE_2025} --expect-binding {nonce}");
        let ran = run(&muster, &item, [], &more, &[NO_OCSP, NO_RIM]);
        (ran.exit, ran.json())
    };
    let nonce = "e97b23a1718095a0e9e35edca810768c70a6a5a389b705e753b197912bc11576";
    let (exit, result) = ask(nonce);
    assert_eq!((exit, &result["binding"]), (0, &Value::from("matched")), "{result}");
    let (exit, result) = ask(&nonce.replace("e9", "e8"));
    assert_eq!((exit, &result["code"]), (3, &Value::from("bind.gpu_nonce.mismatch")), "{result}");
    let usage = muster.run(&format!(
        "evidence verify --profile nv-spdm-1 --evidence {} --expect-binding {}",
        item.display(),
        "00".repeat(64)
    ));
    assert_eq!(usage.exit, 2);
    println!("3 cases of the nonce of real evidence");
}
