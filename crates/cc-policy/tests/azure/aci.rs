//! Steps A2 to A8 of `aci-raw-1`.

use super::{NONE, check};

use crate::common::azure::{ACI, DID, cce_policy, inside};
use crate::common::{codes, filled, without};

#[test]
fn utility_vm() {
    let own = "uvm_issuer = \"did:x509:0:sha256:other::eku:1.2\"";
    let kata = "uvm_feed = \"ConfAKS-AMD-UVM\"";
    let listed = format!("measurements = [\"{}\"]", filled('a', 48));
    let other = format!("measurements = [\"{}\"]", filled('b', 48));
    check(
        ACI,
        &[
            ("healthy", "", NONE, &[], ""),
            // A2
            (
                "another issuer",
                "",
                |c| inside(c, &["uvm"], "issuer", format!("{DID}.1")),
                &["aci.uvm.issuer"],
                "default aci.uvm_issuer",
            ),
            ("another issuer is wanted", own, NONE, &["aci.uvm.issuer"], ":6 aci.uvm_issuer"),
            (
                "another issuer that is wanted",
                own,
                |c| inside(c, &["uvm"], "issuer", "did:x509:0:sha256:other::eku:1.2"),
                &[],
                "",
            ),
            // A3
            (
                "feed of another platform",
                "",
                |c| inside(c, &["uvm"], "feed", "ConfAKS-AMD-UVM"),
                &["aci.uvm.feed"],
                "default aci.uvm_feed",
            ),
            (
                "feed in other letters",
                "",
                |c| inside(c, &["uvm"], "feed", "containerplat-amd-uvm"),
                &["aci.uvm.feed"],
                "aci.uvm_feed",
            ),
            ("another feed is wanted", kata, NONE, &["aci.uvm.feed"], ":6 aci.uvm_feed"),
            ("the feed that is wanted", kata, |c| inside(c, &["uvm"], "feed", "ConfAKS-AMD-UVM"), &[], ""),
            // A5
            (
                "endorsement of another utility VM",
                "",
                |c| inside(c, &["uvm"], "launchmeasurement", filled('b', 48)),
                &["aci.uvm.measurement_mismatch"],
                "specification",
            ),
            (
                "another utility VM",
                "",
                |c| c.insert("measurement", filled('b', 48)),
                &["aci.uvm.measurement_mismatch"],
                "specification",
            ),
            ("listed measurement", &listed, NONE, &[], ""),
            ("endorsed and not listed", &other, NONE, &["snp.measurement.unknown"], ":6 aci.measurements"),
            // A6
            ("utility VM at the minimum", "uvm_min_svn = 101", NONE, &[], ""),
            (
                "utility VM below the minimum",
                "uvm_min_svn = 102",
                NONE,
                &["aci.uvm.svn_below_minimum"],
                ":6 aci.uvm_min_svn",
            ),
            // As texts, "99" would be the greater one.
            (
                "N-ACI-10 SVN 99 with minimum 100",
                "",
                |c| inside(c, &["uvm"], "guestsvn", 99_u64),
                &["aci.uvm.svn_below_minimum"],
                ":5 aci.uvm_min_svn",
            ),
            (
                "SVN as text",
                "",
                |c| inside(c, &["uvm"], "guestsvn", "101"),
                &["aci.uvm.svn_below_minimum"],
                ":5 aci.uvm_min_svn",
            ),
        ],
    );
}

#[test]
fn cce_policies() {
    let permit = "cce_policy_permit = [\"allow_stdio_access\", \"exec_in_container\"]";
    let required = "require_cce_policy = true";
    check(
        ACI,
        &[
            // A7
            ("second of two CCE policies", "", |c| c.insert("host_data", filled('d', 32)), &[], ""),
            (
                "N-ACI-11 CCE policy not listed",
                "",
                |c| c.insert("host_data", filled('e', 32)),
                &["aci.cce_policy.unknown"],
                ":4 aci.cce_policy_allowlist",
            ),
            (
                "no CCE policy",
                "",
                |c| c.insert("host_data", filled('0', 32)),
                &["aci.cce_policy.unknown"],
                ":4 aci.cce_policy_allowlist",
            ),
            // A8
            ("text without findings", required, |c| c.insert("cce_policy", cce_policy(&[])), &[], ""),
            (
                "N-ACI-13 open door, listed by mistake",
                "",
                |c| c.insert("cce_policy", cce_policy(&["allow_all (line 3)"])),
                &["aci.cce_policy.permissive"],
                "default aci.cce_policy_permit",
            ),
            (
                "permitted by name, whatever the line",
                permit,
                |c| {
                    let findings =
                        ["allow_stdio_access (line 7)", "exec_in_container (line 9)", "allow_stdio_access"];
                    c.insert("cce_policy", cce_policy(&findings));
                },
                &[],
                "",
            ),
            (
                "one of two permitted",
                permit,
                |c| {
                    c.insert("cce_policy", cce_policy(&["allow_stdio_access (line 7)", "allow_all (line 9)"]))
                },
                &["aci.cce_policy.permissive"],
                ":6 aci.cce_policy_permit",
            ),
            (
                "text required and not there",
                required,
                NONE,
                &["aci.cce_policy.permissive"],
                ":6 aci.require_cce_policy",
            ),
            (
                "text of another CCE policy",
                "",
                |c| inside_text(c, filled('d', 32)),
                &["aci.cce_policy.digest"],
                "specification",
            ),
        ],
    );
}

fn inside_text(c: &mut cc_core::Claims, sha256: String) {
    c.insert("cce_policy", cce_policy(&[]));
    inside(c, &["cce_policy"], "sha256", sha256);
}

#[test]
fn what_a_text_says_is_read_strictly() {
    let policy = ACI.policy("", "", "");
    let with = |name: &str, value: cc_core::ClaimValue| {
        let mut claims = (ACI.healthy)();
        inside_text(&mut claims, filled('c', 32));
        inside(&mut claims, &["cce_policy"], name, value);
        codes(&ACI.judge(claims, &policy).findings).join(" ")
    };
    let permissive = "aci.cce_policy.permissive";
    for findings in [
        cc_core::ClaimValue::from("allow_all"),
        vec![1_u64].into(),
        vec![""].into(),
        vec![" (line 1)"].into(),
        vec!["allow\u{1b}[2K (line 1)"].into(),
        vec![true].into(),
    ] {
        assert_eq!(with("findings", findings.clone()), permissive, "{findings:?}");
    }
    assert_eq!(with("sha256", 1_u64.into()), "aci.cce_policy.digest");
    let mut claims = (ACI.healthy)();
    inside_text(&mut claims, filled('c', 32));
    let text = claims.map("cce_policy").unwrap().clone();
    for (missing, code) in [("findings", permissive), ("sha256", "aci.cce_policy.digest")] {
        claims.insert("cce_policy", without(&text, missing));
        assert_eq!(codes(&ACI.judge(claims.clone(), &policy).findings), [code]);
    }
    claims.insert("cce_policy", "text");
    assert_eq!(codes(&ACI.judge(claims, &policy).findings), [permissive], "no map");
}

#[test]
fn the_report_is_judged_by_the_section_inside() {
    for (inner, name, value, code, key) in [
        ("", "vmpl", cc_core::ClaimValue::from(1_u64), "snp.vmpl.mismatch", "default aci.snp.vmpl"),
        ("vmpl = 2", "vmpl", 1_u64.into(), "snp.vmpl.mismatch", ":8 aci.snp.vmpl"),
        ("", "policy", "0xb001f".into(), "snp.policy.debug", "default aci.snp.allow_debug"),
        (
            "",
            "crl_this_update",
            "2026-01-01T00:00:00Z".into(),
            "snp.crl.expired",
            "default aci.snp.crl_max_age_days",
        ),
        (
            "",
            "reported_tcb",
            "0400000000001853".into(),
            "snp.tcb.below_minimum",
            ":13 aci.snp.min_tcb.Genoa.microcode",
        ),
        ("", "current_fw", 1_u64.into(), "snp.fw.provisional", "aci.snp.allow_provisional_fw"),
        ("", "product", "Milan".into(), "snp.product.not_allowed", "default aci.snp.products"),
    ] {
        let mut claims = (ACI.healthy)();
        claims.insert(name, value);
        let findings = ACI.judge(claims, &ACI.policy("", "", inner)).findings;
        let finding = findings.first().unwrap();
        assert_eq!(finding.code.as_str(), code, "{findings:#?}");
        assert!(finding.source.ends_with(key), "{finding}");
    }
    let report = crate::common::healthy("Genoa");
    assert!(!ACI.judge(report, &ACI.policy("", "", "")).findings.is_empty(), "a bare report");
}
