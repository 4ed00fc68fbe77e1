//! Which devices: how many (G1), which ones, of what architecture (G3).

use super::*;

use crate::common::without;

#[test]
fn devices_are_counted() {
    check(
        &[
            ("one", "", NONE, &[], ""),
            ("two for one", "", |d| d.push(gpu(2)), &["gpu.devices.count"], "gpu.gpu_count"),
            ("none", "", Vec::clear, &["gpu.devices.count"], "gpu.gpu_count"),
            ("one for two", "gpu_count = 2", NONE, &["gpu.devices.count"], "gpu.gpu_count"),
            ("two for two", "gpu_count = 2", |d| d.push(gpu(2)), &[], ""),
            ("of no class", "", |d| d[0] = without(&d[0], "class"), &["gpu.devices.count"], "gpu.gpu_count"),
            (
                "of another class",
                "",
                |d| d[0].insert("class", "GPU"),
                &["gpu.devices.count"],
                "gpu.gpu_count",
            ),
        ],
        one,
    );
    let eight = || (1..=8).map(gpu).collect::<Vec<_>>();
    check(
        &[
            ("eight of eight", "gpu_count = 8", NONE, &[], ""),
            ("N-GPU-03", "gpu_count = 8", |d| drop(d.pop()), &["gpu.devices.count"], "gpu.gpu_count"),
        ],
        eight,
    );
}

/// A number beside the list is nobody's count.
#[test]
fn the_list_is_counted_and_nothing_else() {
    let mut claims = claims(three());
    claims.insert("gpu_count", 1_u64);
    assert_eq!(codes(&judge(claims, &policy("", "")).findings), ["gpu.devices.count"]);
}

#[test]
fn architectures_must_be_permitted() {
    check(
        &[
            (
                "N-GPU-61",
                "",
                |d| d[0].insert("arch", "BLACKWELL"),
                // No floor is known for its VBIOS.
                &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"],
                "",
            ),
            (
                "both permitted",
                "archs = [\"HOPPER\", \"BLACKWELL\"]\n\
                 min_vbios = { HOPPER = \"96.00.9f.00.01\", BLACKWELL = \"97.00.88.00.0f\" }",
                |d| {
                    d[0].insert("arch", "BLACKWELL");
                    d[0].insert("vbios_version", "97.00.88.00.0F");
                },
                &[],
                "",
            ),
            (
                "Hopper where Blackwell is",
                "archs = [\"BLACKWELL\"]\nmin_vbios = { HOPPER = \"96.00.9f.00.01\", BLACKWELL = \"97.00.88.00.0f\" }",
                NONE,
                &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"],
                "",
            ),
            (
                "a GPU of a switch's architecture",
                "",
                |d| d[0].insert("arch", "LS10"),
                &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"],
                "",
            ),
            (
                "unknown",
                "",
                |d| d[0].insert("arch", "RUBIN"),
                &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"],
                "",
            ),
            (
                "a switch beside the GPU",
                "",
                |d| d.push(switch(11)),
                &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"],
                "",
            ),
            (
                "a switch whose floor is known",
                "min_vbios = { HOPPER = \"96.00.9f.00.01\", LS10 = \"96.10.6d.00.01\" }",
                |d| d.push(switch(11)),
                &["gpu.arch.not_allowed", "gpu.vbios.below_minimum"],
                "",
            ),
        ],
        one,
    );
    check(
        &[
            ("switches of their system", SYSTEM, NONE, &[], ""),
            (
                "a switch of a GPU's architecture",
                SYSTEM,
                |d| {
                    d[11].insert("arch", "HOPPER");
                },
                &["gpu.arch.not_allowed"],
                "gpu.mode",
            ),
        ],
        system,
    );
    let mut devices = one();
    devices[0].insert("arch", "LS10");
    assert_eq!(
        judge(claims(devices), &policy("", "")).findings[0].to_string(),
        "gpu.arch.not_allowed: got device 1: LS10, want GPUs of HOPPER (policy.toml:4 gpu.archs)"
    );
}

#[test]
fn devices_are_allowed_or_denied_by_name() {
    let allow =
        format!("gpu_count = 3\ndevice_allowlist = [\"{}\", \"{}\", \"{}\"]", ueid(1), ueid(2), ueid(3));
    let deny = format!("gpu_count = 3\ndevice_denylist = [\"{}\"]", ueid(9).to_uppercase());
    let none_denied = "gpu_count = 3\ndevice_denylist = []";
    let other: fn(&mut Vec<Claims>) = |d| d[2].insert("ueid", ueid(9));
    let nameless: fn(&mut Vec<Claims>) = |d| d[2] = without(&d[2], "ueid");
    for (what, knobs, change, expected) in [
        ("all on the list", &*allow, NONE, None),
        (
            "one that is not",
            &allow,
            other,
            Some(("device 3: 53c22ba15e5d68088282da074ed9fb37aa585709", "allowlist")),
        ),
        ("a nameless one", &allow, nameless, Some(("device 3: absent", "allowlist"))),
        ("none on the list", &deny, NONE, None),
        (
            "one that is",
            &deny,
            other,
            Some(("device 3: 53c22ba15e5d68088282da074ed9fb37aa585709", "denylist")),
        ),
        ("a nameless one that may be", &deny, nameless, Some(("device 3: absent", "denylist"))),
        ("no list", "gpu_count = 3", nameless, None),
        ("an empty deny list", none_denied, nameless, None),
    ] {
        let mut devices = three();
        change(&mut devices);
        let findings = judge(claims(devices), &policy("", knobs)).findings;
        let told: Vec<_> = findings
            .iter()
            .map(|f| (f.code.as_str(), f.got.as_str(), f.source.rsplit_once("gpu.device_").unwrap().1))
            .collect();
        let expected: Vec<_> = expected.iter().map(|(got, key)| ("gpu.device.denied", *got, *key)).collect();
        assert_eq!(told, expected, "{what}");
    }
}
