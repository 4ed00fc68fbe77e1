//! Arbitrary claims: no panic, nothing is affirmed whose workload is not in the list, and taking a claim away affirms
//! nothing that was denied.

use cc_core::{ClaimValue, Claims};
use cc_policy::Status;
use proptest::prelude::*;

use crate::common::azure::{ACI, CVM, KINDS, Kind, MAA, cce_policy, pcr};
use crate::common::{filled, parse, without};

fn any_value() -> impl Strategy<Value = ClaimValue> {
    let hex = prop::sample::select(vec![8_usize, 16, 32, 48, 64])
        .prop_flat_map(|bytes| prop::collection::vec(any::<u8>(), bytes))
        .prop_map(|bytes| ClaimValue::Text(hex_of(&bytes)));
    let digest = prop::sample::select(vec!['a', 'c', 'd', 'e', '0'])
        .prop_flat_map(|digit| prop::sample::select(vec![filled(digit, 32), filled(digit, 48)]))
        .prop_map(ClaimValue::Text);
    let leaf = prop_oneof![
        any::<bool>().prop_map(ClaimValue::Bool),
        any::<u64>().prop_map(ClaimValue::Integer),
        (0..120_u64).prop_map(ClaimValue::Integer),
        ".{0,12}".prop_map(ClaimValue::Text),
        hex,
        digest,
    ];
    leaf.prop_recursive(1, 4, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(ClaimValue::List))
}

fn hex_of(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Changes claims at any depth: each index picks a name, and of a map mostly goes on inside it.
fn change(claims: &mut Claims, picks: &[(prop::sample::Index, bool)], value: &ClaimValue) {
    let names: Vec<String> = claims.iter().map(|(name, _)| name.to_owned()).collect();
    let Some(((pick, descend), rest)) = picks.split_first().filter(|_| !names.is_empty()) else { return };
    let name = pick.get(&names);
    match claims.value(name) {
        Some(ClaimValue::Map(map)) if *descend && !rest.is_empty() => {
            let mut map = map.clone();
            change(&mut map, rest, value);
            claims.insert(name, map);
        }
        _ => claims.insert(name, value.clone()),
    }
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop::sample::select(KINDS.to_vec())
}

fn changed_claims() -> impl Strategy<Value = (Kind, Claims)> {
    let picks = prop::collection::vec((any::<prop::sample::Index>(), prop::bool::weighted(0.8)), 3);
    let changes = prop::collection::vec((picks, any_value()), 0..4);
    (kinds(), changes).prop_map(|(kind, changes)| {
        let mut claims = (kind.healthy)();
        if kind.section == "aci" {
            claims.insert("cce_policy", cce_policy(&[]));
        }
        for (picks, value) in changes {
            change(&mut claims, &picks, &value);
        }
        (kind, claims)
    })
}

/// Nothing of these is judged only where it came.
fn strict(kind: Kind) -> &'static str {
    if kind.section == "aci" { "require_cce_policy = true" } else { "" }
}

/// The workload that the claims speak of.
fn workload(kind: Kind, claims: &Claims) -> Option<String> {
    let claim = match kind.section {
        "aci" => claims.text("host_data"),
        "maa" => claims.text("hostdata"),
        _ => return claims.map("vtpm").ok()?.map("pcrs").ok()?.text("00").ok().map(str::to_owned),
    };
    claim.ok().map(str::to_owned)
}

proptest! {
    #[test]
    fn nothing_is_affirmed_but_a_listed_workload((kind, claims) in changed_claims()) {
        if kind.judge(claims.clone(), &kind.policy("", "", "")).status == Status::Affirming {
            let listed = match kind.section {
                "azcvm" => vec![pcr(0)],
                _ => vec![filled('c', 32), filled('d', 32)],
            };
            prop_assert!(listed.contains(&workload(kind, &claims).unwrap()));
        }
    }

    #[test]
    fn any_other_workload_is_refused(
        (kind, claims) in changed_claims(),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut claims = claims;
        let value = ClaimValue::Text(hex_of(&bytes));
        match kind.section {
            "aci" => claims.insert("host_data", value),
            "maa" => claims.insert("hostdata", value),
            _ => {
                let mut vtpm = Claims::new();
                let mut pcrs = Claims::new();
                pcrs.insert("00", value);
                vtpm.insert("pcrs", pcrs);
                claims.insert("vtpm", vtpm);
            }
        }
        prop_assert_eq!(kind.judge(claims, &kind.policy("", "", "")).status, Status::Contraindicated);
    }

    #[test]
    fn taking_a_claim_away_affirms_nothing(
        (kind, claims) in changed_claims(),
        pick in any::<prop::sample::Index>(),
    ) {
        let policy = kind.policy("", strict(kind), "");
        let names: Vec<String> = claims.iter().map(|(name, _)| name.to_owned()).collect();
        let less = without(&claims, pick.get(&names).as_str());
        if kind.judge(claims, &policy).status != Status::Affirming {
            prop_assert_eq!(kind.judge(less, &policy).status, Status::Contraindicated);
        }
    }

    #[test]
    fn any_text_loads_or_is_refused(
        text in "(version = 1\n)?(\\[(aci|maa|azcvm)\\]\n)?(cce_policy_allowlist = )?.{0,64}"
    ) {
        if let Err(error) = parse(&text) {
            prop_assert!(error.code.as_str().starts_with("pol."));
        }
    }
}

/// The example that the property rests on: healthy claims of each kind are affirmed by the strict policy.
#[test]
fn the_strict_policies_affirm() {
    for kind in [ACI, MAA, CVM] {
        let mut claims = (kind.healthy)();
        if kind.section == "aci" {
            claims.insert("cce_policy", cce_policy(&[]));
        }
        assert_eq!(kind.judge(claims, &kind.policy("", strict(kind), "")).status, Status::Affirming);
    }
}
