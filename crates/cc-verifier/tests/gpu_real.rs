//! Published reports: each has the outcome that its signature, the reference manifests and the OCSP answers of a time give
//! it, with the claims that the corpus observed, or is refused for the reason in the table.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "common/gpu_corpus.rs"]
mod gpu_corpus;
#[path = "common/gpu_published.rs"]
mod gpu_published;

use std::collections::BTreeSet;

use cc_core::Claims;
use cc_core::gpu::{Device, DeviceClass};
use cc_core::message::{Message, WireOutcome};
use cc_verifier::gpu::{Anchors, Report, Verifier};
use gpu_corpus::corpus;
use gpu_published::{
    code, devices, endorsements, expected, plan_request, read, verify, verify_request,
};
use serde_json::{Value, json};

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
        if code(&reply) != expected {
            wrong.push(format!("{folder}/{file} with {files:?}: {:?}, expected {expected}", reply.outcome));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    println!("{} reports in {} rows", reports().len(), ROWS.len());
}
