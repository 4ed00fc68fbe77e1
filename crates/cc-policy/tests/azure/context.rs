//! What else decides: waivers, trust class, init-data, and the sections of a policy beside each other.

use cc_core::{Profile, TrustClass, codes};
use cc_policy::{Context, InitData, Policy, Status, appraise};

use crate::common::azure::{ACI, CVM, CVM_TDX, KINDS, Kind, MAA};
use crate::common::{self, context, filled, gpu, judge_as, parse, policy, subject, tdx};

/// A policy with all sections but `[gpu]`.
fn all() -> Policy {
    let part = |kind: Kind| {
        let text = kind.text("", "", "");
        text.split_once("\n\n").unwrap().1.to_owned()
    };
    let text = format!("{}\n{}\n{}\n{}", common::policy_text("", ""), part(ACI), part(MAA), part(CVM));
    parse(&text).unwrap()
}

#[test]
fn each_profile_has_its_section() {
    let all = all();
    for kind in [ACI, MAA, CVM] {
        let evidence = subject((kind.healthy)(), Vec::new(), TrustClass::Hardware);
        let alone = kind.policy("", "", "");
        for profile in [Profile::aci_raw_1(), Profile::aci_maa_1(), Profile::az_cvm_vtpm_1()] {
            let own = profile == (kind.profile)();
            let (by_own, by_all) = if own {
                (Status::Affirming, Status::Affirming)
            } else {
                // A policy for another profile says nothing of this one, nor do claims of one pass for those of another.
                (Status::None, Status::Contraindicated)
            };
            assert_eq!(appraise(&evidence, &profile, &alone, &context()).status, by_own, "{profile}");
            assert_eq!(appraise(&evidence, &profile, &all, &context()).status, by_all, "{profile}");
        }
    }
    let evidence = subject((ACI.healthy)(), Vec::new(), TrustClass::Hardware);
    let told = appraise(&evidence, &Profile::tdx_quote_1(), &all, &context()).findings[0].want.clone();
    assert!(told.ends_with(": snp-raw-1, aci-raw-1, aci-maa-1, az-cvm-vtpm-1"), "{told}");
}

#[test]
fn a_machine_of_azure_can_have_gpus() {
    let gpu =
        gpu::policy_text("", "").split_once("[tdx]").unwrap().0.split_once("[gpu]").unwrap().1.to_owned();
    for kind in KINDS {
        assert!(parse(&format!("{}\n[gpu]{gpu}", kind.text("", "", ""))).is_ok(), "{}", kind.section);
    }
}

#[test]
fn production_takes_real_hardware_only() {
    for kind in KINDS {
        let evidence = subject((kind.healthy)(), Vec::new(), TrustClass::Emulated);
        for (head, expected) in [("", &["pol.profile.development"][..]), ("profile = \"development\"", &[])] {
            let policy = kind.policy(head, "", "");
            let findings = judge_as(&(kind.profile)(), &evidence, &policy, &context()).findings;
            assert_eq!(common::codes(&findings), expected, "{} {head}", kind.section);
        }
    }
}

#[test]
fn a_used_waiver_needs_the_knob_inside() {
    for (kind, code, other) in [
        (ACI, codes::SNP_CRL_MISSING, codes::TDX_CRL_MISSING),
        (MAA, codes::SNP_CRL_MISSING, codes::TDX_CRL_MISSING),
        (CVM, codes::SNP_CRL_MISSING, codes::TDX_CRL_MISSING),
        (CVM_TDX, codes::TDX_CRL_MISSING, codes::SNP_CRL_MISSING),
    ] {
        let judged = |inner, waived| {
            let evidence = subject((kind.healthy)(), vec![waived], TrustClass::Hardware);
            let policy = kind.policy("", "", inner);
            let findings = judge_as(&(kind.profile)(), &evidence, &policy, &context()).findings;
            findings.iter().map(|finding| finding.code.clone()).collect::<Vec<_>>()
        };
        let off = "crl_required = false";
        assert_eq!(judged("", code.clone()), std::slice::from_ref(&code));
        assert_eq!(judged(off, code.clone()), []);
        assert_eq!(judged(off, other.clone()), [other]);
        let waivers = kind.policy("", "", off).waivers();
        assert_eq!(waivers.codes().iter().collect::<Vec<_>>(), [&code]);
        assert!(kind.policy("", "", "").waivers().codes().is_empty());
    }
}

/// The paravisor's launch data are the platform's, but where somebody can set them they name a machine as elsewhere.
#[test]
fn launch_data_name_a_machine() {
    let init_data = InitData::Carried { sha256: [0x33; 32], sha384: [0x33; 48] };
    for (kind, knob, claim, bytes) in [
        (CVM, "host_data = \"init-data\"", "host_data", 32),
        (CVM_TDX, "mr_config_id = \"init-data\"", "mr_config_id", 48),
    ] {
        let demanding = kind.policy("", "", knob);
        assert!(demanding.needs_init_data() && !kind.policy("", "", "").needs_init_data());
        for (digit, policy, affirmed) in [
            ('3', &demanding, true),
            ('4', &demanding, false),
            ('0', &demanding, false),
            // Init-data that came must be committed to, whatever the policy wants.
            ('3', &kind.policy("", "", ""), false),
            ('0', &kind.policy("", "", ""), false),
        ] {
            let mut claims = (kind.healthy)();
            claims.insert(claim, filled(digit, bytes));
            let evidence = subject(claims, Vec::new(), TrustClass::Hardware);
            let context = Context { init_data, ..context() };
            let status = judge_as(&(kind.profile)(), &evidence, policy, &context).status;
            assert_eq!(status == Status::Affirming, affirmed, "{knob} {digit}");
        }
    }
    // One processor whose machines could take any name is enough for "no".
    let tdx = CVM_TDX.text("", "", "").split_once("[azcvm.tdx]").unwrap().1.to_owned();
    let both = format!("{}[azcvm.tdx]{tdx}", CVM.text("", "", "host_data = \"init-data\""));
    assert!(!parse(&both).unwrap().needs_init_data());
}

#[test]
fn every_section_must_name_its_guests() {
    let [one, c] = ['1', 'c'].map(|digit| filled(digit, 32));
    let by_name = format!("cce_policy_allowlist = {{ \"{one}\" = [\"{c}\"] }}");
    let named = ACI.text("", &by_name, "");
    assert!(parse(&named).unwrap().needs_init_data());
    for (more, needed) in [
        (tdx::policy_text("", ""), false),
        (tdx::policy_text("", "mr_config_id = \"init-data\""), true),
        (MAA.text("", "", ""), false),
        (MAA.text("", &by_name, ""), true),
    ] {
        let (_, more) = more.split_once("\n\n").unwrap();
        assert_eq!(parse(&format!("{named}\n{more}")).unwrap().needs_init_data(), needed);
    }
    assert!(!policy("", "").needs_init_data());
}
