//! Which CCE policies a group may have: by digest, or by digest for each participant (A7, M3; *verification.md* 5.1).

use cc_core::TrustClass;
use cc_policy::{Context, InitData, Policy};

use crate::common::azure::{ACI, Kind, MAA, inside};
use crate::common::{codes, context, filled, judge_as, subject};

/// A participant by the digest of its init-data.
fn named(digit: char) -> InitData {
    let mut sha256 = [0; 32];
    hex_into(&filled(digit, 32), &mut sha256);
    InitData::Carried { sha256, sha384: [9; 48] }
}

fn hex_into(text: &str, bytes: &mut [u8]) {
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    }
}

fn judged(kind: Kind, policy: &Policy, host_data: &str, init_data: InitData) -> Vec<(String, String)> {
    let mut claims = (kind.healthy)();
    if kind.section == "maa" {
        claims.insert("hostdata", host_data);
        inside(&mut claims, &["report"], "host_data", host_data);
    } else {
        claims.insert("host_data", host_data);
    }
    let subject = subject(claims, Vec::new(), TrustClass::Hardware);
    let context = Context { init_data, ..context() };
    let findings = judge_as(&(kind.profile)(), &subject, policy, &context).findings;
    let told = codes(&findings).into_iter().zip(&findings);
    told.map(|(code, finding)| (code.to_owned(), finding.want.clone())).collect()
}

#[test]
fn a_group_with_a_name_has_a_cce_policy_of_that_name() {
    let [one, two] = ['1', '2'].map(|digit| filled(digit, 32));
    let [c, d, e, zero] = ['c', 'd', 'e', '0'].map(|digit| filled(digit, 32));
    let by_name =
        format!("cce_policy_allowlist = {{ \"{one}\" = [\"{c}\"], \"{two}\" = [\"{d}\", \"{e}\"] }}");
    let list = format!("cce_policy_allowlist = [\"{c}\"]");
    let any = "cce_policy_allowlist = \"any\"".to_owned();
    let carried = |digit, text: &str| (named(digit), text.replace("{}", &filled(digit, 32)));
    let none = || (InitData::NotCarried, String::new());
    for kind in [ACI, MAA] {
        let code = if kind.section == "maa" { "maa.hostdata.unknown" } else { "aci.cce_policy.unknown" };
        for (knob, host_data, (init_data, want)) in [
            (&list, &c, none()),
            (&list, &d, (InitData::NotCarried, format!("one of {c}"))),
            (
                &list,
                &c,
                carried(
                    '1',
                    "one that is listed for the init-data {} that came, and the list is not by init-data",
                ),
            ),
            (&by_name, &c, (named('1'), String::new())),
            (&by_name, &d, (named('2'), String::new())),
            (&by_name, &e, (named('2'), String::new())),
            // Another participant's CCE policy.
            (&by_name, &d, carried('1', &format!("one of [{c}], those of the init-data {{}}"))),
            (&by_name, &c, carried('2', &format!("one of [{d}, {e}], those of the init-data {{}}"))),
            (&by_name, &c, carried('3', "one of [], those of the init-data {}")),
            (
                &by_name,
                &c,
                (InitData::NotCarried, "one that is listed for the init-data, of which none came".to_owned()),
            ),
            (&any, &e, none()),
            (&any, &zero, (InitData::NotCarried, "any that is not zero".to_owned())),
            (
                &any,
                &c,
                carried(
                    '1',
                    "one that is listed for the init-data {} that came, and the list is not by init-data",
                ),
            ),
        ] {
            let policy = kind.policy("profile = \"development\"", knob, "");
            let expected = if want.is_empty() { Vec::new() } else { vec![(code.to_owned(), want)] };
            assert_eq!(judged(kind, &policy, host_data, init_data), expected, "{knob} {host_data}");
            assert_eq!(policy.needs_init_data(), *knob == by_name);
        }
        // HOST_DATA is the CCE policy's digest here, never that of the init-data itself.
        let itself = judged(kind, &kind.policy("", &by_name, ""), &one, named('1'));
        assert_eq!(itself[0].0, code);
    }
}

#[test]
fn a_list_that_permits_nothing_or_anything_is_refused() {
    let [one, c, zero] = ['1', 'c', '0'].map(|digit| filled(digit, 32));
    for (value, code) in [
        ("[]".to_owned(), "pol.measurement.unset"),
        ("{}".to_owned(), "pol.measurement.unset"),
        (format!("{{ \"{one}\" = [] }}"), "pol.measurement.unset"),
        (format!("{{ \"{one}\" = [\"{c}\"], \"{c}\" = [] }}"), "pol.measurement.unset"),
        ("\"any\"".to_owned(), "pol.measurement.unset"),
        ("\"all\"".to_owned(), "pol.format.invalid"),
        (format!("\"{c}\""), "pol.format.invalid"),
        ("[\"cc\"]".to_owned(), "pol.format.invalid"),
        ("[1]".to_owned(), "pol.format.invalid"),
        (format!("[\"{c}00\"]"), "pol.format.invalid"),
        (format!("[\"{c}\", \"{zero}\"]"), "pol.measurement.invalid"),
        (format!("{{ \"{one}\" = [\"{zero}\"] }}"), "pol.measurement.invalid"),
        (format!("{{ site-1 = [\"{c}\"] }}"), "pol.format.invalid"),
        (format!("{{ \"{one}\" = \"{c}\" }}"), "pol.format.invalid"),
        (format!("{{ \"{one}\" = \"any\" }}"), "pol.format.invalid"),
        // One group for two names, one name in two spellings.
        (format!("{{ \"{one}\" = [\"{c}\"], \"{c}\" = [\"{c}\"] }}"), "pol.format.invalid"),
        (format!("{{ \"{c}\" = [\"{one}\"], \"{}\" = [\"{c}\"] }}", c.to_uppercase()), "pol.format.invalid"),
    ] {
        for (kind, place) in [(ACI, ":6 aci.cce_policy_allowlist"), (MAA, ":8 maa.cce_policy_allowlist")] {
            let knob = format!("cce_policy_allowlist = {value}");
            let error = crate::common::parse(&kind.text("", &knob, "")).unwrap_err();
            assert_eq!(
                (error.code.as_str(), error.place),
                (code, format!("policy.toml{place}")),
                "{value}: {}",
                error.detail
            );
        }
    }
}
