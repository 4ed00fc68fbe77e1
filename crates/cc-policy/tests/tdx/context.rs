//! What else decides: absent claims, waivers, trust class, and the order of findings.

use cc_core::{ClaimValue, Claims, TrustClass, codes};
use cc_policy::Policy;

use crate::common::tdx::*;
use crate::common::{codes, context, filled, parse, subject, without};

/// A policy in which every step that can be needs its claim.
fn demanding() -> Policy {
    policy(
        "",
        &format!(
            "collateral_max_age_hours = 24\nallow_pks = false\nrequire_eventlog = true\nsmt_allowed = false\n\
             allow_dynamic_platform = false\nallow_cached_keys = false\nplatform_allowlist = [\"{PPID}\"]\n\
             platform_denylist = [\"{}\"]\nmrseam_allowlist = [\"{}\"]",
            filled('9', 16),
            filled('e', 48)
        ),
    )
}

fn demanded() -> Claims {
    let mut claims = healthy();
    for name in ["smt_enabled", "dynamic_platform", "cached_keys"] {
        claims.insert(name, false);
    }
    claims.insert("eventlog_replayed", true);
    claims
}

/// Each claim that is needed, and what follows when it is not there or is not what it should be.
const NEEDED: &[(&str, &[&str])] = &[
    ("tcb_info_issue_date", &["tdx.tcb_info.expired"]),
    ("qe_identity_issue_date", &["tdx.qe_identity.expired"]),
    ("tcb_eval_num", &["tdx.tcb_eval.below_minimum"]),
    ("qe_tcb_status", &["tdx.qe_tcb.status"]),
    ("tcb_date", &["tdx.tcb.date"]),
    (
        "td_attributes",
        &[
            "tdx.attr.debug",
            "tdx.attr.migratable",
            "tdx.attr.pks",
            "tdx.attr.kl",
            "tdx.attr.perfmon",
            "tdx.attr.sept_ve_disable",
            "tdx.attr.unknown_bit",
        ],
    ),
    ("xfam", &["tdx.xfam.invalid"]),
    ("version", &["tdx.service_td.present"]),
    ("body_type", &["tdx.service_td.present"]),
    ("mr_service_td", &["tdx.service_td.present"]),
    ("mr_td", &["tdx.measurement.unknown"]),
    ("rtmr0", &["tdx.measurement.unknown"]),
    ("rtmr1", &["tdx.measurement.unknown"]),
    ("rtmr2", &["tdx.measurement.unknown"]),
    ("rtmr3", &["tdx.measurement.unknown"]),
    ("eventlog_replayed", &["tdx.eventlog.replay_mismatch"]),
    ("mr_config_id", &["tdx.mrconfigid.mismatch"]),
    ("mr_owner", &["tdx.mrowner.mismatch"]),
    ("mr_owner_config", &["tdx.mrowner.mismatch"]),
    ("smt_enabled", &["tdx.platform.smt"]),
    ("dynamic_platform", &["tdx.platform.dynamic"]),
    ("cached_keys", &["tdx.platform.cached_keys"]),
    ("ppid", &["tdx.platform.denied", "tdx.platform.denied"]),
    ("platform_instance_id", &["tdx.platform.denied"]),
    ("mr_seam", &["tdx.mrseam.unknown"]),
];

#[test]
fn a_missing_claim_is_a_finding_of_each_step_that_needed_it() {
    let policy = demanding();
    assert_eq!(judge(demanded(), &policy).findings, []);
    for (name, expected) in NEEDED {
        let findings = judge(without(&demanded(), name), &policy).findings;
        assert_eq!(codes(&findings), *expected, "{name} absent: {findings:#?}");
        assert!(findings.iter().any(|f| f.got.contains("absent")), "{name}");
        for value in [ClaimValue::List(Vec::new()), ClaimValue::from("")] {
            let mut claims = demanded();
            claims.insert(name, value);
            let findings = judge(claims, &policy).findings;
            assert_eq!(codes(&findings), *expected, "{name} malformed: {findings:#?}");
        }
    }
}

#[test]
fn an_absent_status_is_not_accepted_nor_are_its_advisories() {
    let findings = judge(without(&healthy(), "tcb_status"), &policy("", "")).findings;
    assert_eq!(codes(&findings), ["tdx.tcb.status"], "an empty list of advisories is a subset");
    let claims = without(&without(&healthy(), "tcb_status"), "advisory_ids");
    assert_eq!(codes(&judge(claims, &policy("", "")).findings), ["tdx.tcb.status", "tdx.tcb.advisory"]);
}

#[test]
fn parts_of_claims_are_read_strictly() {
    for (name, value, expected) in [
        ("td_attributes", ClaimValue::from("000000100000000"), "tdx.attr.debug"),
        ("td_attributes", "0x10000000".into(), "tdx.attr.debug"),
        ("mr_td", filled('A', 48).into(), "tdx.measurement.unknown"),
        ("mr_td", filled('a', 47).into(), "tdx.measurement.unknown"),
        ("tcb_status", "uptodate".into(), "tdx.tcb.status"),
        ("tcb_date", "2025-05-14".into(), "tdx.tcb.date"),
        ("tcb_eval_num", "18".into(), "tdx.tcb_eval.below_minimum"),
        ("eventlog_replayed", 1_u64.into(), "tdx.eventlog.replay_mismatch"),
        ("smt_enabled", 0_u64.into(), "tdx.platform.smt"),
        ("ppid", PPID.to_uppercase().into(), "tdx.platform.denied"),
    ] {
        let mut claims = demanded();
        claims.insert(name, value);
        assert_eq!(codes(&judge(claims, &demanding()).findings).first(), Some(&expected), "{name}");
    }
}

#[test]
fn text_that_would_disturb_a_terminal_is_not_shown() {
    let mut claims = healthy();
    claims.insert("tcb_status", "Fine\u{1b}[2K");
    claims.insert("advisory_ids", vec!["INTEL-SA-00837\u{1b}[2K"]);
    let findings = judge(claims, &policy("", "")).findings;
    assert_eq!(codes(&findings), ["tdx.tcb.status", "tdx.tcb.advisory"]);
    assert_eq!(findings[1].got, "malformed");
    assert!(!findings.iter().any(|finding| finding.to_string().contains('\u{1b}')));
}

#[test]
fn empty_claims_fail_every_step() {
    let findings = judge(Claims::new(), &demanding()).findings;
    assert_eq!(
        codes(&findings),
        [
            "tdx.tcb_info.expired",
            "tdx.qe_identity.expired",
            "tdx.tcb_eval.below_minimum",
            "tdx.qe_tcb.status",
            "tdx.tcb.status",
            "tdx.tcb.advisory",
            "tdx.tcb.date",
            "tdx.attr.debug",
            "tdx.attr.migratable",
            "tdx.attr.pks",
            "tdx.attr.kl",
            "tdx.attr.perfmon",
            "tdx.attr.sept_ve_disable",
            "tdx.attr.unknown_bit",
            "tdx.xfam.invalid",
            "tdx.service_td.present",
            "tdx.measurement.unknown",
            "tdx.eventlog.replay_mismatch",
            "tdx.mrconfigid.mismatch",
            "tdx.mrowner.mismatch",
            "tdx.mrowner.mismatch",
            "tdx.platform.smt",
            "tdx.platform.dynamic",
            "tdx.platform.cached_keys",
            "tdx.platform.denied",
            "tdx.platform.denied",
            "tdx.mrseam.unknown",
        ]
    );
}

#[test]
fn findings_come_together_in_the_order_of_the_steps() {
    let mut claims = healthy();
    claims.insert("mr_td", filled('c', 48));
    claims.insert("td_attributes", "0100001000000000");
    claims.insert("tcb_eval_num", 16_u64);
    let findings = judge(claims, &policy("", "smt_allowed = false")).findings;
    let told: Vec<_> =
        findings.iter().map(|f| (f.code.as_str(), f.got.as_str(), f.source.as_str())).collect();
    let mr_td = format!("mr_td {}", filled('c', 48));
    assert_eq!(
        told,
        [
            ("tdx.tcb_eval.below_minimum", "16", "policy.toml:4 tdx.min_tcb_eval_num"),
            ("tdx.attr.debug", "DEBUG and other TUD bits 0b00000001", "default tdx.allow_debug"),
            ("tdx.measurement.unknown", mr_td.as_str(), "policy.toml:6 tdx.images.1"),
            ("tdx.platform.smt", "SMT: true", "policy.toml:5 tdx.smt_allowed"),
        ]
    );
}

#[test]
fn a_used_waiver_needs_its_knob() {
    for (knobs, waived, expected) in [
        ("", vec![codes::TDX_CRL_MISSING], &["tdx.crl.missing"][..]),
        ("crl_required = true", vec![codes::TDX_CRL_MISSING], &["tdx.crl.missing"]),
        ("crl_required = false", vec![codes::TDX_CRL_MISSING], &[]),
        ("crl_required = false", vec![codes::SNP_CRL_MISSING], &["snp.crl.missing"]),
        ("crl_required = false", vec![codes::TDX_TCB_INFO_MISSING], &["tdx.tcb_info.missing"]),
        ("crl_required = false", vec![], &[]),
    ] {
        let subject = subject(healthy(), waived.clone(), TrustClass::Hardware);
        let findings = judge_with(&subject, &policy("", knobs), &context()).findings;
        assert_eq!(codes(&findings), expected, "{knobs} {waived:?}");
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
        let subject = subject(healthy(), Vec::new(), class);
        let findings = judge_with(&subject, &policy(head, ""), &context()).findings;
        assert_eq!(codes(&findings), expected, "{head} {class}");
    }
}

#[test]
fn development_may_weaken_the_locked_knobs() {
    let development = "profile = \"development\"";
    let debug = |attributes: &str| {
        let mut claims = healthy();
        claims.insert("td_attributes", attributes);
        claims
    };
    for attributes in ["0100001000000000", "ff00001000000000"] {
        let findings = judge(debug(attributes), &policy(development, "")).findings;
        assert_eq!(codes(&findings), ["tdx.attr.debug"]);
        assert_eq!(judge(debug(attributes), &policy(development, "allow_debug = true")).findings, []);
    }
    let any = policy(development, "measurements = \"any\"");
    let mut other = healthy();
    image(&mut other, 'c');
    assert_eq!(judge(other.clone(), &any).findings, []);
    other.insert("mr_td", filled('0', 48));
    assert_eq!(codes(&judge(other, &any).findings), ["tdx.measurement.unknown"]);
    let mut revoked = healthy();
    status(&mut revoked, "Revoked", "Revoked", "UpToDate", "UpToDate");
    let accepted = policy(
        development,
        "accepted_status = [\"UpToDate\", \"Revoked\"]\naccepted_advisories = [\"INTEL-SA-00837\"]\n\
         min_tcb_date = \"2024-03-13T00:00:00Z\"",
    );
    assert_eq!(judge(revoked, &accepted).findings, []);
}

#[test]
fn a_policy_for_the_other_technology_says_nothing_of_this_one() {
    let snp = parse(&crate::common::policy_text("", "")).unwrap();
    let subject = subject(healthy(), Vec::new(), TrustClass::Hardware);
    let appraisal = cc_policy::appraise(&subject, &profile(), &snp, &context());
    assert_eq!(appraisal.status, cc_policy::Status::None);
}
