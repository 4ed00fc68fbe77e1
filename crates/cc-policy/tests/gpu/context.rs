//! What else decides: absent claims, waivers, trust class, and the order of findings.

use cc_core::{ClaimValue, Code, TrustClass, codes};
use cc_policy::{Policy, Status};

use super::*;

use crate::common::{codes, context, filled, subject, without};

/// A policy in which every step needs its claim, for a whole system.
fn demanding() -> Policy {
    let devices =
        |numbers: Vec<u8>| numbers.into_iter().map(|n| format!("\"{}\"", ueid(n))).collect::<Vec<_>>();
    policy(
        "",
        &format!(
            "{SYSTEM}\ndevice_allowlist = [{}]\ndevice_denylist = [{}]\ndenied_drivers = [\"590.12\"]\n\
             denied_vbios = [\"96.00.a5.00.01\"]",
            devices((1..=8).chain(11..=14).collect()).join(", "),
            devices(vec![99]).join(", ")
        ),
    )
}

/// Each claim that is needed of a GPU, and what follows when it is not there or is not what it should be.
const NEEDED: &[(&str, &[&str])] = &[
    // It is judged like a GPU and counted as none.
    ("class", &["gpu.devices.count"]),
    ("ueid", &["gpu.device.denied", "gpu.device.denied"]),
    ("arch", &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"]),
    ("fwid", &["gpu.fwid.missing"]),
    ("driver_version", &["gpu.driver.below_minimum", "gpu.driver.denied"]),
    ("vbios_version", &["gpu.vbios.below_minimum", "gpu.vbios.denied"]),
    ("unreferenced", &["gpu.measurement.unreferenced"]),
    ("feature_flag", &["gpu.mode.mismatch"]),
    ("device_pdi", &["gpu.ppcie.topology", "gpu.ppcie.topology"]),
    ("switch_pdis", &["gpu.ppcie.topology"]),
    ("cc_state", &["gpu.cc.disabled", "gpu.cc.devtools", "gpu.cc.environment", "gpu.mode.mismatch"]),
];

/// The same of a switch.
const NEEDED_OF_SWITCHES: &[(&str, &[&str])] = &[
    ("ueid", &["gpu.device.denied", "gpu.device.denied"]),
    ("arch", &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"]),
    ("vbios_version", &["gpu.vbios.below_minimum", "gpu.vbios.denied"]),
    ("unreferenced", &["gpu.measurement.unreferenced"]),
    ("device_pdi", &["gpu.ppcie.topology", "gpu.ppcie.topology"]),
    ("gpu_pdis", &["gpu.ppcie.topology"]),
];

#[test]
fn a_missing_claim_is_a_finding_of_each_step_that_needed_it() {
    let policy = demanding();
    assert_eq!(judge(claims(system()), &policy).findings, []);
    let gpus = NEEDED.iter().map(|row| (0, row));
    for (at, (name, expected)) in gpus.chain(NEEDED_OF_SWITCHES.iter().map(|row| (8, row))) {
        let judged = |change: &dyn Fn(&mut Claims)| {
            let mut devices = system();
            change(&mut devices[at]);
            judge(claims(devices), &policy).findings
        };
        let findings = judged(&|device| *device = without(device, name));
        assert_eq!(codes(&findings), *expected, "{name} absent: {findings:#?}");
        let told = findings.iter().any(|f| {
            f.got.contains("absent") || f.got.contains("7 different") || f.got.contains("3 different")
        });
        assert!(told, "{name}: {findings:#?}");
        for value in
            [ClaimValue::Bool(true), ClaimValue::from("\u{1b}[2K"), ClaimValue::List(vec![false.into()])]
        {
            let findings = judged(&|device| device.insert(name, value.clone()));
            assert_eq!(codes(&findings), *expected, "{name} malformed: {findings:#?}");
            assert!(!findings.iter().any(|finding| finding.to_string().contains('\u{1b}')));
        }
    }
}

#[test]
fn parts_of_claims_are_read_strictly() {
    for (name, value, expected) in [
        ("class", ClaimValue::from("Gpu"), "gpu.devices.count"),
        ("arch", "Hopper".into(), "gpu.arch.not_allowed"),
        ("ueid", "00".into(), "gpu.device.denied"),
        ("fwid", filled('F', 48).into(), "gpu.fwid.missing"),
        ("fwid", filled('f', 47).into(), "gpu.fwid.missing"),
        ("driver_version", "580.159.03 ".into(), "gpu.driver.below_minimum"),
        ("vbios_version", "96009f0001".into(), "gpu.vbios.below_minimum"),
        ("unreferenced", vec!["40"].into(), "gpu.measurement.unreferenced"),
        ("feature_flag", "".into(), "gpu.mode.mismatch"),
        ("feature_flag", 2_u64.into(), "gpu.mode.mismatch"),
        ("device_pdi", pdi(1).to_uppercase().into(), "gpu.ppcie.topology"),
        ("switch_pdis", vec![11_u64].into(), "gpu.ppcie.topology"),
    ] {
        let mut devices = system();
        devices[0].insert(name, value);
        let findings = judge(claims(devices), &demanding()).findings;
        assert_eq!(codes(&findings).first(), Some(&expected), "{name}");
    }
}

/// Every step that needs a device, which an absent list has as little as one that is none.
const EVERY: &[&str] = &[
    "gpu.devices.count",
    "gpu.device.denied",
    "gpu.device.denied",
    "gpu.arch.not_allowed",
    "gpu.fwid.missing",
    "gpu.driver.below_minimum",
    "gpu.driver.denied",
    "gpu.vbios.below_minimum",
    "gpu.vbios.denied",
    "gpu.measurement.unreferenced",
    "gpu.mode.mismatch",
    "gpu.ppcie.topology",
    "gpu.ppcie.topology",
    "gpu.ppcie.topology",
    "gpu.cc.disabled",
    "gpu.cc.devtools",
    "gpu.cc.environment",
    "gpu.mode.mismatch",
];

#[test]
fn empty_claims_fail_every_step() {
    assert_eq!(codes(&judge(Claims::new(), &demanding()).findings), EVERY);
    for list in [ClaimValue::from("devices"), claims(system()).into(), vec![true].into()] {
        let mut other = Claims::new();
        other.insert("devices", list);
        let findings = judge(other, &demanding()).findings;
        assert_eq!(codes(&findings), EVERY);
        assert!(findings.iter().any(|finding| finding.got.contains("malformed")));
    }
    let nothing = judge(claims(Vec::new()), &policy("", "")).findings;
    assert_eq!(codes(&nothing), ["gpu.devices.count"]);
}

#[test]
fn findings_come_together_in_the_order_of_the_steps() {
    let mut devices = three();
    devices[0] = without(&devices[0], "fwid");
    devices[2].insert("arch", "BLACKWELL");
    devices[1].insert("driver_version", "550.90.07");
    devices[2].insert("driver_version", "535.86.09");
    let findings = judge(claims(devices), &policy("", "")).findings;
    let told: Vec<_> =
        findings.iter().map(|f| (f.code.as_str(), f.got.as_str(), f.source.as_str())).collect();
    assert_eq!(
        told,
        [
            ("gpu.devices.count", "GPUs: 3", "policy.toml:5 gpu.gpu_count"),
            ("gpu.arch.not_allowed", "device 3: BLACKWELL", "policy.toml:4 gpu.archs"),
            ("gpu.fwid.missing", "device 1: absent", "default gpu.require_fwid"),
            (
                "gpu.driver.below_minimum",
                "device 2: 550.90.07, device 3: 535.86.09",
                "policy.toml:6 gpu.min_driver"
            ),
            (
                "gpu.vbios.below_minimum",
                "device 3: 96.00.9f.00.01 of BLACKWELL",
                "policy.toml:7 gpu.min_vbios"
            ),
        ]
    );
}

#[test]
fn a_service_must_be_permitted() {
    let judged = |knobs: &str, served: bool, whole: bool| {
        let mut devices = one();
        for device in &mut devices {
            if served {
                *device = without(device, "unreferenced");
                device.insert("verifier", "nras");
            }
        }
        let mut all = claims(devices);
        if whole {
            all.insert("nras", "https://nras.attestation.nvidia.com");
        }
        codes(&judge(all, &policy("", knobs)).findings)
            .iter()
            .map(|code| (*code).to_owned())
            .collect::<Vec<_>>()
    };
    const ALLOW: &str = "allow_nras = true";
    let (refused, unreferenced) = ("nras.not_allowed", "gpu.measurement.unreferenced");
    assert_eq!(judged(ALLOW, true, true), Vec::<String>::new());
    assert_eq!(judged(ALLOW, false, false), Vec::<String>::new());
    assert_eq!(judged(ALLOW, true, false), [unreferenced]);
    assert_eq!(judged("", true, true), [refused, unreferenced]);
    assert_eq!(judged("", true, false), [refused, unreferenced]);
    assert_eq!(judged("", false, true), [refused]);
}

#[test]
fn a_used_waiver_needs_its_knob() {
    const OCSP: &str = "ocsp_required = false";
    const RIM: &str = "rim_required = false";
    /// Knobs, what was waived, code and key of each finding.
    type Waiving<'a> = (&'a str, &'a [Code], &'a [(&'a str, &'a str)]);
    let rows: [Waiving<'_>; 9] = [
        ("", &[codes::GPU_OCSP_UNAVAILABLE], &[("gpu.ocsp.unavailable", "gpu.ocsp_required")]),
        ("", &[codes::GPU_RIM_NOT_FOUND], &[("gpu.rim.not_found", "gpu.rim_required")]),
        (OCSP, &[codes::GPU_OCSP_UNAVAILABLE], &[]),
        (RIM, &[codes::GPU_RIM_NOT_FOUND], &[]),
        (
            OCSP,
            &[codes::GPU_OCSP_UNAVAILABLE, codes::GPU_RIM_NOT_FOUND],
            &[("gpu.rim.not_found", "gpu.rim_required")],
        ),
        (
            RIM,
            &[codes::GPU_OCSP_UNAVAILABLE, codes::GPU_RIM_NOT_FOUND],
            &[("gpu.ocsp.unavailable", "gpu.ocsp_required")],
        ),
        (OCSP, &[], &[]),
        (OCSP, &[codes::TDX_CRL_MISSING], &[("tdx.crl.missing", "gpu.ocsp_required")]),
        (RIM, &[codes::GPU_CHAIN_MISSING], &[("gpu.chain.missing", "gpu.ocsp_required")]),
    ];
    for (knobs, waived, expected) in rows {
        let subject = subject(claims(one()), waived.to_vec(), TrustClass::Hardware);
        let findings = judge_subject(&subject, &policy("profile = \"development\"", knobs)).findings;
        let told: Vec<_> =
            findings.iter().map(|f| (f.code.as_str(), f.source.rsplit_once(' ').unwrap().1)).collect();
        assert_eq!(told, expected, "{knobs} {waived:?}");
    }
}

#[test]
fn production_takes_real_hardware_only() {
    for (head, class, expected) in [
        ("", TrustClass::Emulated, &["pol.profile.development"][..]),
        ("profile = \"production\"", TrustClass::Emulated, &["pol.profile.development"]),
        ("profile = \"development\"", TrustClass::Emulated, &[]),
        ("profile = \"production\"", TrustClass::Hardware, &[]),
    ] {
        let subject = subject(claims(one()), Vec::new(), class);
        let findings = judge_subject(&subject, &policy(head, "")).findings;
        assert_eq!(codes(&findings), expected, "{head} {class}");
    }
}

#[test]
fn a_policy_without_the_section_says_nothing_of_gpus() {
    let subject = subject(claims(one()), Vec::new(), TrustClass::Hardware);
    for policy in [crate::common::policy("", ""), crate::common::tdx::policy("", "")] {
        let appraisal = cc_policy::appraise(&subject, &profile(), &policy, &context());
        assert_eq!(
            (appraisal.status, codes(&appraisal.findings)),
            (Status::None, vec!["env.profile.not_allowed"])
        );
    }
}
