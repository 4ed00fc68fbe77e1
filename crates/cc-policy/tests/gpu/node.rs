//! How the devices work together (G18): their mode, and whether they are all of one system.

use cc_core::ClaimValue;

use super::*;

use crate::common::without;

#[test]
fn gpus_are_in_the_policys_mode() {
    check(
        &[
            ("N-GPU-51", "", |d| d[0].insert("feature_flag", "7"), &["gpu.mode.mismatch"], "gpu.mode"),
            ("another mode", "", |d| d[0].insert("feature_flag", "MPT"), &["gpu.mode.mismatch"], "gpu.mode"),
            ("in lower case", "", |d| d[0].insert("feature_flag", "spt"), &["gpu.mode.mismatch"], "gpu.mode"),
            ("not said", "", |d| d[0] = without(&d[0], "feature_flag"), &["gpu.mode.mismatch"], "gpu.mode"),
            (
                "over encrypted NVLink",
                "mode = \"MPT\"",
                |d| {
                    d[0].insert("feature_flag", "MPT");
                    d[0].insert("cc_state", cc_state(2));
                },
                &[],
                "",
            ),
            (
                "each for itself",
                "mode = \"MPT\"",
                |d| d[0].insert("cc_state", cc_state(2)),
                &["gpu.mode.mismatch"],
                "gpu.mode",
            ),
        ],
        one,
    );
}

#[test]
fn gpus_of_one_guest_are_in_one_mode() {
    check(
        &[
            ("all in one", "gpu_count = 3", NONE, &[], ""),
            (
                "N-GPU-50",
                "gpu_count = 3",
                |d| d[2].insert("feature_flag", "MPT"),
                &["gpu.mode.mixed", "gpu.mode.mismatch"],
                "gpu.mode",
            ),
            (
                "all in another one",
                "gpu_count = 3",
                |d| d.iter_mut().for_each(|device| device.insert("feature_flag", "MPT")),
                &["gpu.mode.mismatch"],
                "gpu.mode",
            ),
            (
                "one that does not say it",
                "gpu_count = 3",
                |d| d[1] = without(&d[1], "feature_flag"),
                &["gpu.mode.mismatch"],
                "gpu.mode",
            ),
        ],
        three,
    );
    let mut devices = three();
    devices[2].insert("feature_flag", "MPT");
    let findings = judge(claims(devices), &policy("", "gpu_count = 3")).findings;
    let told: Vec<_> = findings.iter().map(|f| f.got.as_str()).collect();
    assert_eq!(told, ["device 1: SPT, device 2: SPT, device 3: MPT", "device 3: MPT"]);
}

#[test]
fn a_protected_pcie_system_is_complete() {
    /// The GPUs that the switch at that place sees.
    fn sees(devices: &mut [Claims], place: usize, gpus: impl IntoIterator<Item = u8>) {
        devices.get_mut(place).unwrap().insert("gpu_pdis", gpus.into_iter().map(pdi).collect::<Vec<_>>());
    }
    const ONE: &[&str] = &["gpu.ppcie.topology"];
    const TWO: &[&str] = &["gpu.ppcie.topology", "gpu.ppcie.topology"];
    check(
        &[
            ("complete", SYSTEM, NONE, &[], ""),
            ("N-GPU-52", SYSTEM, |d| sees(d, 8, 1..=7), ONE, "gpu.mode"),
            ("a switch sees a ninth GPU", SYSTEM, |d| sees(d, 8, 1..=9), ONE, "gpu.mode"),
            ("a switch sees another GPU", SYSTEM, |d| sees(d, 8, 2..=9), ONE, "gpu.mode"),
            (
                "all switches see another GPU",
                SYSTEM,
                |d| (8..12).for_each(|at| sees(d, at, 2..=9)),
                ONE,
                "gpu.mode",
            ),
            ("a GPU twice is once", SYSTEM, |d| sees(d, 8, (1..=8).chain(1..=8)), &[], ""),
            ("a switch sees nothing", SYSTEM, |d| sees(d, 8, []), ONE, "gpu.mode"),
            (
                "a GPU sees three switches",
                SYSTEM,
                |d| d[0].insert("switch_pdis", (11..=13).map(pdi).collect::<Vec<_>>()),
                ONE,
                "gpu.mode",
            ),
            (
                "a GPU sees another switch",
                SYSTEM,
                |d| d[0].insert("switch_pdis", (12..=15).map(pdi).collect::<Vec<_>>()),
                ONE,
                "gpu.mode",
            ),
            (
                "a GPU has a link to nothing",
                SYSTEM,
                |d| {
                    let links = (11..=14).map(pdi).chain(["0".repeat(16)]);
                    d[0].insert("switch_pdis", links.collect::<Vec<_>>());
                },
                ONE,
                "gpu.mode",
            ),
            ("three switches", SYSTEM, |d| drop(d.pop()), TWO, "gpu.mode"),
            ("five switches", SYSTEM, |d| d.push(switch(15)), TWO, "gpu.mode"),
            ("a switch twice beside all", SYSTEM, |d| d.push(switch(14)), ONE, "gpu.mode"),
            ("a switch twice", SYSTEM, |d| d[11] = switch(13), TWO, "gpu.mode"),
            ("GPUs without their switches", SYSTEM, |d| d.truncate(8), TWO, "gpu.mode"),
            ("a GPU of another system", SYSTEM, |d| d[0].insert("device_pdi", pdi(9)), ONE, "gpu.mode"),
            ("two GPUs of one name", SYSTEM, |d| d[0].insert("device_pdi", pdi(2)), TWO, "gpu.mode"),
            ("a nameless GPU", SYSTEM, |d| d[0] = without(&d[0], "device_pdi"), TWO, "gpu.mode"),
            ("a nameless switch", SYSTEM, |d| d[8] = without(&d[8], "device_pdi"), TWO, "gpu.mode"),
            ("a GPU without links", SYSTEM, |d| d[0] = without(&d[0], "switch_pdis"), ONE, "gpu.mode"),
            ("a switch without links", SYSTEM, |d| d[8] = without(&d[8], "gpu_pdis"), ONE, "gpu.mode"),
            (
                "links that are no identifiers",
                SYSTEM,
                |d| d[8].insert("gpu_pdis", (1..=8).map(|n| pdi(n).to_uppercase()).collect::<Vec<_>>()),
                ONE,
                "gpu.mode",
            ),
        ],
        system,
    );
    let mut seven = system();
    seven.remove(0);
    let findings = judge(claims(seven), &policy("", SYSTEM)).findings;
    assert_eq!(codes(&findings), ["gpu.devices.count", "gpu.ppcie.topology", "gpu.ppcie.topology"]);
}

/// Zero is no name, so that devices which have none are not each other's.
#[test]
fn devices_of_identifier_zero_have_none() {
    let zero = "0".repeat(16);
    let mut devices = system();
    for device in &mut devices[..8] {
        device.insert("device_pdi", zero.as_str());
    }
    for device in &mut devices[8..] {
        device.insert("gpu_pdis", ClaimValue::from(vec![zero.as_str()]));
    }
    let findings = judge(claims(devices), &policy("", SYSTEM)).findings;
    assert_eq!(codes(&findings), ["gpu.ppcie.topology", "gpu.ppcie.topology"]);
    assert_eq!(findings[0].got, "8 GPUs with 0 different identifiers on NVLink");
}

#[test]
fn the_finding_names_the_links() {
    let mut devices = system();
    devices[8].insert("gpu_pdis", vec![pdi(1)]);
    let findings = judge(claims(devices), &policy("", SYSTEM)).findings;
    assert_eq!(findings[0].got, format!("device 9: linked to {}", pdi(1)));
    let list = |ids: std::ops::RangeInclusive<u8>| ids.map(pdi).collect::<Vec<_>>().join(", ");
    assert_eq!(
        findings[0].want,
        format!("each GPU linked to {}, each switch to {}", list(11..=14), list(1..=8))
    );
}

/// Links matter only where they carry plain text.
#[test]
fn other_modes_need_no_links() {
    let mut devices = three();
    devices[0].insert("switch_pdis", vec![pdi(11)]);
    assert_eq!(judge(claims(devices), &policy("", "gpu_count = 3")).findings, []);
}
