//! Policies that do not load, each with its code and place, the example that does, and the defaults as told.

use cc_policy::{Policy, Status};

use crate::common::*;

#[test]
fn a_bad_knob_is_refused_where_it_stands() {
    let zero = filled('0', 48);
    let digest = filled('4', 48);
    let chip = filled('9', 64);
    let ids = format!("id_key_digests = [\"{digest}\"]");
    let authors = format!("author_key_digests = [\"{digest}\"]");
    let author_without_ids = format!("require_id_block = true\n{authors}\nrequire_author_key = true");
    let ids_without_author = format!("require_id_block = true\n{ids}\nrequire_author_key = true");
    let masked = format!("allow_masked_chip_id = true\nchip_allowlist = [\"{chip}\"]");
    for (knobs, code, place) in [
        // Measurements.
        ("measurements = []", "pol.measurement.unset", ":5 snp.measurements"),
        ("measurements = \"any\"", "pol.measurement.unset", ":5 snp.measurements"),
        (&format!("measurements = [\"{zero}\"]"), "pol.measurement.invalid", ":5 snp.measurements"),
        (
            &format!("measurements = [\"{digest}\", \"{zero}\"]"),
            "pol.measurement.invalid",
            ":5 snp.measurements",
        ),
        ("measurements = [\"ab\"]", "pol.format.invalid", ":5 snp.measurements"),
        ("measurements = \"all\"", "pol.format.invalid", ":5 snp.measurements"),
        // Locked.
        ("allow_debug = true", "pol.profile.development", ":5 snp.allow_debug"),
        ("allow_migrate_ma = true", "pol.profile.development", ":5 snp.allow_migrate_ma"),
        // Contradictions.
        ("products = [\"Milan\"]", "pol.format.invalid", ":5 snp.products"),
        ("allow_vlek = true", "pol.format.invalid", ":5 snp.allow_vlek"),
        (&masked, "pol.format.invalid", ":5 snp.allow_masked_chip_id"),
        ("require_id_block = true", "pol.format.invalid", ":5 snp.require_id_block"),
        (&author_without_ids, "pol.format.invalid", ":7 snp.require_author_key"),
        (&ids_without_author, "pol.format.invalid", ":7 snp.require_author_key"),
        ("require_author_key = true", "pol.format.invalid", ":5 snp.require_author_key"),
        (&ids, "pol.format.invalid", ":5 snp.id_key_digests"),
        (&authors, "pol.format.invalid", ":5 snp.author_key_digests"),
        // Values out of range or of another type.
        ("versions = []", "pol.format.invalid", ":5 snp.versions"),
        ("versions = [1]", "pol.format.invalid", ":5 snp.versions"),
        ("versions = [6]", "pol.format.invalid", ":5 snp.versions"),
        ("versions = 3", "pol.format.invalid", ":5 snp.versions"),
        ("products = []", "pol.format.invalid", ":5 snp.products"),
        ("products = [\"genoa\"]", "pol.format.invalid", ":5 snp.products"),
        ("vmpl = 4", "pol.format.invalid", ":5 snp.vmpl"),
        ("vmpl = -1", "pol.format.invalid", ":5 snp.vmpl"),
        ("vmpl = \"0\"", "pol.format.invalid", ":5 snp.vmpl"),
        ("crl_required = 0", "pol.format.invalid", ":5 snp.crl_required"),
        ("crl_max_age_days = 7.0", "pol.format.invalid", ":5 snp.crl_max_age_days"),
        ("allowed_csp_ids = [\"\"]", "pol.format.invalid", ":5 snp.allowed_csp_ids"),
        ("min_abi = \"31\"", "pol.format.invalid", ":5 snp.min_abi"),
        ("min_abi = 0.31", "pol.format.invalid", ":5 snp.min_abi"),
        ("host_data = \"none\"", "pol.format.invalid", ":5 snp.host_data"),
        ("host_data = []", "pol.format.invalid", ":5 snp.host_data"),
        ("host_data = [\"00\"]", "pol.format.invalid", ":5 snp.host_data"),
        ("family_id = \"\"", "pol.format.invalid", ":5 snp.family_id"),
        ("min_guest_svn = 0x100000000", "pol.format.invalid", ":5 snp.min_guest_svn"),
        ("chip_allowlist = []", "pol.format.invalid", ":5 snp.chip_allowlist"),
        ("chip_allowlist = [\"0000000000000000\"]", "pol.format.invalid", ":5 snp.chip_allowlist"),
        ("chip_denylist = [\"59\"]", "pol.format.invalid", ":5 snp.chip_denylist"),
        (
            &format!("require_id_block = true\nid_key_digests = [\"{zero}\"]"),
            "pol.format.invalid",
            ":6 snp.id_key_digests",
        ),
        ("min_fw = 1", "pol.format.invalid", ":5 snp.min_fw"),
        ("min_fw.Genoa = { patch = 1 }", "pol.format.invalid", ":5 snp.min_fw.Genoa.patch"),
        ("min_fw.Rome = { major = 1 }", "pol.format.invalid", ":5 snp.min_fw.Rome"),
        ("min_tcb.Rome = { snp = 1 }", "pol.format.invalid", ":5 snp.min_tcb.Rome"),
        ("min_tpm = 1", "pol.format.invalid", ":5 snp.min_tpm"),
        ("vmpl = 0\nvmpl = 1", "pol.format.invalid", ":6"),
    ] {
        let error = parse(&policy_text("", knobs)).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.place.as_str()),
            (code, &*format!("policy.toml{place}")),
            "{error}"
        );
    }
}

#[test]
fn a_bad_document_is_refused() {
    let good = policy_text("", "");
    let genoa = "[snp.min_tcb.Genoa]\nbootloader = 4\ntee = 0\nsnp = 24\nmicrocode = 84\n";
    assert!(good.contains(genoa));
    for (what, text, code, place) in [
        ("empty", String::new(), "pol.format.invalid", ""),
        ("not TOML", "version = ".to_owned(), "pol.format.invalid", ":1"),
        ("no version", good.replace("version = 1\n", "\n"), "pol.format.invalid", ""),
        ("version 2", good.replace("version = 1", "version = 2"), "pol.format.invalid", ":1 version"),
        ("unknown key", policy_text("vmpl = 0", ""), "pol.format.invalid", ":2 vmpl"),
        ("unknown profile", policy_text("profile = \"test\"", ""), "pol.format.invalid", ":2 profile"),
        ("no section", "version = 1\n".to_owned(), "pol.format.invalid", ""),
        ("section not a table", "version = 1\nsnp = 1\n".to_owned(), "pol.format.invalid", ":2 snp"),
        ("no measurements", good.replace("measurements = ", "# "), "pol.measurement.unset", ":3 snp"),
        ("N-SNP-65 Genoa without minimum", good.replace(genoa, ""), "pol.min_tcb.unset", ""),
        (
            "Genoa without a component",
            good.replace(genoa, &genoa.replace("snp = 24\n", "")),
            "pol.min_tcb.unset",
            ":11 snp.min_tcb.Genoa",
        ),
        (
            "Genoa with a component of Turin",
            good.replace(genoa, &format!("{genoa}fmc = 1\n")),
            "pol.format.invalid",
            ":16 snp.min_tcb.Genoa.fmc",
        ),
        (
            "component out of range",
            good.replace(genoa, &genoa.replace("84", "256")),
            "pol.format.invalid",
            ":15 snp.min_tcb.Genoa.microcode",
        ),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.code.as_str(), code, "{what}: {error}");
        if place.is_empty() {
            assert!(!error.detail.is_empty(), "{what}");
        } else {
            assert_eq!(error.place, format!("policy.toml{place}"), "{what}");
        }
    }
}

#[test]
fn development_loads_what_production_refuses() {
    for knobs in
        ["allow_debug = true", "allow_migrate_ma = true", "measurements = \"any\"", "products = [\"Milan\"]"]
    {
        assert!(parse(&policy_text("", knobs)).is_err(), "{knobs}");
        assert!(parse(&policy_text("profile = \"development\"", knobs)).is_ok(), "{knobs}");
    }
    // What is missing or invalid stays so.
    for knobs in ["measurements = []", "versions = [6]", "allow_vlek = true"] {
        assert!(parse(&policy_text("profile = \"development\"", knobs)).is_err(), "{knobs}");
    }
}

#[test]
fn a_line_that_is_not_permitted_needs_no_minimum() {
    let text = format!(
        "version = 1\n[snp]\nproducts = [\"Turin\"]\nmeasurements = [\"{}\"]\n\
         min_tcb.Turin = {{ fmc = 1, bootloader = 1, tee = 1, snp = 4, microcode = 81 }}\n",
        filled('a', 48)
    );
    assert_eq!(judge(healthy("Turin"), &parse(&text).unwrap()).status, Status::Affirming);
}

/// The defaults of *verification.md* 1.3 in the operator's words; `tests/appraise.rs` has what they do.
#[test]
fn description_tells_the_defaults() {
    let told = policy("", "").describe();
    for line in [
        "profile: production (default profile)",
        "snp: report versions: 3, 4, 5 (default snp.versions)",
        "snp: VLEK reports: not allowed (default snp.allow_vlek)",
        "snp: masked chip ids: not allowed (default snp.allow_masked_chip_id)",
        "snp: products: Genoa, Turin (default snp.products)",
        "snp: minimum fmc on Turin: 1 (policy.toml:17 snp.min_tcb.Turin.fmc)",
        "snp: minimum firmware on Genoa: 0.0 build 0 (default snp.min_fw.Genoa)",
        "snp: revocation list: required (default snp.crl_required)",
        "snp: oldest revocation list, days: 7 (default snp.crl_max_age_days)",
        "snp: cloud providers: none (default snp.allowed_csp_ids)",
        "snp: provisional firmware: not allowed (default snp.allow_provisional_fw)",
        "snp: VMPL: 0 (default snp.vmpl)",
        "snp: debugging: not allowed (default snp.allow_debug)",
        "snp: migration agent: not allowed (default snp.allow_migrate_ma)",
        "snp: minimum ABI: 0.0 (default snp.min_abi)",
        "snp: SMT: allowed (default snp.smt_allowed)",
        "snp: CXL: not allowed (default snp.cxl)",
        "snp: single socket: not required (default snp.require_single_socket)",
        "snp: AES-256-XTS: not required (default snp.require_xts)",
        "snp: RAPL off: not required (default snp.require_rapl_dis)",
        "snp: ciphertext hiding: required on Turin (default snp.require_ciphertext_hiding)",
        "snp: page swap off: not required (default snp.page_swap_disable)",
        "snp: memory alias check: required (default snp.require_alias_check)",
        "snp: ECC memory: required (default snp.require_ecc)",
        "snp: mitigation bits: 0x0 (default snp.required_mitigations)",
        "snp: host data: zero (default snp.host_data)",
        "snp: ID block: not required (default snp.require_id_block)",
        "snp: author key: not required (default snp.require_author_key)",
        "snp: ID keys: none (default snp.id_key_digests)",
        "snp: author keys: none (default snp.author_key_digests)",
        "snp: minimum guest SVN: 0 (default snp.min_guest_svn)",
        "snp: family id: any (default snp.family_id)",
        "snp: image id: any (default snp.image_id)",
        "snp: chips: any (default snp.chip_allowlist)",
        "snp: denied chips: none (default snp.chip_denylist)",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}\nin {told:#?}");
    }
}

/// Every key of the format stands in the example, so that it is also the format's reference.
#[test]
fn the_example_loads_and_has_every_key() {
    let text = include_str!("../examples/snp-production.toml");
    let example = Policy::parse(text, "snp-production.toml").unwrap();
    for line in example.describe() {
        assert!(line.contains("(snp-production.toml:"), "{line} is not in the example");
    }
}

#[test]
fn only_init_data_ties_launch_data_to_a_name() {
    let value = filled('7', 32);
    for (knobs, needed) in [
        ("", false),
        ("host_data = \"zero\"", false),
        (&format!("host_data = [\"{value}\"]"), false),
        ("host_data = \"init-data\"", true),
    ] {
        assert_eq!(policy("", knobs).needs_init_data(), needed, "{knobs}");
    }
}
