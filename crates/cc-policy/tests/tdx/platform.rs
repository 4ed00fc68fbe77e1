//! Steps T24 and T25.

use super::{NONE, check};

use crate::common::tdx::{INSTANCE, PPID, healthy, policy};
use crate::common::{codes, filled, without};

#[test]
fn configuration() {
    check(&[
        ("N-TDX-94 SMT", "smt_allowed = false", NONE, &["tdx.platform.smt"], ":5 tdx.smt_allowed"),
        ("SMT off", "smt_allowed = false", |c| c.insert("smt_enabled", false), &[], ""),
        (
            "N-TDX-95 dynamic platform",
            "allow_dynamic_platform = false",
            NONE,
            &["tdx.platform.dynamic"],
            ":5 tdx.allow_dynamic_platform",
        ),
        (
            "static platform",
            "allow_dynamic_platform = false",
            |c| c.insert("dynamic_platform", false),
            &[],
            "",
        ),
        (
            "N-TDX-96 cached keys",
            "allow_cached_keys = false",
            NONE,
            &["tdx.platform.cached_keys"],
            ":5 tdx.allow_cached_keys",
        ),
        ("no cached keys", "allow_cached_keys = false", |c| c.insert("cached_keys", false), &[], ""),
        // T25
        (
            "N-TDX-93 MRSEAM unknown",
            "mrseam_allowlist = [\"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"]",
            NONE,
            &["tdx.mrseam.unknown"],
            ":5 tdx.mrseam_allowlist",
        ),
        (
            "MRSEAM listed",
            "mrseam_allowlist = [\"eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\"]",
            NONE,
            &[],
            "",
        ),
    ]);
}

/// The lists, and whether the platform of healthy claims with one claim left out or replaced is permitted.
#[test]
fn lists_of_platforms() {
    let other = filled('7', 16);
    let processor = ("pck_ca", "Intel SGX PCK Processor CA");
    for (name, key, id, absent, replaced, permitted) in [
        ("PPID on the allow list", "allow", PPID, "", None, true),
        ("instance on the allow list", "allow", INSTANCE, "", None, true),
        ("not on the allow list", "allow", &other, "", None, false),
        ("PPID on the allow list, no instance", "allow", PPID, "platform_instance_id", None, true),
        ("instance on the allow list, no PPID", "allow", INSTANCE, "ppid", None, true),
        ("PPID on the allow list and absent", "allow", PPID, "ppid", None, false),
        ("N-TDX-80 PPID on the deny list", "deny", PPID, "", None, false),
        ("instance on the deny list", "deny", INSTANCE, "", None, false),
        ("PPID on the deny list, no instance", "deny", PPID, "platform_instance_id", Some(processor), false),
        ("not on the deny list", "deny", &other, "", None, true),
        ("deny list, no PPID", "deny", &other, "ppid", None, false),
        ("deny list, PPID zero", "deny", &other, "", Some(("ppid", &*filled('0', 16))), false),
        ("deny list, no instance on a platform", "deny", &other, "platform_instance_id", None, false),
        (
            "deny list, no instance on a processor",
            "deny",
            &other,
            "platform_instance_id",
            Some(processor),
            true,
        ),
        ("deny list, instance malformed", "deny", &other, "", Some(("platform_instance_id", "00")), false),
        (
            "deny list, no instance, other authority",
            "deny",
            &other,
            "platform_instance_id",
            Some(("pck_ca", "Intel SGX PCK")),
            false,
        ),
    ] {
        let key = format!("platform_{key}list");
        let mut claims = without(&healthy(), absent);
        if let Some((name, value)) = replaced {
            claims.insert(name, value);
        }
        let findings = super::judge(claims, &policy("", &format!("{key} = [\"{id}\"]"))).findings;
        assert_eq!(codes(&findings), if permitted { &[][..] } else { &["tdx.platform.denied"] }, "{name}");
        let source = format!("policy.toml:5 tdx.{key}");
        assert!(findings.iter().all(|finding| finding.source == source), "{name}");
    }
}
