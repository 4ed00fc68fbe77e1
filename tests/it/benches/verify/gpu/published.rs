//! Published evidence of a Hopper with its manifests and the OCSP answers about their chains, read in place.

use std::hint::black_box;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cc_core::gpu::{Device, DeviceClass, encode};
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest};
use cc_core::{Profile, UnixTime};
use cc_testkit::published;
use cc_verifier::gpu::rim::Rim;
use cc_verifier::gpu::{Anchors, Verifier};

use super::{ENTRIES, accepted, bench};
use crate::harness::Bench;

const FOLDER: &str = "nvidia-gpu/hopper-550.90.07-complete";
const MANIFESTS: [&str; 2] = ["driver_rim.xml", "vbios_rim.xml"];
/// The answers about the manifests' chains, base64.
const ANSWERS: [&str; 4] = [
    "ocsp/test_gpu_driver_rim_l3_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_driver_rim_l4_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_rim_l2_base64encoded_ocsp_response.dat",
    "ocsp/test_gpu_vbios_l4_base64encoded_ocsp_response.dat",
];
/// 2025-10-24T12:00:00Z, when these answers are current. Those about the device's chain are not any more.
const INSTANT: u64 = 1_761_307_200;
const WAIVED: &str = "gpu.ocsp.unavailable";
const ROOT: &[u8] =
    include_bytes!("../../../../../crates/cc-verifier/anchors/nvidia/corim-signing-root-ca.der");

/// None, with a loud note, where there is no published evidence.
pub(super) fn benches(plugins: &Path) -> Vec<Bench> {
    let corpus = match published::find() {
        Ok(corpus) => corpus,
        Err(missing) => {
            eprintln!("## SKIPPED: gpu.real.* and gpu.verify.abi: {missing}");
            return Vec::new();
        }
    };
    let item = corpus.join(FOLDER);
    vec![known_device(&item), full(&item), abi(&item, plugins), manifest(&item)]
}

fn request(item: &Path) -> VerifyRequest {
    let read = |file: &str| std::fs::read(item.join(file)).unwrap();
    let device = Device {
        class: DeviceClass::Gpu,
        report: read("report.bin"),
        cert_chain: read("cert_chain.pem"),
        cc_state: None,
        arch: None,
    };
    let manifests = MANIFESTS.map(read);
    let answers = ANSWERS.map(|file| STANDARD.decode(read(file)).unwrap());
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::nv_spdm_1(),
        evidence: encode(&[device]),
        endorsements: manifests.into_iter().chain(answers).map(Blob).collect(),
        waivers: vec![WAIVED.to_owned()],
        vouched: Vec::new(),
        now: UnixTime::from_secs(INSTANT),
    }
}

/// Everything was seen before.
fn known_device(item: &Path) -> Bench {
    let (request, verifier) = (request(item), Verifier::new(Anchors::nvidia(), ENTRIES));
    bench("gpu.real.known_device", move || accepted(&verifier, &request))
}

/// Nothing is remembered.
fn full(item: &Path) -> Bench {
    let (request, verifier) = (request(item), Verifier::new(Anchors::nvidia(), 0));
    bench("gpu.real.full", move || accepted(&verifier, &request))
}

/// Everything was seen before, through the shared library as the host calls it, contract checks included.
fn abi(item: &Path, plugins: &Path) -> Bench {
    let request = request(item);
    let config = cc_manager::Config::load(plugins).unwrap();
    let host = cc_manager::Host::load(&config, &muster_it::place::worker()).unwrap();
    bench("gpu.verify.abi", move || {
        let plugin = host.plugins().find(|plugin| plugin.identity().name == "cc-gpu").unwrap();
        let answer = plugin.verify(black_box(&request)).unwrap();
        assert!(answer.outcome.is_ok());
    })
}

/// One manifest alone.
fn manifest(item: &Path) -> Bench {
    let xml = std::fs::read(item.join(MANIFESTS[0])).unwrap();
    bench("gpu.real.rim", move || drop(black_box(Rim::verify(black_box(&xml), ROOT).unwrap())))
}
