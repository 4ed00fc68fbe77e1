//! Files of NVIDIA's GPUs: OCSP answers in base64, reference manifests, chains.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_manager::endorsements::{Loaded, Origin, load, split};
use cc_testkit::published::corpus;

/// A file of published evidence.
fn published(path: &str) -> PathBuf {
    corpus().join("nvidia-gpu/hopper-550.90.07-complete").join(path)
}

fn loaded(content: &[u8]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, content).unwrap();
    load(&[file], Origin::Administrator).unwrap()
}

fn objects(loaded: &Loaded) -> Vec<&[u8]> {
    loaded.endorsements.iter().map(|endorsement| endorsement.bytes.as_slice()).collect()
}

#[test]
fn published_answers_are_read() {
    let answers = load(&[published("ocsp")], Origin::Administrator).unwrap();
    assert_eq!((answers.endorsements.len(), answers.notes.len()), (7, 0), "{:?}", answers.notes);
    // SEQUENCE with a length of two bytes, responseStatus successful.
    let is_answer = |bytes: &[u8]| bytes[..2] == [0x30, 0x82] && bytes[4..7] == [0x0a, 1, 0];
    assert!(objects(&answers).into_iter().all(is_answer));
}

#[test]
fn published_manifests_and_chains_are_read() {
    let files = ["driver_rim.xml", "vbios_rim.xml", "cert_chain.pem"].map(published);
    let loaded = load(&files, Origin::Administrator).unwrap();
    assert_eq!((loaded.endorsements.len(), loaded.notes.len()), (2 + 5, 0), "{:?}", loaded.notes);
    assert_eq!(objects(&loaded)[0], std::fs::read(&files[0]).unwrap());
}

#[test]
fn answers_in_base64_have_one_spelling() {
    let sequence = [&[0x30, 8][..], &[7; 8]].concat();
    let text = STANDARD.encode(&sequence);
    assert!(text.ends_with("=="));
    for good in [text.clone(), text.clone() + "\n", text.clone() + "\r\n"] {
        assert_eq!(objects(&loaded(good.as_bytes())), [&sequence[..]]);
    }
    let unused_bits = format!("{}x==", &text[..text.len() - 3]);
    let (front, back) = text.split_at(4);
    for other in [
        text.trim_end_matches('=').to_owned(),
        unused_bits,
        format!(" {text}"),
        format!("{front}\n{back}"),
        format!("{text}{text}"),
        STANDARD.encode(&sequence[..9]),
        STANDARD.encode([&sequence[..], &[0]].concat()),
        STANDARD.encode(b"no sequence"),
    ] {
        assert_eq!(objects(&loaded(other.as_bytes())), [other.as_bytes()], "{other:?}");
    }
    // A form of files: what is fetched is one object.
    assert_eq!(split(text.as_bytes()), Ok(vec![text.into_bytes()]));
}
