//! NVIDIA's attestation service in place of manifests and OCSP answers, through the command and the loaded plugin: a fake
//! service on loopback over TLS, and published answers of the real one.

use std::path::Path;

use cc_testkit::gpu::{Arch, NOW, World};
use cc_testkit::https::Fault;
use cc_testkit::nras::{Answer, ISS, Nras};
use cc_testkit::published::corpus;
use muster_it::cli::Muster;
use muster_it::place::{entry, plugins, test_plugin};
use serde_json::Value;

const ATTEST: &str = "/v4/attest/gpu";
const KEYS: &str = "/.well-known/jwks.json";
/// Serial number of the first device's certificate, as the service writes it.
const UEID: &str = "10039136078527345631830647807959242631261214586";

struct Scene {
    muster: Muster,
    nras: Nras,
    verify: String,
}

impl Scene {
    fn new() -> Self {
        let (muster, nras) = (Muster::new(), Nras::start());
        nras.edit(|answer| answer.devices[0].1.payload.set_text("ueid", UEID));
        let mut world = World::new(Arch::Hopper, 1);
        world.members[0].pem = Some(world.members[0].chain.pem());
        let ca = muster.folder().join("ca.pem");
        nras.service().write_ca(&ca);
        let settings = format!("nras = true\nnras_issuer = \"{ISS}\"");
        let plugin = entry(&test_plugin("libemulated_gpu.so"), &["nv-spdm-1"], &settings);
        let config = format!(
            "version = 1\n{plugin}\n[danger]\nallow_emulated = true\n[[fetch.endpoint]]\n\
             host = \"nras.attestation.nvidia.com\"\nurl = \"{}\"\nca_file = {ca:?}\n",
            nras.service().url()
        );
        let plugins = muster.write("plugins.toml", config);
        let evidence = muster.write("devices.bin", world.evidence());
        let verify = format!(
            "evidence verify --profile nv-spdm-1 --evidence {evidence} --plugins {plugins} --at {}",
            cc_core::UnixTime::from_secs(NOW.unsigned_abs())
        );
        Self { muster, nras, verify }
    }

    fn code(&self, exit: i32) -> String {
        self.muster.json(exit, &self.verify)["code"].as_str().unwrap_or("accept").to_owned()
    }
}

#[test]
fn the_host_asks_the_service_and_its_tokens_count() {
    let scene = Scene::new();
    let result = scene.muster.json(0, &scene.verify);
    assert_eq!(result["claims"]["nras"], ISS, "{result}");
    assert_eq!(result["claims"]["devices"][0]["verifier"], "nras");
    let service = scene.nras.service();
    assert_eq!((service.count(ATTEST), service.count(KEYS)), (1, 1));
    let kinds: Vec<_> =
        result["endorsements"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["nras.token", "nras.jwks"], "{result}");
    // An answer is good for one evidence and is not kept.
    scene.muster.json(0, &scene.verify);
    assert_eq!(service.count(ATTEST), 2);
}

#[test]
fn what_the_service_does_not_vouch_for_is_denied() {
    let scene = Scene::new();
    let said = |edit: fn(&mut Answer), exit: i32| {
        scene.nras.edit(move |answer| {
            answer.devices[0].1.payload.set_text("ueid", UEID);
            edit(answer);
        });
        scene.code(exit)
    };
    assert_eq!(said(|_| (), 0), "accept");
    assert_eq!(said(|answer| answer.devices[0].1.payload.set_text("ueid", "17"), 3), "nras.device.mismatch");
    assert_eq!(
        said(|answer| answer.overall.payload.set_text("iss", "https://nras.example"), 3),
        "jwt.iss.mismatch"
    );
    scene.nras.service().always(ATTEST, Fault::Status(403));
    assert_eq!(scene.code(4), "nras.service_unavailable");
}

/// What the real service said about a published report. Its keys of that day are not published.
#[test]
fn published_answers_have_their_outcomes() {
    const NVIDIA: &str = "https://nras.attestation.nvidia.com";
    const STAGING: &str = "https://nras.attestation-stg.nvidia.com";
    let hopper = ("nvidia-gpu/hopper-550.90.07-complete", "hopperClaimsv3_detached_eat.json");
    let switch = ("nvidia-switch/ls10-nvat", "switch_detached_eat.json");
    let rows = [
        (hopper, NVIDIA, "2025-06-11T00:31:00Z", 4, "jwt.jwks.unavailable"),
        (hopper, NVIDIA, "2025-06-11T01:31:58Z", 3, "jwt.expired"),
        (hopper, NVIDIA, "2025-06-11T00:29:00Z", 3, "jwt.not_yet_valid"),
        (hopper, STAGING, "2025-06-11T00:31:00Z", 3, "jwt.iss.mismatch"),
        (switch, STAGING, "2025-06-28T23:58:00Z", 4, "jwt.jwks.unavailable"),
        (switch, NVIDIA, "2025-06-28T23:58:00Z", 3, "jwt.iss.mismatch"),
    ];
    let corpus = corpus();
    let corpus = corpus.canonicalize().unwrap();
    for ((item, answer), issuer, at, exit, expected) in rows {
        let item = corpus.join(item);
        let answer = corpus.join("nras-token/gpu-switch-nvat").join(answer);
        let result = judged(&item, &answer, issuer, at, exit);
        assert_eq!(result["code"], expected, "{} at {at}: {result}", answer.display());
        assert_eq!(result["plugin"]["name"], "cc-gpu");
        // Another device's token than the one that is shown.
        let other = if answer.ends_with("switch_detached_eat.json") { hopper.0 } else { switch.0 };
        let result = judged(&corpus.join(other), &answer, issuer, at, 3);
        assert_ne!(result["outcome"], "accept");
    }
    println!("{} published answers of the attestation service", rows.len());
}

fn judged(item: &Path, answer: &Path, issuer: &str, at: &str, exit: i32) -> Value {
    let muster = Muster::new();
    let settings = format!("nras = true\nnras_issuer = \"{issuer}\"");
    let plugin = entry(&plugins().join("libcc_gpu.so"), &["nv-spdm-1"], &settings);
    let config = muster.write("plugins.toml", format!("version = 1\n{plugin}"));
    let line = format!(
        "evidence verify --profile nv-spdm-1 --plugins {config} --evidence {} --endorsements {} --endorsements {} \
         --offline --at {at}",
        item.join("report.bin").display(),
        item.join("cert_chain.pem").display(),
        answer.display()
    );
    muster.json(exit, &line)
}
