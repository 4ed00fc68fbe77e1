//! The command line as people and programs see it: exit code, standard output and standard error of each command,
//! compared with the files in `snapshots/`. `SNAPSHOTS=overwrite` writes them anew.

use std::path::Path;

use muster_it::cli::{Muster, Ran};
use muster_it::place::{config, entry, plugins, root, test_plugin};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data, Redactions};

/// Evidence of a real Milan processor with the certificates for it.
const SEV: &str = "--profile snp-raw-1 --evidence tests/fixtures/snp/milan-v2-sev/report.bin";
const CERTS: &str = "--endorsements tests/fixtures/snp/milan-v2-sev/vcek.der \
     --endorsements tests/fixtures/snp/milan-v2-sev/cert_chain.pem";
const AT: &str = "--offline --at 2026-06-01T00:00:00Z";
const WAIVE: &str = "--waive snp.crl.missing";
/// Evidence of another processor than the certificates beside it.
const AZURE: &str = "--profile snp-raw-1 --evidence tests/fixtures/snp/milan-v2-azure/report.bin \
     --offline --at 2026-06-01T00:00:00Z --endorsements tests/fixtures/snp/milan-v2-azure/certs.pem";
/// REPORT_DATA of [`SEV`].
const BOUND: &str = "d447b55d197491bfe15cf298f9de9986b7a7c4be2468b4f6e2d53b71d7c64581\
                     0b0f2cdfca0040433be063fc1a8293f0f3f8dae7b79fecb3d1cd82bd6a93ebfd";

fn digest(file: &Path) -> String {
    cc_manager::Sha256::of(&std::fs::read(file).unwrap()).to_string()
}

/// Compares with `snapshots/NAME.txt`. Places and digests of built files differ from machine to machine.
fn snapshot(muster: &Muster, name: &str, ran: &Ran) {
    let sha256 = digest(&plugins().join("libcc_snp.so"));
    let mut redactions = Redactions::new();
    for (placeholder, value) in [
        ("[DIGEST]", sha256.clone()),
        ("[TDX_DIGEST]", digest(&plugins().join("libcc_tdx.so"))),
        ("[GPU_DIGEST]", digest(&plugins().join("libcc_gpu.so"))),
        ("[ACI_DIGEST]", digest(&plugins().join("libcc_aci.so"))),
        ("[VERSION]", env!("CARGO_PKG_VERSION").to_owned()),
        ("[SHORT]", sha256[..16].to_owned()),
        ("[TEST]", muster.folder().display().to_string()),
        ("[PLUGINS]", plugins().display().to_string()),
        ("[LIBRARIES]", test_plugin("").display().to_string().trim_end_matches('/').to_owned()),
    ] {
        redactions.insert(placeholder, value).unwrap();
    }
    let file = root().join(format!("tests/it/tests/snapshots/{name}.txt"));
    Assert::new()
        .action_env(snapbox::assert::DEFAULT_ACTION_ENV)
        .redact_with(redactions)
        .eq(ran.to_string(), Data::read_from(&file, Some(DataFormat::Text)));
}

/// Runs each command line: exit code, and all else in the snapshot of that name.
fn check(muster: &Muster, cases: &[(&str, i32, String)]) {
    for (name, exit, line) in cases {
        let ran = muster.run(line);
        assert_eq!(ran.exit, *exit, "{name}: {ran}");
        snapshot(muster, name, &ran);
        match exit {
            // A result is an object; a usage error is nothing.
            0 | 3..=6 if line.contains("--format json") => drop(ran.json()),
            2 => assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error: "), "{name}: {ran}"),
            _ => {}
        }
    }
}

#[test]
fn evidence_show_and_verify() {
    let muster = Muster::new();
    check(
        &muster,
        &[
            ("show", 0, format!("evidence show {SEV}")),
            ("show-json", 0, format!("evidence show {SEV} --format json")),
            ("verify-accept", 0, format!("evidence verify {SEV} {CERTS} {AT} {WAIVE}")),
            ("verify-accept-json", 0, format!("evidence verify {SEV} {CERTS} {AT} {WAIVE} --format json")),
            ("verify-reject", 3, format!("evidence verify {AZURE}")),
            ("verify-reject-json", 3, format!("evidence verify {AZURE} --format json")),
            ("verify-undecided", 4, format!("evidence verify {SEV} {AT}")),
            ("verify-undecided-json", 4, format!("evidence verify {SEV} {AT} --format json")),
            ("verify-crl-missing", 4, format!("evidence verify {SEV} {CERTS} {AT}")),
            (
                "verify-expired",
                3,
                format!("evidence verify {SEV} {CERTS} {WAIVE} --offline --at 2049-06-01T00:00:00Z"),
            ),
        ],
    );
    assert!(!muster.cache().exists(), "reading, replaying and offline verification leave no trace");
}

#[test]
fn the_binding_is_compared_on_request() {
    let muster = Muster::new();
    let other = "5a".repeat(64);
    let short = "5a".repeat(63);
    let verify = format!("evidence verify {SEV} {CERTS} {AT} {WAIVE}");
    let matched = muster.json(0, &format!("{verify} --expect-binding {BOUND}"));
    assert_eq!(matched["binding"], "matched");
    assert_eq!(matched["claims"]["report_data"], BOUND);
    assert_eq!(muster.json(0, &verify)["binding"], "not-compared");
    check(
        &muster,
        &[
            ("binding-mismatch", 3, format!("{verify} --expect-binding {other}")),
            ("binding-mismatch-json", 3, format!("{verify} --expect-binding {other} --format json")),
            ("binding-length", 2, format!("{verify} --expect-binding {short}")),
            ("binding-digits", 2, format!("{verify} --expect-binding {}", "xy".repeat(64))),
        ],
    );
    assert_eq!(
        muster.json(3, &format!("{verify} --expect-binding {other}"))["code"],
        "bind.report_data.mismatch"
    );
}

#[test]
fn evidence_appraise() {
    let muster = Muster::new();
    let appraise = |policy: &str| {
        format!("evidence appraise {SEV} {CERTS} {AT} {WAIVE} --policy docs/examples/{policy}.toml")
    };
    check(
        &muster,
        &[
            ("appraise-permits", 0, appraise("demo-permits")),
            ("appraise-forbids", 5, appraise("demo-forbids")),
            (
                "appraise-rejected",
                3,
                format!("evidence appraise {AZURE} --policy docs/examples/demo-permits.toml"),
            ),
        ],
    );

    let permitted = muster.json(0, &appraise("demo-permits"));
    let affirming =
        serde_json::json!({ "status": "affirming", "policy_profile": "production", "findings": [] });
    assert_eq!(permitted["appraisal"], affirming);

    let forbidden = muster.json(5, &appraise("demo-forbids"));
    assert_eq!(forbidden["outcome"], "accept", "verification's own outcome stays");
    assert_eq!(forbidden["code"], serde_json::Value::Null);
    assert_eq!(forbidden["appraisal"]["status"], "contraindicated");
    let findings = forbidden["appraisal"]["findings"].as_array().unwrap();
    let codes: Vec<_> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "snp.version.unsupported",
            "snp.product.not_allowed",
            "snp.crl.missing",
            "snp.platform.alias_check",
            "snp.platform.ecc",
            "snp.measurement.unknown",
        ]
    );

    let none = serde_json::json!({ "status": "none", "policy_profile": "production", "findings": [] });
    let rejected =
        muster.json(3, &format!("evidence appraise {AZURE} --policy docs/examples/demo-permits.toml"));
    assert_eq!(rejected["appraisal"], none);
    let undecided = appraise("demo-permits").replace(WAIVE, "");
    let undecided = muster.json(4, &undecided);
    assert_eq!((&undecided["appraisal"], &undecided["code"]), (&none, &"snp.crl.missing".into()));
}

#[test]
fn usage_errors() {
    let muster = Muster::new();
    let verify = format!("evidence verify {SEV} {CERTS} {AT}");
    let missing = muster.folder().join("nothing").display().to_string();
    check(
        &muster,
        &[
            ("usage-waive-other", 2, format!("{verify} --waive snp.chain.missing")),
            ("usage-waive-unknown", 2, format!("{verify} --waive snp.crl")),
            ("usage-at", 2, "evidence verify --profile snp-raw-1 --evidence x --at yesterday".to_owned()),
            (
                "usage-at-early",
                2,
                "evidence verify --profile snp-raw-1 --evidence x --at 1969-12-31T23:59:59Z".to_owned(),
            ),
            ("usage-profile-name", 2, verify.replace("snp-raw-1", "Foo")),
            ("usage-profile-unknown", 2, format!("{verify} --format json").replace("snp-raw-1", "foo-1")),
            (
                "usage-no-evidence",
                2,
                format!("evidence verify --profile snp-raw-1 --evidence {missing} --format json"),
            ),
            ("usage-no-endorsements", 2, format!("{verify} --endorsements {missing}")),
            ("usage-no-policy", 2, format!("evidence appraise {SEV} {CERTS} {AT} --policy {missing}")),
            ("usage-no-plugins", 2, format!("{verify} --plugins {missing} --format json")),
            ("usage-no-subcommand", 2, "evidence judge".to_owned()),
        ],
    );
}

#[test]
fn plugins_that_do_not_serve_or_load() {
    let muster = Muster::new();
    let production = plugins().join("libcc_snp.so");
    let good = entry(&production, &["snp-raw-1"], "");
    let alone = muster.write("alone.toml", format!("version = 1\n{good}"));
    let unserved =
        format!("evidence verify {SEV} {CERTS} {AT} --plugins {alone}").replace("snp-raw-1", "aci-raw-1");
    let wrong_digest = good.replace(&digest(&production), &"0".repeat(64));
    let wrong_digest = config(muster.folder(), &[wrong_digest]).display().to_string();
    let library = test_plugin("libabi_older_minor.so").display().to_string();
    check(
        &muster,
        &[
            ("plugin-unserved", 6, unserved.clone()),
            ("plugin-unserved-json", 6, format!("{unserved} --format json")),
            (
                "plugin-unserved-appraise",
                6,
                format!("{unserved} --policy docs/examples/demo-permits.toml --format json")
                    .replace("verify", "appraise"),
            ),
            (
                "plugin-unserved-show",
                6,
                format!(
                    "evidence show --format json --profile aci-raw-1 --plugins {alone} \
                     --evidence tests/fixtures/snp/milan-v2-sev/report.bin"
                ),
            ),
            ("plugin-digest", 6, format!("plugin list --plugins {wrong_digest}")),
            ("plugin-digest-json", 6, format!("plugin list --plugins {wrong_digest} --format json")),
            (
                "plugin-digest-verify-json",
                6,
                format!("evidence verify {SEV} {AT} --plugins {wrong_digest} --format json"),
            ),
            ("plugin-older-abi", 6, format!("plugin inspect {library}")),
            ("plugin-older-abi-json", 6, format!("plugin check {library} --format json")),
        ],
    );
    for (name, code, line) in [
        ("unserved", "plug.profile.unserved", unserved),
        ("digest", "plug.digest.mismatch", format!("plugin list --plugins {wrong_digest}")),
        ("digest", "plug.digest.mismatch", format!("evidence show {SEV} --plugins {wrong_digest}")),
        ("ABI", "plug.abi.version", format!("plugin inspect {library}")),
    ] {
        assert_eq!(muster.json(6, &line)["code"], code, "{name}");
    }
}

#[test]
fn plugin_commands() {
    let muster = Muster::new();
    let library = plugins().join("libcc_snp.so").display().to_string();
    check(
        &muster,
        &[
            ("plugin-list", 0, format!("plugin list --plugins {}", plugins().display())),
            ("plugin-list-json", 0, "plugin list --format json".to_owned()),
            ("plugin-inspect", 0, format!("plugin inspect {library}")),
            ("plugin-inspect-json", 0, format!("plugin inspect {library} --format json")),
            ("plugin-check", 0, format!("plugin check {library}")),
            ("plugin-check-json", 0, format!("plugin check {library} --format json")),
        ],
    );
}

#[test]
fn policy_check() {
    let muster = Muster::new();
    let broken = |name: &str, text: &str| format!("policy check {}", muster.write(name, text));
    let some = format!("measurements = [\"{}\"]", "ab".repeat(48));
    let genoa = "[snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n";
    let good = format!("version = 1\n[snp]\nproducts = [\"Genoa\"]\n{some}\n{genoa}");
    let cases = [
        ("policy-permits", 0, "policy check docs/examples/demo-permits.toml".to_owned()),
        ("policy-permits-json", 0, "policy check docs/examples/demo-permits.toml --format json".to_owned()),
        ("policy-syntax", 2, broken("syntax.toml", "version = 1\n[snp\n")),
        ("policy-unknown-key", 2, broken("key.toml", &good.replace("[snp]", "[snp]\ncolour = 1"))),
        ("policy-version", 2, broken("version.toml", &good.replace("version = 1", "version = 2"))),
        ("policy-no-tcb", 2, broken("tcb.toml", &good.replace(genoa, ""))),
        ("policy-no-measurement", 2, broken("none.toml", &good.replace(&some, "measurements = []"))),
        ("policy-zero-measurement", 2, broken("zero.toml", &good.replace("ab", "00"))),
        ("policy-locked", 2, broken("locked.toml", &good.replace("[snp]", "[snp]\nallow_debug = true"))),
    ];
    check(&muster, &cases);
    assert_eq!(muster.run(&broken("good.toml", &good)).exit, 0);
    for (name, exit, line) in &cases {
        let ran = muster.run(line);
        let place = line.split_whitespace().last().unwrap();
        assert!(*exit == 0 || ran.stderr.contains("pol.") && ran.stderr.contains(place), "{name}: {ran}");
    }
    let appraise = format!(
        "evidence appraise {SEV} {CERTS} {AT} {WAIVE} --policy {}",
        muster.write("b.toml", "version = 3")
    );
    let ran = muster.run(&format!("{appraise} --format json"));
    assert_eq!((ran.exit, ran.stdout.as_str()), (2, ""), "a policy that does not load is a usage error");
}

#[test]
fn explain() {
    let muster = Muster::new();
    check(
        &muster,
        &[
            ("explain", 0, "explain snp.crl.missing".to_owned()),
            ("explain-json", 0, "explain snp.crl.missing --format json".to_owned()),
            ("explain-unknown", 2, "explain snp.nothing.such".to_owned()),
            ("explain-vendor", 2, "explain acme.note.invalid".to_owned()),
        ],
    );
    let all = muster.json(0, "explain --all");
    assert_eq!(all["codes"].as_array().unwrap().len(), cc_core::registry().count());
}

#[test]
fn every_snapshot_belongs_to_a_case() {
    let source = include_str!("cli_snapshots.rs");
    for entry in std::fs::read_dir(root().join("tests/it/tests/snapshots")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(source.contains(&format!("\"{name}\"")), "{name} is compared with nothing");
    }
}
