//! What runs on a device: firmware identity (G5), versions (G10), measurements without a reference value (G17).

use cc_core::{ClaimValue, Code, TrustClass, codes};

use super::*;

use crate::common::{codes, subject, without};

#[test]
fn a_firmware_identity_is_required_of_gpus() {
    let absent: fn(&mut Vec<Claims>) = |d| d[0] = without(&d[0], "fwid");
    check(
        &[
            ("N-GPU-16", "", absent, &["gpu.fwid.missing"], "gpu.require_fwid"),
            (
                "of another length",
                "",
                |d| d[0].insert("fwid", "ff"),
                &["gpu.fwid.missing"],
                "gpu.require_fwid",
            ),
            ("absent and not required", "require_fwid = false", absent, &[], ""),
        ],
        one,
    );
    check(
        &[
            ("switches have none", SYSTEM, NONE, &[], ""),
            ("a GPU of a system", SYSTEM, absent, &["gpu.fwid.missing"], ""),
        ],
        system,
    );
}

#[test]
fn drivers_have_a_floor() {
    check(
        &[
            ("the floor", "", |d| d[0].insert("driver_version", "580.65.06"), &[], ""),
            (
                "N-GPU-48",
                "",
                |d| d[0].insert("driver_version", "580.65.05"),
                &["gpu.driver.below_minimum"],
                "gpu.min_driver",
            ),
            (
                "compared by number",
                "min_driver = \"580.100\"",
                |d| d[0].insert("driver_version", "580.65.06"),
                &["gpu.driver.below_minimum"],
                "gpu.min_driver",
            ),
            (
                "of fewer digits",
                "",
                |d| d[0].insert("driver_version", "99.999.99"),
                &["gpu.driver.below_minimum"],
                "gpu.min_driver",
            ),
            ("a longer one", "", |d| d[0].insert("driver_version", "580.65.6.1"), &[], ""),
            (
                "a shorter one",
                "",
                |d| d[0].insert("driver_version", "580.65"),
                &["gpu.driver.below_minimum"],
                "gpu.min_driver",
            ),
            (
                "no version",
                "",
                |d| d[0].insert("driver_version", "999.99.beta"),
                &["gpu.driver.below_minimum"],
                "gpu.min_driver",
            ),
        ],
        one,
    );
    check(&[("switches have no driver", SYSTEM, NONE, &[], "")], system);
}

#[test]
fn drivers_are_denied() {
    const DENIED: &str = "denied_drivers = [\"590.12\", \"580.159.3\"]";
    check(
        &[
            ("denied", DENIED, NONE, &["gpu.driver.denied"], "gpu.denied_drivers"),
            ("between", DENIED, |d| d[0].insert("driver_version", "580.159.04"), &[], ""),
            (
                "with a zero at its end",
                DENIED,
                |d| d[0].insert("driver_version", "590.12.00"),
                &["gpu.driver.denied"],
                "gpu.denied_drivers",
            ),
            (
                "which one is not known",
                DENIED,
                |d| d[0] = without(&d[0], "driver_version"),
                &["gpu.driver.below_minimum", "gpu.driver.denied"],
                "",
            ),
        ],
        one,
    );
    let denied = format!("{SYSTEM}\ndenied_drivers = [\"590.12\"]");
    assert_eq!(judge(claims(system()), &policy("", &denied)).findings, [], "switches have no driver");
}

#[test]
fn vbioses_have_a_floor_for_each_architecture() {
    const TWO: &str = "archs = [\"HOPPER\", \"BLACKWELL\"]\n\
                       min_vbios = { HOPPER = \"96.00.9F.00.01\", BLACKWELL = \"97.00.88.00.0f\" }";
    check(
        &[
            (
                "N-GPU-68",
                "",
                |d| d[0].insert("vbios_version", "96.00.9f.00.00"),
                &["gpu.vbios.below_minimum"],
                "gpu.min_vbios",
            ),
            ("above", "", |d| d[0].insert("vbios_version", "96.00.a5.00.00"), &[], ""),
            ("hexadecimal", "", |d| d[0].insert("vbios_version", "96.00.FF.00.00"), &[], ""),
            (
                "of two digits each",
                "",
                |d| d[0].insert("vbios_version", "96.00.9f.00.100"),
                &["gpu.vbios.below_minimum"],
                "gpu.min_vbios",
            ),
            (
                "another architecture's floor",
                TWO,
                |d| {
                    d[0].insert("arch", "BLACKWELL");
                    d[0].insert("vbios_version", "97.00.88.00.0e");
                },
                &["gpu.vbios.below_minimum"],
                "gpu.min_vbios",
            ),
            ("the own architecture's", TWO, NONE, &[], ""),
        ],
        one,
    );
    check(
        &[
            (
                "a switch's",
                SYSTEM,
                |d| d[8].insert("vbios_version", "96.10.55.00.01"),
                &["gpu.vbios.below_minimum"],
                "gpu.min_vbios",
            ),
            (
                "a switch without one",
                SYSTEM,
                |d| d[8] = without(&d[8], "vbios_version"),
                &["gpu.vbios.below_minimum"],
                "gpu.min_vbios",
            ),
        ],
        system,
    );
}

#[test]
fn vbioses_are_denied() {
    check(
        &[
            (
                "N-GPU-49",
                "denied_vbios = [\"96.00.9F.00.01\"]",
                NONE,
                &["gpu.vbios.denied"],
                "gpu.denied_vbios",
            ),
            ("another one", "denied_vbios = [\"96.00.9f.00.02\"]", NONE, &[], ""),
            (
                "which one is not known",
                "denied_vbios = [\"96.00.9f.00.02\"]",
                |d| d[0] = without(&d[0], "vbios_version"),
                &["gpu.vbios.below_minimum", "gpu.vbios.denied"],
                "",
            ),
        ],
        one,
    );
    let denied = format!("{SYSTEM}\ndenied_vbios = [\"96.10.6d.00.01\"]");
    let findings = judge(claims(system()), &policy("", &denied)).findings;
    assert_eq!(codes(&findings), ["gpu.vbios.denied"]);
    assert!(findings[0].got.starts_with("device 9: 96.10.6d.00.01, device 10: "), "{}", findings[0]);
}

#[test]
fn measurements_without_a_reference_value_must_be_listed() {
    check(
        &[
            (
                "N-GPU-74",
                "",
                |d| d[0].insert("unreferenced", vec![40_u64, 63]),
                &["gpu.measurement.unreferenced"],
                "gpu.allowed_unreferenced",
            ),
            ("fewer than are allowed", "", |d| d[0].insert("unreferenced", Vec::<u64>::new()), &[], ""),
            (
                "none allowed",
                "allowed_unreferenced = []",
                NONE,
                &["gpu.measurement.unreferenced"],
                "gpu.allowed_unreferenced",
            ),
            (
                "no index",
                "",
                |d| d[0].insert("unreferenced", vec![40_u64 + 256]),
                &["gpu.measurement.unreferenced"],
                "gpu.allowed_unreferenced",
            ),
            (
                "not a list of numbers",
                "",
                |d| d[0].insert("unreferenced", vec!["40"]),
                &["gpu.measurement.unreferenced"],
                "gpu.allowed_unreferenced",
            ),
            (
                "not said",
                "",
                |d| d[0] = without(&d[0], "unreferenced"),
                &["gpu.measurement.unreferenced"],
                "gpu.allowed_unreferenced",
            ),
        ],
        one,
    );
    check(
        &[(
            "a switch's",
            SYSTEM,
            |d| d[9].insert("unreferenced", vec![5_u64]),
            &["gpu.measurement.unreferenced"],
            "gpu.allowed_unreferenced",
        )],
        system,
    );
    let mut devices = one();
    devices[0].insert("unreferenced", vec![40_u64, 62, 63]);
    let told = judge(claims(devices), &policy("", "")).findings[0].to_string();
    assert!(told.contains("got device 1: measurements 62, 63, want only measurements of [40, 41]"), "{told}");
}

/// What was not compared lacks nothing; what was compared is judged beside it.
#[test]
fn waived_manifests_leave_nothing_to_be_listed() {
    let policy = policy("profile = \"development\"", "gpu_count = 3\nrim_required = false");
    let judge = |devices: Vec<Claims>, waived: &[Code]| {
        let subject = subject(claims(devices), waived.to_vec(), TrustClass::Hardware);
        judge_subject(&subject, &policy).findings
    };
    let all = ClaimValue::from((0..64_u64).collect::<Vec<_>>());
    let waived = [codes::GPU_RIM_NOT_FOUND];
    for name in ["driver_rim", "vbios_rim"] {
        let mut devices = three();
        devices[1] = without(&devices[1], name);
        devices[1].insert("unreferenced", all.clone());
        assert_eq!(judge(devices.clone(), &waived), [], "{name}");
        assert_eq!(
            codes(&judge(devices.clone(), &[])),
            ["gpu.measurement.unreferenced"],
            "{name}, nothing waived"
        );
        devices[2].insert("unreferenced", all.clone());
        let findings = judge(devices, &waived);
        assert_eq!(codes(&findings), ["gpu.measurement.unreferenced"], "{name}, another device");
        assert!(findings[0].got.starts_with("device 3: ") && !findings[0].got.contains("device 2"));
    }
}
