//! What `az-cvm-vtpm-1` says beside the processor's report.

use cc_core::{Binding, ClaimValue, TrustClass};
use cc_policy::{Context, Status, UserData};

use super::{NONE, check};

use crate::common::azure::{CVM, CVM_TDX, inside, pcr};
use crate::common::{codes, context, filled, judge_as, parse, subject, without};

#[test]
fn tpm() {
    let two = "pcr_selection = [4, 0]";
    let values = format!("pcrs.00 = [\"{}\"]", filled('e', 32));
    let lower = format!("pcr_selection = [0, 1]\npcrs.01 = [\"{}\"]", pcr(1));
    let rows: [super::Row<'_>; 19] = [
        ("healthy", "", NONE, &[], ""),
        // Secure boot.
        (
            "secure boot off",
            "",
            |c| inside(c, &["hcl", "vm_configuration"], "secure-boot", false),
            &["vtpm.secure_boot.disabled"],
            "default azcvm.require_secure_boot",
        ),
        (
            "secure boot as text",
            "",
            |c| inside(c, &["hcl", "vm_configuration"], "secure-boot", "true"),
            &["vtpm.secure_boot.disabled"],
            "azcvm.require_secure_boot",
        ),
        (
            "secure boot not required",
            "require_secure_boot = false",
            |c| inside(c, &["hcl", "vm_configuration"], "secure-boot", false),
            &[],
            "",
        ),
        // Bank.
        (
            "SHA-1 bank",
            "",
            |c| inside(c, &["vtpm"], "pcr_bank", "sha1"),
            &["vtpm.pcr.algorithm"],
            "specification",
        ),
        // Selection: a quote over resettable PCRs whose values are shown as those of others.
        (
            "N-VTPM-01 quote over PCRs 16 and 23",
            &lower,
            |c| inside(c, &["vtpm"], "pcr_selection", vec![16_u64, 23]),
            &["vtpm.pcr.selection"],
            ":5 azcvm.pcr_selection",
        ),
        (
            "one PCR less",
            "",
            |c| inside(c, &["vtpm"], "pcr_selection", (0..23).collect::<Vec<u64>>()),
            &["vtpm.pcr.selection"],
            "default azcvm.pcr_selection",
        ),
        (
            "other order of the same",
            "",
            |c| inside(c, &["vtpm"], "pcr_selection", (0..24).rev().collect::<Vec<u64>>()),
            &[],
            "",
        ),
        (
            "one PCR twice",
            two,
            |c| inside(c, &["vtpm"], "pcr_selection", vec![0_u64, 4, 4]),
            &["vtpm.pcr.selection"],
            ":5 azcvm.pcr_selection",
        ),
        ("two that are wanted", two, |c| inside(c, &["vtpm"], "pcr_selection", vec![0_u64, 4]), &[], ""),
        ("more than the two that are wanted", two, NONE, &["vtpm.pcr.selection"], ":5 azcvm.pcr_selection"),
        (
            "no PCR",
            "",
            |c| inside(c, &["vtpm"], "pcr_selection", Vec::<u64>::new()),
            &["vtpm.pcr.selection"],
            "azcvm.pcr_selection",
        ),
        (
            "PCR 256, which is not 0",
            two,
            |c| inside(c, &["vtpm"], "pcr_selection", vec![256_u64, 4]),
            &["vtpm.pcr.selection"],
            "azcvm.pcr_selection",
        ),
        (
            "PCRs as texts",
            two,
            |c| inside(c, &["vtpm"], "pcr_selection", vec!["0", "4"]),
            &["vtpm.pcr.selection"],
            "azcvm.pcr_selection",
        ),
        // Values.
        (
            "another value",
            "",
            |c| inside(c, &["vtpm", "pcrs"], "00", filled('e', 32)),
            &["vtpm.pcr.value"],
            ":4 azcvm.pcrs.00",
        ),
        ("the first of two values", "", |c| inside(c, &["vtpm", "pcrs"], "04", filled('e', 32)), &[], ""),
        (
            "a value that is none of two",
            "",
            |c| inside(c, &["vtpm", "pcrs"], "04", filled('f', 32)),
            &["vtpm.pcr.value"],
            ":4 azcvm.pcrs.04",
        ),
        ("another value is wanted", &values, NONE, &["vtpm.pcr.value"], ":5 azcvm.pcrs.00"),
        ("a PCR without values", "", |c| inside(c, &["vtpm", "pcrs"], "07", filled('e', 32)), &[], ""),
    ];
    check(CVM, &rows);
    check(CVM_TDX, &rows);
}

#[test]
fn a_new_report_carries_what_this_verifier_asked_for() {
    let asked = |byte| UserData::Asked([byte; 64]);
    for kind in [CVM, CVM_TDX] {
        let (demanding, lax) = (kind.policy("", "fresh_hcl = true", ""), kind.policy("", "", ""));
        for (user_data, found, affirmed) in [
            (asked(0x77), Some('7'), true),
            (asked(0x77), Some('8'), false),
            // The report of the last boot, of a machine that has zeros there or nothing.
            (asked(0x77), Some('0'), false),
            (asked(0x77), None, false),
            // Nobody said what a new one would have, so that none can be known for one.
            (UserData::NotAsked, Some('7'), false),
            (UserData::NotAsked, None, false),
        ] {
            let mut claims = (kind.healthy)();
            let mut hcl = claims.map("hcl").unwrap().clone();
            match found {
                Some(digit) => hcl.insert("user_data", filled(digit, 64)),
                None => hcl = without(&hcl, "user_data"),
            }
            claims.insert("hcl", hcl);
            let evidence = subject(claims, Vec::new(), TrustClass::Hardware);
            let context = Context { user_data, ..context() };
            let findings = judge_as(&(kind.profile)(), &evidence, &demanding, &context).findings;
            let expected = if affirmed { &[][..] } else { &["vtpm.user_data.mismatch"] };
            assert_eq!(codes(&findings), expected, "{user_data:?} {found:?}");
            for finding in findings {
                assert!(finding.source.ends_with(":5 azcvm.fresh_hcl"), "{finding}");
                assert_ne!(finding.got, finding.want);
            }
            let status = judge_as(&(kind.profile)(), &evidence, &lax, &context).status;
            assert_eq!(
                status,
                Status::Affirming,
                "the report dates from boot where the policy does not mind"
            );
        }
    }
}

#[test]
fn a_binding_says_what_was_asked() {
    assert_eq!(UserData::of(None), UserData::NotAsked);
    assert_eq!(UserData::of(Some(&Binding::Nonce([1; 32]))), UserData::NotAsked);
    assert_eq!(UserData::of(Some(&Binding::new([1; 64]))), UserData::NotAsked);
    assert_eq!(UserData::of(Some(&Binding::machine([1; 32], &[2; 64]))), UserData::Asked([2; 64]));
}

#[test]
fn the_report_is_judged_by_the_section_of_its_processor() {
    for (kind, name, value, code, key) in [
        (CVM, "vmpl", ClaimValue::from(1_u64), "snp.vmpl.mismatch", "default azcvm.snp.vmpl"),
        (CVM, "measurement", filled('b', 48).into(), "snp.measurement.unknown", ":7 azcvm.snp.measurements"),
        (CVM, "host_data", filled('c', 32).into(), "snp.host_data.mismatch", "default azcvm.snp.host_data"),
        (CVM_TDX, "mr_td", filled('c', 48).into(), "tdx.measurement.unknown", "azcvm.tdx.images.1"),
        (CVM_TDX, "tcb_eval_num", 16_u64.into(), "tdx.tcb_eval.below_minimum", "azcvm.tdx.min_tcb_eval_num"),
        (
            CVM_TDX,
            "td_attributes",
            "0000000000000000".into(),
            "tdx.attr.sept_ve_disable",
            "default azcvm.tdx.require_sept_ve_disable",
        ),
    ] {
        let mut claims = (kind.healthy)();
        claims.insert(name, value);
        let findings = kind.judge(claims, &kind.policy("", "", "")).findings;
        assert_eq!(codes(&findings), [code]);
        assert!(findings[0].source.ends_with(key), "{}", findings[0]);
    }
}

#[test]
fn a_processor_without_a_section_is_refused() {
    for (judged_by, shown, tee) in [
        (CVM, (CVM_TDX.healthy)(), "a machine on TDX"),
        (CVM_TDX, (CVM.healthy)(), "a machine on SNP"),
        (CVM, without(&(CVM.healthy)(), "tee"), "absent"),
        (CVM_TDX, without(&(CVM_TDX.healthy)(), "tee"), "absent"),
    ] {
        let findings = judged_by.judge(shown, &judged_by.policy("", "", "")).findings;
        assert_eq!(codes(&findings), ["env.profile.not_allowed"]);
        assert_eq!((findings[0].got.as_str(), findings[0].source.as_str()), (tee, "policy.toml"));
    }
    for tee in [ClaimValue::from("sgx"), "SNP".into(), "".into(), 1_u64.into()] {
        let mut claims = (CVM.healthy)();
        claims.insert("tee", tee);
        let findings = CVM.judge(claims, &CVM.policy("", "", "")).findings;
        assert_eq!(codes(&findings), ["env.profile.not_allowed"]);
    }
    // With both, each is judged by its own.
    let (_, tdx) = CVM_TDX
        .text("", "", "")
        .split_once("[azcvm.tdx]")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let both = parse(&format!("{}[azcvm.tdx]{tdx}", CVM.text("", "", ""))).unwrap();
    for kind in [CVM, CVM_TDX] {
        assert_eq!(kind.judge((kind.healthy)(), &both).status, Status::Affirming);
    }
    let mut claims = (CVM_TDX.healthy)();
    claims.insert("tee", "snp");
    assert_eq!(CVM.judge(claims, &both).status, Status::Contraindicated, "named as what it is not");
}
