//! Arbitrary claims: no panic, nothing is affirmed that is no GPU of the policy, and a tighter policy affirms nothing that
//! a looser one denies.

use cc_core::ClaimValue;
use cc_policy::Status;
use proptest::prelude::*;

use super::*;

use crate::common::parse;

fn any_value() -> impl Strategy<Value = ClaimValue> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(ClaimValue::Bool),
        (0..70_u64).prop_map(ClaimValue::Integer),
        ".{0,12}".prop_map(ClaimValue::Text),
        "[0-9]{1,3}(\\.[0-9]{1,3}){0,4}".prop_map(ClaimValue::Text),
        prop::sample::select(vec!["gpu", "switch", "HOPPER", "LS10", "SPT", "MPT"])
            .prop_map(ClaimValue::from),
        prop::collection::vec(any::<u8>(), 48).prop_map(|bytes| ClaimValue::Text(hex::encode(bytes))),
    ];
    leaf.prop_recursive(1, 4, 3, |inner| prop::collection::vec(inner, 0..3).prop_map(ClaimValue::List))
}

/// One GPU or several, changed in a few places.
fn changed_devices() -> impl Strategy<Value = Vec<Claims>> {
    let change = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any_value());
    (1..4_u8, prop::collection::vec(change, 0..4)).prop_map(|(count, changes)| {
        let mut devices: Vec<_> = (1..=count).map(gpu).collect();
        for (device, name, value) in changes {
            let device = device.get_mut(&mut devices);
            let names: Vec<String> = device.iter().map(|(name, _)| name.to_owned()).collect();
            device.insert(name.get(&names).as_str(), value);
        }
        devices
    })
}

/// Pairs of knobs, the looser one first.
const LADDER: &[(&str, &str)] = &[
    ("min_driver = \"550.90.07\"", "min_driver = \"580.65.06\""),
    ("min_vbios = { HOPPER = \"96.00.88.00.01\" }", "min_vbios = { HOPPER = \"96.00.9f.00.01\" }"),
    ("denied_drivers = []", "denied_drivers = [\"580.159.03\"]"),
    ("denied_vbios = []", "denied_vbios = [\"96.00.9f.00.01\"]"),
    ("allowed_unreferenced = [40, 41, 63]", "allowed_unreferenced = [40]"),
    ("require_fwid = false", "require_fwid = true"),
    ("require_cc_state = false", "require_cc_state = true"),
];

proptest! {
    #[test]
    fn what_is_affirmed_is_a_gpu_of_the_policy(devices in changed_devices()) {
        if judge(claims(devices.clone()), &policy("", "")).status == Status::Affirming {
            prop_assert_eq!(devices.len(), 1);
            for (name, value) in [("class", "gpu"), ("arch", "HOPPER"), ("feature_flag", "SPT")] {
                prop_assert_eq!(devices[0].text(name).unwrap(), value);
            }
            let state = devices[0].map("cc_state").unwrap();
            prop_assert_eq!(state.integer("cc_feature").unwrap(), 1);
        }
    }

    #[test]
    fn a_tighter_policy_affirms_nothing_more(devices in changed_devices()) {
        let claims = claims(devices);
        let judge = |knobs: &str| {
            let policy = policy("profile = \"development\"", &format!("gpu_count = 1\n{knobs}"));
            judge(claims.clone(), &policy).status
        };
        for (loose, tight) in LADDER {
            if judge(tight) == Status::Affirming {
                prop_assert_eq!(judge(loose), Status::Affirming, "{}", tight);
            }
        }
    }

    #[test]
    fn any_text_loads_or_is_refused(text in "(gpu_count = 1\n)?(mode = \"[A-Z]{0,5}\"\n)?.{0,64}") {
        if let Err(error) = parse(&policy_text("", &text)) {
            prop_assert!(error.code.as_str().starts_with("pol."));
        }
    }
}
