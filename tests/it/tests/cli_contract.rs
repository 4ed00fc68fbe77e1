//! What other tools rely on: the fields of each JSON object, help, completions, manual pages and the generated
//! reference.

use muster_it::cli::Muster;
use muster_it::place::{entry, plugins, root};
use serde_json::Value;

const SEV: &str = "--profile snp-raw-1 --evidence tests/fixtures/snp/milan-v2-sev/report.bin";
const CERTS: &str = "--endorsements tests/fixtures/snp/milan-v2-sev/vcek.der \
     --endorsements tests/fixtures/snp/milan-v2-sev/cert_chain.pem \
     --offline --at 2026-06-01T00:00:00Z --waive snp.crl.missing";
const AZURE: &str = "--profile snp-raw-1 --evidence tests/fixtures/snp/milan-v2-azure/report.bin \
     --offline --at 2026-06-01T00:00:00Z --endorsements tests/fixtures/snp/milan-v2-azure/certs.pem";
const NO_CERTS: &str = "--profile snp-raw-1 --evidence tests/fixtures/snp/milan-v2-sev/report.bin \
     --offline --at 2026-06-01T00:00:00Z";
const PERMITS: &str = "--policy docs/examples/demo-permits.toml";
const FORBIDS: &str = "--policy docs/examples/demo-forbids.toml";

const VERIFY: &str =
    "at binding claims code detail endorsements outcome plugin profile replayed schema waived";
const PLUGIN: &str = "name sha256 trust_class version";
const ENDORSEMENT: &str = "kind sha256 source";
const FINDING: &str = "code got source want";

/// A profile that the configured plugins do not serve.
fn unserved(muster: &Muster) -> String {
    let plugin = entry(&plugins().join("libcc_snp.so"), &["snp-raw-1"], "");
    let plugins = muster.write("plugins.toml", format!("version = 1\n{plugin}"));
    format!(
        "--profile aci-raw-1 --evidence tests/fixtures/snp/milan-v2-sev/report.bin --offline --plugins {plugins}"
    )
}

/// The fields of an object, sorted; each must be one of the contract and none may be missing.
fn fields(value: &Value, contract: &str) {
    let names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted.join(" "), contract, "{value}");
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn verify_and_appraise_print_exactly_the_fields_of_the_contract() {
    let muster = Muster::new();
    for (exit, subcommand, arguments) in [
        (0, "verify", format!("{SEV} {CERTS}")),
        (3, "verify", AZURE.to_owned()),
        (4, "verify", NO_CERTS.to_owned()),
        (6, "verify", unserved(&muster)),
        (0, "appraise", format!("{SEV} {CERTS} {PERMITS}")),
        (5, "appraise", format!("{SEV} {CERTS} {FORBIDS}")),
        (3, "appraise", format!("{AZURE} {PERMITS}")),
        (4, "appraise", format!("{NO_CERTS} {PERMITS}")),
        (6, "appraise", format!("{} {PERMITS}", unserved(&muster))),
    ] {
        let mut result = muster.json(exit, &format!("evidence {subcommand} {arguments}"));
        assert_eq!(result["schema"], format!("muster.evidence.{subcommand}/1"));
        if subcommand == "appraise" {
            let appraisal = result.as_object_mut().unwrap().remove("appraisal").unwrap();
            fields(&appraisal, "findings policy_profile status");
            list(&appraisal["findings"]).iter().for_each(|finding| fields(finding, FINDING));
            let status = match exit {
                0 => "affirming",
                5 => "contraindicated",
                _ => "none",
            };
            assert_eq!(appraisal["status"], status);
            assert_eq!(list(&appraisal["findings"]).is_empty(), exit != 5);
        }
        fields(&result, VERIFY);
        list(&result["endorsements"]).iter().for_each(|endorsement| fields(endorsement, ENDORSEMENT));
        let accepted = matches!(exit, 0 | 5);
        let outcome = match exit {
            0 | 5 => "accept",
            4 => "indeterminate",
            _ => "reject",
        };
        assert_eq!(result["outcome"], outcome);
        assert_eq!((result["code"].is_null(), result["detail"].is_null()), (accepted, accepted));
        assert_eq!(
            result["claims"].as_object().unwrap().is_empty(),
            !accepted,
            "no claims without acceptance"
        );
        assert_eq!(result["binding"], "not-compared");
        if exit == 6 {
            assert!(result["plugin"].is_null());
        } else {
            fields(&result["plugin"], PLUGIN);
            assert_eq!((&result["at"], &result["replayed"]), (&"2026-06-01T00:00:00Z".into(), &true.into()));
        }
    }
}

#[test]
fn show_marks_what_nobody_verified() {
    let muster = Muster::new();
    let shown = muster.json(0, &format!("evidence show {SEV}"));
    fields(&shown, "claims code detail plugin profile requests schema verified");
    fields(&shown["plugin"], PLUGIN);
    list(&shown["requests"]).iter().for_each(|request| fields(request, "kind url"));
    assert_eq!(shown["verified"], false);
    let verified = muster.json(0, &format!("evidence verify {SEV} {CERTS}"));
    for (name, value) in shown["claims"].as_object().unwrap() {
        assert_eq!(*value, verified["claims"][name], "{name} is shown as it is verified");
    }

    let cut = muster.write(
        "cut.bin",
        &std::fs::read(root().join("tests/fixtures/snp/milan-v2-sev/report.bin")).unwrap()[..1183],
    );
    let cut = muster.json(3, &format!("evidence show --profile snp-raw-1 --evidence {cut}"));
    assert_eq!(cut["code"], "snp.format.length");
    assert!(cut["claims"].as_object().unwrap().is_empty());
}

#[test]
fn a_file_in_no_form_of_evidence_is_rejected() {
    let muster = Muster::new();
    for (text, message) in [
        ("{}", "not the JSON form of a report"),
        ("{\"provider\":\"tdx_guest\",\"outblob\":\"\"}", "provider is \"tdx_guest\""),
        ("{\"provider\":\"sev_guest\",\"outblob\":\"%\"}", "field outblob is not base64"),
    ] {
        let file = muster.write("evidence.json", text);
        let rejected =
            muster.json(3, &format!("evidence verify --profile snp-raw-1 --evidence {file} --offline"));
        assert_eq!(rejected["code"], "env.format.invalid");
        assert!(rejected["detail"].as_str().unwrap().contains(message), "{rejected}");
    }
}

#[test]
fn evidence_beyond_the_limits_is_rejected() {
    let muster = Muster::new();
    let large = muster.write("large.bin", vec![0; cc_core::limits::MAX_EVIDENCE + 1]);
    let rejected =
        muster.json(3, &format!("evidence verify --profile snp-raw-1 --evidence {large} --offline"));
    assert_eq!(rejected["code"], "env.size.exceeded");
    fields(&rejected, VERIFY);
}

#[test]
fn words_of_hostile_evidence_are_harmless() {
    let muster = Muster::new();
    for text in ["{\"\u{1b}]0;x\u{7}\": 1}", "{\"\u{202e}\": 1}"] {
        let file = muster.write("evidence.json", text);
        let line = format!("evidence verify --profile snp-raw-1 --evidence {file} --offline");
        let rejected = muster.json(3, &line);
        assert_eq!(rejected["code"], "env.format.invalid", "{text:?}");
        let ran = muster.run(&line);
        let shown = [ran.stdout, ran.stderr].concat();
        assert!(!shown.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{shown:?}");
    }
}

#[test]
fn instants_are_rfc_3339_and_nothing_else() {
    let muster = Muster::new();
    let line = format!("evidence verify {SEV} {CERTS}").replace("--at 2026-06-01T00:00:00Z", "");
    for good in ["2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00", "2026-06-01T00:00:00.5Z"] {
        assert_eq!(muster.json(0, &format!("{line} --at {good}"))["at"], "2026-06-01T00:00:00Z");
    }
    for bad in
        ["20260601T000000Z", "2026-06-01T00:00:60Z", "2026-06-01T00:00:00+02:00[Europe/Berlin]", "2026-06-01"]
    {
        assert_eq!(muster.run(&format!("{line} --at {bad}")).exit, 2, "{bad}");
    }
}

#[test]
fn a_replay_is_marked_whatever_comes_of_it() {
    let muster = Muster::new();
    let large = muster.write("large.bin", vec![0; cc_core::limits::MAX_EVIDENCE + 1]);
    for (exit, line) in [
        (0, format!("evidence verify {SEV} {CERTS}")),
        (
            3,
            format!(
                "evidence verify --profile snp-raw-1 --evidence {large} --offline --at 2026-06-01T00:00:00Z"
            ),
        ),
        (6, format!("evidence verify {} --at 2026-06-01T00:00:00Z", unserved(&muster))),
    ] {
        assert_eq!(muster.json(exit, &line)["replayed"], true, "{line}");
    }
}

#[test]
fn every_help_text_has_an_example_and_the_top_one_the_exit_codes() {
    let muster = Muster::new();
    let top = muster.run("--help");
    assert_eq!(top.exit, 0);
    for code in ["0", "2", "3", "4", "5", "6"] {
        assert!(top.stdout.contains(&format!("\n  {code}  ")), "exit code {code}: {top}");
    }
    for (command, exit_codes) in [
        ("evidence show", false),
        ("evidence verify", true),
        ("evidence appraise", true),
        ("evidence collect", false),
        ("plugin list", false),
        ("plugin inspect", false),
        ("plugin check", false),
        ("policy check", false),
        ("explain", false),
        ("completions", false),
    ] {
        let help = muster.run(&format!("{command} --help"));
        assert_eq!((help.exit, help.stderr.as_str()), (0, ""), "{help}");
        assert!(help.stdout.contains("Example"), "{help}");
        assert!(!exit_codes || help.stdout.contains("Exit codes:"), "{help}");
    }
    assert_eq!(muster.run("--version").stdout, format!("muster {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(muster.run("").exit, 2);
}

#[test]
fn completions_and_manual_pages() {
    let muster = Muster::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = muster.run(&format!("completions {shell}"));
        assert_eq!(ran.exit, 0);
        assert!(ran.stdout.contains("muster") && ran.stdout.contains("expect-binding"), "{shell}");
    }
    let folder = muster.folder().join("man");
    let ran = muster.run(&format!("reference man {}", folder.display()));
    assert_eq!(ran.exit, 0, "{ran}");
    for page in
        ["muster", "muster-evidence-verify", "muster-plugin-check", "muster-policy-check", "muster-explain"]
    {
        let text = std::fs::read_to_string(folder.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".TH"), "{page}");
    }
}

#[test]
fn the_reference_is_what_the_binary_says() {
    let muster = Muster::new();
    for (file, line) in [("errors.md", "explain --all --format markdown"), ("cli.md", "reference cli")] {
        let ran = muster.run(line);
        assert_eq!((ran.exit, ran.stderr.as_str()), (0, ""));
        let written = std::fs::read_to_string(root().join("docs/reference").join(file)).unwrap();
        snapbox::assert_data_eq!(ran.stdout, snapbox::Data::text(written).raw());
    }
}
