//! Policies with a section for one technology or for several.

use cc_core::{Profile, TrustClass, codes};
use cc_policy::{Policy, Status, appraise};

use crate::common::*;

/// Both sections, each with its knobs.
fn both(snp: &str, tdx: &str) -> Policy {
    let tdx = tdx::policy_text("", tdx);
    let (_, tdx) = tdx.split_once("[tdx]").unwrap();
    parse(&format!("{}\n[tdx]{tdx}", policy_text("", snp))).unwrap()
}

/// The same with GPUs.
fn all(snp: &str, tdx: &str, gpu: &str) -> Policy {
    let text = gpu::policy_text("", gpu);
    let (gpu, _) = text.split_once("[tdx]").unwrap();
    let (_, gpu) = gpu.split_once("[gpu]").unwrap();
    let tdx = tdx::policy_text("", tdx);
    let (_, tdx) = tdx.split_once("[tdx]").unwrap();
    let development = "profile = \"development\"";
    parse(&format!("{}\n[gpu]{gpu}\n[tdx]{tdx}", policy_text(development, snp))).unwrap()
}

#[test]
fn evidence_is_judged_by_the_section_of_its_technology() {
    let (snp, tdx, gpu) = (Profile::snp_raw_1(), tdx::profile(), gpu::profile());
    let other = Profile::parse("aci-raw-1").unwrap();
    let snp_only = policy("", "");
    let tdx_only = tdx::policy("", "");
    let both = both("", "");
    let all = all("", "", "");
    let affirmed = (Status::Affirming, vec![]);
    let refused = (Status::None, vec!["env.profile.not_allowed"]);
    for (what, policy, profile, expected) in [
        ("snp alone", &snp_only, &snp, &affirmed),
        ("snp alone", &snp_only, &tdx, &refused),
        ("tdx alone", &tdx_only, &tdx, &affirmed),
        ("tdx alone", &tdx_only, &snp, &refused),
        ("both", &both, &snp, &affirmed),
        ("both", &both, &tdx, &affirmed),
        ("both", &both, &other, &refused),
        ("both", &both, &gpu, &refused),
        ("all", &all, &snp, &affirmed),
        ("all", &all, &tdx, &affirmed),
        ("all", &all, &gpu, &affirmed),
        ("all", &all, &other, &refused),
    ] {
        let claims = match profile.as_str() {
            "tdx-quote-1" => tdx::healthy(),
            "nv-spdm-1" => gpu::claims(gpu::one()),
            _ => healthy("Genoa"),
        };
        let subject = subject(claims, Vec::new(), TrustClass::Hardware);
        let appraisal = appraise(&subject, profile, policy, &context());
        assert_eq!((appraisal.status, codes(&appraisal.findings)), *expected, "{what}, {profile}");
    }
}

#[test]
fn claims_of_one_technology_do_not_pass_for_the_other() {
    let all = all("", "", "");
    for (profile, claims) in [
        (tdx::profile(), healthy("Genoa")),
        (Profile::snp_raw_1(), tdx::healthy()),
        (gpu::profile(), tdx::healthy()),
        (tdx::profile(), gpu::claims(gpu::one())),
    ] {
        let subject = subject(claims, Vec::new(), TrustClass::Hardware);
        assert_eq!(judge_as(&profile, &subject, &all, &context()).status, Status::Contraindicated);
    }
}

#[test]
fn the_refusal_names_profile_and_sections() {
    let subject = subject(healthy("Genoa"), Vec::new(), TrustClass::Hardware);
    let profile = Profile::parse("aci-raw-1").unwrap();
    let told = |policy: &Policy| appraise(&subject, &profile, policy, &context()).findings[0].to_string();
    assert_eq!(
        told(&both("", "")),
        "env.profile.not_allowed: got evidence of profile aci-raw-1, want evidence of a profile that the policy has a \
         section for: snp-raw-1, tdx-quote-1 (policy.toml)"
    );
    assert!(told(&tdx::policy("", "")).contains("section for: tdx-quote-1 ("));
    assert!(told(&all("", "", "")).contains("section for: snp-raw-1, tdx-quote-1, nv-spdm-1 ("));
}

#[test]
fn launch_data_name_a_guest_only_if_every_section_demands_it() {
    let (snp, tdx) = ("host_data = \"init-data\"", "mr_config_id = \"init-data\"");
    for (policy, needed) in [
        (policy("", ""), false),
        (policy("", snp), true),
        (tdx::policy("", ""), false),
        (tdx::policy("", tdx), true),
        (tdx::policy("", "mr_config_id = \"zero\""), false),
        (tdx::policy("", &format!("mr_config_id = [\"{}\"]", filled('3', 48))), false),
        (both("", ""), false),
        (both(snp, ""), false),
        (both("", tdx), false),
        (both(snp, tdx), true),
        // GPUs are launched by nobody: the processors' sections decide.
        (gpu::policy("", ""), false),
        (all(snp, "", ""), false),
        (all(snp, tdx, ""), true),
    ] {
        assert_eq!(policy.needs_init_data(), needed, "{:?}", policy.describe());
    }
}

#[test]
fn each_section_waives_its_own() {
    let off = "crl_required = false";
    let (snp, tdx) = (codes::SNP_CRL_MISSING, codes::TDX_CRL_MISSING);
    let (ocsp, rim) = (codes::GPU_OCSP_UNAVAILABLE, codes::GPU_RIM_NOT_FOUND);
    let (no_ocsp, no_rim) = ("ocsp_required = false", "rim_required = false");
    for (policy, expected) in [
        (policy("", off), vec![&snp]),
        (tdx::policy("", off), vec![&tdx]),
        (tdx::policy("", ""), vec![]),
        (both("", ""), vec![]),
        (both(off, ""), vec![&snp]),
        (both("", off), vec![&tdx]),
        (both(off, off), vec![&snp, &tdx]),
        (all("", "", ""), vec![]),
        (all("", "", no_ocsp), vec![&ocsp]),
        (all("", "", no_rim), vec![&rim]),
        (all(off, off, &format!("{no_ocsp}\n{no_rim}")), vec![&snp, &tdx, &ocsp, &rim]),
    ] {
        let waivers = policy.waivers();
        assert_eq!(waivers.codes().iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_waiver_of_the_other_technology_is_a_finding() {
    let policy = all("crl_required = false", "crl_required = false", "ocsp_required = false");
    for (profile, claims, waived, code) in [
        (gpu::profile(), gpu::claims(gpu::one()), codes::TDX_CRL_MISSING, "tdx.crl.missing"),
        (tdx::profile(), tdx::healthy(), codes::GPU_OCSP_UNAVAILABLE, "gpu.ocsp.unavailable"),
        (Profile::snp_raw_1(), healthy("Genoa"), codes::TDX_CRL_MISSING, "tdx.crl.missing"),
        (tdx::profile(), tdx::healthy(), codes::SNP_CRL_MISSING, "snp.crl.missing"),
    ] {
        let subject = subject(claims, vec![waived], TrustClass::Hardware);
        assert_eq!(codes(&judge_as(&profile, &subject, &policy, &context()).findings), [code]);
    }
}

#[test]
fn all_sections_are_described() {
    let lines = all("", "", "").describe();
    for section in ["snp", "tdx", "gpu"] {
        let alone = match section {
            "snp" => policy("", ""),
            "tdx" => tdx::policy("", ""),
            _ => gpu::policy("", ""),
        };
        let count = |lines: &[String]| lines.iter().filter(|line| line.starts_with(section)).count();
        assert_eq!(count(&lines), count(&alone.describe()), "{section}");
    }
}

#[test]
fn a_fault_in_any_section_refuses_the_policy() {
    let good = format!("{}\n{}", policy_text("", ""), gpu::policy_text("", "").split_once("\n\n").unwrap().1);
    assert!(parse(&good).is_ok());
    for (from, to, code) in [
        ("min_tcb_eval_num = 17", "", "pol.min_tcb.unset"),
        ("microcode = 81", "", "pol.min_tcb.unset"),
        ("measurements = ", "# ", "pol.measurement.unset"),
        ("[tdx]", "[tdx]\nallow_debug = true", "pol.profile.development"),
        ("[snp]", "[snp]\nallow_debug = true", "pol.profile.development"),
        ("gpu_count = 1", "", "pol.format.invalid"),
        ("[gpu]", "[gpu]\nrim_required = false", "pol.profile.development"),
        ("[tdx]", "[sgx]\n[tdx]", "pol.format.invalid"),
        ("[tdx]", "[tdx]\nvmpl = 0", "pol.format.invalid"),
    ] {
        assert_eq!(parse(&good.replacen(from, to, 1)).unwrap_err().code.as_str(), code, "{from} -> {to}");
    }
}
