//! The examples, which are the format's reference, and the defaults as told.

use cc_policy::Policy;

use crate::common::azure::{ACI, CVM, DID, ISSUER, MAA, pcr};
use crate::common::filled;

/// Every key of the format stands in an example.
#[test]
fn the_examples_load_and_have_every_key() {
    for (file, text, lines) in [
        ("aci-production.toml", include_str!("../../examples/aci-production.toml"), 50),
        ("maa-production.toml", include_str!("../../examples/maa-production.toml"), 56),
        ("azcvm-production.toml", include_str!("../../examples/azcvm-production.toml"), 77),
    ] {
        let told = Policy::parse(text, file).unwrap_or_else(|error| panic!("{error}")).describe();
        for line in &told {
            assert!(line.contains(&format!("({file}:")), "{line} is not in the example");
        }
        assert_eq!(told.len(), lines, "{told:#?}");
    }
}

#[test]
fn descriptions_tell_the_defaults() {
    let (c, d) = (filled('c', 32), filled('d', 32));
    let aci = [
        format!("aci: issuer of utility VMs: {DID} (default aci.uvm_issuer)"),
        "aci: feed of utility VMs: ContainerPlat-AMD-UVM (default aci.uvm_feed)".to_owned(),
        "aci: measurements beside the endorsement: any (default aci.measurements)".to_owned(),
        "aci: oldest utility VM: 100 (policy.toml:5 aci.uvm_min_svn)".to_owned(),
        format!("aci: CCE policies: {d}, {c} (policy.toml:4 aci.cce_policy_allowlist)"),
        "aci: text of the CCE policy: not required (default aci.require_cce_policy)".to_owned(),
        "aci: permissive rules of CCE policies: none (default aci.cce_policy_permit)".to_owned(),
        "aci.snp: report versions: 3, 4, 5 (default aci.snp.versions)".to_owned(),
    ];
    let maa = [
        format!("maa: issuers: https://other.example, {ISSUER} (policy.toml:5 maa.issuers)"),
        "maa: attestation policies: any (default maa.policy_hashes)".to_owned(),
        "maa: oldest token, seconds: 300 (default maa.max_age_seconds)".to_owned(),
        "maa: debugging: not allowed (default maa.allow_debug)".to_owned(),
        "maa: migration: not allowed (default maa.allow_migration)".to_owned(),
        format!("maa: CCE policies: {d}, {c} (policy.toml:4 maa.cce_policy_allowlist)"),
        format!(
            "maa: measurements: {}, {} (policy.toml:6 maa.measurements)",
            filled('b', 48),
            filled('a', 48)
        ),
        "maa: oldest utility VM: 0 (default maa.uvm_min_svn)".to_owned(),
        "maa: minimum bootloader: 4 (policy.toml:7 maa.min_tcb.bootloader)".to_owned(),
        "maa: minimum tee: 0 (policy.toml:7 maa.min_tcb.tee)".to_owned(),
        "maa: minimum snp: 24 (policy.toml:7 maa.min_tcb.snp)".to_owned(),
        "maa: minimum microcode: 84 (policy.toml:7 maa.min_tcb.microcode)".to_owned(),
        "maa: raw report: required (default maa.require_raw_report)".to_owned(),
        "maa.snp: report versions: 3, 4, 5 (default maa.snp.versions)".to_owned(),
    ];
    let numbers = (0..24).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let cvm = [
        "azcvm: secure boot: required (default azcvm.require_secure_boot)".to_owned(),
        "azcvm: a new report: not required (default azcvm.fresh_hcl)".to_owned(),
        format!("azcvm: quoted PCRs: {numbers} (default azcvm.pcr_selection)"),
        format!("azcvm: PCR 00: {} (policy.toml:4 azcvm.pcrs.00)", pcr(0)),
        format!("azcvm: PCR 04: {}, {} (policy.toml:4 azcvm.pcrs.04)", filled('e', 32), pcr(4)),
        "azcvm.snp: report versions: 3, 4, 5 (default azcvm.snp.versions)".to_owned(),
    ];
    for (kind, expected) in [(ACI, &aci[..]), (MAA, &maa), (CVM, &cvm)] {
        let told = kind.policy("", "", "").describe();
        assert_eq!(told[0], "profile: production (default profile)");
        assert_eq!(told[1..=expected.len()], *expected);
        let firmware =
            format!("minimum firmware on Genoa: 0.0 build 0 (default {}.snp.min_fw.Genoa)", kind.section);
        assert!(told.iter().any(|line| line.contains(&firmware)), "{told:#?}");
        let launch = told
            .iter()
            .filter(|line| line.contains(".snp: measurements") || line.contains(".snp: host data"));
        assert_eq!(launch.count(), if kind.section == "azcvm" { 2 } else { 0 });
    }
    let by_name = format!("cce_policy_allowlist = {{ \"{d}\" = [\"{c}\"] }}");
    let told = ACI.policy("", &by_name, "").describe();
    let line = format!("aci: CCE policies: {c} for init-data {d} (policy.toml:6 aci.cce_policy_allowlist)");
    assert!(told.contains(&line), "{told:#?}");
}
