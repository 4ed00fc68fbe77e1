//! Real evidence through the loaded plugin: outcome and every parsed value against the corpus, and no altered bit
//! accepted. Also over the fixtures, so that a bare clone verifies real evidence.

use std::path::Path;

use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest};
use cc_core::{Accepted, Claims, Finding, Profile, UnixTime};
use cc_manager::endorsements::{Origin, load};
use cc_manager::{Config, Host};
use cc_testkit::published::corpus;
use muster_it::place::{fixture, plugins};
use serde_json::Value;

/// 2026-06-01T00:00:00Z: all current leaves are valid, the published VLEK no longer is.
const NOW: u64 = 1_780_272_000;
/// 2025-06-01T00:00:00Z: the VLEK is valid.
const IN_2025: u64 = 1_748_736_000;

/// Item, instant, what to leave out of its folder, expected code (empty: accepted), and why it is not accepted.
type Item = (&'static str, u64, &'static [&'static str], &'static str, &'static str);

const BAD: &[&str] = &["bad-vcek-legacy.der", "bad-vcek-new.der"];

#[rustfmt::skip]
const ITEMS: &[Item] = &[
    ("cb-oak", NOW, &[], "", ""),
    ("genoa-v3-azure-tav", NOW, &[], "", ""),
    ("genoa-v3-tsm-veraison", NOW, &[], "", ""),
    ("milan-oc-staging-oak", NOW, &[], "", ""),
    ("milan-rk-release-oak", NOW, &[], "", ""),
    ("milan-v2-cocos-novcek", NOW, &[], "snp.chain.missing", "no VCEK was published with it"),
    ("milan-v2-debug-gosev", NOW, &[], "", ""),
    ("milan-v2-vcek-trustee", NOW, BAD, "", ""),
    ("milan-v2-vcek-trustee", NOW, &[], "", "the forged candidates beside the genuine one do no harm"),
    ("milan-v2-vcek-trustee", NOW, &["vcek.der", "bad-vcek-new.der"], "snp.chain.signature", "forged HWID, the signature of another certificate"),
    ("milan-v2-vcek-trustee", NOW, &["vcek.der", "bad-vcek-legacy.der"], "snp.chain.signature", "forged HWID, the signature of another certificate"),
    ("milan-v2-virtee", NOW, &[], "", ""),
    ("milan-v3-azure-tav", NOW, &[], "", ""),
    ("milan-v3-azure-tav", NOW, &["vcek.pem"], "", "the other issuance of the same key"),
    ("milan-v3-azure-tav", IN_2025, &[], "snp.chain.not_yet_valid", "both issuances are of 2026"),
    ("milan-v3-vlek-aws-trustee", IN_2025, &[], "", ""),
    ("milan-v3-vlek-aws-trustee", NOW, &[], "snp.chain.expired", "the VLEK ended 2025-12-10"),
    ("turin-v5-azure-tav", NOW, &[], "", ""),
];

/// Values of `observed` that are results of other checks and no claims.
const NOT_CLAIMS: &[&str] = &[
    "report_signature_valid",
    "chain_valid_to_ARK",
    "hwid_matches_chip_id",
    "leaf_issued_by",
    "leaf_validity",
];

fn host() -> Host {
    Host::load(&Config::load(&plugins()).unwrap(), &muster_it::place::worker()).unwrap()
}

fn request(folder: &Path, without: &[&str], waivers: &[&str], now: u64) -> VerifyRequest {
    let keep = |name: &str| {
        let certificate = [".der", ".pem"].iter().any(|extension| name.ends_with(extension));
        certificate && !without.contains(&name)
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| keep(&path.file_name().unwrap().to_string_lossy()))
        .collect();
    files.sort();
    let loaded = load(&files, Origin::Administrator).unwrap();
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: std::fs::read(folder.join("report.bin")).unwrap(),
        endorsements: loaded.endorsements.into_iter().map(|endorsement| Blob(endorsement.bytes)).collect(),
        waivers: waivers.iter().map(|code| (*code).to_owned()).collect(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(now),
    }
}

fn verify(host: &Host, request: &VerifyRequest) -> Result<Accepted, Finding> {
    host.plugins().find(|plugin| plugin.identity().name == "cc-snp").unwrap().verify(request).unwrap().outcome
}

const WAIVED: &[&str] = &["snp.crl.missing"];

#[test]
fn every_item_has_its_outcome() {
    let corpus = corpus();
    let host = host();
    for (name, now, without, expected, why) in ITEMS {
        let request = request(&corpus.join("snp").join(name), without, WAIVED, *now);
        let outcome = verify(&host, &request);
        let code = outcome.as_ref().err().map_or("", |finding| finding.code.as_str());
        assert_eq!(code, *expected, "{name} without {without:?} ({why}): {outcome:?}");
        if let Ok(accepted) = outcome {
            assert_eq!(accepted.waived, [cc_core::codes::SNP_CRL_MISSING], "{name}");
        }
    }
    println!("{} cases of real SNP reports", ITEMS.len());
}

#[test]
fn without_the_waiver_no_item_is_accepted() {
    let corpus = corpus();
    let host = host();
    for (name, now, without, expected, _) in ITEMS {
        let request = request(&corpus.join("snp").join(name), without, &[], *now);
        let code = verify(&host, &request).unwrap_err().code;
        let expected = if expected.is_empty() { "snp.crl.missing" } else { expected };
        assert_eq!(code.as_str(), expected, "{name}");
    }
    println!("{} cases of real SNP reports without a revocation list", ITEMS.len());
}

#[test]
fn every_observed_value_is_a_claim() {
    let corpus = corpus();
    let host = host();
    let (mut items, mut values) = (0, 0);
    for (name, now, without, expected, _) in ITEMS {
        let folder = corpus.join("snp").join(name);
        let recorded: Value =
            serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
        let claims = match verify(&host, &request(&folder, without, WAIVED, *now)) {
            Ok(accepted) => accepted.claims,
            // Not accepted: what the plan says of the report unverified must be right as well.
            Err(_) if *expected == "snp.chain.missing" => shown(&host, &folder),
            Err(_) => continue,
        };
        let claims = serde_json::to_value(&claims).unwrap();
        let observed = recorded["observed"].as_object().unwrap();
        for (key, value) in observed.iter().filter(|(key, _)| !NOT_CLAIMS.contains(&key.as_str())) {
            let claim = &claims[key];
            assert_eq!(*claim, *value, "{name}: {key}");
            values += 1;
        }
        items += 1;
    }
    assert!(items >= 12 && values > 12 * 20, "{items} items, {values} values");
    println!("{values} values of {items} real SNP reports");
}

/// The unverified claims of the plan.
fn shown(host: &Host, folder: &Path) -> Claims {
    let evidence = std::fs::read(folder.join("report.bin")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let profile = Profile::snp_raw_1();
    let shown = runtime.block_on(cc_manager::show(host, &profile, &evidence, Vec::new())).unwrap();
    shown.result.unwrap().0.inspect_unverified().clone()
}

#[test]
fn the_kernels_json_form_carries_its_own_chain() {
    let corpus = corpus();
    let file = std::fs::read(corpus.join("snp/genoa-v3-tsm-veraison/sevsnp-tsm-report.json")).unwrap();
    let imported = cc_manager::import(&Profile::snp_raw_1(), &file, "report").unwrap();
    let request = VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::snp_raw_1(),
        evidence: imported.evidence,
        endorsements: imported.endorsements.into_iter().map(|endorsement| Blob(endorsement.bytes)).collect(),
        waivers: vec!["snp.crl.missing".to_owned()],
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW),
    };
    assert_eq!(verify(&host(), &request).unwrap().claims.text("product"), Ok("Genoa"));
}

/// Flips every bit of a report in turn; the plugin knows the chain, so that each flip gets as far as it can.
fn no_flip_is_accepted(host: &Host, folder: &Path, now: u64) -> usize {
    let mut request = request(folder, &[], WAIVED, now);
    let _ = verify(host, &request);
    let bits = request.evidence.len() * 8;
    for bit in 0..bits {
        request.evidence[bit / 8] ^= 1 << (bit % 8);
        let outcome = verify(host, &request);
        assert!(outcome.is_err(), "{}: bit {bit} flipped and accepted", folder.display());
        request.evidence[bit / 8] ^= 1 << (bit % 8);
    }
    bits
}

macro_rules! sweeps {
    ($($test:ident $item:literal $now:expr;)*) => {
        /// One test for each report, so that they run side by side.
        mod flipped_bits_are_rejected {
            use super::*;
            $(#[test]
            fn $test() {
                let corpus = corpus();
                let bits = no_flip_is_accepted(&host(), &corpus.join("snp").join($item), $now);
                assert_eq!(bits, 9472);
                println!("{bits} flipped bits of {}", $item);
            })*
        }

        #[test]
        fn every_item_is_swept() {
            let swept = [$($item),*];
            for (name, ..) in ITEMS {
                assert!(swept.contains(name), "{name}");
            }
        }
    };
}

sweeps! {
    cb_oak "cb-oak" NOW;
    genoa_azure "genoa-v3-azure-tav" NOW;
    genoa_veraison "genoa-v3-tsm-veraison" NOW;
    milan_staging "milan-oc-staging-oak" NOW;
    milan_release "milan-rk-release-oak" NOW;
    milan_cocos "milan-v2-cocos-novcek" NOW;
    milan_debug "milan-v2-debug-gosev" NOW;
    milan_trustee "milan-v2-vcek-trustee" NOW;
    milan_virtee "milan-v2-virtee" NOW;
    milan_azure "milan-v3-azure-tav" NOW;
    milan_vlek "milan-v3-vlek-aws-trustee" IN_2025;
    turin_azure "turin-v5-azure-tav" NOW;
}

#[test]
fn flipped_bits_of_the_fixtures_are_rejected() {
    let host = host();
    for name in ["milan-v2-sev", "milan-v2-azure"] {
        assert_eq!(no_flip_is_accepted(&host, &fixture("snp").join(name), NOW), 9472);
    }
}

/// Item `vcek-only`: leaves without a report. Beside a report of another processor of their line they get as far as the
/// signature, so that root, chain, validity and extensions held.
#[test]
fn leaves_without_a_report_have_good_chains() {
    let corpus = corpus();
    let host = host();
    for (leaf, item) in
        [("vcek_turin.der", "turin-v5-azure-tav"), ("vcek_milan_enarx.der", "milan-v3-azure-tav")]
    {
        let mut request = request(&corpus.join("snp").join(item), &["vcek.pem", "vcek-2.pem"], WAIVED, NOW);
        assert_eq!(verify(&host, &request).unwrap_err().code, cc_core::codes::SNP_CHAIN_MISSING, "{item}");
        let der = std::fs::read(corpus.join("snp/vcek-only").join(leaf)).unwrap();
        request.endorsements.push(Blob(der));
        let found = verify(&host, &request).unwrap_err();
        assert_eq!(found.code, cc_core::codes::SNP_SIGNATURE_INVALID, "{leaf}: {found}");
    }
}

#[test]
fn fixtures_are_real_evidence_too() {
    let host = host();
    let good = fixture("snp/milan-v2-sev");
    let accepted = verify(&host, &request(&good, &[], WAIVED, NOW)).unwrap();
    assert_eq!(accepted.claims.text("product"), Ok("Milan"));
    let other = verify(&host, &request(&fixture("snp/milan-v2-azure"), &[], WAIVED, NOW)).unwrap_err();
    assert_eq!(other.code, cc_core::codes::SNP_SIGNATURE_INVALID, "{other}");
    let mut mixed = request(&good, &[], WAIVED, NOW);
    mixed.endorsements.extend(request(&fixture("snp/milan-v2-azure"), &[], WAIVED, NOW).endorsements);
    assert!(
        verify(&host, &mixed).is_ok(),
        "certificates of another processor beside the right one do no harm"
    );
}

#[test]
fn the_same_request_has_the_same_answer() {
    let host = host();
    let request = request(&fixture("snp/milan-v2-sev"), &[], WAIVED, NOW);
    let plugin = host.plugins().find(|plugin| plugin.identity().name == "cc-snp").unwrap();
    let first = plugin.verify(&request).unwrap();
    // The second one finds the chain remembered.
    let second = plugin.verify(&request).unwrap();
    assert_eq!(first, second);
    assert!(first.outcome.is_ok());
}
