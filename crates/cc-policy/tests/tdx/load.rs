//! Sections that do not load, each with its code and place, the example that does, and the defaults as told.

use cc_policy::Policy;

use crate::common::tdx::{images, policy, policy_text};
use crate::common::{filled, parse};

#[test]
fn a_bad_knob_is_refused_where_it_stands() {
    let (zero, digest, platform) = (filled('0', 48), filled('4', 48), filled('9', 16));
    let old = "min_tcb_date = \"2024-03-13T00:00:00Z\"\naccepted_advisories = [\"INTEL-SA-00837\"]";
    let both = format!("platform_denylist = [\"{platform}\"]\nplatform_allowlist = [\"{platform}\"]");
    for (knobs, code, place) in [
        // What has no default, and what is no measurement.
        ("min_tcb_eval_num = 0", "pol.format.invalid", ":5 tdx.min_tcb_eval_num"),
        ("min_tcb_eval_num = \"17\"", "pol.format.invalid", ":5 tdx.min_tcb_eval_num"),
        ("min_tcb_eval_num = 0x100000000", "pol.format.invalid", ":5 tdx.min_tcb_eval_num"),
        ("images = []", "pol.measurement.unset", ":5 tdx.images"),
        ("images = \"any\"", "pol.format.invalid", ":5 tdx.images"),
        ("images = [1]", "pol.format.invalid", ":5 tdx.images.1"),
        ("images = [{ name = \"a\" }]", "pol.measurement.unset", ":5 tdx.images.1"),
        ("measurements = \"any\"", "pol.measurement.unset", ":5 tdx.measurements"),
        ("measurements = \"all\"", "pol.format.invalid", ":5 tdx.measurements"),
        (&format!("measurements = [\"{digest}\"]"), "pol.format.invalid", ":5 tdx.measurements"),
        // Locked.
        ("allow_debug = true", "pol.profile.development", ":5 tdx.allow_debug"),
        (
            &format!("accepted_status = [\"UpToDate\", \"Revoked\"]\n{old}"),
            "pol.profile.development",
            ":5 tdx.accepted_status",
        ),
        // Contradictions.
        ("accepted_status = [\"OutOfDate\"]", "pol.format.invalid", ":5 tdx.accepted_status"),
        (
            "accepted_status = [\"OutOfDateConfigurationNeeded\"]",
            "pol.format.invalid",
            ":5 tdx.accepted_status",
        ),
        (
            "accepted_status = [\"OutOfDate\"]\nmin_tcb_date = \"2024-03-13T00:00:00Z\"",
            "pol.format.invalid",
            ":5 tdx.accepted_status",
        ),
        (
            "accepted_status = [\"OutOfDate\"]\naccepted_advisories = [\"INTEL-SA-00837\"]",
            "pol.format.invalid",
            ":5 tdx.accepted_status",
        ),
        ("accepted_advisories = [\"INTEL-SA-00837\"]", "pol.format.invalid", ":5 tdx.accepted_advisories"),
        ("xfam_allowed = 0x6dbe5", "pol.format.invalid", ":5 tdx.xfam_allowed"),
        ("xfam_allowed = 0", "pol.format.invalid", ":5 tdx.xfam_allowed"),
        (&both, "pol.format.invalid", ":6 tdx.platform_allowlist"),
        // Values out of range or of another type.
        ("crl_required = 0", "pol.format.invalid", ":5 tdx.crl_required"),
        ("collateral_max_age_hours = \"24h\"", "pol.format.invalid", ":5 tdx.collateral_max_age_hours"),
        ("collateral_max_age_hours = 0", "pol.format.invalid", ":5 tdx.collateral_max_age_hours"),
        ("accepted_status = []", "pol.format.invalid", ":5 tdx.accepted_status"),
        ("accepted_status = [\"Fine\"]", "pol.format.invalid", ":5 tdx.accepted_status"),
        ("accepted_status = \"UpToDate\"", "pol.format.invalid", ":5 tdx.accepted_status"),
        ("accepted_advisories = [\"\"]", "pol.format.invalid", ":5 tdx.accepted_advisories"),
        ("min_tcb_date = \"2024-03-13\"", "pol.format.invalid", ":5 tdx.min_tcb_date"),
        ("min_tcb_date = 2024-03-13T00:00:00Z", "pol.format.invalid", ":5 tdx.min_tcb_date"),
        ("require_sept_ve_disable = 1", "pol.format.invalid", ":5 tdx.require_sept_ve_disable"),
        ("xfam_allowed = -1", "pol.format.invalid", ":5 tdx.xfam_allowed"),
        ("service_td = []", "pol.format.invalid", ":5 tdx.service_td"),
        ("service_td = \"any\"", "pol.format.invalid", ":5 tdx.service_td"),
        (&format!("service_td = [\"{zero}\"]"), "pol.format.invalid", ":5 tdx.service_td"),
        ("mr_config_id = \"none\"", "pol.format.invalid", ":5 tdx.mr_config_id"),
        ("mr_config_id = []", "pol.format.invalid", ":5 tdx.mr_config_id"),
        ("mr_config_id = [\"00\"]", "pol.format.invalid", ":5 tdx.mr_config_id"),
        ("mr_owner = \"init-data\"", "pol.format.invalid", ":5 tdx.mr_owner"),
        ("mr_owner_config = \"init-data\"", "pol.format.invalid", ":5 tdx.mr_owner_config"),
        ("platform_allowlist = []", "pol.format.invalid", ":5 tdx.platform_allowlist"),
        (
            "platform_allowlist = [\"00000000000000000000000000000000\"]",
            "pol.format.invalid",
            ":5 tdx.platform_allowlist",
        ),
        ("platform_denylist = [\"59\"]", "pol.format.invalid", ":5 tdx.platform_denylist"),
        ("mrseam_allowlist = []", "pol.format.invalid", ":5 tdx.mrseam_allowlist"),
        (&format!("mrseam_allowlist = [\"{zero}\"]"), "pol.format.invalid", ":5 tdx.mrseam_allowlist"),
        ("tcb_update = \"early\"", "pol.format.invalid", ":5 tdx.tcb_update"),
        ("smt_allowed = true\nsmt_allowed = false", "pol.format.invalid", ":6"),
    ] {
        let error = parse(&policy_text("", knobs)).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.place.as_str()),
            (code, &*format!("policy.toml{place}")),
            "{error}"
        );
        assert!(!error.detail.is_empty());
    }
}

#[test]
fn a_bad_image_is_refused_where_it_stands() {
    let good = policy_text("", "");
    let line = |name: &str, digit| format!("{name} = \"{}\"\n", filled(digit, 48));
    let any = "measurements = \"any\"\n[[tdx.images]]";
    for (what, text, code, place) in [
        ("no images", good.replace(&images(), ""), "pol.measurement.unset", ":3 tdx"),
        ("both", good.replacen("[[tdx.images]]", any, 1), "pol.format.invalid", ":6 tdx.measurements"),
        ("no name", good.replace("name = \"b\"\n", ""), "pol.format.invalid", ":12 tdx.images.2"),
        ("empty name", good.replace("\"b\"", "\"\""), "pol.format.invalid", ":13 tdx.images.2.name"),
        ("same name", good.replace("\"b\"", "\"a\""), "pol.format.invalid", ":12 tdx.images.2"),
        ("no mr_td", good.replace(&line("mr_td", 'b'), ""), "pol.measurement.unset", ":12 tdx.images.2"),
        ("no rtmr0", good.replace(&line("rtmr0", '4'), ""), "pol.measurement.unset", ":12 tdx.images.2"),
        ("no rtmr1", good.replace(&line("rtmr1", '5'), ""), "pol.measurement.unset", ":12 tdx.images.2"),
        ("no rtmr2", good.replace(&line("rtmr2", '6'), ""), "pol.measurement.unset", ":12 tdx.images.2"),
        (
            "zero mr_td",
            good.replace(&line("mr_td", 'b'), &line("mr_td", '0')),
            "pol.measurement.invalid",
            ":12 tdx.images.2",
        ),
        (
            "list of mr_td",
            good.replace(&line("mr_td", 'b'), "mr_td = []\n"),
            "pol.format.invalid",
            ":14 tdx.images.2.mr_td",
        ),
        ("unknown register", good.replace("rtmr3", "rtmr4"), "pol.format.invalid", ":18 tdx.images.2.rtmr4"),
        ("no evaluation number", good.replace("min_tcb_eval_num = 17", ""), "pol.min_tcb.unset", ":3 tdx"),
        ("section not a table", "version = 1\ntdx = 1\n".to_owned(), "pol.format.invalid", ":2 tdx"),
        ("section empty", "version = 1\n[tdx]\n".to_owned(), "pol.min_tcb.unset", ":2 tdx"),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.place.as_str()),
            (code, &*format!("policy.toml{place}")),
            "{what}: {error}"
        );
    }
}

#[test]
fn refusals_say_what_is_missing() {
    let detail = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(
        detail(&policy_text("", "").replace("min_tcb_eval_num = 17", "")),
        "pol.min_tcb.unset: policy.toml:3 tdx: key `min_tcb_eval_num` is absent, expected the least \
         tcbEvaluationDataNumber that is current"
    );
    assert_eq!(
        detail(&policy_text("", "accepted_status = [\"OutOfDate\"]")),
        "pol.format.invalid: policy.toml:5 tdx.accepted_status: OutOfDate is accepted and min_tcb_date says \
         nothing"
    );
    assert_eq!(
        detail(&policy_text("", "allow_debug = true")),
        "pol.profile.development: policy.toml:5 tdx.allow_debug: found true, which is locked unless profile = \
         \"development\""
    );
    assert_eq!(
        detail(&policy_text("", "").replace("rtmr1", "rtmr9")),
        "pol.measurement.unset: policy.toml:6 tdx.images.1: key `rtmr1` is absent, an image has a name and all \
         its registers"
    );
}

#[test]
fn development_loads_what_production_refuses() {
    let revoked = "accepted_status = [\"UpToDate\", \"Revoked\"]\naccepted_advisories = [\"INTEL-SA-00837\"]\n\
                   min_tcb_date = \"2024-03-13T00:00:00Z\"";
    for knobs in ["allow_debug = true", "measurements = \"any\"", revoked] {
        assert!(parse(&policy_text("", knobs)).is_err(), "{knobs}");
        assert!(parse(&policy_text("profile = \"development\"", knobs)).is_ok(), "{knobs}");
    }
    // What is missing or contradicts itself stays so.
    for knobs in
        ["images = []", "min_tcb_eval_num = 0", "accepted_status = [\"Revoked\"]", "xfam_allowed = 0"]
    {
        assert!(parse(&policy_text("profile = \"development\"", knobs)).is_err(), "{knobs}");
    }
}

/// The defaults of *verification.md* 2.4 in the operator's words; the other files have what they do.
#[test]
fn description_tells_the_defaults() {
    let told = policy("", "").describe();
    let image = format!(
        "tdx: image a: mr_td {}, rtmr0 {}, rtmr1 {}, rtmr2 {}, rtmr3 {} (policy.toml:6 tdx.images.1)",
        filled('a', 48),
        filled('1', 48),
        filled('2', 48),
        filled('3', 48),
        filled('0', 48)
    );
    for line in [
        "profile: production (default profile)",
        "tdx: revocation lists: required (default tdx.crl_required)",
        "tdx: oldest collateral: until its next update (default tdx.collateral_max_age_hours)",
        "tdx: minimum TCB evaluation data number: 17 (policy.toml:4 tdx.min_tcb_eval_num)",
        "tdx: accepted TCB statuses: UpToDate (default tdx.accepted_status)",
        "tdx: accepted advisories: none (default tdx.accepted_advisories)",
        "tdx: minimum TCB date: 1970-01-01T00:00:00Z (default tdx.min_tcb_date)",
        "tdx: debugging: not allowed (default tdx.allow_debug)",
        "tdx: SEPT_VE_DISABLE: required (default tdx.require_sept_ve_disable)",
        "tdx: migration: not allowed (default tdx.allow_migratable)",
        "tdx: performance monitoring: not allowed (default tdx.allow_perfmon)",
        "tdx: Key Locker: not allowed (default tdx.allow_kl)",
        "tdx: supervisor protection keys: allowed (default tdx.allow_pks)",
        "tdx: XFAM bits: 0x6dbe7 (default tdx.xfam_allowed)",
        "tdx: service TDs: none (default tdx.service_td)",
        &image,
        "tdx: event log: not required (default tdx.require_eventlog)",
        "tdx: MRCONFIGID: zero (default tdx.mr_config_id)",
        "tdx: MROWNER: zero (default tdx.mr_owner)",
        "tdx: MROWNERCONFIG: zero (default tdx.mr_owner_config)",
        "tdx: SMT: allowed (default tdx.smt_allowed)",
        "tdx: dynamic platforms: allowed (default tdx.allow_dynamic_platform)",
        "tdx: cached keys: allowed (default tdx.allow_cached_keys)",
        "tdx: platforms: any (default tdx.platform_allowlist)",
        "tdx: denied platforms: none (default tdx.platform_denylist)",
        "tdx: TDX modules: any (default tdx.mrseam_allowlist)",
    ] {
        assert!(told.iter().any(|told| told == line), "{line}\nin {told:#?}");
    }
    assert_eq!(told.len(), 27, "image b has a line, too");
}

/// Every key of the format stands in the example, so that it is also the format's reference.
#[test]
fn the_example_loads_and_has_every_key() {
    let text = include_str!("../../examples/tdx-production.toml");
    let example = Policy::parse(text, "tdx-production.toml").unwrap();
    for line in example.describe() {
        assert!(line.contains("(tdx-production.toml:"), "{line} is not in the example");
    }
}

#[test]
fn images_in_one_line_each_load_as_well() {
    let registers = ["mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3"];
    let registers = registers.map(|name| format!("{name} = \"{}\"", filled('a', 48))).join(", ");
    let text = policy_text("", &format!("images = [\n  {{ name = \"x\", {registers} }},\n]"));
    assert!(
        parse(&text).unwrap().describe().iter().any(|line| line.contains("(policy.toml:6 tdx.images.1)"))
    );
}
