//! Each claim that is needed, and what follows when it is not there or is not what it should be.

use cc_core::{ClaimValue, Claims};

use crate::common::azure::{ACI, CVM, CVM_TDX, KINDS, Kind, MAA, POLICY_HASH, cce_policy, pcr};
use crate::common::{codes, filled, without};

/// Knobs with which every step needs its claims.
fn demanding(kind: Kind) -> String {
    match kind.section {
        "aci" => format!("measurements = [\"{}\"]\nrequire_cce_policy = true", filled('a', 48)),
        "maa" => format!("policy_hashes = [\"{POLICY_HASH}\"]\nuvm_min_svn = 2"),
        _ => {
            let lines = (0..24).map(|number| format!("pcrs.{number:02} = [\"{}\"]", pcr(number)));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

fn demanded(kind: Kind) -> Claims {
    let mut claims = (kind.healthy)();
    if kind.section == "aci" {
        claims.insert("cce_policy", cce_policy(&[]));
    }
    claims
}

/// Section, path of the claim, codes.
type Row = (Kind, &'static str, &'static [&'static str]);

const ROWS: &[Row] = &[
    (
        ACI,
        "uvm",
        &["aci.uvm.issuer", "aci.uvm.feed", "aci.uvm.measurement_mismatch", "aci.uvm.svn_below_minimum"],
    ),
    (ACI, "uvm/issuer", &["aci.uvm.issuer"]),
    (ACI, "uvm/feed", &["aci.uvm.feed"]),
    (ACI, "uvm/launchmeasurement", &["aci.uvm.measurement_mismatch"]),
    (ACI, "uvm/guestsvn", &["aci.uvm.svn_below_minimum"]),
    (ACI, "measurement", &["aci.uvm.measurement_mismatch", "snp.measurement.unknown"]),
    (ACI, "host_data", &["aci.cce_policy.unknown", "aci.cce_policy.digest"]),
    (ACI, "cce_policy", &["aci.cce_policy.permissive"]),
    (ACI, "cce_policy/sha256", &["aci.cce_policy.digest"]),
    (ACI, "cce_policy/findings", &["aci.cce_policy.permissive"]),
    (ACI, "vmpl", &["snp.vmpl.mismatch"]),
    (MAA, "iss", &["jwt.iss.mismatch"]),
    (MAA, "policy_hash", &["maa.policy_hash.mismatch"]),
    (MAA, "iat", &["jwt.too_old"]),
    (MAA, "is_debuggable", &["maa.debuggable"]),
    (MAA, "migration_allowed", &["maa.migration"]),
    (MAA, "vmpl", &["maa.vmpl"]),
    (MAA, "hostdata", &["maa.hostdata.unknown", "maa.report.mismatch"]),
    (MAA, "launchmeasurement", &["snp.measurement.unknown", "maa.report.mismatch"]),
    (MAA, "guestsvn", &["maa.uvm.svn_below_minimum"]),
    (MAA, "bootloader_svn", &["maa.tcb.below_minimum"]),
    (MAA, "tee_svn", &["maa.tcb.below_minimum"]),
    (MAA, "snpfw_svn", &["maa.tcb.below_minimum"]),
    (MAA, "microcode_svn", &["maa.tcb.below_minimum"]),
    (MAA, "report", &["maa.report.missing"]),
    (MAA, "report/measurement", &["maa.report.mismatch"]),
    (MAA, "report/host_data", &["maa.report.mismatch"]),
    (MAA, "report/vmpl", &["snp.vmpl.mismatch"]),
    (CVM, "tee", &["env.profile.not_allowed"]),
    (CVM_TDX, "tee", &["env.profile.not_allowed"]),
    (CVM, "hcl", &["vtpm.secure_boot.disabled"]),
    (CVM, "hcl/vm_configuration", &["vtpm.secure_boot.disabled"]),
    (CVM, "hcl/vm_configuration/secure-boot", &["vtpm.secure_boot.disabled"]),
    (CVM, "vtpm/pcr_bank", &["vtpm.pcr.algorithm"]),
    (CVM, "vtpm/pcr_selection", &["vtpm.pcr.selection"]),
    (CVM, "vtpm/pcrs/00", &["vtpm.pcr.value"]),
    (CVM, "vtpm/pcrs/23", &["vtpm.pcr.value"]),
    (CVM, "measurement", &["snp.measurement.unknown"]),
    (CVM_TDX, "mr_td", &["tdx.measurement.unknown"]),
];

/// The claims without the one at `path`, or with another value there.
fn changed(claims: &Claims, path: &str, value: Option<&ClaimValue>) -> Claims {
    let Some((first, rest)) = path.split_once('/') else {
        let mut rest = without(claims, path);
        if let Some(value) = value {
            rest.insert(path, value.clone());
        }
        return rest;
    };
    let mut claims = claims.clone();
    let inner = changed(claims.map(first).unwrap(), rest, value);
    claims.insert(first, inner);
    claims
}

#[test]
fn a_missing_claim_is_a_finding_of_each_step_that_needed_it() {
    for kind in KINDS {
        let policy = kind.policy("", &demanding(kind), "");
        assert_eq!(kind.judge(demanded(kind), &policy).findings, [], "{}", kind.section);
    }
    for (kind, path, expected) in ROWS {
        let policy = kind.policy("", &demanding(*kind), "");
        let findings = kind.judge(changed(&demanded(*kind), path, None), &policy).findings;
        assert_eq!(codes(&findings), *expected, "{path} absent: {findings:#?}");
        assert!(
            findings.iter().all(|f| f.got.contains("absent") || f.want.contains("absent")),
            "{findings:#?}"
        );
        for value in [ClaimValue::from(true), "".into(), ClaimValue::List(vec![Claims::new().into()])] {
            let value = match path.rsplit('/').next() {
                Some("is_debuggable" | "migration_allowed" | "secure-boot") => 0_u64.into(),
                _ => value,
            };
            let findings = kind.judge(changed(&demanded(*kind), path, Some(&value)), &policy).findings;
            assert_eq!(codes(&findings), *expected, "{path} {value:?}: {findings:#?}");
        }
    }
    let vtpm = CVM.judge(without(&demanded(CVM), "vtpm"), &CVM.policy("", &demanding(CVM), "")).findings;
    let found = codes(&vtpm);
    assert_eq!(found[..2], ["vtpm.pcr.algorithm", "vtpm.pcr.selection"]);
    assert_eq!(found[2..], ["vtpm.pcr.value"; 24]);
}

#[test]
fn empty_claims_fail_every_step() {
    for (kind, own) in [
        (
            ACI,
            &[
                "aci.uvm.issuer",
                "aci.uvm.feed",
                "aci.uvm.measurement_mismatch",
                "snp.measurement.unknown",
                "aci.uvm.svn_below_minimum",
                "aci.cce_policy.unknown",
                "aci.cce_policy.permissive",
            ][..],
        ),
        (
            MAA,
            &[
                "jwt.iss.mismatch",
                "maa.policy_hash.mismatch",
                "jwt.too_old",
                "maa.debuggable",
                "maa.migration",
                "maa.vmpl",
                "maa.hostdata.unknown",
                "snp.measurement.unknown",
                "maa.uvm.svn_below_minimum",
                "maa.tcb.below_minimum",
                "maa.tcb.below_minimum",
                "maa.tcb.below_minimum",
                "maa.tcb.below_minimum",
                "maa.report.missing",
            ],
        ),
        (
            CVM,
            &[
                "env.profile.not_allowed",
                "vtpm.secure_boot.disabled",
                "vtpm.pcr.algorithm",
                "vtpm.pcr.selection",
            ],
        ),
    ] {
        let findings = kind.judge(Claims::new(), &kind.policy("", &demanding(kind), "")).findings;
        let found = codes(&findings);
        if kind.section == "aci" {
            // Those of the report come first.
            assert_eq!(found[found.len() - own.len()..], *own);
            assert!(found.contains(&"snp.vmpl.mismatch"), "{found:?}");
        } else {
            assert_eq!(found[..own.len()], *own);
        }
    }
}
