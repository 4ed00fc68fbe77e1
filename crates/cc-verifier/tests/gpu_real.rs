//! Published reports: each has the outcome that its signature, the reference manifests and the OCSP answers of a time give
//! it, with the claims that the corpus observed, or is refused for the reason in the table.

use std::collections::BTreeSet;

use cc_core::Claims;
use cc_core::gpu::{Device, DeviceClass};
use cc_core::message::{Message, WireOutcome};
use cc_verifier::gpu::{Anchors, Report, Verifier};
use serde_json::{Value, json};

use crate::common::gpu_published::{
    devices, endorsements, expected, plan_request, read, verify, verify_request,
};
use cc_testkit::published::corpus;

use crate::common::codes::reply_code;

const OCSP: &str = "gpu.ocsp.unavailable";
const RIM: &str = "gpu.rim.not_found";
const BOTH: &[&str] = &[OCSP, RIM];

/// 2025-06-01, within the manifests of 2023, 2024 and 2025.
const JUN_2025: u64 = 1_748_736_000;
/// 2025-08-21T12:00:00Z, when the published OCSP answers about a device are current.
const AUG_2025: u64 = 1_755_777_600;
/// 2025-10-24T12:00:00Z, when those about manifests are.
const OCT_2025: u64 = 1_761_307_200;
/// 2026-06-01, within the switch's manifest.
const JUN_2026: u64 = 1_780_272_000;

const COMPLETE: &str = "nvidia-gpu/hopper-550.90.07-complete";
const OF_DEVICE: [&str; 3] = [
    "ocsp/test_gpu_certificate_l2_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_certificate_l3_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_certificate_l4_base64encoded_ocsp_response.dat",
];
const OF_MANIFESTS: [&str; 4] = [
    "ocsp/test_gpu_driver_rim_l3_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_driver_rim_l4_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_rim_l2_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_vbios_l4_base64encoded_ocsp_response.dat",
];
const MANIFESTS: [&str; 2] = ["driver_rim.xml", "vbios_rim.xml"];

/// Folder, file, endorsements, instant, waivers, and the outcome.
type Row = (&'static str, &'static str, &'static [&'static str], u64, &'static [&'static str], &'static str);

#[rustfmt::skip]
const ROWS: [Row; 31] = [
    (COMPLETE, "report.bin", &MANIFESTS, JUN_2025, &[OCSP], "accept"),
    (COMPLETE, "report.bin", &[], JUN_2025, &[], OCSP),
    (COMPLETE, "report.bin", &[], JUN_2025, BOTH, "accept"),
    (COMPLETE, "report.bin", &MANIFESTS, JUN_2025, &[], OCSP),
    (COMPLETE, "report.bin", &["vbios_rim.xml"], JUN_2025, &[OCSP], RIM),
    (COMPLETE, "report.bin", &["driver_rim.xml"], JUN_2025, &[OCSP], RIM),
    (COMPLETE, "report.bin", &OF_DEVICE, AUG_2025, &[RIM], "accept"),
    (COMPLETE, "report.bin", &OF_DEVICE, OCT_2025, &[RIM], "gpu.ocsp.stale"),
    (COMPLETE, "report.bin", &[MANIFESTS[0], MANIFESTS[1], OF_MANIFESTS[0], OF_MANIFESTS[1], OF_MANIFESTS[2], OF_MANIFESTS[3]], OCT_2025, &[OCSP], "accept"),
    (COMPLETE, "report.bin", &[MANIFESTS[0], MANIFESTS[1], OF_MANIFESTS[0], OF_MANIFESTS[1], OF_MANIFESTS[2], OF_MANIFESTS[3]], AUG_2025, &[OCSP], "gpu.ocsp.stale"),
    // The signer of the VBIOS manifest was valid until February.
    (COMPLETE, "report.bin", &MANIFESTS, JUN_2026, &[OCSP], "gpu.rim.expired"),
    ("nvidia-gpu/blackwell-575.32-nvat", "report.bin", &[], JUN_2025, BOTH, "accept"),
    ("nvidia-gpu/blackwell-575.32-nvat", "report.bin", &[], JUN_2025, &[OCSP], RIM),
    // No firmware identity in the report, which is the policy's matter.
    ("nvidia-gpu/hopper-535.86-nvat-rim-mismatch", "report.bin", &["vbios_rim.xml"], JUN_2025, BOTH, "accept"),
    // The driver's manifest was edited after it was signed.
    ("nvidia-gpu/hopper-535.86-nvat-rim-mismatch", "report.bin", &["driver_rim_mismatch.xml", "vbios_rim.xml"], JUN_2025, &[OCSP], "gpu.rim.signature"),
    ("nvidia-gpu/hopper-535.86-nvat-rim-mismatch", "report.bin", &["vbios_rim_mismatch.xml"], JUN_2025, BOTH, "gpu.measurement.mismatch"),
    ("nvidia-gpu/hopper-570.124-rim-expired", "report.bin", &[], JUN_2025, BOTH, "accept"),
    ("nvidia-gpu/hopper-570.124-rim-expired", "report.bin", &["driver_rim_expired.xml", "vbios_rim.swidtag"], JUN_2025, &[OCSP], "gpu.rim.signature"),
    ("nvidia-gpu/hopper-570.124-rim-expired", "report.bin", &["vbios_rim.swidtag"], JUN_2025, BOTH, "gpu.measurement.mismatch"),
    ("nvidia-gpu/hopper-580.159-nvat", "report.bin", &[], JUN_2025, BOTH, "accept"),
    ("nvidia-gpu/hopper-590.12-nvat", "evidence.json", &[], JUN_2025, BOTH, "accept"),
    ("nvidia-gpu/hopper-590.12-nvat", "hopper_evidence.json", &[], JUN_2025, BOTH, "accept"),
    ("nvidia-gpu/multi-hopper-nvat", "multi_gpu_hopper.json", &[], JUN_2025, BOTH, "accept"),
    ("nvidia-gpu/hopper-invalid-signature", "report.bin", &[], JUN_2025, BOTH, "gpu.fwid.mismatch"),
    ("nvidia-switch/ls10-nvat", "report.bin", &["switch_bios_rim.xml"], JUN_2026, &[OCSP], "accept"),
    ("nvidia-switch/ls10-nvat", "switch_evidence_ls10.json", &["switch_bios_rim.xml"], JUN_2026, &[OCSP], "accept"),
    ("nvidia-switch/ls10-nvat", "report.bin", &["switch_bios_rim.xml"], JUN_2025, &[OCSP], "gpu.rim.expired"),
    ("nvidia-switch/ls10-nvat", "report.bin", &["rim_invalid_signature.xml"], JUN_2025, &[OCSP], "gpu.rim.signature"),
    ("nvidia-switch/ls10-nvat", "report.bin", &[], JUN_2025, &[OCSP], RIM),
    ("nvidia-switch/ls10-nvat", "report_invalid_signature.hex", &["switch_bios_rim.xml"], JUN_2026, &[OCSP], "gpu.signature.invalid"),
    ("nvidia-switch/ls10-sigmismatch-gonvattest", "report.bin", &[], JUN_2025, BOTH, "gpu.signature.invalid"),
];

fn as_json(claims: &Claims) -> Value {
    serde_json::to_value(claims).unwrap()
}

/// The files that hold reports.
fn reports() -> BTreeSet<(&'static str, &'static str)> {
    ROWS.iter().map(|(folder, file, ..)| (*folder, *file)).collect()
}

#[test]
fn published_reports_have_the_expected_outcome() {
    let mut wrong = Vec::new();
    for (folder, file, files, at, waivers, expected) in ROWS {
        let reply = verify(&devices(folder, file), &endorsements(folder, files), at, waivers);
        if reply_code(&reply) != expected {
            wrong.push(format!("{folder}/{file} with {files:?}: {:?}, expected {expected}", reply.outcome));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} reports in {} rows", reports().len(), ROWS.len());
}

/// Every observation of the corpus that is a claim has its value.
#[test]
fn claims_are_what_the_corpus_observed() {
    // Results of the corpus's own checks, and what is about manifests.
    let no_claims = ["report_signature_valid", "chain_valid"];
    let mut compared = 0;
    for (folder, file) in reports() {
        let observed = expected(folder)["observed"].as_object().unwrap().clone();
        let devices = devices(folder, file);
        let Some(nonce) = observed.get("spdm_nonce") else { continue };
        if observed["report_signature_valid"] == false || file.contains("invalid") {
            continue;
        }
        let claims = as_json(&plan(&devices, &[]));
        assert_eq!(&claims["nonce"], nonce, "{folder}/{file}");
        for (name, value) in &observed {
            if !no_claims.contains(&name.as_str()) && !name.starts_with("rim:") {
                assert_eq!(&claims["devices"][0][name], value, "{folder}/{file}: {name}");
                compared += 1;
            }
        }
    }
    println!("{compared} observations");
    assert!(compared >= 7 * 6);
}

/// Lists have an observation for each device.
#[test]
fn claims_of_lists_are_what_the_corpus_observed() {
    let mut compared = 0;
    for (folder, file) in [
        ("nvidia-gpu/hopper-590.12-nvat", "evidence.json"),
        ("nvidia-gpu/multi-hopper-nvat", "multi_gpu_hopper.json"),
    ] {
        let observed = &expected(folder)["observed"];
        let claims = as_json(&plan(&devices(folder, file), &[]));
        assert_eq!(claims["gpu_count"], observed["count"], "{folder}");
        for (device, seen) in
            claims["devices"].as_array().unwrap().iter().zip(observed["devices"].as_array().unwrap())
        {
            let ueid = seen["leaf_sn"].as_str().unwrap().to_lowercase();
            assert_eq!(device["ueid"], ueid, "{folder}");
            assert_eq!(device["driver_version"], seen["driver"], "{folder}");
            assert_eq!(device["opaque"]["VBIOS_VERSION"], seen["vbios"], "{folder}");
            assert!(device["spdm_nonce"].as_str().unwrap().starts_with(seen["nonce"].as_str().unwrap()));
            assert_eq!(device["vbios_version"], "96.00.a5.00.01", "{folder}");
            assert_eq!((&device["class"], &device["arch"]), (&json!("gpu"), &json!("HOPPER")), "{folder}");
            compared += 1;
        }
    }
    assert_eq!(compared, 5);
}

/// The claims of a complete verification, and of a switch.
#[test]
fn claims_name_the_collateral() {
    let claims = |folder, file, files: &[&str], at| {
        let reply = verify(&devices(folder, file), &endorsements(folder, files), at, &[OCSP]);
        let WireOutcome::Accept { claims, .. } = &reply.outcome else { panic!("{:?}", reply.outcome) };
        as_json(claims)["devices"][0].clone()
    };
    let gpu = claims(COMPLETE, "report.bin", &[&MANIFESTS[..], &OF_MANIFESTS].concat(), OCT_2025);
    let rim = |rim: &Value| [&rim["id"], &rim["version"]].map(|text| text.as_str().unwrap().to_owned());
    assert_eq!(rim(&gpu["driver_rim"]), ["NV_GPU_DRIVER_GH100_550.90.07", "550.90.07"]);
    assert_eq!(rim(&gpu["vbios_rim"]), ["NV_GPU_VBIOS_1010_0200_882_96009F0001", "96.00.9F.00.01"]);
    assert_eq!(gpu["vbios_rim"]["signer_not_after"].as_str().unwrap()[..10], *"2026-02-22");
    assert_eq!(gpu["ocsp"]["next_update"], "2025-10-25T11:32:21Z");
    assert_eq!((&gpu["nvdec0_status"], &gpu["protected_pcie_status"]), (&json!("55"), &json!("55")));
    assert_eq!(gpu["vbios_version"], "96.00.9f.00.01");
    // 21 of the driver and 12 of the VBIOS have values.
    assert_eq!(gpu["unreferenced"].as_array().unwrap().len(), 64 - 21 - 12);
    assert_eq!(gpu["device_pdi"], "431d480fe5e87274");
    for absent in ["cc_state", "feature_flag", "switch_pdis", "gpu_pdis"] {
        assert!(gpu.get(absent).is_none(), "{absent}");
    }
    let switch = claims("nvidia-switch/ls10-nvat", "report.bin", &["switch_bios_rim.xml"], JUN_2026);
    assert_eq!(rim(&switch["vbios_rim"]), ["NV_SWITCH_BIOS_5612_0002_890_9610550001", "96.10.55.00.01"]);
    assert_eq!((&switch["class"], &switch["arch"]), (&json!("switch"), &json!("LS10")));
    assert_eq!(switch["device_pdi"], "203eb31ad9ed0008");
    assert_eq!(switch["gpu_pdis"].as_array().unwrap().len(), 7);
    assert_eq!(switch["unreferenced"], json!([]));
    for absent in ["driver_rim", "driver_version", "fwid", "nvdec0_status", "ocsp"] {
        assert!(switch.get(absent).is_none(), "{absent}");
    }
}

/// NVIDIA's own parser reads the same out of two reports.
#[test]
fn reports_are_read_as_nvidia_reads_them() {
    for (folder, file) in [
        ("nvidia-gpu/hopper-580.159-nvat", "spdm_parsed_output.json"),
        ("nvidia-switch/ls10-nvat", "switch_spdm_parsed_output.json"),
    ] {
        let parsed: Value = serde_json::from_slice(&read(&format!("{folder}/{file}"))).unwrap();
        let bytes = devices(folder, "report.bin")[0].report.clone();
        let report = Report::new(&bytes).unwrap();
        let blocks = parsed["MeasurementRecord"]["MeasurementBlocks"].as_object().unwrap();
        assert_eq!(report.blocks(), blocks.len(), "{folder}");
        for (index, block) in blocks {
            let value = report.measurement(index.parse::<u8>().unwrap() - 1).unwrap();
            let expected = block["DMTFSpecMeasurementValue"].as_str().unwrap();
            assert_eq!(format!("0x{}", hex::encode(value)), expected, "{folder}: {index}");
        }
        let signature = parsed["Signature"].as_str().unwrap();
        assert_eq!(format!("0x{}", hex::encode(report.signature)), signature, "{folder}");
    }
}

/// The chains that Trustee tests with: one is good, the others lack something.
#[test]
fn published_chains_have_the_expected_outcome() {
    let folder = "nvidia-gpu/hopper-certchain-cases-trustee";
    let genuine = devices(COMPLETE, "report.bin").remove(0);
    for (file, expected) in [
        ("case1.txt", "accept"),
        ("case2.txt", "gpu.chain.length"),
        ("case3.txt", "gpu.chain.length"),
        ("case4.txt", "gpu.chain.length"),
    ] {
        let device = Device { cert_chain: read(&format!("{folder}/{file}")), ..genuine.clone() };
        let reply = verify(&[device], &[], JUN_2025, BOTH);
        assert_eq!(reply_code(&reply), expected, "{file}: {:?}", reply.outcome);
    }
}

/// The compiled-in roots are the published ones.
#[test]
fn the_roots_are_nvidias() {
    let device = include_bytes!("../anchors/nvidia/device-identity-ca.der");
    let rim = include_bytes!("../anchors/nvidia/corim-signing-root-ca.der");
    for (name, compiled) in [
        ("device_root", device.as_slice()),
        ("switch_device_root", device),
        ("rim_root", rim),
        ("switch_rim_root", rim),
    ] {
        let pem = String::from_utf8(read(&format!("trust-anchors/all/nvidia/{name}.pem"))).unwrap();
        assert!(certificates(&pem).concat() == compiled, "{name}");
    }
    let mut chains = 0;
    for (folder, file) in reports() {
        for device in devices(folder, file) {
            let pem = String::from_utf8(device.cert_chain).unwrap();
            assert!(certificates(&pem).last().unwrap().as_slice() == device_root(), "{folder}/{file}");
            chains += 1;
        }
    }
    println!("{chains} chains");
    assert!(chains >= 15 && corpus().is_dir());
}

fn device_root() -> &'static [u8] {
    include_bytes!("../anchors/nvidia/device-identity-ca.der")
}

fn certificates(pem: &str) -> Vec<Vec<u8>> {
    use base64::Engine;
    let parts = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
    let text = |part: &str| part.split("-----END").next().unwrap().split_whitespace().collect::<String>();
    parts.map(|part| base64::engine::general_purpose::STANDARD.decode(text(part)).unwrap()).collect()
}

/// No byte of a report can be another one.
#[test]
fn no_bit_of_a_report_can_be_flipped() {
    let verifier = Verifier::new(Anchors::nvidia(), 64);
    let mut flips = 0;
    // One of each form.
    for (folder, file, at) in [
        (COMPLETE, "report.bin", JUN_2025),
        ("nvidia-gpu/blackwell-575.32-nvat", "report.bin", JUN_2025),
        ("nvidia-gpu/hopper-580.159-nvat", "report.bin", JUN_2025),
        ("nvidia-switch/ls10-nvat", "report.bin", JUN_2026),
    ] {
        let genuine = devices(folder, file);
        let code_of = |devices: &[Device]| {
            reply_code(&verifier.verify(&verify_request(devices, &[], at, BOTH))).to_owned()
        };
        assert_eq!(code_of(&genuine), "accept", "{folder}");
        for position in 0..genuine[0].report.len() {
            let mut devices = genuine.clone();
            devices[0].report[position] ^= 1 << (position % 8);
            assert_ne!(code_of(&devices), "accept", "{folder}: byte {position}");
            flips += 1;
        }
    }
    println!("{flips} flips");
    assert!(flips > 14_000);
}

/// Every report with every row's endorsements: as with a memory that has seen all the others.
#[test]
fn a_memory_changes_nothing() {
    let (none, some) = (Verifier::new(Anchors::nvidia(), 0), Verifier::new(Anchors::nvidia(), 64));
    let mut accepted = 0;
    for round in 0..3 {
        for (folder, file, files, at, waivers, _) in ROWS {
            // In the last round everything is remembered and out of date.
            let late = if round == 2 { 4000 * 86_400 } else { 0 };
            let request =
                verify_request(&devices(folder, file), &endorsements(folder, files), at + late, waivers);
            let (plain, remembered) = (none.verify(&request), some.verify(&request));
            assert_eq!(plain.to_bytes(), remembered.to_bytes(), "{folder}/{file} with {files:?}");
            accepted += usize::from(reply_code(&plain) == "accept");
        }
    }
    println!("{accepted} accepted");
    assert!(accepted >= 2 * 14);
}

fn plan(devices: &[Device], endorsements: &[Vec<u8>]) -> Claims {
    Verifier::new(Anchors::nvidia(), 0).plan(&plan_request(devices, endorsements)).unwrap().claims
}

/// The label of a class decides which form a report must have.
#[test]
fn a_switch_is_no_gpu() {
    let mut device = devices("nvidia-switch/ls10-nvat", "report.bin").remove(0);
    device.class = DeviceClass::Gpu;
    assert_eq!(reply_code(&verify(&[device], &[], JUN_2026, BOTH)), "gpu.arch.mismatch");
    let mut device = devices(COMPLETE, "report.bin").remove(0);
    device.class = DeviceClass::Switch;
    assert_eq!(reply_code(&verify(&[device], &[], JUN_2025, BOTH)), "gpu.arch.mismatch");
}
