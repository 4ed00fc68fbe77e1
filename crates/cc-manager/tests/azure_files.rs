//! Files with evidence of Azure's groups and machines, in every form that is read, and the files of a security context.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use cc_core::Profile;
use cc_core::azure::{Group, Machine, Token};
use cc_manager::endorsements::{Loaded, Origin, load};
use cc_manager::{ImportError, Imported, import};
use cc_testkit::aci::World;
use cc_testkit::snp::cert::pem;
use serde_json::{Value, json};

const MESSAGE: [u8; 4] = [0xff, b'T', b'C', b'G'];

fn read(profile: &Profile, file: impl AsRef<[u8]>) -> Result<Imported, ImportError> {
    import(profile, file.as_ref(), "file")
}

fn group(file: impl AsRef<[u8]>) -> Result<(Group, Vec<Vec<u8>>), ImportError> {
    let imported = read(&Profile::aci_raw_1(), file)?;
    let beside = imported.endorsements.into_iter().map(|endorsement| endorsement.bytes).collect();
    Ok((Group::decode(&imported.evidence).unwrap(), beside))
}

fn token(file: impl AsRef<[u8]>) -> Result<Token, ImportError> {
    read(&Profile::aci_maa_1(), file).map(|imported| Token::decode(&imported.evidence).unwrap())
}

fn machine(file: impl AsRef<[u8]>) -> Result<Machine, ImportError> {
    read(&Profile::az_cvm_vtpm_1(), file).map(|imported| Machine::decode(&imported.evidence).unwrap())
}

/// The value with another one at a place.
fn with(value: &Value, place: &str, other: Value) -> String {
    let mut value = value.clone();
    *value.pointer_mut(place).unwrap() = other;
    value.to_string()
}

fn is_field<T>(result: Result<T, ImportError>, name: &str) -> bool {
    match result {
        Err(ImportError::Field { field, .. } | ImportError::Base64 { field, .. }) => field == name,
        _ => false,
    }
}

#[test]
fn the_forms_of_a_group() {
    let world = World::new();
    let (report, cose) = (world.snp.report.bytes().to_vec(), world.uvm.sign());
    let bare = Group { report: report.clone(), runtime_data: Vec::new() };
    assert_eq!(group(&report).unwrap(), (bare.clone(), Vec::new()));

    let chain = format!("{}{}", pem(&world.snp.leaf), pem(&world.snp.intermediate));
    let combined = json!({
        "evidence": STANDARD.encode(&report),
        "endorsements": STANDARD.encode(chain),
        "uvm_endorsements": STANDARD.encode(&cose),
        "endorsed_tcb": "0300000000000873",
    });
    let certificates = vec![world.snp.leaf.clone(), world.snp.intermediate.clone()];
    let all = [certificates.clone(), vec![cose]].concat();
    assert_eq!(group(combined.to_string()).unwrap(), (bare.clone(), all));
    let without = with(&combined, "/uvm_endorsements", json!(""));
    assert_eq!(group(without).unwrap(), (bare.clone(), certificates));
    for name in ["evidence", "endorsements", "uvm_endorsements"] {
        assert!(is_field(group(with(&combined, &format!("/{name}"), json!("?"))), name), "{name}");
    }
    let no_certificate = with(&combined, "/endorsements", json!(STANDARD.encode("-----BEGIN X-----\n")));
    assert!(is_field(group(no_certificate), "endorsements"));

    let raw = json!({ "report": hex::encode(&report), "runtime_data": STANDARD.encode("{}") });
    let bound = Group { runtime_data: b"{}".to_vec(), ..bare.clone() };
    assert_eq!(group(raw.to_string()).unwrap().0, bound);
    assert_eq!(group(json!({ "report": hex::encode(&report) }).to_string()).unwrap().0, bare);
    assert_eq!(group(bound.encode()).unwrap().0, bound);
    assert!(is_field(group(with(&raw, "/report", json!("0"))), "report"));
    assert!(is_field(group(with(&raw, "/runtime_data", json!("?"))), "runtime_data"));
    for other in ["{", "{}", r#"{"report": "00", "else": 1}"#, r#"{"report": "00", "report": "00"}"#] {
        assert!(matches!(group(other), Err(ImportError::Json(_))), "{other}");
    }
    assert!(matches!(group(vec![2; 128 * 1024 + 1]), Err(ImportError::Size { .. })));
}

#[test]
fn the_forms_of_a_token() {
    let bare = Token { token: b"a.b.c".to_vec(), runtime_data: Vec::new(), report: Vec::new() };
    assert_eq!(token("a.b.c\n").unwrap(), bare);
    assert_eq!(token(r#"{"token": "a.b.c"}"#).unwrap(), bare);
    let whole = json!({ "token": "a.b.c", "runtime_data": STANDARD.encode("{}"), "report": "0203" });
    let expected = Token { runtime_data: b"{}".to_vec(), report: vec![2, 3], ..bare };
    assert_eq!(token(whole.to_string()).unwrap(), expected);
    assert_eq!(token(expected.encode()).unwrap(), expected);
    assert!(is_field(token(with(&whole, "/runtime_data", json!("="))), "runtime_data"));
    assert!(is_field(token(with(&whole, "/report", json!("zz"))), "report"));
    for other in ["{}", r#"{"token": 1}"#, r#"{"token": "a", "nonce": "b"}"#] {
        assert!(matches!(token(other), Err(ImportError::Json(_))), "{other}");
    }
    assert!(matches!(token(vec![b'a'; 128 * 1024]), Err(ImportError::Size { .. })));
}

fn expected() -> Machine {
    Machine {
        hcl_report: b"HCLA".to_vec(),
        td_quote: Vec::new(),
        message: MESSAGE.to_vec(),
        signature: vec![7; 3],
        pcrs: vec![[1; 32], [2; 32]],
    }
}

#[test]
fn the_forms_of_a_machine() {
    let Machine { hcl_report, message, signature, pcrs, .. } = expected();
    let alone = machine(&hcl_report).unwrap();
    assert_eq!((&alone.hcl_report, alone.message.len(), alone.pcrs.len()), (&hcl_report, 0, 0));
    assert_eq!(machine(expected().encode()).unwrap(), expected());

    // Numbers, with the names of the first version; then digits and base64.
    let first = json!({
        "report": hcl_report,
        "quote": { "message": message, "signature": signature, "pcrs": pcrs },
    });
    assert_eq!(machine(first.to_string()).unwrap(), expected());
    let digits = pcrs.iter().map(hex::encode).collect::<Vec<_>>();
    let later = json!({
        "version": 2,
        "hcl_report": URL_SAFE.encode(&hcl_report),
        "tpm_quote": { "message": hex::encode(&message), "signature": hex::encode(&signature), "pcrs": digits },
    });
    assert_eq!(machine(later.to_string()).unwrap(), expected());
    for (place, field) in [
        ("/hcl_report", "hcl_report"),
        ("/tpm_quote/message", "message"),
        ("/tpm_quote/signature", "signature"),
        ("/tpm_quote/pcrs/1", "pcrs"),
    ] {
        assert!(is_field(machine(with(&later, place, json!("?"))), field), "{place}");
    }
    assert!(is_field(machine(with(&later, "/tpm_quote/pcrs/0", json!("00"))), "pcrs"), "a short PCR");

    let leaf = World::new().snp.leaf;
    for vcek in [pem(&leaf), STANDARD.encode(&leaf)] {
        let mut with_vcek = later.clone();
        with_vcek.as_object_mut().unwrap().insert("vcek".to_owned(), json!(vcek));
        let imported = read(&Profile::az_cvm_vtpm_1(), with_vcek.to_string()).unwrap();
        let [endorsement] = imported.endorsements.as_slice() else { panic!("{imported:?}") };
        assert_eq!(endorsement.bytes, leaf);
    }
    // Padding of a quote is cut, whatever else follows stays.
    let quote = [&[4, 0, 2, 0, 0x81, 0, 0, 0][..], &[0; 624], &[1, 0, 0, 0, 9]].concat();
    for (file, kept) in
        [([&quote[..], &[0; 9]].concat(), quote.len()), ([&quote[..], &[1]].concat(), quote.len() + 1)]
    {
        let mut of_tdx = later.clone();
        of_tdx.as_object_mut().unwrap().insert("td_quote".to_owned(), json!(URL_SAFE.encode(&file)));
        assert_eq!(machine(of_tdx.to_string()).unwrap().td_quote.len(), kept);
    }
    for other in ["{}", r#"{"hcl_report": 1}"#, r#"{"hcl_report": "", "report": ""}"#, r#"{"snpCvm": {}}"#] {
        assert!(matches!(machine(other), Err(ImportError::Json(_))), "{other}");
    }
}

#[test]
fn the_form_of_clean_rooms() {
    let Machine { hcl_report, message, signature, pcrs, .. } = expected();
    let [message_length, signature_length] =
        [&message, &signature].map(|bytes| u16::try_from(bytes.len()).unwrap().to_be_bytes());
    let signed = |algorithm: [u8; 4], end: &[u8]| {
        let parts = [&message_length[..], &message, &algorithm, &signature_length, &signature, end];
        STANDARD.encode(parts.concat())
    };
    let good = signed([0, 0x14, 0, 0x0b], &[]);
    let inner = json!({
        "snpCvm": {
            "evidence": {
                "tpmQuote": good,
                "hclReport": STANDARD.encode(&hcl_report),
                // Keys of an object in JSON have no order; these are by number, not by text.
                "pcrs": { "10": STANDARD.encode(pcrs[1]), "9": STANDARD.encode(pcrs[0]) },
            },
            "platformCertificates": pem(&World::new().snp.leaf),
        },
    });
    assert_eq!(machine(inner.to_string()).unwrap(), expected());
    assert_eq!(machine(json!({ "report": inner, "publicKey": "" }).to_string()).unwrap(), expected());
    let quote = "/snpCvm/evidence/tpmQuote";
    for other in
        [signed([0, 0x14, 0, 0x0b], &[0]), signed([0, 0x16, 0, 0x0b], &[]), signed([0, 0x14, 0, 4], &[])]
    {
        assert!(is_field(machine(with(&inner, quote, json!(other))), "tpmQuote"), "{other}");
    }
    assert!(is_field(machine(with(&inner, "/snpCvm/evidence/pcrs/9", json!("AA=="))), "pcrs"));
    let certificates = with(&inner, "/snpCvm/platformCertificates", json!("-----BEGIN"));
    assert!(is_field(machine(certificates), "platformCertificates"));
}

fn loaded(content: impl AsRef<[u8]>) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, content).unwrap();
    load(&[file], Origin::Administrator).unwrap()
}

fn objects(content: impl AsRef<[u8]>) -> Vec<Vec<u8>> {
    loaded(content).endorsements.into_iter().map(|endorsement| endorsement.bytes).collect()
}

#[test]
fn the_files_of_a_security_context() {
    let world = World::new();
    let (cose, rego) = (world.uvm.sign(), world.policy.as_bytes());
    let certificates = [world.snp.leaf, world.snp.intermediate, world.snp.ark];
    let chain = format!("{}{}", pem(&certificates[1]), pem(&certificates[2]));
    let host = json!({
        "vcekCert": pem(&certificates[0]), "tcbm": "7308000000000003", "certificateChain": chain,
    });
    let host = host.to_string();
    for (what, content, expected) in [
        ("COSE", cose.clone(), vec![cose.clone()]),
        ("Rego", rego.to_vec(), vec![rego.to_vec()]),
        ("THIM", host.into_bytes(), certificates.to_vec()),
    ] {
        assert_eq!(objects(&content), expected, "{what}");
        assert_eq!(objects(STANDARD.encode(&content) + "\n"), expected, "{what} in base64");
    }
    // Longer than a table of certificates may be.
    let long = [rego, &[b'\n'; 20 * 1024][..]].concat();
    assert_eq!(objects(STANDARD.encode(&long)), std::slice::from_ref(&long));
    // What is none of these in base64 is not decoded.
    let text = STANDARD.encode("another text");
    assert_eq!(objects(&text), [text.into_bytes()]);
    let broken = loaded(json!({ "vcekCert": "none", "certificateChain": "none" }).to_string());
    assert!(broken.endorsements.is_empty() && broken.notes.len() == 1, "{broken:?}");
}
