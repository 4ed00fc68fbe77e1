//! Files of Intel TDX: quotes with the padding that they were saved with, bundles of collateral, revocation lists in
//! hexadecimal digits, event logs (*decisions.md* 12).

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::{Profile, bound_field_of};
use cc_manager::endorsements::{Loaded, Origin, load, split};
use cc_manager::import;
use cc_testkit::published::corpus;
use serde_json::{Value, json};

fn read(path: &str) -> Vec<u8> {
    std::fs::read(corpus().join("tdx").join(path)).unwrap()
}

/// A quote of version 4 that ends in a zero of its own.
fn quote() -> Vec<u8> {
    let mut quote = vec![0x5A; 48 + 584];
    quote[..8].copy_from_slice(&[4, 0, 2, 0, 0x81, 0, 0, 0]);
    quote.extend([10, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
    quote
}

fn imported(profile: &Profile, evidence: &[u8]) -> Vec<u8> {
    let raw = import(profile, evidence, "quote.bin").unwrap().evidence;
    let encoded = STANDARD.encode(evidence);
    let provider = if *profile == Profile::tdx_quote_1() { "tdx_guest" } else { "sev_guest" };
    let report = json!({ "provider": provider, "outblob": encoded }).to_string();
    let json = import(profile, report.as_bytes(), "quote.json").unwrap().evidence;
    assert_eq!(raw, json);
    raw
}

#[test]
fn zeros_after_the_declared_end_are_cut() {
    let (tdx, quote) = (Profile::tdx_quote_1(), quote());
    let with = |rest: &[u8]| [&quote[..], rest].concat();
    for rest in [&[][..], &[0], &[0; 7354]] {
        assert_eq!(imported(&tdx, &with(rest)), quote, "{} bytes", rest.len());
    }
    for rest in [&[1][..], &[0, 0, 1], &[1, 0, 0]] {
        assert_eq!(imported(&tdx, &with(rest)), with(rest), "not all zero");
    }
    // What declares no end, and other evidence, stays.
    for other in [&quote[..quote.len() - 1], &[0; 1024], &[0x81; 1024], &[4, 0, 0]] {
        assert_eq!(imported(&tdx, other), other);
    }
    assert_eq!(imported(&Profile::snp_raw_1(), &with(&[0])), with(&[0]));
}

#[test]
fn published_quotes_end_where_they_say() {
    let (mut quotes, mut padded) = (0, 0);
    for item in std::fs::read_dir(corpus().join("tdx")).unwrap() {
        let item = item.unwrap().path();
        let expected: Value =
            serde_json::from_slice(&std::fs::read(item.join("expected.json")).unwrap()).unwrap();
        let (Some(length), Some(trailing)) =
            (expected["observed"]["sig_len"].as_u64(), expected["observed"]["trailing"].as_u64())
        else {
            continue;
        };
        let file = ["quote.bin", "quote.dat", "moemahhouk.dat"].map(|name| item.join(name));
        let file = file.iter().find(|file| file.exists()).expect("a quote");
        let quote = std::fs::read(file).unwrap();
        let evidence = imported(&Profile::tdx_quote_1(), &quote);
        let body = match quote[0] {
            4 => 48 + 584,
            _ => 48 + 6 + usize::try_from(u32::from_le_bytes(quote[50..54].try_into().unwrap())).unwrap(),
        };
        let end = body + 4 + usize::try_from(length).unwrap();
        assert_eq!(quote.len() - end, usize::try_from(trailing).unwrap(), "{}", item.display());
        // One quote was given a text after its end.
        let zeros = quote[end..].iter().all(|byte| *byte == 0);
        assert!(zeros != item.ends_with("v4-gotdx-spr-50806f"), "{}", item.display());
        assert!(evidence == if zeros { &quote[..end] } else { &quote[..] }, "{}", item.display());
        let bound = bound_field_of(&Profile::tdx_quote_1(), &evidence).unwrap().unwrap();
        assert_eq!(hex::encode(bound.bytes), expected["observed"]["report_data"], "{}", item.display());
        (quotes, padded) = (quotes + 1, padded + usize::from(trailing > 0));
    }
    assert!(quotes >= 14 && padded >= 4, "{quotes} quotes, {padded} with padding");
    println!("published quotes: {quotes}, {padded} of them with padding");
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// A DER SEQUENCE with this content.
fn sequence(content: &[u8]) -> Vec<u8> {
    [&[0x30, u8::try_from(content.len()).unwrap()], content].concat()
}

const TCB_INFO: &str = r#"{"id":"TDX", "note":"as \"received\" \u00e9"}"#;
const QE_IDENTITY: &str = r#"{"id":"TD_QE"}"#;

/// A bundle with everything.
fn bundle() -> Value {
    let chain = |leaf: &[u8]| pem("CERTIFICATE", &sequence(leaf)) + &pem("CERTIFICATE", &sequence(b"root"));
    json!({
        "pck_crl_issuer_chain": chain(b"platform"),
        "root_ca_crl": hex::encode(sequence(b"root crl")),
        "pck_crl": hex::encode_upper(sequence(b"pck crl")),
        "tcb_info_issuer_chain": chain(b"signer"),
        "tcb_info": TCB_INFO,
        "tcb_info_signature": "ab".repeat(64),
        "qe_identity_issuer_chain": chain(b"signer"),
        "qe_identity": QE_IDENTITY,
        "qe_identity_signature": "CD".repeat(64),
    })
}

fn published(member: &str, text: &str, signature: &str) -> Vec<u8> {
    format!("{{\"{member}\":{text},\"signature\":\"{}\"}}", signature.repeat(64)).into_bytes()
}

/// Loads files of this content, numbered.
fn loaded(contents: &[&[u8]]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    for (number, content) in contents.iter().enumerate() {
        std::fs::write(folder.path().join(number.to_string()), content).unwrap();
    }
    load(&[folder.path().to_owned()], Origin::Administrator).unwrap()
}

fn objects(loaded: &Loaded) -> Vec<&[u8]> {
    loaded.endorsements.iter().map(|endorsement| endorsement.bytes.as_slice()).collect()
}

#[test]
fn bundles_are_split_into_the_objects_that_intel_publishes() {
    let loaded = loaded(&[bundle().to_string().as_bytes()]);
    let expected = [
        published("tcbInfo", TCB_INFO, "ab"),
        published("enclaveIdentity", QE_IDENTITY, "CD"),
        sequence(b"signer"),
        sequence(b"root"),
        sequence(b"root crl"),
        sequence(b"pck crl"),
    ];
    assert_eq!((objects(&loaded), &loaded.notes), (expected.iter().map(Vec::as_slice).collect(), &vec![]));
    assert!(loaded.endorsements.iter().all(|endorsement| endorsement.origin == Origin::Administrator));
}

#[test]
fn bundles_may_have_less_or_pem() {
    let list = pem("X509 CRL", &sequence(b"root crl"));
    let part = json!({
        "qe_identity": QE_IDENTITY,
        "qe_identity_signature": "CD".repeat(64),
        "root_ca_crl": list,
        "pck_certificate_chain": pem("CERTIFICATE", &sequence(b"pck")),
    });
    let loaded = loaded(&[part.to_string().as_bytes()]);
    let expected = [published("enclaveIdentity", QE_IDENTITY, "CD"), sequence(b"root crl")];
    assert_eq!((objects(&loaded), &loaded.notes), (expected.iter().map(Vec::as_slice).collect(), &vec![]));
}

/// Nothing of a bundle is used that is not what it should be, and the file is named.
#[test]
fn damaged_bundles_are_left_out() {
    let text = json!(format!("{TCB_INFO},\"more\":{{}}"));
    for (what, name, value) in [
        ("another member", "more", json!("")),
        ("a list", "pck_crl", json!([0x30, 0])),
        ("no hexadecimal digits", "pck_crl", json!("300")),
        ("hexadecimal digits that are no list", "pck_crl", json!("3001")),
        ("no list", "root_ca_crl", json!("")),
        ("no chain", "tcb_info_issuer_chain", json!("chain")),
        (
            "a chain with a key",
            "qe_identity_issuer_chain",
            json!(pem("CERTIFICATE", &sequence(b"a")) + &pem("PRIVATE KEY", &sequence(b"b"))),
        ),
        ("members of its own", "tcb_info", text),
        ("text that is no JSON", "tcb_info", json!("{")),
        ("text that is no object", "qe_identity", json!("[]")),
        ("space before the text", "qe_identity", json!(format!(" {QE_IDENTITY}"))),
        ("a short signature", "tcb_info_signature", json!("ab".repeat(63))),
        ("a signature that is more", "tcb_info_signature", json!(format!("{}\"", "a".repeat(127)))),
        ("no signature", "tcb_info_signature", Value::Null),
    ] {
        let mut bundle = bundle();
        bundle[name] = value;
        let loaded = loaded(&[bundle.to_string().as_bytes()]);
        assert_eq!((objects(&loaded), loaded.notes.len()), (vec![], 1), "{what}: {:?}", loaded.notes);
        assert!(loaded.notes[0].contains("/0: bundle: "), "{what}: {:?}", loaded.notes);
    }
    let text = bundle().to_string();
    let twice = text.replacen('{', r#"{"pck_crl":"3000","#, 1);
    assert_eq!(loaded(&[twice.as_bytes()]).endorsements.len(), 0, "a member twice");
    // A document with neither text is any document.
    let other = json!({ "pck_crl": "3000" }).to_string();
    assert_eq!(objects(&loaded(&[other.as_bytes()])), [other.as_bytes()]);
}

#[test]
fn documents_stay_as_they_are() {
    let body = published("tcbInfo", TCB_INFO, "ab");
    let spaced = b" {\n \"enclaveIdentity\" : {} }\n".to_vec();
    let files = loaded(&[&body, &spaced]);
    assert_eq!((objects(&files), &files.notes), (vec![&body[..], &spaced], &vec![]));
    for body in [&body, &spaced] {
        assert_eq!(split(body), Ok(vec![body.clone()]));
    }
    // A bundle is a form of files: what is fetched is one object.
    let bundle = bundle().to_string().into_bytes();
    assert_eq!(split(&bundle), Ok(vec![bundle]));
}

#[test]
fn lists_in_hexadecimal_digits() {
    let list = sequence(b"root crl");
    for text in [hex::encode(&list), hex::encode_upper(&list), hex::encode(&list) + "\r\n"] {
        assert_eq!(objects(&loaded(&[text.as_bytes()])), [&list[..]]);
    }
    let two = [list.clone(), list.clone()].concat();
    for other in [hex::encode(&two), hex::encode(&list[1..]), format!("0x{}", hex::encode(&list))] {
        assert_eq!(objects(&loaded(&[other.as_bytes()])), [other.as_bytes()]);
    }
}

#[test]
fn event_logs_may_be_large() {
    let mut log = vec![7; 100_000];
    assert_eq!((loaded(&[&log]).endorsements.len(), loaded(&[&log]).notes.len()), (0, 1));
    log[32..48].copy_from_slice(b"Spec ID Event03\0");
    assert_eq!(objects(&loaded(&[&log])), [&log[..]]);
}

/// Bundles and logs of the corpus; the text in a bundle is that between the signature's quotes and the member.
#[test]
fn published_files_are_read() {
    let mut bundles = 0;
    for item in ["v4-dcapqvl-b0c06f", "v4-dcapqvl-20a06f-near", "v5-dcapqvl-90c06f-outdated"] {
        let file = read(&format!("{item}/collateral.json"));
        let bundle: Value = serde_json::from_slice(&file).unwrap();
        let text = |name: &str| bundle[name].as_str().unwrap();
        let loaded = loaded(&[&file]);
        let objects = objects(&loaded);
        assert_eq!((objects.len(), &loaded.notes), (6, &vec![]), "{item}");
        for (object, member, name) in
            [(objects[0], "tcbInfo", "tcb_info"), (objects[1], "enclaveIdentity", "qe_identity")]
        {
            let signature = text(&format!("{name}_signature"));
            let expected = format!("{{\"{member}\":{},\"signature\":\"{signature}\"}}", text(name));
            assert_eq!(std::str::from_utf8(object).unwrap(), expected, "{item}");
        }
        assert_eq!(split(text("tcb_info_issuer_chain").as_bytes()).unwrap(), objects[2..4], "{item}");
        assert_eq!(
            [objects[4], objects[5]].map(hex::encode),
            [text("root_ca_crl"), text("pck_crl")],
            "{item}"
        );
        bundles += 1;
    }
    let log = loaded(&[&read("v4-gotdx-cos113-ccel/ccel_data.dat")]);
    assert_eq!((log.endorsements.len(), &log.notes), (1, &vec![]));
    // Everything that the corpus has as collateral is read; only its notes are documents of no use.
    for folder in ["collateral-2026-03", "v4-dcaprs-00806f05", "v4-gotdx-spr-50806f", "v5-gotdx-90c06f"] {
        let path: &Path = &corpus().join("tdx").join(folder);
        let loaded = load(&[path.to_owned()], Origin::Administrator).unwrap();
        assert_eq!(loaded.notes, [""; 0], "{folder}");
    }
    println!("published bundles: {bundles}");
}
