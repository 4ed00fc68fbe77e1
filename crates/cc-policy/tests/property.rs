//! Arbitrary claims: no panic, and nothing is affirmed whose measurement is not in the list.

use cc_core::{ClaimValue, Claims};
use cc_policy::Status;
use proptest::prelude::*;

use crate::common::*;

fn any_value() -> impl Strategy<Value = ClaimValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(ClaimValue::Bool),
        any::<u64>().prop_map(ClaimValue::Integer),
        (0..6_u64).prop_map(ClaimValue::Integer),
        ".{0,12}".prop_map(ClaimValue::Text),
        "0x[0-9a-f]{1,17}".prop_map(ClaimValue::Text),
        prop::sample::select(vec![8_usize, 16, 32, 48, 64])
            .prop_flat_map(|bytes| prop::collection::vec(any::<u8>(), bytes))
            .prop_map(|bytes| ClaimValue::Text(hex::encode(bytes))),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(ClaimValue::List),
            prop::collection::vec(
                (prop::sample::select(vec!["hwID", "cspID", "major", "minor", "build"]), inner),
                0..4
            )
            .prop_map(|entries| ClaimValue::Map(map(&entries))),
        ]
    })
}

fn changed_claims() -> impl Strategy<Value = Claims> {
    let product = prop::sample::select(vec!["Milan", "Genoa", "Turin"]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any_value()), 0..4);
    (product, changes).prop_map(|(product, changes)| {
        let mut claims = healthy(product);
        let names: Vec<String> = claims.iter().map(|(name, _)| name.to_owned()).collect();
        for (index, value) in changes {
            claims.insert(index.get(&names).as_str(), value);
        }
        claims
    })
}

proptest! {
    #[test]
    fn nothing_is_affirmed_without_a_listed_measurement(claims in changed_claims()) {
        let policy = policy("", "");
        if judge(claims.clone(), &policy).status == Status::Affirming {
            let measurement = claims.text("measurement").unwrap();
            prop_assert!([filled('a', 48), filled('b', 48)].contains(&measurement.to_owned()));
        }
    }

    #[test]
    fn any_other_measurement_is_refused(claims in changed_claims(), bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut claims = claims;
        claims.insert_bytes("measurement", &bytes);
        prop_assert_eq!(judge(claims, &policy("", "")).status, Status::Contraindicated);
    }

    #[test]
    fn any_text_loads_or_is_refused(text in "(version = 1\n)?(\\[snp\\]\n)?.{0,64}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.code.as_str().starts_with("pol."));
        }
    }
}
