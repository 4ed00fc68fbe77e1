//! Arbitrary claims: no panic, nothing is affirmed whose measurement is not in the list, and a tighter policy affirms
//! nothing that a looser one denies.

use cc_core::{ClaimValue, Claims};
use cc_policy::Status;
use proptest::prelude::*;

use crate::common::tdx::*;
use crate::common::{filled, parse};

fn any_value() -> impl Strategy<Value = ClaimValue> {
    let hex = prop::sample::select(vec![8_usize, 16, 48])
        .prop_flat_map(|bytes| prop::collection::vec(any::<u8>(), bytes))
        .prop_map(|bytes| ClaimValue::Text(hex::encode(bytes)));
    let leaf = prop_oneof![
        any::<bool>().prop_map(ClaimValue::Bool),
        any::<u64>().prop_map(ClaimValue::Integer),
        (0..20_u64).prop_map(ClaimValue::Integer),
        ".{0,12}".prop_map(ClaimValue::Text),
        hex,
    ];
    leaf.prop_recursive(1, 4, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(ClaimValue::List))
}

/// A change that the knobs look at, so that policies often disagree about it.
fn likely_change() -> impl Strategy<Value = (&'static str, ClaimValue)> {
    let words = ["0000001000000000", "0000003000000000", "000000d000000080", "0100000000000000"];
    let one_of = |name: &'static str, values: &[&str]| {
        let values: Vec<ClaimValue> = values.iter().map(|value| (*value).into()).collect();
        prop::sample::select(values).prop_map(move |value| (name, value)).boxed()
    };
    let statuses = ["UpToDate", "SWHardeningNeeded", "OutOfDate", "TDRelaunchAdvised", "Revoked"];
    let (zero, eights) = (filled('0', 48), filled('8', 48));
    prop_oneof![
        one_of("td_attributes", &words),
        one_of("tcb_status", &statuses),
        one_of("qe_tcb_status", &statuses),
        one_of("xfam", &["e702060000000000", "0300000000000000", "e7db060000000000"]),
        one_of("tcb_date", &["2023-01-01T00:00:00Z", "2025-06-01T00:00:00Z"]),
        one_of("mr_service_td", &[&zero, &eights]),
        one_of("mr_owner", &[&zero, &eights]),
        one_of("mr_config_id", &[&zero, &eights]),
        one_of("rtmr1", &[&zero, &eights]),
        one_of("tcb_info_issue_date", &["2026-05-31T23:00:00Z", "2026-05-01T00:00:00Z"]),
        one_of("ppid", &[PPID, INSTANCE, "00"]),
        (15..20_u64).prop_map(|number| ("tcb_eval_num", number.into())),
        prop::sample::select(vec!["smt_enabled", "dynamic_platform", "cached_keys", "eventlog_replayed"])
            .prop_flat_map(|name| any::<bool>().prop_map(move |flag| (name, flag.into()))),
        prop::collection::vec(prop::sample::select(vec!["INTEL-SA-00837", "INTEL-SA-00960"]), 0..3)
            .prop_map(|ids| ("advisory_ids", ids.into())),
    ]
}

fn changed_claims() -> impl Strategy<Value = Claims> {
    let arbitrary = prop::collection::vec((any::<prop::sample::Index>(), any_value()), 0..2);
    let likely = prop::collection::vec(likely_change(), 0..5);
    (arbitrary, likely).prop_map(|(arbitrary, likely)| {
        let mut claims = healthy();
        let names: Vec<String> = claims.iter().map(|(name, _)| name.to_owned()).collect();
        for (index, value) in arbitrary {
            claims.insert(index.get(&names).as_str(), value);
        }
        for (name, value) in likely {
            claims.insert(name, value);
        }
        claims
    })
}

/// The values of each knob from loose to tight.
fn ladders() -> Vec<Vec<String>> {
    let knob = |key: &str, values: &[&str]| values.iter().map(|value| format!("{key} = {value}")).collect();
    let flags = ["false", "true"];
    let unflags = ["true", "false"];
    let statuses = [
        "accepted_status = [\"UpToDate\", \"SWHardeningNeeded\", \"OutOfDate\"]\n\
         accepted_advisories = [\"INTEL-SA-00837\", \"INTEL-SA-00960\"]\nmin_tcb_date = \"2024-01-01T00:00:00Z\"",
        "accepted_status = [\"UpToDate\", \"SWHardeningNeeded\"]\n\
         accepted_advisories = [\"INTEL-SA-00837\"]\nmin_tcb_date = \"2024-01-01T00:00:00Z\"",
        "min_tcb_date = \"2024-01-01T00:00:00Z\"",
        "min_tcb_date = \"2026-01-01T00:00:00Z\"",
    ];
    let eights = format!("[\"{}\"]", filled('8', 48));
    let (first, both) = (format!("[\"{PPID}\"]"), format!("[\"{PPID}\", \"{INSTANCE}\"]"));
    let three = format!("[\"{PPID}\", \"{INSTANCE}\", \"{}\"]", filled('7', 16));
    let either = format!("[\"{}\", \"{}\"]", filled('0', 48), filled('8', 48));
    vec![
        statuses.map(str::to_owned).to_vec(),
        knob("crl_required", &flags),
        knob("collateral_max_age_hours", &["8760", "24", "2"]),
        knob("min_tcb_eval_num", &["1", "17", "19"]),
        knob("allow_debug", &unflags),
        knob("require_sept_ve_disable", &flags),
        knob("allow_migratable", &unflags),
        knob("allow_perfmon", &unflags),
        knob("allow_kl", &unflags),
        knob("allow_pks", &unflags),
        knob("xfam_allowed", &["0x7fffffffffffffff", "0x6dbe7", "0x3"]),
        knob("service_td", &[&eights, "\"zero\""]),
        knob("require_eventlog", &flags),
        knob("mr_config_id", &[&either, "\"zero\"", "\"init-data\""]),
        knob("mr_owner", &[&either, "\"zero\""]),
        knob("mr_owner_config", &[&either, "\"zero\""]),
        vec!["measurements = \"any\"".to_owned(), String::new()],
        knob("smt_allowed", &unflags),
        knob("allow_dynamic_platform", &unflags),
        knob("allow_cached_keys", &unflags),
        knob("platform_allowlist", &[&three, &both, &first]),
        knob("platform_denylist", &["[]", &first, &both]),
    ]
}

proptest! {
    #[test]
    fn nothing_is_affirmed_but_a_listed_image(claims in changed_claims()) {
        if judge(claims.clone(), &policy("", "")).status == Status::Affirming {
            let text = |name| claims.text(name).unwrap().to_owned();
            prop_assert_eq!(
                [text("mr_td"), text("rtmr0"), text("rtmr1"), text("rtmr2"), text("rtmr3")],
                ['a', '1', '2', '3', '0'].map(|digit| filled(digit, 48))
            );
        }
    }

    #[test]
    fn any_other_measurement_is_refused(
        claims in changed_claims(),
        register in prop::sample::select(vec!["mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3"]),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut claims = claims;
        claims.insert_bytes(register, &bytes);
        prop_assert_eq!(judge(claims, &policy("", "")).status, Status::Contraindicated);
    }

    #[test]
    fn tightening_affirms_nothing_that_was_denied(
        claims in changed_claims(),
        ladder in prop::sample::select(ladders()),
    ) {
        // Everything else is as loose as it can be, so that it hides nothing.
        let others = ladders().into_iter().filter(|other| *other != ladder);
        let others: String = others.map(|other| format!("{}\n", other[0])).collect();
        let mut denied = false;
        for rung in &ladder {
            let policy = policy("profile = \"development\"", &format!("{rung}\n{others}"));
            let affirmed = judge(claims.clone(), &policy).status == Status::Affirming;
            prop_assert!(!(denied && affirmed), "{rung} affirms what a looser value denied");
            denied |= !affirmed;
        }
    }

    #[test]
    fn any_text_loads_or_is_refused(text in "(version = 1\n)?(\\[tdx\\]\n)?(\\[\\[tdx.images\\]\\]\n)?.{0,64}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.code.as_str().starts_with("pol."));
        }
    }
}
