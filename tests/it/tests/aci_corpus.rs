//! Real evidence of Azure's container groups and machines through the command and the loaded plugin, in the forms in which
//! it was published.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cc_testkit::published::corpus;
use cc_testkit::published::tdx::COLLATERAL as COLLATERAL_SETS;
use muster_it::cli::{Muster, Ran};
use muster_it::place::{entry, plugins};
use serde_json::{Value, json};

/// Within the validity of every VCEK.
const MID_2026: &str = "2026-06-01T00:00:00Z";
/// Within that of the collateral of the published trust domain.
const FEBRUARY_2025: &str = "2025-02-14T00:00:00Z";
/// The endorsement of a newer utility VM than those that other reports have.
const CSS: &str = "aci/css-attested-20250617";
/// Nobody published a revocation list beside the reports.
const NO_CRL: &str = " --waive snp.crl.missing";
/// Trust domains are verified with this collateral, which was published elsewhere.
const COLLATERAL: &[&str] = &["dcaprs-2025-02"];

/// Profile, folder, evidence, endorsements (within the folder, or from the corpus's own with a slash), instant, outcome.
type Row = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str, &'static str);

const RAW: &str = "aci-raw-1";
const MAA: &str = "aci-maa-1";
const VTPM: &str = "az-cvm-vtpm-1";
const AMD: &[&str] = &["vcek.der", "ask.der", "ark.der"];
const JULY_2021: &str = "2021-07-01T21:00:00Z";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (RAW, CSS, "report.bin", &["vcek_chain.pem", "uvm_endorsement.cose"], MID_2026, "accept"),
    (RAW, "aci/css-attested-20250812", "report.bin", &["vcek_chain.pem", "uvm_endorsement.cose"], MID_2026, "accept"),
    (RAW, "aci/milan-v2-kms", "snp.json", &[], MID_2026, "accept"),
    (RAW, "aci/milan-v2-kms", "report.bin", &["vcek.der", "ask.der", "ark.der", "uvm_endorsement.cose"], MID_2026, "accept"),
    (RAW, "aci/milan-v2-ravl", "sev_snp.att", &[], MID_2026, "aci.uvm.missing"),
    (RAW, "aci/milan-v2-ravl", "report.bin", AMD, MID_2026, "aci.uvm.missing"),
    (RAW, "aci/milan-v2-skr-2023", "report.bin",
        &["host_amd_certificate.json", "uvm_endorsement.cose", "security_policy.base64"], MID_2026, "accept"),
    (RAW, "aci/milan-v2-skr-2023", "report.bin",
        &["host_amd_certificate.pem", "uvm_endorsement.cose"], MID_2026, "accept"),
    (RAW, "aci/milan-v3-skr-report", "report.bin", AMD, MID_2026, "aci.uvm.missing"),
    (RAW, "aci/milan-v3-skr-report", "report.bin",
        &["vcek.der", "ask.der", "ark.der", "aci/css-attested-20250617/uvm_endorsement.cose"], MID_2026, "accept"),
    (RAW, "aci/scitt-ccf-milan-v3", "report.bin",
        &["vcek.der", "ask.der", "ark.der", "uvm_endorsement.cose"], MID_2026, "accept"),
    // A security context without its report, tried with another group's.
    (RAW, CSS, "report.bin", &["vcek_chain.pem", "aci/milan-v3-skr-context/reference-info-base64"], MID_2026,
        "aci.uvm.measurement_mismatch"),
    (RAW, CSS, "report.bin",
        &["vcek_chain.pem", "uvm_endorsement.cose", "aci/milan-v3-skr-context/security-policy-base64"], MID_2026,
        "aci.cce_policy.digest"),
    (RAW, CSS, "report.bin", &["uvm_endorsement.cose", "aci/milan-v3-skr-context/host-amd-cert-base64"], MID_2026,
        "snp.signature.invalid"),
    (RAW, CSS, "report.bin", &["uvm_endorsement.cose"], MID_2026, "snp.chain.missing"),
    (RAW, CSS, "report.bin", &["vcek_chain.pem", "uvm_endorsement.cose"], "2024-06-01T00:00:00Z", "snp.chain.not_yet_valid"),

    // Keys of that day are not published; nobody calls the group compliant.
    (MAA, "maa-token/sevsnpvm-2025", "token.jwt", &[], "2025-04-08T05:00:00Z", "maa.compliance.mismatch"),
    (MAA, "maa-token/sevsnpvm-2025", "token.jwt", &[], MID_2026, "jwt.expired"),
    (MAA, "maa-token/sgx-2021-jwks", "token-attest-0.jwt", &["jwks.json"], JULY_2021, "maa.type.mismatch"),
    (MAA, "maa-token/sgx-2021-jwks", "token-attest-0.jwt", &["jwks.json"], MID_2026, "jwt.expired"),
    (MAA, "maa-token/sgx-2021-jwks", "token-attest-0.jwt", &[], JULY_2021, "maa.type.mismatch"),
    (MAA, "maa-token/sgx-2021-jwks", "token-attest-1.jwt", &["jwks.json"], JULY_2021, "maa.type.mismatch"),
    (MAA, "maa-token/sgx-2021-jwks", "token-policy-0.jwt", &["jwks.json"], JULY_2021, "maa.type.mismatch"),

    (VTPM, "snp-azure-vtpm/milan-v2-hcl-kinvolk-novcek", "hcl-report.bin", &["certs.pem"], MID_2026, "snp.signature.invalid"),
    (VTPM, "snp-azure-vtpm/milan-v2-hcl-trustee", "tpm-quote-v1.json", &["vcek_chain.pem"], MID_2026, "accept"),
    (VTPM, "snp-azure-vtpm/milan-v2-hcl-trustee", "hcl-report.bin", &["vcek_chain.pem"], MID_2026, "vtpm.quote.missing"),
    (VTPM, "snp-azure-vtpm/milan-v3-cleanroom-signing", "attestation.json", &[], MID_2026, "accept"),
    (VTPM, "snp-azure-vtpm/milan-v3-cleanroom-signing", "attestation.json", AMD, MID_2026, "accept"),
    (VTPM, "snp-azure-vtpm/milan-v3-trustee-v0", "evidence.json", &["ask.der"], MID_2026, "accept"),
    (VTPM, "snp-azure-vtpm/milan-v3-trustee-v1", "evidence.json", &["ask.der"], MID_2026, "accept"),
    (VTPM, "snp-azure-vtpm/milan-v3-trustee-v2", "evidence.json", &["ask.der"], MID_2026, "accept"),
    (VTPM, "snp-azure-vtpm/milan-v3-trustee-v2", "evidence.json", &[], MID_2026, "snp.chain.missing"),
    (VTPM, "tdx-azure-vtpm/kinvolk-hcl", "hcl-report.bin", COLLATERAL, FEBRUARY_2025, "vtpm.format.malformed"),
    (VTPM, "tdx-azure-vtpm/trustee-v0-v1", "evidence-v0.json", COLLATERAL, FEBRUARY_2025, "accept"),
    (VTPM, "tdx-azure-vtpm/trustee-v0-v1", "evidence-v1.json", COLLATERAL, FEBRUARY_2025, "accept"),
    (VTPM, "tdx-azure-vtpm/trustee-v0-v1", "evidence-v1.json", &[], FEBRUARY_2025, "tdx.crl.missing"),
];

/// The plugin with the issuers of the published tokens.
fn configured(muster: &Muster) -> String {
    let issuers = [
        "https://sharedweu.weu.test.attest.azure.net",
        "https://pylarryoattestationaad.wus.attest.azure.net",
    ];
    let settings = format!("maa_issuers = {issuers:?}");
    let plugin = entry(&plugins().join("libcc_aci.so"), &[RAW, MAA, VTPM], &settings);
    muster.write("plugins.toml", format!("version = 1\n{plugin}"))
}

/// A quote that was published beside its HCL report is put together with it, as the guest components write both.
fn evidence(muster: &Muster, item: &Path, file: &str) -> String {
    if file != "tpm-quote-v1.json" {
        return item.join(file).display().to_string();
    }
    let quote: Value = serde_json::from_slice(&std::fs::read(item.join(file)).unwrap()).unwrap();
    let hcl_report = STANDARD.encode(std::fs::read(item.join("hcl-report.bin")).unwrap());
    muster.write(
        "machine.json",
        json!({ "version": 1, "tpm_quote": quote, "hcl_report": hcl_report }).to_string(),
    )
}

fn run(muster: &Muster, plugins: &str, corpus: &Path, row: &Row, more: &str) -> Ran {
    let (profile, folder, file, endorsements, at, _) = row;
    let evidence = evidence(muster, &corpus.join(folder), file);
    let mut line = format!(
        "evidence verify --profile {profile} --plugins {plugins} --evidence {evidence} --offline --at {at} \
         --format json{more}"
    );
    let published = COLLATERAL_SETS.iter().find(|(name, _)| endorsements.contains(name));
    for file in published.map_or(*endorsements, |(_, files)| *files) {
        let base = if file.contains('/') { corpus.to_owned() } else { corpus.join(folder) };
        line += &format!(" --endorsements {}", base.join(file).display());
    }
    muster.run(&line)
}

#[test]
fn every_item_has_its_outcome() {
    let corpus = corpus();
    let corpus = corpus.canonicalize().unwrap();
    let muster = Muster::new();
    let plugins = configured(&muster);
    let mut folders = BTreeSet::new();
    for row in ROWS {
        let (profile, folder, file, _, at, expected) = row;
        folders.insert(corpus.join(folder));
        let ran = run(&muster, &plugins, &corpus, row, NO_CRL);
        let result: Value = ran.json();
        let case = format!("{folder}/{file} as {profile} at {at}: {result}");
        assert_eq!(result["plugin"]["name"], "cc-aci", "{case}");
        if *expected == "accept" {
            assert_eq!((&result["outcome"], ran.exit), (&Value::from("accept"), 0), "{case}");
            observed(&corpus.join(folder), &result["claims"]);
        } else {
            let exit = if expected.ends_with(".missing")
                && !expected.starts_with("aci")
                && !expected.starts_with("vtpm")
            {
                4
            } else {
                3
            };
            assert_eq!((&result["code"], ran.exit), (&Value::from(*expected), exit), "{case}");
        }
    }
    for kind in ["aci", "maa-token", "snp-azure-vtpm", "tdx-azure-vtpm"] {
        for item in std::fs::read_dir(corpus.join(kind)).unwrap().flatten() {
            let elsewhere = item.path().ends_with("milan-v3-skr-context");
            assert!(elsewhere || folders.contains(&item.path()), "{} has no row", item.path().display());
        }
    }
    println!("{} cases of real evidence of Azure's groups and machines", ROWS.len());
}

/// What was observed of the item by other means, in words of the report, the endorsement and the TPM.
fn observed(folder: &Path, claims: &Value) {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    let observed = &expected["observed"];
    for name in [
        "version",
        "measurement",
        "host_data",
        "report_data",
        "reported_tcb",
        "chip_id",
        "mr_td",
        "td_attributes",
    ] {
        if !observed[name].is_null() {
            assert_eq!(claims[name], observed[name], "{name} of {}", folder.display());
        }
    }
    if !observed["uvm_payload"].is_null() {
        let (said, uvm) = (&observed["uvm_payload"], &claims["uvm"]);
        assert_eq!(uvm["launchmeasurement"], said["x-ms-sevsnpvm-launchmeasurement"]);
        assert_eq!(uvm["guestsvn"].to_string(), said["x-ms-sevsnpvm-guestsvn"].as_str().unwrap());
        assert_eq!((&uvm["issuer"], &uvm["feed"]), (&observed["issuer"], &observed["feed"]));
    }
    if let Some(quotes) = observed["vtpm_quote"].as_object() {
        assert!(quotes.values().any(|quote| quote["extra_data"] == claims["vtpm"]["extra_data"]), "{claims}");
        let vm = &claims["hcl"]["vm_configuration"];
        assert_eq!(vm["vmUniqueId"], observed["vm_configuration"]["vmUniqueId"]);
    }
}

/// What a quote is bound to is compared by the host, all of it.
#[test]
fn the_binding_is_compared() {
    let corpus = corpus();
    let corpus = corpus.canonicalize().unwrap();
    let muster = Muster::new();
    let plugins = configured(&muster);
    let report_data = "a3fc5df291c866d1ae7fe90519384eee2b84d412ed4abe22c71395b6fde3057d";
    let row = &ROWS[0];
    let ask = |row: &Row, binding: &str| {
        let ran = run(&muster, &plugins, &corpus, row, &format!("{NO_CRL} --expect-binding {binding}"));
        let result: Value = ran.json();
        (ran.exit, result["code"].as_str().unwrap_or("accept").to_owned())
    };
    assert_eq!(ask(row, &format!("{report_data}{}", "0".repeat(64))), (0, "accept".to_owned()));
    assert_eq!(ask(row, &"0".repeat(128)), (3, "bind.report_data.mismatch".to_owned()));
    // Nine bytes of a challenge are not the digest of anything, whatever is expected.
    let machine = ROWS.iter().find(|row| row.1.ends_with("milan-v3-trustee-v1")).unwrap();
    let padded = format!("{}{}", hex::encode("challenge"), "0".repeat(46));
    assert_eq!(ask(machine, &padded), (3, "bind.report_data.mismatch".to_owned()));
    println!("3 cases of the binding of Azure's groups and machines");
}
