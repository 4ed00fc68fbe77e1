//! The openings of CCE policies: each has a policy that has it and nothing else.

use cc_testkit::aci::cce::{DECISIONS, SWITCHES};
use cc_testkit::aci::{Container, Policy};
use cc_testkit::published::corpus;
use cc_verifier::aci::cce::{Opening, lint};
use proptest::prelude::*;

use crate::common::aci_corpus;

fn names(text: &str) -> Vec<&'static str> {
    lint(text.as_bytes()).into_iter().map(|opening| opening.name).collect()
}

/// The openings of a policy without any, edited.
fn edited(edit: impl FnOnce(&mut Policy)) -> Vec<&'static str> {
    let mut policy = Policy::tight();
    edit(&mut policy);
    names(&policy.text())
}

/// The same, with its second container edited.
fn container(edit: impl FnOnce(&mut Container)) -> Vec<&'static str> {
    edited(|policy| edit(&mut policy.containers[1]))
}

#[test]
fn a_tight_policy_has_no_openings() {
    assert_eq!(edited(|_| ()), [""; 0]);
    let crlf = Policy::tight().text().replace('\n', "\r\n");
    assert_eq!(names(&crlf), [""; 0]);
    let commented = Policy::tight().text().replace('\n', " # exec_in_container := {\"allowed\": true}\n");
    assert_eq!(names(&commented), [""; 0]);
    assert_eq!(
        edited(|p| {
            p.set_rule("external_processes", "[]").set_rule("fragments", "[]");
        }),
        [""; 0]
    );
    assert_eq!(
        edited(|p| {
            p.set_decision("mount_cims", "data.framework.mount_cims");
        }),
        [""; 0]
    );
    assert_eq!(
        edited(|p| {
            p.set_decision("exec_in_container", "{\"allowed\": false}");
        }),
        [""; 0]
    );
}

#[test]
fn switches_are_openings_of_their_names() {
    for switch in SWITCHES {
        assert_eq!(
            edited(|p| {
                p.set_rule(switch, "true");
            }),
            [switch]
        );
        assert_eq!(
            edited(|p| {
                p.set_rule(switch, "\"false\"");
            }),
            ["unreadable"]
        );
        assert_eq!(edited(|p| p.rules.retain(|(name, _)| name != switch)), [""; 0], "undefined is false");
    }
}

#[test]
fn every_decision_is_the_frameworks() {
    for decision in DECISIONS {
        for (value, expected) in [
            ("{\"allowed\": true}", "allow_all"),
            ("{\"env_list\": null, \"allowed\": true}", "allow_all"),
            ("{\"allowed\": false, \"allow_stdio_access\": true}", "decision_replaced"),
            ("{\"allowed\": \"false\"}", "decision_replaced"),
            ("{}", "decision_replaced"),
            ("true", "decision_replaced"),
            ("data.framework", "decision_replaced"),
            ("data.framework.other", "decision_replaced"),
            ("data.other.x", "decision_replaced"),
            ("input.x", "decision_replaced"),
        ] {
            assert_eq!(
                edited(|p| {
                    p.set_decision(decision, value);
                }),
                [expected],
                "{decision} {value}"
            );
        }
        assert_eq!(
            edited(|p| p.decisions.retain(|(name, _)| name != decision)),
            ["decision_missing"],
            "{decision}"
        );
    }
    assert_eq!(
        edited(|p| {
            p.set_decision("mount_cims", "{\"allowed\": true}");
        }),
        ["allow_all"]
    );
    assert_eq!(names(&Policy::open_door().text()), ["allow_all", "no_containers"]);
}

#[test]
fn containers_are_of_digests_and_nobody_gets_in() {
    let digest = "0123456789abcdef".repeat(4);
    for (member, value, expected) in [
        ("allow_elevated", "true", "allow_elevated"),
        ("allow_elevated", "null", "unreadable"),
        ("allow_stdio_access", "true", "allow_stdio_access"),
        ("capabilities", "null", "capabilities_any"),
        (
            "env_rules",
            "[{\"pattern\": \"A=.+\", \"required\": false, \"strategy\": \"re2\"}]",
            "env_rule_regex",
        ),
        ("env_rules", "[{\"pattern\": \"A=1\"}]", "env_rule_regex"),
        ("env_rules", "[\"A=1\"]", "unreadable"),
        ("env_rules", "{}", "unreadable"),
        ("exec_processes", "[{\"command\": [\"/bin/sh\"], \"signals\": []}]", "exec_in_container"),
        ("exec_processes", "null", "unreadable"),
        ("layers", "[]", "layers_not_verity"),
        ("layers", "null", "layers_not_verity"),
        ("layers", "[\"latest\"]", "layers_not_verity"),
        ("layers", "[1]", "layers_not_verity"),
        ("layers", &format!("[\"{digest}\", \"{}\"]", digest.to_uppercase()), "layers_not_verity"),
        ("layers", &format!("[\"{digest}0\"]"), "layers_not_verity"),
        ("something_new", "true", "unknown_name"),
    ] {
        assert_eq!(
            container(|c| {
                c.set(member, value);
            }),
            [expected],
            "{member} {value}"
        );
    }
    assert_eq!(
        container(|c| {
            c.remove("layers");
        }),
        ["layers_not_verity"]
    );
    assert_eq!(
        container(|c| {
            c.remove("capabilities");
        }),
        ["capabilities_any"]
    );
    assert_eq!(edited(|p| p.containers.clear()), ["no_containers"]);
    let text = Policy::tight().text();
    let (start, end) = (text.find("containers := [").unwrap(), text.find("]\nallow_").unwrap());
    let with = |list: &str| names(&[&text[..start], "containers := ", list, &text[end + 1..]].concat());
    assert_eq!(with("[]"), ["no_containers"]);
    assert_eq!(with("[1]"), ["unreadable"]);
    assert_eq!(with("{}"), ["unreadable"]);
    assert_eq!(with("data.other.containers"), ["unreadable"]);
}

#[test]
fn others_and_the_unknown_are_openings() {
    let process =
        "{\"command\": [\"bash\"], \"env_rules\": [], \"working_dir\": \"/\", \"allow_stdio_access\": true}";
    let processes = format!("[{process}]");
    for (rule, value, expected) in [
        ("external_processes", processes.as_str(), &["allow_stdio_access", "exec_external"][..]),
        ("external_processes", "[{}]", &["exec_external"]),
        ("external_processes", "[1]", &["exec_external", "unreadable"]),
        ("external_processes", "data.x", &["unreadable"]),
        (
            "fragments",
            "[{\"issuer\": \"did:x509:0\", \"feed\": \"f\", \"minimum_svn\": \"1\"}]",
            &["fragments"],
        ),
        ("fragments", "null", &["unreadable"]),
        ("api_svn", "1", &["unreadable"]),
        ("allow_something_new", "false", &["unknown_name"]),
        ("svn", "\"1\"", &["unknown_name"]),
        // Two rules of one name.
        ("api_version", "\"0.11.0\"", &["decision_missing", "unreadable"]),
        ("mount_device", "data.framework.mount_device", &["decision_missing", "unreadable"]),
    ] {
        assert_eq!(
            edited(|p| {
                p.set_rule(rule, value);
            }),
            expected,
            "{rule} {value}"
        );
    }
    let many = edited(|p| p.rules.extend((0..100).map(|i| (format!("r{i}"), "1".to_owned()))));
    assert_eq!(many, ["decision_missing", "unknown_name", "unreadable"]);
}

#[test]
fn what_cannot_be_read_is_an_opening_with_its_line() {
    for (text, line) in [
        (String::new(), 1),
        (format!("{}\nallow {{ input.x }}", Policy::tight().text()), 0),
        (Policy::tight().text().replace("package policy", "package other"), 1),
    ] {
        let openings = lint(text.as_bytes());
        let unreadable = openings.iter().find(|opening| opening.name == "unreadable").unwrap();
        let last = u32::try_from(text.lines().count()).unwrap();
        assert_eq!(unreadable.lines, [if line == 0 { last } else { line }]);
    }
    assert!(lint(b"package policy\n\xff").iter().any(|opening| opening.name == "unreadable"));
    // The old form of policies, which is no Rego.
    assert!(names("{\"allow_all\": true}").contains(&"unreadable"));
}

#[test]
fn an_opening_is_written_with_its_name_first() {
    let opening = |lines: &[u32]| Opening { name: "fragments", lines: lines.to_vec() }.to_string();
    assert_eq!(opening(&[7]), "fragments (line 7)");
    assert_eq!(opening(&[7, 9]), "fragments (lines 7, 9)");
    let mut policy = Policy::tight();
    policy.containers = vec![Container::tight(); 20];
    policy.containers.iter_mut().for_each(|container| {
        container.set("allow_elevated", "true");
    });
    let openings = lint(policy.text().as_bytes());
    assert_eq!((openings.len(), openings[0].lines.len()), (1, 8));
    let lines: Vec<_> = policy.text().lines().map(str::to_owned).collect();
    for line in &openings[0].lines {
        assert!(lines[usize::try_from(*line).unwrap() - 1].contains("allow_elevated"));
    }
}

#[test]
fn published_policies_allow_everything() {
    let corpus = corpus().join("aci");
    for item in ["milan-v2-skr-2023", "milan-v3-skr-context"] {
        let text = aci_corpus::policy(&corpus.join(item)).unwrap();
        let names: Vec<_> = lint(&text).into_iter().map(|opening| opening.name).collect();
        assert_eq!(names, ["allow_all", "no_containers"], "{item}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn any_text_is_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!lint(&text).is_empty());
    }

    /// However a byte of a tight policy is changed: what is still tight differs in a value that opens nothing.
    #[test]
    fn a_changed_policy_is_judged(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = Policy::tight().text().into_bytes();
        let position = at.index(text.len());
        text[position] = byte;
        let openings = lint(&text);
        prop_assert!(openings.iter().all(|opening| opening.lines.iter().all(|line| *line > 0)));
    }
}
