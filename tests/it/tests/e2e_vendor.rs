//! The steps of `docs/PLUGIN-GUIDE.md` with the finished plugin, as a vendor would take them.

use muster_it::cli::Muster;
use muster_it::place::{entry, root, test_plugin};
use serde_json::json;

/// The binding that the guide collects with: 128 digits of zero.
fn zeros() -> String {
    "0".repeat(128)
}

/// A configuration as the guide writes it, with these lines in `[plugin.config]` and `[danger]`.
fn plugins(muster: &Muster, settings: &str, danger: &str) -> String {
    let plugin = entry(&test_plugin("libvendor_example.so"), &["acme-note-1"], settings);
    muster.write("plugins.toml", format!("version = 1\n{plugin}\n{danger}"))
}

const EMULATED: &str = "[danger]\nallow_emulated = true";

#[test]
fn check_then_collect_then_verify() {
    let muster = Muster::new();
    let library = test_plugin("libvendor_example.so");
    let checked = muster.json(0, &format!("plugin check {}", library.display()));
    assert_eq!(checked["plugin"]["name"], "vendor-example");
    assert_eq!(checked["plugin"]["profiles"][0]["profile"], "acme-note-1");

    let plugins = plugins(&muster, "text = \"hello\"", EMULATED);
    let note = muster.folder().join("note.bin");
    let (note, zeros) = (note.display(), zeros());
    let collect =
        format!("evidence collect --profile acme-note-1 --binding {zeros} --out {note} --plugins {plugins}");
    let collected = muster.run(&collect);
    assert_eq!(collected.exit, 0, "{collected}");
    assert_eq!(collected.stdout, format!("COLLECTED acme-note-1 evidence in {note}\n"));
    assert_eq!(muster.json(0, &collect)["evidence"], note.to_string());

    let verify = format!("evidence verify --profile acme-note-1 --evidence {note} --plugins {plugins}");
    let accepted = muster.json(0, &verify);
    assert_eq!((&accepted["outcome"], &accepted["binding"]), (&"accept".into(), &"not-compared".into()));
    assert_eq!(accepted["claims"], json!({ "note": "hello" }));
    let trust = &accepted["plugin"]["trust_class"];
    assert_eq!(trust, "emulated");
    assert!(muster.run(&verify).stdout.contains("emulated: proves nothing"));

    assert_eq!(muster.json(0, &format!("{verify} --expect-binding {zeros}"))["binding"], "matched");
    let other = "5a".repeat(64);
    let mismatch = muster.json(3, &format!("{verify} --expect-binding {other}"));
    assert_eq!(mismatch["code"], "bind.report_data.mismatch");

    let shown = muster.json(0, &verify.replace("verify", "show"));
    assert_eq!((&shown["verified"], &shown["claims"]["note"]), (&false.into(), &"hello".into()));
}

#[test]
fn a_tampered_note_is_rejected_with_the_code_of_the_vendor() {
    let muster = Muster::new();
    let plugins = plugins(&muster, "", EMULATED);
    let note = muster.folder().join("note.bin");
    let binding = "5a".repeat(64);
    let collect = format!("evidence collect --profile acme-note-1 --binding {binding} --plugins {plugins}");
    assert_eq!(muster.run(&format!("{collect} --out {}", note.display())).exit, 0);
    let genuine = std::fs::read(&note).unwrap();
    assert_eq!(genuine[64..69], *b"hello", "the default of the setting");

    let last = genuine.len() - 1;
    let cases = [0, 63, 64, last].map(|at| {
        let mut note = genuine.clone();
        note[at] ^= 1;
        (format!("bit of byte {at}"), note)
    });
    let short = [("cut".to_owned(), genuine[..64].to_vec()), ("empty".to_owned(), Vec::new())];
    for (what, bytes) in cases.into_iter().chain(short) {
        let file = muster.write("tampered.bin", bytes);
        let verify = format!("evidence verify --profile acme-note-1 --evidence {file} --plugins {plugins}");
        let rejected = muster.json(3, &verify);
        assert_eq!(rejected["code"], "acme.note.invalid", "{what}");
        assert!(rejected["claims"].as_object().unwrap().is_empty());
        let ran = muster.run(&verify);
        assert!(ran.stdout.starts_with("REJECTED acme.note.invalid\n"), "{what}: {ran}");
    }
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let muster = Muster::new();
    let plugins = plugins(&muster, "", EMULATED);
    let text = "\u{1b}[2J\u{7}\nREJECTED\r";
    let mut note = vec![0; 64];
    note.extend_from_slice(text.as_bytes());
    note.push(note.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)));
    let note = muster.write("note.bin", note);
    for subcommand in ["show", "verify"] {
        let line =
            format!("evidence {subcommand} --profile acme-note-1 --evidence {note} --plugins {plugins}");
        assert_eq!(muster.json(0, &line)["claims"]["note"], text, "programs get it as it is");
        let ran = muster.run(&line);
        assert!(ran.stdout.contains("\\u{1b}[2J\\u{7}\\nREJECTED\\r"), "{ran}");
        assert!(ran.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{ran}");
        assert!(!ran.stdout.lines().any(|line| line.starts_with("REJECTED")), "{ran}");
    }
}

#[test]
fn a_misspelt_setting_is_a_configuration_error() {
    let muster = Muster::new();
    for settings in ["txet = \"hello\"", "text = 5", "text = \"hello\"\ncolour = \"red\""] {
        let plugins = plugins(&muster, settings, EMULATED);
        let ran = muster.run(&format!("plugin list --plugins {plugins} --format json"));
        assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains("plug.config.invalid") && ran.stderr.contains("hint: "), "{ran}");
        let key = settings.rsplit('\n').next().unwrap().split(' ').next().unwrap();
        assert!(ran.stderr.contains(key), "the key is named: {ran}");
    }
}

#[test]
fn an_emulated_plugin_needs_permission() {
    let muster = Muster::new();
    let plugins = plugins(&muster, "", "");
    let refused = muster.json(6, &format!("plugin list --plugins {plugins}"));
    assert_eq!(refused["code"], "plug.not_allowed");
    let verdict = muster.json(
        6,
        &format!(
            "evidence verify --profile acme-note-1 --evidence tests/fixtures/README.md --plugins {plugins}"
        ),
    );
    assert_eq!((&verdict["code"], &verdict["plugin"]), (&"plug.not_allowed".into(), &json!(null)));
}

#[test]
fn no_policy_affirms_a_profile_that_it_has_no_section_for() {
    let muster = Muster::new();
    let plugins = plugins(&muster, "", EMULATED);
    let note = muster.folder().join("note.bin").display().to_string();
    let collect = format!("evidence collect --profile acme-note-1 --binding {} --out {note}", zeros());
    assert_eq!(muster.run(&format!("{collect} --plugins {plugins}")).exit, 0);
    let appraised = muster.json(
        5,
        &format!(
            "evidence appraise --profile acme-note-1 --evidence {note} --plugins {plugins} \
             --policy docs/examples/demo-permits.toml"
        ),
    );
    assert_eq!((&appraised["outcome"], &appraised["code"]), (&"accept".into(), &json!(null)));
    assert_eq!(appraised["appraisal"]["status"], "none");
    let findings = appraised["appraisal"]["findings"].as_array().unwrap();
    assert!(findings[0]["got"].as_str().unwrap().contains("acme-note-1"), "{findings:?}");
}

#[test]
fn the_guide_names_what_is_tested_here() {
    let guide = std::fs::read_to_string(root().join("docs/PLUGIN-GUIDE.md")).unwrap();
    for text in [
        "libvendor_example.so",
        "acme-note-1",
        "acme.note.invalid",
        "text = \"hello\"",
        "allow_emulated = true",
        "muster plugin check",
        "muster evidence collect --profile acme-note-1 --binding",
        "muster evidence verify --profile acme-note-1 --evidence note.bin --plugins plugins.toml",
    ] {
        assert!(guide.contains(text), "{text}");
    }
}
