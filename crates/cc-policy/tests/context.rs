//! What else decides: absent claims, waivers, trust class, init-data, and the order of findings.

use cc_core::{ClaimValue, Claims, TrustClass};
use cc_policy::{Context, InitData, Policy};

use crate::common::*;

/// A policy in which every step that can be needs its claim.
fn demanding() -> Policy {
    let digest = |digit| filled(digit, 48);
    let knobs = format!(
        "products = [\"Turin\"]\nsmt_allowed = false\nrequire_single_socket = true\nrequire_xts = true\n\
         require_rapl_dis = true\npage_swap_disable = true\nrequired_mitigations = 1\n\
         require_id_block = true\nrequire_author_key = true\nid_key_digests = [\"{}\"]\n\
         author_key_digests = [\"{}\"]\nfamily_id = \"{}\"\nimage_id = \"{}\"\n\
         chip_allowlist = [\"{TURIN_CHIP}\"]\nchip_denylist = [\"{}\"]",
        digest('4'),
        digest('5'),
        filled('1', 16),
        filled('2', 16),
        filled('9', 64),
    );
    policy("", &knobs)
}

fn demanded() -> Claims {
    let mut claims = healthy("Turin");
    claims.insert("policy", "0x3d2001f");
    claims.insert("platform_info", "0x64");
    claims
}

/// Each claim that is needed, and what follows when it is not there or is not what it should be.
const NEEDED: &[(&str, &[&str])] = &[
    ("version", &["snp.version.unsupported"]),
    ("signing_key", &["snp.signing_key.vlek_not_allowed"]),
    ("chip_id", &["snp.chip_id.masked"]),
    ("product", &["snp.product.not_allowed", "snp.platform.unknown_bit"]),
    ("crl_this_update", &["snp.crl.expired"]),
    ("current_tcb", &["snp.fw.provisional"]),
    ("committed_tcb", &["snp.fw.provisional", "5 snp.tcb.below_minimum"]),
    ("reported_tcb", &["5 snp.tcb.below_minimum"]),
    ("launch_tcb", &["5 snp.tcb.launch_below_minimum"]),
    ("current_fw", &["snp.fw.provisional", "snp.fw.below_minimum"]),
    ("committed_fw", &["snp.fw.provisional"]),
    ("vmpl", &["snp.vmpl.mismatch"]),
    (
        "policy",
        &[
            "snp.policy.debug",
            "snp.policy.migrate_ma",
            "snp.policy.abi",
            "snp.policy.smt",
            "snp.policy.cxl",
            "snp.policy.single_socket",
            "snp.policy.xts",
            "snp.policy.rapl",
            "snp.policy.ciphertext_hiding",
            "snp.policy.page_swap",
        ],
    ),
    ("report_id_ma", &["snp.report_id_ma.present"]),
    (
        "platform_info",
        &["snp.platform.alias_check", "snp.platform.ecc", "snp.platform.smt", "snp.platform.unknown_bit"],
    ),
    ("current_mit_vector", &["snp.mitigation.missing"]),
    ("launch_mit_vector", &["snp.mitigation.missing"]),
    ("measurement", &["snp.measurement.unknown"]),
    ("host_data", &["snp.host_data.mismatch"]),
    ("id_key_digest", &["snp.id_key.untrusted"]),
    ("author_key_en", &["snp.author_key.untrusted"]),
    ("author_key_digest", &["snp.author_key.untrusted"]),
    ("guest_svn", &["snp.guest_svn.below_minimum"]),
    ("family_id", &["snp.image_id.mismatch"]),
    ("image_id", &["snp.image_id.mismatch"]),
    ("leaf_ext", &["2 snp.chip_id.denied"]),
];

fn repeated(codes: &[&'static str]) -> Vec<&'static str> {
    let times = |code: &'static str| match code.split_once(' ') {
        Some((count, code)) => vec![code; count.parse().unwrap()],
        None => vec![code],
    };
    codes.iter().flat_map(|code| times(code)).collect()
}

#[test]
fn a_missing_claim_is_a_finding_of_each_step_that_needed_it() {
    let policy = demanding();
    assert_eq!(judge(demanded(), &policy).findings, []);
    for (name, expected) in NEEDED {
        let findings = judge(without(&demanded(), name), &policy).findings;
        assert_eq!(codes(&findings), repeated(expected), "{name} absent: {findings:#?}");
        assert!(findings.iter().any(|f| f.got.contains("absent") || f.want.contains("absent")), "{name}");
        for value in [ClaimValue::List(Vec::new()), ClaimValue::from("")] {
            let mut claims = demanded();
            claims.insert(name, value);
            let findings = judge(claims, &policy).findings;
            assert_eq!(codes(&findings), repeated(expected), "{name} malformed: {findings:#?}");
        }
    }
}

#[test]
fn parts_of_claims_are_read_strictly() {
    for (name, value, expected) in [
        ("policy", ClaimValue::from("3001F"), "snp.policy.debug"),
        ("measurement", filled('A', 48).into(), "snp.measurement.unknown"),
        ("author_key_en", 2_u64.into(), "snp.author_key.untrusted"),
        (
            "current_fw",
            map(&[("major", 1_u64.into()), ("minor", 55_u64.into())]).into(),
            "snp.fw.provisional",
        ),
        ("leaf_ext", map(&[("hwID", filled('0', 8).into())]).into(), "snp.chip_id.denied"),
        ("leaf_ext", map(&[("hwID", TURIN_CHIP.to_uppercase().into())]).into(), "snp.chip_id.denied"),
    ] {
        let mut claims = demanded();
        claims.insert(name, value);
        assert_eq!(codes(&judge(claims, &demanding()).findings).first(), Some(&expected), "{name}");
    }
}

#[test]
fn a_provider_is_named_in_plain_text_or_not_at_all() {
    let policy = policy("", "allow_vlek = true\nallowed_csp_ids = [\"CN=cloud.example\"]");
    for (id, got) in [
        (ClaimValue::from("CN=other"), "CN=other"),
        ("CN=cloud.example\u{1b}[2K".into(), "malformed"),
        ("x".repeat(257).into(), "malformed"),
        (1_u64.into(), "malformed"),
    ] {
        let mut claims = healthy("Genoa");
        vlek(&mut claims);
        claims.insert("leaf_ext", map(&[("cspID", id)]));
        let findings = judge(claims, &policy).findings;
        assert_eq!(codes(&findings), ["snp.csp_id.not_allowed"]);
        assert_eq!(findings[0].got, got);
    }
    let mut claims = healthy("Genoa");
    vlek(&mut claims);
    let findings = judge(without(&claims, "leaf_ext"), &policy).findings;
    assert_eq!((codes(&findings), &*findings[0].got), (vec!["snp.csp_id.not_allowed"], "absent"));
}

#[test]
fn empty_claims_fail_every_step() {
    let findings = judge(Claims::new(), &demanding()).findings;
    assert_eq!(
        codes(&findings),
        [
            "snp.version.unsupported",
            "snp.signing_key.vlek_not_allowed",
            "snp.chip_id.masked",
            "snp.product.not_allowed",
            "snp.crl.expired",
            "snp.fw.provisional",
            "snp.fw.provisional",
            "snp.vmpl.mismatch",
            "snp.policy.debug",
            "snp.policy.migrate_ma",
            "snp.report_id_ma.present",
            "snp.policy.abi",
            "snp.policy.smt",
            "snp.policy.cxl",
            "snp.policy.single_socket",
            "snp.policy.xts",
            "snp.policy.rapl",
            "snp.policy.ciphertext_hiding",
            "snp.policy.page_swap",
            "snp.platform.alias_check",
            "snp.platform.ecc",
            "snp.platform.smt",
            "snp.platform.unknown_bit",
            "snp.mitigation.missing",
            "snp.mitigation.missing",
            "snp.measurement.unknown",
            "snp.host_data.mismatch",
            "snp.id_key.untrusted",
            "snp.author_key.untrusted",
            "snp.guest_svn.below_minimum",
            "snp.image_id.mismatch",
            "snp.image_id.mismatch",
            "snp.chip_id.denied",
            "snp.chip_id.denied",
        ]
    );
}

#[test]
fn findings_come_together_in_the_order_of_the_steps() {
    let mut claims = healthy("Genoa");
    claims.insert("measurement", filled('c', 48));
    claims.insert("policy", "0xb001f");
    claims.insert("vmpl", 1_u64);
    claims.insert("reported_tcb", "0300000000001753");
    let findings = judge(claims, &policy("", "vmpl = 2")).findings;
    let told: Vec<_> =
        findings.iter().map(|f| (f.code.as_str(), f.got.as_str(), f.source.as_str())).collect();
    let measurement = filled('c', 48);
    assert_eq!(
        told,
        [
            ("snp.tcb.below_minimum", "reported bootloader 3", "policy.toml:12 snp.min_tcb.Genoa.bootloader"),
            ("snp.tcb.below_minimum", "reported snp 23", "policy.toml:14 snp.min_tcb.Genoa.snp"),
            ("snp.tcb.below_minimum", "reported microcode 83", "policy.toml:15 snp.min_tcb.Genoa.microcode"),
            ("snp.vmpl.mismatch", "1", "policy.toml:5 snp.vmpl"),
            ("snp.policy.debug", "DEBUG = 1", "default snp.allow_debug"),
            ("snp.measurement.unknown", measurement.as_str(), "policy.toml:4 snp.measurements"),
        ]
    );
}

#[test]
fn a_used_waiver_needs_its_knob() {
    for (knobs, waived, expected) in [
        ("", vec![cc_core::codes::SNP_CRL_MISSING], &["snp.crl.missing"][..]),
        ("crl_required = true", vec![cc_core::codes::SNP_CRL_MISSING], &["snp.crl.missing"]),
        ("crl_required = false", vec![cc_core::codes::SNP_CRL_MISSING], &[]),
        (
            "crl_required = false",
            vec![cc_core::codes::SNP_CHAIN_MISSING],
            &["snp.chain.missing", "snp.crl.expired"],
        ),
        ("crl_required = false", vec![], &["snp.crl.expired"]),
    ] {
        let claims = without(&healthy("Genoa"), "crl_this_update");
        let subject = subject(claims, waived.clone(), TrustClass::Hardware);
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
        let subject = subject(healthy("Genoa"), Vec::new(), class);
        let findings = judge_with(&subject, &policy(head, ""), &context()).findings;
        assert_eq!(codes(&findings), expected, "{head} {class}");
    }
}

#[test]
fn development_may_weaken_the_locked_knobs() {
    let development = "profile = \"development\"";
    let change = |name: &'static str, value: String| {
        let mut claims = healthy("Genoa");
        claims.insert(name, value);
        claims
    };
    let debug = change("policy", "0xb001f".to_owned());
    assert_eq!(codes(&judge(debug.clone(), &policy(development, "")).findings), ["snp.policy.debug"]);
    assert_eq!(judge(debug, &policy(development, "allow_debug = true")).findings, []);
    let mut migrated = change("policy", "0x7001f".to_owned());
    migrated.insert("report_id_ma", filled('6', 32));
    assert_eq!(
        codes(&judge(migrated.clone(), &policy(development, "")).findings),
        ["snp.policy.migrate_ma", "snp.report_id_ma.present"]
    );
    assert_eq!(judge(migrated, &policy(development, "allow_migrate_ma = true")).findings, []);
    let any = policy(development, "measurements = \"any\"");
    assert_eq!(judge(change("measurement", filled('c', 48)), &any).findings, []);
    assert_eq!(
        codes(&judge(change("measurement", filled('0', 48)), &any).findings),
        ["snp.measurement.unknown"]
    );
}

#[test]
fn init_data_is_what_host_data_commits_to() {
    let digest = |byte| InitData::Carried { sha256: [byte; 32], sha384: [9; 48] };
    let listed = format!("host_data = [\"{}\"]", filled('3', 32));
    let zero = filled('0', 32);
    let threes = filled('3', 32);
    for (name, knobs, host_data, init_data, expected) in [
        ("digest equal", "host_data = \"init-data\"", &threes, digest(0x33), true),
        ("N-SNP-82 digest differs", "host_data = \"init-data\"", &threes, digest(0x34), false),
        ("expected and not carried", "host_data = \"init-data\"", &threes, InitData::NotCarried, false),
        ("expected and not carried, zero", "host_data = \"init-data\"", &zero, InitData::NotCarried, false),
        ("carried where none is expected", "", &zero, digest(0x33), false),
        ("carried, listed and equal", &listed, &threes, digest(0x33), true),
        ("carried, listed and different", &listed, &threes, digest(0x34), false),
    ] {
        let mut claims = healthy("Genoa");
        claims.insert("host_data", host_data.as_str());
        let subject = subject(claims, Vec::new(), TrustClass::Hardware);
        let context = Context { init_data, ..context() };
        let findings = judge_with(&subject, &policy("", knobs), &context).findings;
        let codes = codes(&findings);
        assert_eq!(codes, if expected { &[][..] } else { &["snp.host_data.mismatch"] }, "{name}");
    }
}
