//! Published reports as evidence, and requests about them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::gpu::{Device, DeviceClass, declared_length, encode};
use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::{Profile, UnixTime};
use cc_verifier::gpu::{Anchors, Verifier};
use serde_json::Value;

use cc_testkit::published::corpus;

/// A published file.
pub(crate) fn read(path: &str) -> Vec<u8> {
    std::fs::read(corpus().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What the corpus says about a folder.
pub(crate) fn expected(folder: &str) -> Value {
    serde_json::from_slice(&read(&format!("{folder}/expected.json"))).unwrap()
}

/// The devices of a folder's file: a report beside `cert_chain.pem`, its hexadecimal text, or a list in JSON.
pub(crate) fn devices(folder: &str, file: &str) -> Vec<Device> {
    let bytes = read(&format!("{folder}/{file}"));
    if file.ends_with(".json") {
        let list: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        return list.iter().map(listed).collect();
    }
    let report = if file.ends_with(".hex") {
        hex::decode(String::from_utf8(bytes).unwrap().trim()).unwrap()
    } else {
        bytes
    };
    let class = if folder.starts_with("nvidia-switch") { DeviceClass::Switch } else { DeviceClass::Gpu };
    let cert_chain = read(&format!("{folder}/cert_chain.pem"));
    vec![Device { class, report, cert_chain, cc_state: None, arch: None }]
}

fn listed(entry: &Value) -> Device {
    let text = |name: &str| entry[name].as_str().unwrap();
    let mut report = STANDARD.decode(text("evidence")).unwrap();
    // The driver's buffer is larger than what it holds.
    let end = declared_length(&report).unwrap();
    assert!(report[end..].iter().all(|byte| *byte == 0));
    report.truncate(end);
    let arch = text("arch");
    let class = if arch == "LS10" { DeviceClass::Switch } else { DeviceClass::Gpu };
    let cert_chain = STANDARD.decode(text("certificate")).unwrap();
    Device { class, report, cert_chain, cc_state: None, arch: Some(arch.to_owned()) }
}

/// Published endorsements; OCSP answers are published as base64 text.
pub(crate) fn endorsements(folder: &str, files: &[&str]) -> Vec<Vec<u8>> {
    let one = |file: &&str| {
        let bytes = read(&format!("{folder}/{file}"));
        if file.ends_with(".dat") { STANDARD.decode(bytes).unwrap() } else { bytes }
    };
    files.iter().map(one).collect()
}

pub(crate) fn verify_request(
    devices: &[Device],
    endorsements: &[Vec<u8>],
    at: u64,
    waivers: &[&str],
) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::nv_spdm_1(),
        evidence: encode(devices),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
        waivers: waivers.iter().map(|code| (*code).to_owned()).collect(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(at),
    }
}

pub(crate) fn plan_request(devices: &[Device], endorsements: &[Vec<u8>]) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::nv_spdm_1(),
        evidence: encode(devices),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
    }
}

/// Verifies under NVIDIA's roots.
pub(crate) fn verify(devices: &[Device], endorsements: &[Vec<u8>], at: u64, waivers: &[&str]) -> VerifyReply {
    Verifier::new(Anchors::nvidia(), 0).verify(&verify_request(devices, endorsements, at, waivers))
}
