//! Published manifests, each with its expected outcome.

use std::collections::BTreeSet;

use cc_core::{Finding, UnixTime};
use cc_testkit::gpu::rim::{Signature, Signer, Tag, root_der};
use cc_testkit::published::corpus;
use cc_verifier::gpu::rim::{Kind, Rim};
use serde_json::Value;

use Kind::{Driver, SwitchBios, Vbios};

use crate::common::gpu_corpus::rim_root;

/// Manifests that NVIDIA signed and nobody changed, with how many active measurements they have.
const GOOD: [(&str, Kind, usize); 13] = [
    ("nvidia-gpu/hopper-535.86-nvat-rim-mismatch/vbios_rim.xml", Vbios, 12),
    // Its values are not those of the report beside it, but it is as it was signed.
    ("nvidia-gpu/hopper-535.86-nvat-rim-mismatch/vbios_rim_mismatch.xml", Vbios, 12),
    ("nvidia-gpu/hopper-550.90.07-complete/driver_rim.xml", Driver, 21),
    ("nvidia-gpu/hopper-550.90.07-complete/vbios_rim.xml", Vbios, 12),
    ("nvidia-gpu/hopper-570.124-rim-expired/vbios_rim.swidtag", Vbios, 12),
    ("nvidia-gpu/rims-nvat-negative/NV_GPU_DRIVER_GH100_550.144.03.xml", Driver, 21),
    ("nvidia-gpu/rims-nvtrust/1010_0200_882_96005E0001_PROD.swidtag", Vbios, 12),
    ("nvidia-gpu/rims-nvtrust/1010_0200_882_96005E0003_PROD.swidtag", Vbios, 12),
    ("nvidia-gpu/rims-nvtrust/1010_0205_862_96005E0004_PROD.swidtag", Vbios, 12),
    ("nvidia-gpu/rims-nvtrust/g520_0200_885_9600740001_PROD.swidtag", Vbios, 12),
    ("nvidia-gpu/rims-nvtrust/g520_0202_885_96006D0008_PROD.swidtag", Vbios, 12),
    ("nvidia-gpu/rims-nvtrust/g520_0228_889_96006D0029_PROD.swidtag", Vbios, 12),
    ("nvidia-switch/ls10-nvat/switch_bios_rim.xml", SwitchBios, 31),
];

/// Manifests that must be rejected, and why.
const BAD: [(&str, &str); 5] = [
    // Edited after they were signed.
    ("nvidia-gpu/hopper-535.86-nvat-rim-mismatch/driver_rim_mismatch.xml", "gpu.rim.signature"),
    ("nvidia-gpu/hopper-570.124-rim-expired/driver_rim_expired.xml", "gpu.rim.signature"),
    ("nvidia-switch/ls10-nvat/rim_invalid_signature.xml", "gpu.rim.signature"),
    ("nvidia-gpu/rims-nvat-negative/incorrect_signature_driver_rim.xml", "gpu.rim.signature"),
    // Two certificates, the second a root for debugging.
    ("nvidia-gpu/rims-nvat-negative/incorrect_cert_chain_driver_rim.xml", "gpu.rim.chain"),
];

#[test]
fn published_manifests_have_their_outcome() {
    for (file, kind, active) in GOOD {
        let rim = Rim::verify(&read(file), &rim_root()).unwrap_or_else(|error| panic!("{file}: {error}"));
        let observed = observed(file);
        let meta = &observed["meta"];
        assert_eq!(rim.kind(), kind, "{file}");
        assert_eq!(rim.golden().len(), active, "{file}");
        assert_eq!(observed["nmeas"], active, "{file}");
        assert_eq!(meta["colloquialVersion"], rim.version(), "{file}");
        assert_eq!(meta["product"], rim.product(), "{file}");
        let (from, until) = rim.signer_validity();
        let days = format!("{}..{}", &from.to_string()[..10], &until.to_string()[..10]);
        assert_eq!(observed["leaf_valid"], days, "{file}");
        assert!(rim.validity(from).is_ok(), "{file}");
        assert_eq!(
            code_of(rim.validity(UnixTime::from_secs(from.as_secs() - 1))),
            "gpu.rim.expired",
            "{file}"
        );
    }
    for (file, code) in BAD {
        let error = Rim::verify(&read(file), &rim_root()).unwrap_err();
        assert_eq!(error.code.as_str(), code, "{file}: {error}");
    }
    println!("{} published manifests verify, {} do not", GOOD.len(), BAD.len());
}

#[test]
fn no_published_manifest_is_left_out() {
    let listed: BTreeSet<_> = GOOD
        .iter()
        .map(|(file, ..)| *file)
        .chain(BAD.iter().map(|(file, _)| *file))
        .map(str::to_owned)
        .collect();
    let mut found = BTreeSet::new();
    for class in ["nvidia-gpu", "nvidia-switch"] {
        for folder in std::fs::read_dir(corpus().join(class)).unwrap() {
            let folder = folder.unwrap().file_name().into_string().unwrap();
            if folder == "rim-parser-cases-gonvattest" {
                continue;
            }
            for file in std::fs::read_dir(corpus().join(class).join(&folder)).unwrap() {
                let file = file.unwrap().file_name().into_string().unwrap();
                if file.ends_with(".xml") || file.ends_with(".swidtag") {
                    found.insert(format!("{class}/{folder}/{file}"));
                }
            }
        }
    }
    assert_eq!(found, listed);
}

/// Every byte of a real manifest with one bit changed: none verifies.
#[test]
fn every_byte_of_a_manifest_counts() {
    let (genuine, root) = (read(SWEPT), rim_root());
    let mut changed = genuine.clone();
    for at in 0..genuine.len() {
        changed[at] ^= 1 << (at % 7);
        assert!(Rim::verify(&changed, &root).is_err(), "byte {at}");
        changed[at] = genuine[at];
    }
    println!("{} bytes of a published manifest were changed, and none verified", genuine.len());
}

/// Every byte of the beginning and of the signature of a real manifest left out: what still verifies is equal, a line
/// feed that is not signed, between lines of certificates.
#[test]
fn every_byte_of_a_manifest_is_needed() {
    let (genuine, root) = (read(SWEPT), rim_root());
    let original = Rim::verify(&genuine, &root).unwrap();
    // The measurements between are all alike.
    let signature = genuine.windows(13).position(|part| part == b"</ns0:Payload").unwrap();
    let mut dispensable = 0;
    for at in (0..2000).chain(signature..genuine.len()) {
        let shorter = [&genuine[..at], &genuine[at + 1..]].concat();
        if let Ok(rim) = Rim::verify(&shorter, &root) {
            let in_certificates = genuine[..at].windows(12).any(|part| part == b"<ds:KeyInfo>");
            assert!(in_certificates && genuine[at] == b'\n', "byte {at}");
            assert_eq!((rim.golden(), rim.version()), (original.golden(), original.version()), "byte {at}");
            dispensable += 1;
        }
    }
    println!(
        "{} bytes of a published manifest were left out; {dispensable} line feeds may be",
        genuine.len()
    );
}

/// Cases of another parser, which reads single parts of manifests without a signature. Here each part is put into a
/// manifest that is otherwise good, and signed.
#[test]
fn the_cases_of_another_parser_have_their_outcome() {
    for (file, code) in PARSER_CASES {
        let case = String::from_utf8(read(&format!("{PARSER_FOLDER}/{file}"))).unwrap();
        let unsigned = Rim::verify(case.as_bytes(), root_der()).map(drop);
        assert_eq!(code_of(unsigned), "gpu.rim.signature", "{file}");

        let good = Tag::driver("550.90.07").xml();
        let signed = match case.split_once("<KeyInfo>") {
            Some((_, key_info)) if !file.contains("meta") && !file.contains("version") => {
                let (key_info, _) = key_info.split_once("</KeyInfo>").unwrap();
                let mut signature = Signature::over(&good, &Signer::nvidia());
                signature.key_info = Some(key_info.replace("<X", "<ds:X").replace("</X", "</ds:X"));
                signature.within(&good)
            }
            Some(_) => Signer::nvidia().sign_xml(&case),
            None => Signer::nvidia().sign_xml(&completed(&case, &good)),
        };
        let outcome = match Rim::verify(signed.as_bytes(), root_der()) {
            Ok(_) => "accept".to_owned(),
            Err(error) => error.code.to_string(),
        };
        assert_eq!(outcome, code, "{file}");
    }
    assert_eq!(std::fs::read_dir(corpus().join(PARSER_FOLDER)).unwrap().count(), PARSER_CASES.len() + 2);
    println!("{} cases of another parser", PARSER_CASES.len());
}

/// A tag that has a payload alone, with the other parts of a good one, and digests where that parser takes any text.
fn completed(case: &str, good: &str) -> String {
    let (_, parts) = good.split_once('\n').unwrap();
    let (parts, _) = parts.split_once("    <ns0:Payload").unwrap();
    let case = ["hash0", "hash1", "hashA"]
        .iter()
        .fold(case.to_owned(), |case, text| case.replace(text, &"0a".repeat(48)));
    let case = case.replace("size=\"10\"", "size=\"48\"").replace("size=\"20\"", "size=\"48\"");
    let (root, content) = case.split_once('\n').unwrap();
    format!("{root}\n{parts}{content}")
}

const PARSER_FOLDER: &str = "nvidia-gpu/rim-parser-cases-gonvattest";

const SWEPT: &str = "nvidia-gpu/hopper-550.90.07-complete/vbios_rim.xml";

const PARSER_CASES: [(&str, &str); 21] = [
    ("failure_duplicate_index.xml", "gpu.rim.index_duplicate"),
    ("failure_empty_payload.xml", "gpu.rim.empty"),
    ("failure_hash_empty_namespace.xml", "gpu.rim.schema"),
    ("failure_invalid_alternatives.xml", "gpu.rim.schema"),
    ("failure_invalid_base64_cert.xml", "gpu.rim.chain"),
    ("failure_invalid_cert_bytes.xml", "gpu.rim.chain"),
    ("failure_invalid_index.xml", "gpu.rim.schema"),
    ("failure_invalid_pem_data.xml", "gpu.rim.chain"),
    ("failure_invalid_size.xml", "gpu.rim.schema"),
    ("failure_missing_alternatives.xml", "gpu.rim.schema"),
    ("failure_missing_colloquial_version.xml", "gpu.rim.schema"),
    ("failure_missing_hash.xml", "gpu.rim.schema"),
    ("failure_missing_index.xml", "gpu.rim.schema"),
    ("failure_missing_meta.xml", "gpu.rim.schema"),
    ("failure_missing_size.xml", "gpu.rim.schema"),
    ("failure_missing_x509_certificate.xml", "gpu.rim.key_binding"),
    ("failure_missing_x509_data.xml", "gpu.rim.key_binding"),
    ("failure_no_payload.xml", "gpu.rim.schema"),
    ("success_payload_multiple_alternatives.xml", "accept"),
    ("success_payload_multiple_measurements.xml", "accept"),
    ("success_payload_single_measurement.xml", "accept"),
];

fn read(file: &str) -> Vec<u8> {
    std::fs::read(corpus().join(file)).unwrap()
}

/// What the corpus says of a manifest.
fn observed(file: &str) -> Value {
    let (folder, name) = file.rsplit_once('/').unwrap();
    let expected: Value = serde_json::from_slice(&read(&format!("{folder}/expected.json"))).unwrap();
    let observed = &expected["observed"];
    [name.to_owned(), format!("rim:{name}")].iter().find_map(|key| observed.get(key)).unwrap().clone()
}

fn code_of(result: Result<(), Finding>) -> String {
    result.unwrap_err().code.to_string()
}
