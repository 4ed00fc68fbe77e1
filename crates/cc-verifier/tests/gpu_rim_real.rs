//! Published manifests, each with its expected outcome.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

#[path = "common/gpu_corpus.rs"]
mod gpu_corpus;

use std::collections::BTreeSet;

use cc_core::{Finding, UnixTime};
use cc_verifier::gpu::rim::{Kind, Rim};
use gpu_corpus::{corpus, rim_root};
use serde_json::Value;

use Kind::{Driver, SwitchBios, Vbios};

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
        assert!(rim.validity(from).is_ok() && rim.validity(until).is_ok(), "{file}");
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
