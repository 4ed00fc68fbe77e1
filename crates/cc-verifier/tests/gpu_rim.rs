//! Reference manifests (steps G12 to G15): the rows of the catalogue that are about one of them, and every check of what
//! a manifest says and of who says it.

use cc_core::UnixTime;
use cc_testkit::der;
use cc_testkit::gpu::rim::{
    Chain, Measurement, Reference, Signature, Signer, Tag, answer, root_der, root_with_key, x509_data,
};
use cc_testkit::gpu::{DAY, NOW};
use cc_testkit::snp::ca::{BASIC_CONSTRAINTS, KEY_USAGE};
use cc_testkit::snp::{CertSpec, Ext, SigKind, keys};
use cc_verifier::gpu::rim::{Kind, Rim, document};

use crate::common::rim::{accepted, code, replaced, signature_code, signed_code, tag};

const ROOT: usize = 0;
const AUTHORITY: usize = 1;
const ISSUER: usize = 2;
const SIGNER: usize = 3;

#[test]
fn what_a_manifest_says_is_read() {
    let signer = Signer::nvidia();
    let driver = accepted(&signer.sign(&tag()));
    assert_eq!((driver.kind(), driver.version(), driver.product()), (Kind::Driver, "550.90.07", "GH100"));
    assert_eq!(driver.tag_id(), "6d7573746572");
    let golden: Vec<_> =
        driver.golden().iter().map(|golden| (golden.index, golden.alternatives.clone())).collect();
    assert_eq!(golden, [(7, vec![[0x70; 48]]), (21, vec![[0x21; 48], [0x22; 48]]), (35, vec![[0x35; 48]])]);
    let two = &driver.golden()[1];
    assert!(two.matches(&[0x21; 48]) && two.matches(&[0x22; 48]));
    assert!(
        !two.matches(&[0x23; 48])
            && !two.matches(&[0x21; 47])
            && !two.matches(&[0x21; 49])
            && !two.matches(&[])
    );
    assert_eq!(driver.chain().len(), 4);
    assert_eq!(driver.chain()[3], root_der());
    let file = signer.sign(&tag());
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file);
    assert_eq!(accepted(&file).sha256(), digest.as_ref());

    let vbios = accepted(&signer.sign(&Tag::vbios("96.00.9F.00.01")));
    assert_eq!((vbios.kind(), vbios.golden().len()), (Kind::Vbios, 2));
    let switch = accepted(&signer.sign(&Tag::switch_bios("96.10.55.00.01")));
    assert_eq!((switch.kind(), switch.product()), (Kind::SwitchBios, "LS10"));
}

#[test]
fn n_gpu_34_a_document_type_with_an_entity() {
    let signed = Signer::nvidia().sign_xml(&tag().xml());
    let doctype = "<!DOCTYPE SoftwareIdentity [<!ENTITY v \"550.90.07\">]>\n";
    assert_eq!(code(format!("{doctype}{signed}")), "gpu.rim.xml");
    assert_eq!(code(replaced(&signed, "\"550.90.07\"", "\"&v;\"")), "gpu.rim.xml");
    assert_eq!(code(format!("{doctype}{}", replaced(&signed, "\"550.90.07\"", "\"&v;\""))), "gpu.rim.xml");
}

#[test]
fn n_gpu_35_signed_with_the_key_in_a_key_value_beside_nvidias_certificates() {
    let stranger = keys::stranger_p384();
    let value = "<ds:KeyValue><ds:ECKeyValue>BA==</ds:ECKeyValue></ds:KeyValue>";
    let name = "<ds:KeyName>NVIDIA</ds:KeyName>";
    for other in [value, name, &x509_data(&[root_der().to_vec()])] {
        for key_first in [false, true] {
            let signed = signature_code(|signature| {
                let data = signature.key_info.take().unwrap();
                let both = if key_first { [other, &data] } else { [&data, other] };
                signature.key_info = Some(both.concat());
                signature.key = stranger;
            });
            assert_eq!(signed, "gpu.rim.key_binding", "{other}");
        }
    }
    // Even where NVIDIA's key signed.
    let data = x509_data(&Chain::nvidia().certificates());
    assert_eq!(signature_code(|s| s.key_info = Some(format!("{value}{data}"))), "gpu.rim.key_binding");
    assert_eq!(signature_code(|s| s.key_info = None), "gpu.rim.key_binding");
    assert_eq!(signature_code(|s| s.key_info = Some(String::new())), "gpu.rim.key_binding");
    assert_eq!(signature_code(|s| s.key_info = Some("<ds:X509Data/>".to_owned())), "gpu.rim.key_binding");
    assert_eq!(signature_code(|s| s.key_info = Some(format!("x{data}"))), "gpu.rim.key_binding");
    let with_crl = data.replacen("</ds:X509Data>", "<ds:X509CRL>BA==</ds:X509CRL></ds:X509Data>", 1);
    assert_eq!(signature_code(|s| s.key_info = Some(with_crl)), "gpu.rim.key_binding");
    // NVIDIA's certificates, another key.
    assert_eq!(signature_code(|s| s.key = stranger), "gpu.rim.signature");
}

#[test]
fn n_gpu_36_a_payload_outside_what_is_referenced() {
    let tag = tag().xml();
    let (start, rest) = tag.split_once("    <ns0:Payload").unwrap();
    let (payload, _) = rest.split_once("</ns0:Payload>\n").unwrap();
    let payload = format!("    <ns0:Payload{payload}</ns0:Payload>\n");
    let forged = replaced(&payload, &"70".repeat(48), &"66".repeat(48));
    let signer = Signer::nvidia();

    // The genuine signature over the genuine payload, which is moved into an Object; the forged one in its place.
    let mut signature = Signature::over(&tag, &signer);
    signature.objects = format!("<ds:Object Id=\"genuine\">{payload}</ds:Object>");
    assert_eq!(code(signature.within(&format!("{start}{forged}</SoftwareIdentity>"))), "gpu.rim.wrapping");

    // A reference by identifier, to the payload alone.
    let with_id =
        format!("{start}{}</SoftwareIdentity>", payload.replacen("<ns0:Payload", "<ns0:Payload Id=\"p\"", 1));
    let mut signature = Signature::over(&with_id, &signer);
    signature.references[0].attributes = " URI=\"#p\"".to_owned();
    assert_eq!(code(signature.within(&with_id)), "gpu.rim.wrapping");

    // The whole genuine document inside a forged one.
    let signed = signer.sign_xml(&tag);
    let outer = replaced(&tag, &payload, &forged);
    let wrapped = replaced(&outer, "</SoftwareIdentity>", &format!("{signed}</SoftwareIdentity>"));
    assert_eq!(code(&wrapped), "gpu.rim.xml", "prefixes are declared again");

    // A second payload beside the first.
    assert_eq!(
        code(replaced(&signed, "<ds:Signature ", &format!("{forged}<ds:Signature "))),
        "gpu.rim.signature"
    );
    let both = replaced(&tag, "</SoftwareIdentity>", &format!("{forged}</SoftwareIdentity>"));
    assert_eq!(signed_code(&both), "gpu.rim.schema");
}

#[test]
fn n_gpu_37_two_signatures() {
    let (signer, tag) = (Signer::nvidia(), tag().xml());
    let signed = signer.sign_xml(&tag);
    assert_eq!(code(signer.sign_xml(&signed)), "gpu.rim.wrapping", "one over the other");
    let second = Signature::over(&tag, &signer).xml(&tag);
    assert_eq!(
        code(replaced(&signed, "</SoftwareIdentity>", &format!("{second}</SoftwareIdentity>"))),
        "gpu.rim.wrapping"
    );
    let nested = format!(
        "<ds:Object>{}</ds:Object>",
        second.replacen(" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "", 1)
    );
    assert_eq!(signature_code(|signature| signature.objects = nested), "gpu.rim.wrapping");
    assert_eq!(code(&tag), "gpu.rim.signature", "none");
}

#[test]
fn n_gpu_38_a_chain_to_another_root() {
    let mut chain = Chain::nvidia();
    chain.keys[ROOT] = keys::stranger_p384();
    let other =
        Chain::with_keys(chain.keys, root_with_key(keys::stranger_p384()).sign(keys::stranger_p384()));
    assert_eq!(code(Signer::new(other.clone()).sign(&tag())), "gpu.rim.chain");
    // With NVIDIA's root at its end after all.
    let pasted = Chain { root: root_der().to_vec(), ..other };
    assert_eq!(code(Signer::new(pasted).sign(&tag())), "gpu.rim.chain");
    // The same name and key, but another certificate.
    let again = Chain {
        root: root_with_key(Chain::nvidia().keys[ROOT]).sign(Chain::nvidia().keys[ROOT]),
        ..Chain::nvidia()
    };
    assert_eq!(code(Signer::new(again).sign(&tag())), "gpu.rim.chain");
    for root in [&[][..], &[0x30], keys::stranger_p384().spki()] {
        let error = Rim::verify(&Signer::nvidia().sign(&tag()), root).unwrap_err();
        assert_eq!(error.code.as_str(), "gpu.rim.chain", "an unusable anchor");
    }
}

#[test]
fn n_gpu_40_a_vbios_manifest_in_the_place_of_a_drivers() {
    let signer = Signer::nvidia();
    let vbios = accepted(&signer.sign(&Tag::vbios("96.00.9F.00.01")));
    let judged = |rim: &Rim, kind, version| {
        rim.judge(kind, version).map_or_else(|error| error.code.to_string(), |()| "accept".to_owned())
    };
    assert_eq!(judged(&vbios, Kind::Driver, "96.00.9F.00.01"), "gpu.rim.version_mismatch");
    assert_eq!(judged(&vbios, Kind::SwitchBios, "96.00.9F.00.01"), "gpu.rim.version_mismatch");
    assert_eq!(judged(&vbios, Kind::Vbios, "96.00.9f.00.01"), "accept");
    assert_eq!(judged(&vbios, Kind::Vbios, "96.00.9f.00.02"), "gpu.rim.version_mismatch");
    assert_eq!(judged(&vbios, Kind::Vbios, "96.00.9f.00.0"), "gpu.rim.version_mismatch");
    assert_eq!(judged(&vbios, Kind::Vbios, ""), "gpu.rim.version_mismatch");

    let mut other = Tag::vbios("96.00.9F.00.01");
    other.manufacturer = "NVIDIA".to_owned();
    let other = accepted(&signer.sign(&other));
    assert_eq!(judged(&other, Kind::Vbios, "96.00.9F.00.01"), "gpu.rim.version_mismatch");
}

#[test]
fn n_gpu_42_an_index_twice() {
    let with = |more: Measurement| {
        let mut tag = tag();
        tag.measurements.as_mut().unwrap().push(more);
        code(Signer::nvidia().sign(&tag))
    };
    assert_eq!(with(Measurement::of(7, &[0x70])), "gpu.rim.index_duplicate");
    assert_eq!(with(Measurement::of(7, &[0x66])), "gpu.rim.index_duplicate");
    assert_eq!(with(Measurement::of(7, &[0x66]).inactive()), "gpu.rim.index_duplicate");
    assert_eq!(with(Measurement::of(0, &[0])), "gpu.rim.index_duplicate", "the first is not active");
    assert_eq!(with(Measurement::of(8, &[0x70])), "accept");
}

#[test]
fn n_gpu_43_nothing_is_active() {
    let mut tag = tag();
    for measurement in tag.measurements.as_mut().unwrap() {
        *measurement = measurement.clone().inactive();
    }
    assert_eq!(code(Signer::nvidia().sign(&tag)), "gpu.rim.empty");
    tag.measurements = Some(Vec::new());
    assert_eq!(code(Signer::nvidia().sign(&tag)), "gpu.rim.empty");
}

#[test]
fn n_gpu_70_a_byte_changed_in_what_is_signed() {
    let signed = Signer::nvidia().sign_xml(&tag().xml());
    for (old, new) in [
        ("\"550.90.07\"", "\"550.90.08\""),
        (&*"70".repeat(48), &*"71".repeat(48)),
        ("index=\"7\"", "index=\"8\""),
    ] {
        assert_eq!(code(replaced(&signed, old, new)), "gpu.rim.signature", "{old}");
    }
    let inactive = replaced(&signed, "index=\"7\" active=\"True\"", "index=\"7\" active=\"False\"");
    assert_eq!(code(inactive), "gpu.rim.signature");
    assert_eq!(signature_code(|signature| signature.references[0].digest[0] ^= 1), "gpu.rim.signature");
    assert_eq!(signature_code(|signature| _ = signature.references[0].digest.pop()), "gpu.rim.signature");
    assert_eq!(signature_code(|signature| signature.references[0].digest.clear()), "gpu.rim.signature");
    let mut other = Reference::to(&Tag::driver("1.1").xml());
    assert_eq!(
        signature_code(|signature| std::mem::swap(&mut signature.references[0], &mut other)),
        "gpu.rim.signature"
    );
}

#[test]
fn n_gpu_72_the_signers_certificate_has_expired() {
    let at = |edit: fn(&mut Chain), now: i64| {
        let mut chain = Chain::nvidia();
        edit(&mut chain);
        let rim = accepted(&Signer::new(chain).sign(&tag()));
        let result = rim.validity(UnixTime::from_secs(now.unsigned_abs()));
        result.map_or_else(|error| error.code.to_string(), |()| "accept".to_owned())
    };
    let windows: [fn(&mut Chain); 3] = [
        |chain| (chain.specs[SIGNER].not_before, chain.specs[SIGNER].not_after) = (NOW, NOW + DAY),
        |chain| (chain.specs[ISSUER].not_before, chain.specs[ISSUER].not_after) = (NOW, NOW + DAY),
        |chain| (chain.specs[AUTHORITY].not_before, chain.specs[AUTHORITY].not_after) = (NOW, NOW + DAY),
    ];
    for edit in windows {
        assert_eq!(at(edit, NOW), "accept");
        assert_eq!(at(edit, NOW + DAY), "accept");
        assert_eq!(at(edit, NOW - 1), "gpu.rim.expired");
        assert_eq!(at(edit, NOW + DAY + 1), "gpu.rim.expired");
    }
    let rim = accepted(&Signer::nvidia().sign(&tag()));
    assert_eq!(rim.signer_validity().0.as_secs(), (NOW - 100 * DAY).unsigned_abs());
    assert_eq!(rim.signer_validity().1.as_secs(), (NOW + 600 * DAY).unsigned_abs());
    assert!(rim.validity(UnixTime::from_secs(0)).is_err());
}

#[test]
fn n_gpu_73_no_payload() {
    let mut tag = tag();
    tag.measurements = None;
    assert_eq!(code(Signer::nvidia().sign(&tag)), "gpu.rim.schema");
}

#[test]
fn every_part_of_a_tag_must_be_there() {
    let tag = tag().xml();
    type Edit = fn(&str) -> String;
    let without = |text: &str, start: &str, end: &str| {
        let (before, rest) = text.split_once(start).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        [before, after].concat()
    };
    let schema = "gpu.rim.schema";
    assert_eq!(signed_code(&without(&tag, "    <ns0:Entity", "/>\n")), schema, "Entity");
    assert_eq!(signed_code(&without(&tag, "    <ns0:Meta", "/>\n")), schema, "Meta");
    for name in
        [" colloquialVersion=\"", " edition=\"", " product=\"", " ns1:FirmwareManufacturer=\"", " tagId=\""]
    {
        assert_eq!(signed_code(&without(&tag, name, "\"")), schema, "{name}");
        let (before, rest) = tag.split_once(name).unwrap();
        let (_, after) = rest.split_once('"').unwrap();
        assert_eq!(signed_code(&format!("{before}{name}\"{after}")), schema, "{name} empty");
    }
    let cases: [(&str, Edit, &str); 21] = [
        ("another root", |t| t.replace("SoftwareIdentity", "SoftwareIdentities"), "gpu.rim.schema"),
        ("another namespace", |t| t.replace("2015/schema.xsd", "2009/schema.xsd"), "gpu.rim.schema"),
        ("a patch", |t| replaced(t, "patch=\"false\"", "patch=\"true\""), "gpu.rim.schema"),
        ("a supplement", |t| replaced(t, "supplemental=\"false\"", "supplemental=\"1\""), "gpu.rim.schema"),
        ("a corpus", |t| replaced(t, "corpus=\"false\"", "corpus=\"\""), "gpu.rim.schema"),
        ("no flags", |t| replaced(t, "supplemental=\"false\" ", ""), "accept"),
        ("another edition", |t| replaced(t, "edition=\"GPU\"", "edition=\"NIC\""), "gpu.rim.schema"),
        ("another version", |t| replaced(t, "\"550.90.07\"", "\"550\""), "gpu.rim.schema"),
        (
            "manufacturer without namespace",
            |t| replaced(t, "ns1:FirmwareManufacturer=", "FirmwareManufacturer="),
            "gpu.rim.schema",
        ),
        (
            "an unknown element",
            |t| replaced(t, "    <ns0:Meta", "    <ns0:Link/>\n    <ns0:Meta"),
            "gpu.rim.schema",
        ),
        (
            "an element under the default prefix",
            |t| {
                replaced(
                    t,
                    "<ns0:Resource type=\"Measurement\" index=\"7\"",
                    "<Resource type=\"Measurement\" index=\"7\"",
                )
            },
            "accept",
        ),
        ("text", |t| replaced(t, "    <ns0:Meta", "  x <ns0:Meta"), "gpu.rim.schema"),
        (
            "text in the payload",
            |t| replaced(t, "    </ns0:Payload>", "  x </ns0:Payload>"),
            "gpu.rim.schema",
        ),
        (
            "an element in Meta",
            |t| {
                replaced(
                    t,
                    "ns1:FirmwareManufacturerId=\"5703\"/>",
                    "ns1:FirmwareManufacturerId=\"5703\"><ns0:x/></ns0:Meta>",
                )
            },
            "gpu.rim.schema",
        ),
        (
            "an element in Entity",
            |t| replaced(t, "tagCreator\"/>", "tagCreator\"><ns0:x/></ns0:Entity>"),
            "gpu.rim.schema",
        ),
        (
            "an element in a measurement",
            |t| {
                replaced(
                    t,
                    "Measurement_7\" size=\"48\"/>",
                    "Measurement_7\" size=\"48\"><ns0:x/></ns0:Resource>",
                )
            },
            "gpu.rim.schema",
        ),
        (
            "two Entities",
            |t| replaced(t, "    <ns0:Meta", "    <ns0:Entity name=\"a\" role=\"b\"/>\n    <ns0:Meta"),
            "accept",
        ),
        (
            "two Metas",
            |t| replaced(t, "    <ns0:Payload", "    <ns0:Meta/>\n    <ns0:Payload"),
            "gpu.rim.schema",
        ),
        (
            "an unknown attribute of Meta",
            |t| replaced(t, " revision=\"r1\"", " revision=\"r1\" more=\"1\""),
            "accept",
        ),
        (
            "measurements in another order",
            |t| replaced(&replaced(t, "index=\"7\"", "index=\"99\""), "index=\"21\"", "index=\"7\""),
            "accept",
        ),
        (
            "another tag inside",
            |t| replaced(t, "    <ns0:Payload", "    <SoftwareIdentity/>\n    <ns0:Payload"),
            "gpu.rim.schema",
        ),
    ];
    for (what, edit, expected) in cases {
        assert_eq!(signed_code(&edit(&tag)), expected, "{what}");
    }
}

#[test]
fn measurements_are_strict() {
    type Edit = fn(&mut Measurement);
    let cases: [(&str, Edit, &str); 22] = [
        ("as it is", |_| {}, "accept"),
        ("index 255", |m| m.index = "255".to_owned(), "accept"),
        ("index 256", |m| m.index = "256".to_owned(), "gpu.rim.schema"),
        ("index below zero", |m| m.index = "-1".to_owned(), "gpu.rim.schema"),
        ("index with a zero", |m| m.index = "08".to_owned(), "gpu.rim.schema"),
        ("index with a plus", |m| m.index = "+8".to_owned(), "gpu.rim.schema"),
        ("no index", |m| m.index.clear(), "gpu.rim.schema"),
        ("active in other letters", |m| m.active = "true".to_owned(), "gpu.rim.schema"),
        ("no activity", |m| m.active.clear(), "gpu.rim.schema"),
        ("size 47", |m| m.size = "47".to_owned(), "gpu.rim.schema"),
        ("size in words", |m| m.size = "all".to_owned(), "gpu.rim.schema"),
        ("fewer alternatives than it says", |m| m.count = Some("2".to_owned()), "gpu.rim.schema"),
        ("more alternatives than it says", |m| m.alternatives.push("66".repeat(48)), "accept"),
        (
            "one that is not counted",
            |m| (m.count, m.alternatives) = (Some("1".to_owned()), vec!["08".repeat(48), "66".repeat(48)]),
            "gpu.rim.schema",
        ),
        ("no alternatives", |m| (m.count, m.alternatives) = (None, Vec::new()), "gpu.rim.schema"),
        ("alternatives in words", |m| m.count = Some("one".to_owned()), "gpu.rim.schema"),
        ("47 bytes", |m| _ = m.alternatives[0].split_off(94), "gpu.rim.schema"),
        ("49 bytes", |m| m.alternatives[0] += "66", "gpu.rim.schema"),
        ("half a byte more", |m| m.alternatives[0] += "6", "gpu.rim.schema"),
        ("not hexadecimal", |m| m.alternatives[0].replace_range(..1, "g"), "gpu.rim.schema"),
        ("capitals", |m| m.alternatives[0] = "AB".repeat(48), "accept"),
        (
            "not active, but wrong",
            |m| (m.active, m.size) = ("False".to_owned(), "47".to_owned()),
            "gpu.rim.schema",
        ),
    ];
    for (what, edit, expected) in cases {
        let mut tag = tag();
        let mut measurement = Measurement::of(8, &[8]);
        edit(&mut measurement);
        tag.measurements.as_mut().unwrap().push(measurement);
        assert_eq!(code(Signer::nvidia().sign(&tag)), expected, "{what}");
    }
    let with = |old: &str, new: &str| signed_code(&replaced(&tag().xml(), old, new));
    let seven = "type=\"Measurement\" index=\"7\"";
    assert_eq!(with(seven, "type=\"Measurements\" index=\"7\""), "gpu.rim.schema");
    assert_eq!(with(seven, "index=\"7\""), "gpu.rim.schema", "no type");
    assert_eq!(with(" name=\"Measurement_7\"", ""), "gpu.rim.schema", "no name");
    assert_eq!(with(" name=\"Measurement_7\"", " other=\"Measurement_7\""), "gpu.rim.schema");
    assert_eq!(with(" name=\"Measurement_7\"", " name=\"Measurement_7\" more=\"1\""), "gpu.rim.schema");
    // A value in no namespace, or in the namespace under its other prefix.
    let value = format!(" ns2:Hash0=\"{}\"", "70".repeat(48));
    assert_eq!(with(&value, &value.replace("ns2:", "")), "gpu.rim.schema");
    assert_eq!(with(&value, &value.replace("ns2:", "ns0:")), "gpu.rim.schema");
    assert_eq!(with(&value, &value.replace("ns2:", "SHA384:")), "accept");
    assert_eq!(with(&value, &value.replace("Hash0", "Hash1")), "gpu.rim.schema");
    assert_eq!(with(&value, &value.replace("Hash0", "Hash00")), "gpu.rim.schema");
}

#[test]
fn certificates_have_their_roles() {
    let chain = "gpu.rim.chain";
    type Edit = fn(&mut [CertSpec; 4]);
    let authority = |length: Option<u64>| {
        let fields: Vec<_> = [der::boolean(true)].into_iter().chain(length.map(der::integer)).collect();
        der::seq(&fields)
    };
    assert_eq!(code(Signer::new(Chain::nvidia()).sign(&tag())), "accept");
    let cases: [(&str, Edit, &str); 22] = [
        (
            "authority is none",
            |s| s[AUTHORITY].set_ext(BASIC_CONSTRAINTS, der::seq::<Vec<u8>>(&[])),
            "gpu.rim.chain",
        ),
        ("authority without constraints", |s| s[AUTHORITY].remove_ext(BASIC_CONSTRAINTS), "gpu.rim.chain"),
        ("authority without usage", |s| s[AUTHORITY].remove_ext(KEY_USAGE), "gpu.rim.chain"),
        (
            "authority for revocation only",
            |s| s[AUTHORITY].set_ext(KEY_USAGE, der::bit_string(1, &[2])),
            "gpu.rim.chain",
        ),
        (
            "constraints not critical",
            |s| s[AUTHORITY].ext_mut(BASIC_CONSTRAINTS).critical = false,
            "gpu.rim.chain",
        ),
        (
            "issuer is none",
            |s| s[ISSUER].set_ext(BASIC_CONSTRAINTS, der::seq::<Vec<u8>>(&[])),
            "gpu.rim.chain",
        ),
        ("issuer without usage", |s| s[ISSUER].remove_ext(KEY_USAGE), "gpu.rim.chain"),
        (
            "issuer with an unknown critical extension",
            |s| s[ISSUER].extensions.push(Ext::critical("1.2.3", vec![5, 0])),
            "gpu.rim.chain",
        ),
        (
            "issuer with an extension twice",
            |s| s[ISSUER].duplicate_ext(KEY_USAGE, der::bit_string(1, &[6])),
            "gpu.rim.chain",
        ),
        (
            "signer is an authority",
            |s| s[SIGNER].set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])),
            "gpu.rim.chain",
        ),
        ("signer without usage", |s| s[SIGNER].remove_ext(KEY_USAGE), "gpu.rim.chain"),
        (
            "signer for certificates",
            |s| s[SIGNER].set_ext(KEY_USAGE, der::bit_string(1, &[6])),
            "gpu.rim.chain",
        ),
        (
            "signer with an extension twice",
            |s| s[SIGNER].duplicate_ext(KEY_USAGE, der::bit_string(7, &[0x80])),
            "gpu.rim.chain",
        ),
        (
            "signer with an unknown critical extension",
            |s| s[SIGNER].extensions.push(Ext::critical("1.2.3", vec![5, 0])),
            "gpu.rim.chain",
        ),
        (
            "signer of version 1",
            |s| (s[SIGNER].version, s[SIGNER].extensions) = (None, Vec::new()),
            "gpu.rim.chain",
        ),
        (
            "signer with a key on P-256",
            |s| s[SIGNER].spki = keys::stranger_p256().spki().to_vec(),
            "gpu.rim.chain",
        ),
        (
            "issuer with an RSA key",
            |s| s[ISSUER].spki = keys::stranger_rsa().spki().to_vec(),
            "gpu.rim.chain",
        ),
        (
            "signer issued by another name",
            |s| s[SIGNER].issuer = s[AUTHORITY].subject.clone(),
            "gpu.rim.chain",
        ),
        ("issuer issued by another name", |s| s[ISSUER].issuer = s[ROOT].subject.clone(), "gpu.rim.chain"),
        (
            "authority issued by another name",
            |s| s[AUTHORITY].issuer = s[ISSUER].subject.clone(),
            "gpu.rim.chain",
        ),
        (
            "signed with another algorithm, it says",
            |s| {
                (s[SIGNER].inner_algorithm, s[SIGNER].outer_algorithm) =
                    (SigKind::Pkcs1Sha256.algorithm(), SigKind::Pkcs1Sha256.algorithm())
            },
            "gpu.rim.chain",
        ),
        ("two algorithms", |s| s[SIGNER].outer_algorithm = SigKind::Pkcs1Sha256.algorithm(), "gpu.rim.chain"),
    ];
    for (what, edit, expected) in cases {
        let mut chain = Chain::nvidia();
        edit(&mut chain.specs);
        assert_eq!(code(Signer::new(chain).sign(&tag())), expected, "{what}");
    }
    for (which, length, expected) in [
        (AUTHORITY, Some(0), chain),
        (AUTHORITY, Some(1), "accept"),
        (AUTHORITY, Some(5), "accept"),
        (AUTHORITY, Some(128), chain),
        (ISSUER, None, "accept"),
        (ISSUER, Some(1), "accept"),
    ] {
        let mut chain = Chain::nvidia();
        chain.specs[which].set_ext(BASIC_CONSTRAINTS, authority(length));
        assert_eq!(code(Signer::new(chain).sign(&tag())), expected, "{which} {length:?}");
    }
}

#[test]
fn a_chain_has_four_certificates_in_order() {
    let chain = Chain::nvidia().certificates();
    let with = |certificates: &[Vec<u8>]| {
        signature_code(|signature| signature.key_info = Some(x509_data(certificates)))
    };
    assert_eq!(with(&chain), "accept");
    assert_eq!(with(&chain[..3]), "gpu.rim.chain", "no root");
    assert_eq!(with(&chain[1..]), "gpu.rim.chain", "no signer");
    assert_eq!(with(&[&chain[..], &chain[3..]].concat()), "gpu.rim.chain", "two roots");
    let mut reversed = chain.clone();
    reversed.reverse();
    assert_eq!(with(&reversed), "gpu.rim.chain");
    for (a, b) in [(0, 1), (1, 2), (0, 2)] {
        let mut swapped = chain.clone();
        swapped.swap(a, b);
        assert_eq!(with(&swapped), "gpu.rim.chain", "{a} and {b}");
    }
    // Each link: a certificate of a stranger in the place of NVIDIA's.
    for which in [AUTHORITY, ISSUER, SIGNER] {
        let mut keys = Chain::nvidia().keys;
        keys[which] = keys::stranger_p384();
        let other = Chain::with_keys(keys, root_der().to_vec()).certificates();
        let mut pasted = chain.clone();
        pasted[3 - which] = other[3 - which].clone();
        let expected = if which == SIGNER { "gpu.rim.signature" } else { "gpu.rim.chain" };
        assert_eq!(with(&pasted), expected, "{which}");
    }
    let text = |certificates: &str| {
        let one = format!("<ds:X509Certificate>{certificates}</ds:X509Certificate>").repeat(4);
        signature_code(|signature| signature.key_info = Some(format!("<ds:X509Data>{one}</ds:X509Data>")))
    };
    for bad in ["", "!", "AAA", "AAA=AAAA", "MAA=", "<ds:x/>"] {
        assert_eq!(text(bad), "gpu.rim.chain", "{bad:?}");
    }
}

#[test]
fn the_services_answer_and_the_bare_file_are_recognised() {
    let signer = Signer::nvidia();
    let (xml, answer_) = (signer.sign(&tag()), signer.answer("NV_GPU_DRIVER_GH100_550.90.07", &tag()));
    let bare = document(&xml).unwrap();
    assert_eq!((bare.id.as_deref(), bare.xml.as_ref()), (None, xml.as_slice()));
    let answered = document(&answer_).unwrap();
    assert_eq!(answered.id.as_deref(), Some("NV_GPU_DRIVER_GH100_550.90.07"));
    assert_eq!(code(&answered.xml), "accept");

    assert_eq!(document(&answer("x", b"anything")).unwrap().xml.as_ref(), b"anything");
    assert_eq!(document(br#"{"id":"x","rim":"AAAA"}"#).unwrap().xml.as_ref(), [0; 3]);
    assert!(document(b"\n <").is_some());
    let text = String::from_utf8(answer("x", b"anything")).unwrap();
    for bad in [
        text.replacen("\"sha256\":\"", "\"sha256\":\"0", 1),
        text.replacen("\"rim\":\"", "\"rim\":\"AAAA", 1),
        text.replacen("\"rim\":\"", "\"rim\":\"!", 1),
        text.replacen("\"rim\"", "\"cert\"", 1),
        text.replacen("\"id\"", "\"name\"", 1),
        text.replacen("\"id\":\"x\"", "\"id\":\"x\",\"id\":\"y\"", 1),
        text.replacen("\"id\":\"x\"", "\"id\":1", 1),
        format!("{text}}}"),
        format!("[{text}]"),
        String::new(),
        "{}".to_owned(),
        " ".to_owned(),
        format!("<{}", " ".repeat(1024 * 1024)),
    ] {
        assert_eq!(document(bad.as_bytes()), None, "{}", &bad[..bad.len().min(100)]);
    }
    assert_eq!(document(&[0x30, 0x82]), None);
}
