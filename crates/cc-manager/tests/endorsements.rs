//! Endorsements and evidence from files.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use cc_core::Profile;
use cc_manager::endorsements::{Loaded, Origin, load, split};
use cc_manager::{ImportError, Sha256, import};

/// A DER SEQUENCE of `length` bytes of content.
fn sequence(length: usize, fill: u8) -> Vec<u8> {
    let mut der = match length {
        0..0x80 => vec![0x30, u8::try_from(length).unwrap()],
        0x80..0x100 => vec![0x30, 0x81, u8::try_from(length).unwrap()],
        _ => [&[0x30, 0x82][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    der.resize(der.len() + length, fill);
    der
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}

#[test]
fn bundles_are_split_into_objects() {
    let (short, medium, long) = (sequence(3, 1), sequence(200, 2), sequence(2000, 3));
    let bundle = pem("CERTIFICATE", &short) + &pem("X509 CRL", &long);
    for (what, file, objects) in [
        ("one value", long.clone(), vec![long.clone()]),
        (
            "three values",
            [&short[..], &medium, &long].concat(),
            vec![short.clone(), medium.clone(), long.clone()],
        ),
        ("PEM", bundle.clone().into_bytes(), vec![short.clone(), long.clone()]),
        (
            "PEM with text before",
            format!("subject=ARK\n{bundle}").into_bytes(),
            vec![short.clone(), long.clone()],
        ),
        (
            "PEM with a key",
            (pem("PRIVATE KEY", &medium) + &bundle).into_bytes(),
            vec![short.clone(), long.clone()],
        ),
        (
            "PEM with another section",
            (pem("SOMETHING", &medium) + &bundle).into_bytes(),
            vec![short.clone(), long.clone()],
        ),
        (
            "PEM with a damaged section",
            format!("{bundle}-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n").into_bytes(),
            vec![short.clone(), long.clone()],
        ),
        (
            "PEM with other line ends",
            bundle.replace('\n', "\r\n").into_bytes(),
            vec![short.clone(), long.clone()],
        ),
        ("trailing bytes", [&short[..], b"\0"].concat(), vec![[&short[..], b"\0"].concat()]),
        ("cut short", long[..1000].to_vec(), vec![long[..1000].to_vec()]),
        ("indefinite length", vec![0x30, 0x80, 0, 0], vec![vec![0x30, 0x80, 0, 0]]),
        (
            "length of eight bytes",
            vec![0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 0],
            vec![vec![0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 0]],
        ),
        (
            "JSON with PEM inside",
            format!("{{\"chain\":\"\n{bundle}\"}}").into_bytes(),
            vec![format!("{{\"chain\":\"\n{bundle}\"}}").into_bytes()],
        ),
        ("any bytes", b"\xd2\x84".to_vec(), vec![b"\xd2\x84".to_vec()]),
    ] {
        assert_eq!(split(&file), Ok(objects), "{what}");
    }
    for (what, file) in [
        ("no end", bundle.replace("-----END", "-----")),
        ("not base64", "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n".to_owned()),
        ("a key alone", pem("PRIVATE KEY", &short)),
        ("nothing known", pem("SOMETHING", &short)),
    ] {
        assert!(split(file.as_bytes()).is_err(), "{what}");
    }
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn names(loaded: &Loaded) -> Vec<String> {
    let name = |source: &str| Path::new(source).file_name().unwrap().to_str().unwrap().to_owned();
    loaded.endorsements.iter().map(|endorsement| name(&endorsement.source)).collect()
}

#[test]
fn folders_are_read_in_the_order_of_names() {
    let folder = folder(&[
        ("c.bin", b"c"),
        ("a.pem", pem("CERTIFICATE", &sequence(5, 1)).as_bytes()),
        ("b.der", &[sequence(5, 2), sequence(5, 3)].concat()),
        ("d-again.der", &sequence(5, 1)),
    ]);
    std::fs::create_dir(folder.path().join("below")).unwrap();
    std::fs::write(folder.path().join("below/e.bin"), "e").unwrap();
    let loaded = load(&[folder.path().to_owned()], Origin::Administrator).unwrap();
    assert_eq!(names(&loaded), ["a.pem", "b.der", "b.der", "c.bin"]);
    assert_eq!(loaded.endorsements[0].sha256, Sha256::of(&sequence(5, 1)));
    assert!(loaded.endorsements.iter().all(|endorsement| endorsement.origin == Origin::Administrator));
    assert_eq!(loaded.notes.len(), 1, "{:?}", loaded.notes);
    assert!(loaded.notes[0].contains("below"));
    let single = load(&[folder.path().join("c.bin"), folder.path().join("c.bin")], Origin::Attester).unwrap();
    assert_eq!(names(&single), ["c.bin"]);
}

#[test]
fn unusable_files_are_reported() {
    let mib = vec![0; 1024 * 1024 + 1];
    let large = vec![0; 4 * 1024 * 1024 + 1];
    let bad_pem = b"-----BEGIN CERTIFICATE-----\n";
    let folder = folder(&[("1", b""), ("2", &mib), ("3", &large), ("4", bad_pem), ("6", b"good")]);
    symlink("nowhere", folder.path().join("5")).unwrap();
    let loaded = load(&[folder.path().to_owned()], Origin::Attester).unwrap();
    assert_eq!((names(&loaded), loaded.notes.len()), (vec!["6".to_owned()], 5), "{:?}", loaded.notes);
    assert!(loaded.notes.iter().any(|note| note.contains("/5: ")), "{:?}", loaded.notes);
    let missing = folder.path().join("none");
    assert_eq!(load(std::slice::from_ref(&missing), Origin::Attester).unwrap_err().path, missing);
    assert!(load(&[PathBuf::new()], Origin::Attester).is_err());
}

#[test]
fn parts_that_are_left_out_are_reported() {
    let bundle = pem("CERTIFICATE", &sequence(5, 1)) + &pem("PRIVATE KEY", &sequence(5, 2));
    let folder = folder(&[("bundle.pem", bundle.as_bytes())]);
    let loaded = load(&[folder.path().to_owned()], Origin::Administrator).unwrap();
    assert_eq!(
        (names(&loaded), loaded.notes.len()),
        (vec!["bundle.pem".to_owned()], 1),
        "{:?}",
        loaded.notes
    );
    assert!(loaded.notes[0].contains("bundle.pem: PEM section PrivateKey"), "{:?}", loaded.notes);
}

#[test]
fn large_objects_must_look_like_something() {
    let kib16 = 16 * 1024;
    let document = format!(" {{{}}}", " ".repeat(kib16));
    for (what, content, kept) in [
        ("small", vec![7; kib16], true),
        ("large", vec![7; kib16 + 1], false),
        ("large document", document.into_bytes(), true),
        ("large DER", sequence(kib16, 1), true),
        ("large DER, cut short", sequence(2 * kib16, 1)[..2 * kib16].to_vec(), false),
    ] {
        let folder = folder(&[("file", &content)]);
        let loaded = load(&[folder.path().to_owned()], Origin::Administrator).unwrap();
        let expected = if kept { (1, 0) } else { (0, 1) };
        assert_eq!((loaded.endorsements.len(), loaded.notes.len()), expected, "{what}: {:?}", loaded.notes);
    }
}

#[test]
fn folders_have_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    for i in (0..300).rev() {
        std::fs::write(folder.path().join(format!("{i:03}")), i.to_string()).unwrap();
    }
    let loaded = load(&[folder.path().to_owned()], Origin::Attester).unwrap();
    let first: Vec<_> = (0..256).map(|i| format!("{i:03}")).collect();
    assert_eq!((names(&loaded), loaded.notes.len()), (first, 1), "the first by name");
}

#[test]
fn reports_in_json() {
    let snp = Profile::snp_raw_1();
    let (report, table) = (vec![0xfb; 1184], vec![0xfe; 70]);
    for (what, text) in [
        (
            "address alphabet",
            format!(
                r#"{{"provider":"sev_guest\n","outblob":"{}","auxblob":"{}"}}"#,
                URL_SAFE_NO_PAD.encode(&report),
                URL_SAFE.encode(&table)
            ),
        ),
        (
            "standard alphabet",
            format!(
                " {{\"auxblob\":\"{}\",\"outblob\":\"{}\",\"provider\":\"sev_guest\"}}\n",
                STANDARD.encode(&table),
                STANDARD.encode(&report)
            ),
        ),
    ] {
        let imported = import(&snp, text.as_bytes(), "report.json").unwrap();
        assert_eq!(imported.evidence, report, "{what}");
        let only = &imported.endorsements[0];
        assert_eq!(
            (&only.bytes, only.origin, only.source.as_str()),
            (&table, Origin::Attester, "auxblob of report.json")
        );
    }
    let bare = import(&snp, br#"{"provider":"sev_guest","outblob":"AAAA"}"#, "").unwrap();
    assert_eq!((bare.evidence, bare.endorsements.len()), (vec![0; 3], 0));
    let raw = import(&snp, &report, "report.bin").unwrap();
    assert_eq!((raw.evidence, raw.endorsements.len()), (report, 0));
}

#[test]
fn other_json_is_refused() {
    let snp = Profile::snp_raw_1();
    let read = |text: &str| import(&snp, text.as_bytes(), "").unwrap_err();
    for text in [
        "{",
        "{}",
        r#"{"provider":"sev_guest"}"#,
        r#"{"provider":"sev_guest","outblob":"AAAA","outblob":"AAAA"}"#,
        r#"{"provider":"sev_guest","outblob":"AAAA","more":1}"#,
        r#"{"provider":"sev_guest","outblob":["AAAA"]}"#,
        r#"{"provider":"sev_guest","outblob":"AAAA"} {}"#,
        &format!("{{\"a\":{}1{}}}", "[".repeat(1000), "]".repeat(1000)),
    ] {
        assert!(matches!(read(text), ImportError::Json(_)), "{text}");
    }
    for outblob in ["A", "AAAA\n", "+-AA", "AB==", "AB", "AA=", "A===", "AAAA====", "é"] {
        let text = format!(r#"{{"provider":"sev_guest","outblob":{outblob:?}}}"#);
        assert!(matches!(read(&text), ImportError::Base64 { field: "outblob", .. }), "{outblob:?}");
    }
    for provider in ["", "tdx_guest", "sev_guest\n\n", " sev_guest"] {
        let text = format!(r#"{{"provider":{provider:?},"outblob":"AAAA"}}"#);
        assert!(matches!(read(&text), ImportError::Provider { expected: "sev_guest", .. }), "{provider:?}");
    }
    let tdx = Profile::parse("tdx-quote-1").unwrap();
    assert!(import(&tdx, br#"{"provider":"tdx_guest","outblob":"AAAA"}"#, "").is_ok());
    let vendor = Profile::parse("vendor-1").unwrap();
    let document = br#"{"provider":"vendor","outblob":"AAAA"}"#;
    let raw = import(&vendor, document, "").unwrap();
    assert_eq!(raw.evidence, document, "without a provider there is no such form");
    assert!(matches!(import(&vendor, &[b'{'; 128 * 1024 + 1], ""), Err(ImportError::Size { .. })));
    let steering = read("{\"\\u001b[2J\\u202e\":1}").to_string();
    assert!(steering.contains("[2J") && !steering.contains(['\u{1b}', '\u{202e}']), "{steering:?}");
}

#[test]
fn sizes_have_limits() {
    let snp = Profile::snp_raw_1();
    let json = |out: usize, aux: usize| {
        let encoded = |size| STANDARD.encode(vec![0; size]);
        format!(r#"{{"provider":"sev_guest","outblob":"{}","auxblob":"{}"}}"#, encoded(out), encoded(aux))
    };
    let kib = 1024;
    for (what, file, limit) in [
        ("evidence", vec![0; 128 * kib + 1], 128 * kib),
        ("evidence file", vec![0; 2 * 1024 * kib + 1], 2 * 1024 * kib),
        ("outblob", json(128 * kib + 1, 0).into_bytes(), 128 * kib),
        ("auxblob", json(1, 1024 * kib + 1).into_bytes(), 1024 * kib),
    ] {
        let refused = import(&snp, &file, "").unwrap_err();
        assert!(
            matches!(refused, ImportError::Size { what: w, limit: l, .. } if w == what && l == limit),
            "{what}: {refused}"
        );
    }
    assert!(import(&snp, json(128 * kib, 1024 * kib).as_bytes(), "").is_ok());
}
