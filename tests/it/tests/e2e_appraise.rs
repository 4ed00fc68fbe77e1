//! Whole runs over emulated reports, from files alone: the JSON form of evidence, endorsements of any mix, init data,
//! and what a policy says of each.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use cc_manager::Sha256;
use cc_testkit::snp::cert::pem;
use cc_testkit::snp::{LeafKind, Product, ReportBuilder, World};
use muster_it::cli::Muster;
use muster_it::place::{entry, test_plugin};
use serde_json::{Value, json};

const MEASUREMENT: [u8; 48] = [0xa5; 48];

/// A report with what verification needs, as files.
struct Case {
    muster: Muster,
    world: World,
    /// Profile, instant and plugins.
    common: String,
    evidence: String,
    /// Everything, in one file.
    endorsements: String,
}

impl Case {
    fn new(edit: impl FnOnce(&mut ReportBuilder) -> &mut ReportBuilder) -> Self {
        let muster = Muster::new();
        let mut world = World::new(Product::Genoa, LeafKind::Vcek);
        world.edit_report(|report| {
            edit(report.set_measurement(MEASUREMENT));
        });
        let plugin = entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], "");
        let plugins = format!("version = 1\n{plugin}\n[danger]\nallow_emulated = true\n");
        let plugins = muster.write("plugins.toml", plugins);
        let evidence = muster.write("report.bin", world.report.bytes());
        let all = [&world.leaf, &world.intermediate, &world.ark, &world.crl].map(Vec::as_slice).concat();
        let endorsements = muster.write("all.der", all);
        let common = format!("--profile snp-raw-1 --offline --at 2026-06-01T00:00:00Z --plugins {plugins}");
        Self { muster, world, common, evidence, endorsements }
    }

    fn verify(&self, exit: i32, options: &str) -> Value {
        self.muster.json(exit, &format!("evidence verify {} {options}", self.common))
    }

    /// Appraises by a policy that permits the report, with these changes.
    fn appraise(&self, exit: i32, profile: &str, knobs: &str, options: &str) -> Vec<String> {
        let policy = self.muster.write("policy.toml", format!(
            "version = 1\nprofile = \"{profile}\"\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = [\"{}\"]\n{knobs}\n\
             [snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n",
            hex::encode(MEASUREMENT)
        ));
        let Self { common, evidence, endorsements, .. } = self;
        let result = self.muster.json(exit, &format!(
            "evidence appraise {common} --evidence {evidence} --endorsements {endorsements} --policy {policy} {options}"
        ));
        assert_eq!(result["outcome"], "accept", "{result}");
        let status = if exit == 0 { "affirming" } else { "contraindicated" };
        assert_eq!(result["appraisal"]["status"], status, "{result}");
        let findings = result["appraisal"]["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn emulated_evidence_is_affirmed_in_development_only() {
    let case = Case::new(|report| report);
    assert_eq!(case.appraise(0, "development", "", ""), [""; 0]);
    assert_eq!(case.appraise(5, "production", "", ""), ["pol.profile.development"]);
}

#[test]
fn init_data_is_what_host_data_says() {
    let data = b"init data of the guest";
    let case = Case::new(|report| report.set_host_data(*Sha256::of(data).as_bytes()));
    let knob = "host_data = \"init-data\"";
    let right = case.muster.write("init-data", data);
    let wrong = case.muster.write("other-data", b"init data of another guest");
    let mismatch = ["snp.host_data.mismatch"];
    assert_eq!(case.appraise(0, "development", knob, &format!("--init-data {right}")), [""; 0]);
    assert_eq!(case.appraise(5, "development", knob, &format!("--init-data {wrong}")), mismatch);
    assert_eq!(case.appraise(5, "development", knob, ""), mismatch, "absent init data");
    assert_eq!(
        case.appraise(5, "development", "", &format!("--init-data {right}")),
        mismatch,
        "the default is zero"
    );
}

#[test]
fn the_json_form_of_a_report_brings_its_certificates() {
    let case = Case::new(|report| report);
    let crl = case.muster.write("ark.crl", &case.world.crl);
    let (report, table) = (case.world.report.bytes().as_slice(), case.world.cert_table().build());
    for (what, engine) in
        [("standard", BASE64_STANDARD), ("URL-safe, without padding", BASE64_URL_SAFE_NO_PAD)]
    {
        let form = json!({ "provider": "sev_guest\n", "outblob": engine.encode(report), "auxblob": engine.encode(&table) });
        let file = case.muster.write("report.json", form.to_string());
        let result = case.verify(0, &format!("--evidence {file} --endorsements {crl}"));
        assert_eq!(result["claims"]["measurement"], hex::encode(MEASUREMENT), "{what}");
        let source = format!("auxblob of {file}");
        let sources = result["endorsements"].as_array().unwrap().iter().map(|e| &e["source"]);
        assert!(sources.into_iter().any(|found| *found == source.as_str()), "{what}: {result}");
    }
}

#[test]
fn endorsements_of_any_mix_are_told_apart_by_content() {
    let case = Case::new(|report| report);
    let World { leaf, intermediate, ark, crl, .. } = &case.world;
    let folder = case.muster.folder().join("mix");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    write("1-crl.pem.txt", crl);
    write("2-leaf.crl", leaf);
    write("3-notes.txt", b"nothing that verification knows");
    write("4-broken.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n");
    std::fs::create_dir(folder.join("5-folder")).unwrap();
    let bundle = case.muster.write("bundle", format!("{}text between\n{}", pem(ark), pem(intermediate)));

    let options =
        format!("--evidence {} --endorsements {} --endorsements {bundle}", case.evidence, folder.display());
    let result = case.verify(0, &options);
    let found: Vec<_> =
        result["endorsements"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(found, ["snp.crl", "snp.vcek", "unknown", "snp.ark", "snp.ask"]);
    for (endorsement, bytes) in result["endorsements"].as_array().unwrap().iter().zip([crl, leaf]) {
        assert_eq!(endorsement["sha256"], Sha256::of(bytes).to_string());
    }

    // What was left out is said on standard error, and output stays one object.
    let ran = case.muster.run(&format!("-v evidence verify {} {options} --format json", case.common));
    assert_eq!(ran.json(), result);
    assert!(ran.stderr.contains("4-broken.pem") && ran.stderr.contains("5-folder"), "{ran}");
}

#[test]
fn an_altered_measurement_is_rejected() {
    let case = Case::new(|report| report);
    for byte in [0x90, 0xbf] {
        let mut report = case.world.report.bytes().to_vec();
        report[byte] ^= 0x80;
        let file = case.muster.write("altered.bin", report);
        let result = case.verify(3, &format!("--evidence {file} --endorsements {}", case.endorsements));
        assert_eq!(result["code"], "snp.signature.invalid");
        assert_eq!(result["claims"], json!({}));
    }
}
