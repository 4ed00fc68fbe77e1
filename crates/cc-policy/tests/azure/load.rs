//! Sections that do not load, each with its code and place.

use crate::common::azure::{ACI, CVM, CVM_TDX, Kind, MAA, pcr};
use crate::common::{filled, parse};

/// Section, knobs, knobs of the section inside, code, place.
type Row<'a> = (Kind, &'a str, &'a str, &'a str, &'a str);

#[test]
fn a_bad_knob_is_refused_where_it_stands() {
    let (zero, chip, hash) = (filled('0', 48), filled('9', 64), "A".repeat(42));
    let zeros = format!("measurements = [\"{zero}\"]");
    let host_data = format!("host_data = [\"{}\"]", filled('c', 32));
    let unquoted = format!("pcr_selection = [0]\npcrs.07 = [\"{}\"]", pcr(7));
    let masked = format!("allow_masked_chip_id = true\nchip_allowlist = [\"{chip}\"]");
    let hashes = format!("policy_hashes = [\"{hash}\"]");
    let padded = format!("policy_hashes = [\"{hash}=\"]");
    let invalid = "pol.format.invalid";
    let rows: [Row<'_>; 50] = [
        (ACI, "uvm_min_svn = 0", "", invalid, ":6 aci.uvm_min_svn"),
        (ACI, "uvm_min_svn = \"100\"", "", invalid, ":6 aci.uvm_min_svn"),
        (ACI, "uvm_min_svn = 0x100000000", "", invalid, ":6 aci.uvm_min_svn"),
        (ACI, "uvm_issuer = \"\"", "", invalid, ":6 aci.uvm_issuer"),
        (ACI, "uvm_feed = []", "", invalid, ":6 aci.uvm_feed"),
        (ACI, "measurements = []", "", invalid, ":6 aci.measurements"),
        (ACI, "measurements = \"any\"", "", invalid, ":6 aci.measurements"),
        (ACI, &zeros, "", invalid, ":6 aci.measurements"),
        (ACI, "require_cce_policy = 1", "", invalid, ":6 aci.require_cce_policy"),
        (ACI, "cce_policy_permit = \"allow_all\"", "", invalid, ":6 aci.cce_policy_permit"),
        (ACI, "cce_policy_permit = [\"\"]", "", invalid, ":6 aci.cce_policy_permit"),
        (ACI, "uvm_max_svn = 1", "", invalid, ":6 aci.uvm_max_svn"),
        // What measurement and host data are the outer section says.
        (ACI, "", &zeros, invalid, ":8 aci.snp.measurements"),
        (ACI, "", "measurements = \"any\"", invalid, ":8 aci.snp.measurements"),
        (ACI, "", "host_data = \"init-data\"", invalid, ":8 aci.snp.host_data"),
        (MAA, "", &host_data, invalid, ":10 maa.snp.host_data"),
        // The rest of it is that of [snp].
        (ACI, "", "vmpl = 4", invalid, ":8 aci.snp.vmpl"),
        (ACI, "", "vtpm = 4", invalid, ":8 aci.snp.vtpm"),
        (ACI, "", &masked, invalid, ":8 aci.snp.allow_masked_chip_id"),
        (ACI, "", "products = [\"Milan\"]", "pol.min_tcb.unset", ":8 aci.snp.products"),
        (ACI, "", "allow_debug = true", "pol.profile.development", ":8 aci.snp.allow_debug"),
        (MAA, "", "allow_migrate_ma = true", "pol.profile.development", ":10 maa.snp.allow_migrate_ma"),
        (CVM, "", "allow_debug = true", "pol.profile.development", ":8 azcvm.snp.allow_debug"),
        (CVM_TDX, "", "allow_debug = true", "pol.profile.development", ":8 azcvm.tdx.allow_debug"),
        (CVM_TDX, "", "images = []", "pol.measurement.unset", ":8 azcvm.tdx.images"),
        // Tokens.
        (MAA, "issuers = []", "", invalid, ":8 maa.issuers"),
        (MAA, "issuers = \"https://a.example\"", "", invalid, ":8 maa.issuers"),
        (MAA, "policy_hashes = []", "", invalid, ":8 maa.policy_hashes"),
        (MAA, &hashes, "", invalid, ":8 maa.policy_hashes"),
        (MAA, &padded, "", invalid, ":8 maa.policy_hashes"),
        (MAA, "max_age_seconds = -1", "", invalid, ":8 maa.max_age_seconds"),
        (MAA, "max_age_seconds = \"300\"", "", invalid, ":8 maa.max_age_seconds"),
        (MAA, "allow_debug = true", "", "pol.profile.development", ":8 maa.allow_debug"),
        (MAA, "allow_migration = true", "", "pol.profile.development", ":8 maa.allow_migration"),
        (MAA, "vmpl = 1", "", invalid, ":8 maa.vmpl"),
        (MAA, "measurements = \"any\"", "", invalid, ":8 maa.measurements"),
        (MAA, &zeros, "", invalid, ":8 maa.measurements"),
        (MAA, "uvm_min_svn = \"2\"", "", invalid, ":8 maa.uvm_min_svn"),
        (MAA, "min_tcb = { bootloader = 4, tee = 0, snp = 24 }", "", "pol.min_tcb.unset", ":8 maa.min_tcb"),
        (MAA, "min_tcb = { bootloader = 256 }", "", invalid, ":8 maa.min_tcb.bootloader"),
        (MAA, "require_raw_report = \"no\"", "", invalid, ":8 maa.require_raw_report"),
        // Machines.
        (CVM, "pcrs = {}", "", "pol.measurement.unset", ":5 azcvm.pcrs"),
        (CVM, "pcrs.00 = []", "", invalid, ":5 azcvm.pcrs.00"),
        (CVM, "pcrs.00 = [\"00\"]", "", invalid, ":5 azcvm.pcrs.00"),
        (CVM, "pcrs.0 = []", "", invalid, ":5 azcvm.pcrs.0"),
        (CVM, "pcr_selection = []", "", invalid, ":5 azcvm.pcr_selection"),
        (CVM, "pcr_selection = [0, 4, 24]", "", invalid, ":5 azcvm.pcr_selection"),
        (CVM, "pcr_selection = [0, 4, 4]", "", invalid, ":5 azcvm.pcr_selection"),
        (CVM, &unquoted, "", invalid, ":6 azcvm.pcrs.07"),
        (CVM, "fresh_hcl = 1", "", invalid, ":5 azcvm.fresh_hcl"),
    ];
    for (kind, knobs, inner, code, place) in rows {
        let error = parse(&kind.text("", knobs, inner)).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.place.as_str()),
            (code, &*format!("policy.toml{place}")),
            "{error}"
        );
        assert!(!error.detail.is_empty());
    }
}

#[test]
fn what_must_be_said_has_no_default() {
    let first = |kind: Kind, key: &str| {
        let text = kind.text("", "", "");
        let lines = text.lines().filter(|line| !line.starts_with(&format!("{key} =")));
        lines.collect::<Vec<_>>().join("\n")
    };
    let up_to = |kind: Kind, table: &str| kind.text("", "", "").split_once(table).unwrap().0.to_owned();
    for (text, code, place) in [
        (first(ACI, "uvm_min_svn"), "pol.uvm_min_svn.unset", ":3 aci"),
        (first(ACI, "cce_policy_allowlist"), "pol.measurement.unset", ":3 aci"),
        (up_to(ACI, "[aci.snp]"), "pol.min_tcb.unset", "default aci.snp.products"),
        (up_to(ACI, "[aci.snp.min_tcb.Turin]"), "pol.min_tcb.unset", "default aci.snp.products"),
        (first(MAA, "issuers"), "pol.format.invalid", ":3 maa"),
        (first(MAA, "cce_policy_allowlist"), "pol.measurement.unset", ":3 maa"),
        (first(MAA, "measurements"), "pol.uvm_min_svn.unset", ":3 maa"),
        (first(MAA, "min_tcb"), "pol.min_tcb.unset", " maa.min_tcb"),
        (up_to(MAA, "[maa.snp]"), "pol.min_tcb.unset", "default maa.require_raw_report"),
        (first(CVM, "pcrs"), "pol.measurement.unset", " azcvm.pcrs"),
        (first(CVM, "measurements"), "pol.measurement.unset", ":6 azcvm.snp"),
        (up_to(CVM, "[azcvm.snp]"), "pol.format.invalid", ":3 azcvm"),
        ("version = 1\n[aci]\n".to_owned(), "pol.measurement.unset", ":2 aci"),
        ("version = 1\n[maa]\n".to_owned(), "pol.format.invalid", ":2 maa"),
        ("version = 1\n[azcvm]\n".to_owned(), "pol.measurement.unset", " azcvm.pcrs"),
        ("version = 1\naci = 1\n".to_owned(), "pol.format.invalid", ":2 aci"),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.code.as_str(), code, "{text}\n{error}");
        assert!(error.place.ends_with(place), "{error}");
    }
    // Either tells the utility VMs that a token may be about.
    let floor = MAA.text("", "measurements.x = 1", "").replace("measurements.x = 1", "uvm_min_svn = 1");
    assert!(parse(&floor).is_ok());
    // No report needed, no section needed.
    let alone = MAA.text("", "require_raw_report = false", "");
    assert!(parse(alone.split_once("[maa.snp]").unwrap().0).is_ok());
}

#[test]
fn development_loads_what_production_refuses() {
    let chip = format!("chip_allowlist = [\"{}\"]", filled('9', 64));
    let milan =
        "products = [\"Milan\"]\nmin_tcb.Milan = { bootloader = 4, tee = 0, snp = 24, microcode = 84 }";
    let development = "profile = \"development\"";
    for (kind, knobs, inner) in [
        (ACI, "cce_policy_allowlist = \"any\"", ""),
        (ACI, "", "allow_debug = true"),
        (ACI, "", milan),
        (MAA, "cce_policy_allowlist = \"any\"", ""),
        (MAA, "allow_debug = true", ""),
        (MAA, "allow_migration = true", ""),
        (MAA, "", "allow_migrate_ma = true"),
        (CVM, "", milan),
    ] {
        assert!(parse(&kind.text("", knobs, inner)).is_err(), "{knobs} {inner}");
        assert!(parse(&kind.text(development, knobs, inner)).is_ok(), "{knobs} {inner}");
    }
    // Named chips make Milan fit for production.
    assert!(parse(&ACI.text("", "", &format!("{chip}\n{milan}"))).is_ok());
    // What is missing or contradicts itself stays so.
    for (kind, knobs) in [
        (ACI, "cce_policy_allowlist = []"),
        (ACI, "uvm_min_svn = 0"),
        (MAA, "issuers = []"),
        (CVM, "pcrs = {}"),
    ] {
        assert!(parse(&kind.text(development, knobs, "")).is_err(), "{knobs}");
    }
}
