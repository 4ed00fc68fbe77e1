//! Steps J6 to M7 of `aci-maa-1`.

use cc_core::{ClaimValue, TrustClass, codes};
use cc_policy::Status;

use super::{NONE, check};

use crate::common::azure::{ISSUER, MAA, POLICY_HASH, inside};
use crate::common::{self, NOW, context, filled, judge_as, subject, without};

#[test]
fn issuer_and_age() {
    let pinned = format!("policy_hashes = [\"{}\", \"{POLICY_HASH}\"]", "A".repeat(43));
    let other = format!("policy_hashes = [\"{}\"]", "A".repeat(43));
    check(
        MAA,
        &[
            ("healthy", "", NONE, &[], ""),
            // J6
            (
                "issuer of another region",
                "",
                |c| c.insert("iss", "https://sharedeus.eus.attest.azure.net"),
                &["jwt.iss.mismatch"],
                ":5 maa.issuers",
            ),
            (
                "issuer with more behind it",
                "",
                |c| c.insert("iss", format!("{ISSUER}.evil.example")),
                &["jwt.iss.mismatch"],
                ":5 maa.issuers",
            ),
            ("any attestation policy by default", "", |c| c.insert("policy_hash", "A".repeat(43)), &[], ""),
            ("pinned attestation policy", &pinned, NONE, &[], ""),
            (
                "N-MAA-34 attestation policy of another tenant",
                &other,
                NONE,
                &["maa.policy_hash.mismatch"],
                ":8 maa.policy_hashes",
            ),
            // J7
            ("300 seconds old", "", |c| c.insert("iat", NOW - 300), &[], ""),
            (
                "301 seconds old",
                "",
                |c| c.insert("iat", NOW - 301),
                &["jwt.too_old"],
                "default maa.max_age_seconds",
            ),
            ("older than the knob", "max_age_seconds = 9", NONE, &["jwt.too_old"], ":8 maa.max_age_seconds"),
            ("as old as the knob", "max_age_seconds = 10", NONE, &[], ""),
            ("a minute ahead", "", |c| c.insert("iat", NOW + 60), &[], ""),
            (
                "more than a minute ahead",
                "",
                |c| c.insert("iat", NOW + 61),
                &["jwt.too_old"],
                "maa.max_age_seconds",
            ),
            (
                "from the end of time",
                "",
                |c| c.insert("iat", u64::MAX),
                &["jwt.too_old"],
                "maa.max_age_seconds",
            ),
        ],
    );
}

#[test]
fn what_runs() {
    let other = format!("measurements = [\"{}\"]", filled('b', 48));
    check(
        MAA,
        &[
            // M2
            (
                "N-MAA-23 debuggable",
                "",
                |c| c.insert("is_debuggable", true),
                &["maa.debuggable"],
                "default maa.allow_debug",
            ),
            (
                "N-MAA-25 migration allowed",
                "",
                |c| c.insert("migration_allowed", true),
                &["maa.migration"],
                "default maa.allow_migration",
            ),
            ("N-MAA-26 VMPL 1", "", |c| c.insert("vmpl", 1_u64), &["maa.vmpl"], "specification"),
            ("VMPL false", "", |c| c.insert("vmpl", false), &["maa.vmpl"], "specification"),
            // M3
            (
                "second of two CCE policies",
                "",
                |c| {
                    c.insert("hostdata", filled('d', 32));
                    inside(c, &["report"], "host_data", filled('d', 32));
                },
                &[],
                "",
            ),
            (
                "N-MAA-27 CCE policy of an open door",
                "",
                |c| {
                    c.insert("hostdata", filled('e', 32));
                    inside(c, &["report"], "host_data", filled('e', 32));
                },
                &["maa.hostdata.unknown"],
                ":4 maa.cce_policy_allowlist",
            ),
            ("measurement not listed", &other, NONE, &["snp.measurement.unknown"], ":8 maa.measurements"),
            ("utility VM at the minimum", "uvm_min_svn = 2", NONE, &[], ""),
            (
                "N-MAA-39 utility VM below the minimum",
                "uvm_min_svn = 3",
                NONE,
                &["maa.uvm.svn_below_minimum"],
                ":8 maa.uvm_min_svn",
            ),
            // M4
            (
                "N-MAA-28 microcode below the minimum",
                "",
                |c| c.insert("microcode_svn", 83_u64),
                &["maa.tcb.below_minimum"],
                ":7 maa.min_tcb.microcode",
            ),
            (
                "boot loader below",
                "",
                |c| c.insert("bootloader_svn", 3_u64),
                &["maa.tcb.below_minimum"],
                "maa.min_tcb.bootloader",
            ),
            (
                "firmware below",
                "",
                |c| c.insert("snpfw_svn", 23_u64),
                &["maa.tcb.below_minimum"],
                "maa.min_tcb.snp",
            ),
            (
                "TEE below",
                "min_tcb = { bootloader = 4, tee = 1, snp = 24, microcode = 84 }",
                NONE,
                &["maa.tcb.below_minimum"],
                ":8 maa.min_tcb.tee",
            ),
            ("all above", "", |c| c.insert("microcode_svn", 300_u64), &[], ""),
        ],
    );
}

#[test]
fn raw_report() {
    let optional = "require_raw_report = false";
    let required = "require_raw_report = true";
    check(
        MAA,
        &[
            (
                "no report",
                "",
                |c| *c = without(c, "report"),
                &["maa.report.missing"],
                "default maa.require_raw_report",
            ),
            (
                "no report, said expressly",
                required,
                |c| *c = without(c, "report"),
                &["maa.report.missing"],
                ":8 maa.require_raw_report",
            ),
            ("no report needed", optional, |c| *c = without(c, "report"), &[], ""),
            (
                "report that is no map",
                optional,
                |c| c.insert("report", "text"),
                &["maa.report.missing"],
                ":8 maa.require_raw_report",
            ),
            // One that came is judged all the same.
            (
                "report at VMPL 1",
                optional,
                |c| inside(c, &["report"], "vmpl", 1_u64),
                &["snp.vmpl.mismatch"],
                "default maa.snp.vmpl",
            ),
            (
                "report at VMPL 1, required",
                required,
                |c| inside(c, &["report"], "vmpl", 1_u64),
                &["snp.vmpl.mismatch"],
                "default maa.snp.vmpl",
            ),
            (
                "report of another utility VM",
                "",
                |c| inside(c, &["report"], "measurement", filled('b', 48)),
                &["maa.report.mismatch"],
                "specification",
            ),
            (
                "report of another group",
                "",
                |c| inside(c, &["report"], "host_data", filled('d', 32)),
                &["maa.report.mismatch"],
                "specification",
            ),
        ],
    );
    // A report without a section that would judge it.
    let text = MAA.text("", optional, "");
    let (alone, _) = text.split_once("[maa.snp]").unwrap();
    let policy = common::parse(alone).unwrap();
    let findings = MAA.judge((MAA.healthy)(), &policy).findings;
    assert_eq!(common::codes(&findings), ["env.profile.not_allowed"]);
    assert_eq!(MAA.judge(without(&(MAA.healthy)(), "report"), &policy).status, Status::Affirming);
}

/// The token alone needs nothing that can be waived, so that a waiver without a report is somebody's invention.
#[test]
fn a_waiver_is_the_report_s() {
    let waived = |claims, knobs: &str, inner: &str| {
        let subject = subject(claims, vec![codes::SNP_CRL_MISSING], TrustClass::Hardware);
        let policy = MAA.policy("", knobs, inner);
        let findings = judge_as(&(MAA.profile)(), &subject, &policy, &context()).findings;
        findings.iter().map(|finding| finding.code.to_string()).collect::<Vec<_>>()
    };
    let (with, alone) = ((MAA.healthy)(), without(&(MAA.healthy)(), "report"));
    let (optional, off) = ("require_raw_report = false", "crl_required = false");
    assert_eq!(waived(with.clone(), "", ""), ["snp.crl.missing"]);
    assert_eq!(waived(with, "", off), [""; 0]);
    assert_eq!(waived(alone.clone(), optional, off), ["snp.crl.missing"]);
    assert_eq!(waived(alone, optional, ""), ["snp.crl.missing"]);
}

#[test]
fn development_may_weaken_the_locked_knobs() {
    for (name, knob, code) in [
        ("is_debuggable", "allow_debug = true", "maa.debuggable"),
        ("migration_allowed", "allow_migration = true", "maa.migration"),
    ] {
        let mut claims = (MAA.healthy)();
        claims.insert(name, ClaimValue::from(true));
        let development = "profile = \"development\"";
        let denied = MAA.judge(claims.clone(), &MAA.policy(development, "", "")).findings;
        assert_eq!(common::codes(&denied), [code]);
        assert_eq!(MAA.judge(claims, &MAA.policy(development, knob, "")).status, Status::Affirming);
    }
}
