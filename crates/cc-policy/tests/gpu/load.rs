//! Sections that do not load, each with its code and place, the example that does, and the defaults as told.

use cc_policy::Policy;

use super::*;

use crate::common::parse;

#[test]
fn a_bad_knob_is_refused_where_it_stands() {
    let (first, last) = (ueid(1), ueid(12));
    let all = (1..=12).map(|n| format!("\"{}\"", ueid(n))).collect::<Vec<_>>().join(", ");
    for (knobs, code, place) in [
        // What has no default.
        ("gpu_count = 0", "pol.format.invalid", ":8 gpu.gpu_count"),
        ("gpu_count = 17", "pol.format.invalid", ":8 gpu.gpu_count"),
        ("gpu_count = \"1\"", "pol.format.invalid", ":8 gpu.gpu_count"),
        ("min_driver = \"580\"", "pol.format.invalid", ":8 gpu.min_driver"),
        ("min_driver = 580.65", "pol.format.invalid", ":8 gpu.min_driver"),
        ("min_driver = \"580.x\"", "pol.format.invalid", ":8 gpu.min_driver"),
        ("min_vbios = \"96.00.9f.00.01\"", "pol.format.invalid", ":8 gpu.min_vbios"),
        ("min_vbios = {}", "pol.min_tcb.unset", ":8 gpu.min_vbios"),
        ("min_vbios = { BLACKWELL = \"97.00.88.00.0f\" }", "pol.min_tcb.unset", ":8 gpu.min_vbios"),
        ("min_vbios = { HOPPER = \"96.00.9f.00\" }", "pol.format.invalid", ":8 gpu.min_vbios.HOPPER"),
        (
            "min_vbios = { HOPPER = \"96.00.9f.00.01\", RUBIN = \"1\" }",
            "pol.format.invalid",
            ":8 gpu.min_vbios.RUBIN",
        ),
        // An architecture that is permitted has a floor.
        ("archs = [\"HOPPER\", \"BLACKWELL\"]", "pol.min_tcb.unset", ":6 gpu.min_vbios"),
        ("mode = \"PPCIE\"\ngpu_count = 8", "pol.min_tcb.unset", ":6 gpu.min_vbios"),
        // Locked.
        ("ocsp_required = false", "pol.profile.development", ":9 gpu.ocsp_required"),
        ("rim_required = false", "pol.profile.development", ":9 gpu.rim_required"),
        ("require_cc_state = false", "pol.profile.development", ":9 gpu.require_cc_state"),
        // Contradictions.
        (&SYSTEM.replace("gpu_count = 8", "gpu_count = 7"), "pol.format.invalid", ":7 gpu.mode"),
        (
            &format!("gpu_count = 2\ndevice_allowlist = [\"{first}\"]"),
            "pol.format.invalid",
            ":9 gpu.device_allowlist",
        ),
        (
            &format!("gpu_count = 2\ndevice_allowlist = [\"{first}\", \"{}\"]", first.to_uppercase()),
            "pol.format.invalid",
            ":9 gpu.device_allowlist",
        ),
        (
            &format!("device_allowlist = [\"{first}\"]\ndevice_denylist = [\"{first}\"]"),
            "pol.format.invalid",
            ":9 gpu.device_allowlist",
        ),
        (
            &format!("{SYSTEM}\ndevice_allowlist = [{all}]\ndevice_denylist = [\"{last}\"]"),
            "pol.format.invalid",
            ":10 gpu.device_allowlist",
        ),
        // Values out of range or of another type.
        ("archs = []", "pol.format.invalid", ":8 gpu.archs"),
        ("archs = [\"LS10\"]", "pol.format.invalid", ":8 gpu.archs"),
        ("archs = [\"hopper\"]", "pol.format.invalid", ":8 gpu.archs"),
        ("archs = \"HOPPER\"", "pol.format.invalid", ":8 gpu.archs"),
        ("mode = \"spt\"", "pol.format.invalid", ":9 gpu.mode"),
        ("mode = 0", "pol.format.invalid", ":9 gpu.mode"),
        ("denied_drivers = [\"580\"]", "pol.format.invalid", ":9 gpu.denied_drivers"),
        ("denied_drivers = \"580.65\"", "pol.format.invalid", ":9 gpu.denied_drivers"),
        ("denied_vbios = [\"96.00.9f\"]", "pol.format.invalid", ":9 gpu.denied_vbios"),
        ("allowed_unreferenced = [256]", "pol.format.invalid", ":8 gpu.allowed_unreferenced"),
        ("allowed_unreferenced = [-1]", "pol.format.invalid", ":8 gpu.allowed_unreferenced"),
        ("allowed_unreferenced = \"any\"", "pol.format.invalid", ":8 gpu.allowed_unreferenced"),
        ("device_allowlist = []", "pol.format.invalid", ":9 gpu.device_allowlist"),
        ("device_allowlist = [\"00\"]", "pol.format.invalid", ":9 gpu.device_allowlist"),
        ("device_denylist = [\"xy\"]", "pol.format.invalid", ":9 gpu.device_denylist"),
        ("require_fwid = 1", "pol.format.invalid", ":9 gpu.require_fwid"),
        ("ocsp_required = \"no\"", "pol.format.invalid", ":9 gpu.ocsp_required"),
        ("rim_required = 0", "pol.format.invalid", ":9 gpu.rim_required"),
        ("require_cc_state = 0", "pol.format.invalid", ":9 gpu.require_cc_state"),
        // Keys that there are not.
        ("allow_nras = 0", "pol.format.invalid", ":9 gpu.allow_nras"),
        ("allow_hold = false", "pol.format.invalid", ":9 gpu.allow_hold"),
        ("switch_count = 4", "pol.format.invalid", ":9 gpu.switch_count"),
    ] {
        let error = parse(&policy_text("", knobs)).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.place.as_str()),
            (code, &*format!("policy.toml{place}")),
            "{knobs}: {error}"
        );
    }
}

#[test]
fn what_must_be_said_is() {
    let good = policy_text("", "");
    for (key, code, place) in [
        ("gpu_count = 1\n", "pol.format.invalid", "policy.toml:3 gpu"),
        ("min_driver = \"580.65.06\"\n", "pol.min_tcb.unset", "policy.toml:3 gpu"),
        ("min_vbios = { HOPPER = \"96.00.9f.00.01\" }\n", "pol.min_tcb.unset", "policy.toml gpu.min_vbios"),
    ] {
        let error = parse(&good.replace(key, "")).unwrap_err();
        assert_eq!((error.code.as_str(), error.place.as_str()), (code, place), "{error}");
    }
    // Without `archs` both are permitted, and each has its floor.
    let error = parse(&good.replace("archs = [\"HOPPER\"]\n", "")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pol.min_tcb.unset: policy.toml:6 gpu.min_vbios: key `BLACKWELL` is absent, expected the oldest VBIOS of that \
         architecture"
    );
}

/// A device cannot say which guest it belongs to.
#[test]
fn the_section_is_refused_alone() {
    let text = policy_text("", "");
    let (alone, _) = text.split_once("[tdx]").unwrap();
    assert_eq!(
        parse(alone).unwrap_err().to_string(),
        "pol.format.invalid: policy.toml:3 gpu: sections `snp`, `tdx`, `aci`, `maa` and `azcvm` are absent, and \
         GPU evidence is never accepted alone: a policy needs one of them for the guest that has the GPUs"
    );
    let (_, gpu) = alone.split_once("[gpu]").unwrap();
    let snp = crate::common::policy_text("", "");
    assert!(parse(&format!("{snp}[gpu]{gpu}")).is_ok(), "beside snp");
}

#[test]
fn development_loads_what_production_refuses() {
    for knobs in ["ocsp_required = false", "rim_required = false", "require_cc_state = false"] {
        assert!(parse(&policy_text("", knobs)).is_err(), "{knobs}");
        assert!(parse(&policy_text("profile = \"development\"", knobs)).is_ok(), "{knobs}");
    }
    // What is missing or contradicts itself stays so.
    for knobs in ["gpu_count = 0", "min_vbios = {}", "archs = []", "mode = \"PPCIE\""] {
        assert!(parse(&policy_text("profile = \"development\"", knobs)).is_err(), "{knobs}");
    }
}

/// The defaults of *verification.md* 3.3 in the operator's words; the other files have what they do.
#[test]
fn description_tells_the_defaults() {
    let knobs = "min_vbios = { HOPPER = \"96.00.9F.00.01\", BLACKWELL = \"97.00.88.00.0f\", LS10 = \"96.10.6d.00.01\" }";
    let text = policy_text("", knobs)
        .replace("archs = [\"HOPPER\"]\n", "")
        .replace("allowed_unreferenced = [40, 41]\n", "");
    let told = parse(&text).unwrap().describe();
    let told: Vec<_> = told.iter().filter(|line| line.starts_with("gpu: ")).map(String::as_str).collect();
    assert_eq!(
        told,
        [
            "gpu: GPUs: 1 (policy.toml:4 gpu.gpu_count)",
            "gpu: devices: any (default gpu.device_allowlist)",
            "gpu: denied devices: none (default gpu.device_denylist)",
            "gpu: architectures: HOPPER, BLACKWELL (default gpu.archs)",
            "gpu: firmware identity: required (default gpu.require_fwid)",
            "gpu: OCSP answers: required (default gpu.ocsp_required)",
            "gpu: reference manifests: required (default gpu.rim_required)",
            "gpu: NVIDIA's attestation service as verifier: false (default gpu.allow_nras)",
            "gpu: oldest driver: 580.65.06 (policy.toml:5 gpu.min_driver)",
            "gpu: denied drivers: none (default gpu.denied_drivers)",
            "gpu: oldest VBIOS of HOPPER: 96.00.9f.00.01 (policy.toml:6 gpu.min_vbios.HOPPER)",
            "gpu: oldest VBIOS of BLACKWELL: 97.00.88.00.0f (policy.toml:6 gpu.min_vbios.BLACKWELL)",
            "gpu: denied VBIOSes: none (default gpu.denied_vbios)",
            "gpu: measurements without a reference value: none (default gpu.allowed_unreferenced)",
            "gpu: mode: SPT (default gpu.mode)",
            "gpu: confidential-computing state: required (default gpu.require_cc_state)",
        ]
    );
}

/// Every key of the format stands in the example, so that it is also the format's reference.
#[test]
fn the_example_loads_and_has_every_key() {
    let text = include_str!("../../examples/gpu-production.toml");
    let example = Policy::parse(text, "gpu-production.toml").unwrap();
    let lines = example.describe();
    assert_eq!(lines.iter().filter(|line| line.starts_with("gpu: ")).count(), 16);
    for line in lines.iter().filter(|line| line.starts_with("gpu: ")) {
        assert!(line.contains("(gpu-production.toml:"), "{line} is not in the example");
    }
}
