//! Endorsements of utility VMs: every rule of their form, their headers and their chain has a case that breaks it.

use cc_testkit::aci::chain::{EXTENDED_KEY_USAGE, PURPOSE, did_of};
use cc_testkit::aci::uvm::{label, name, payload};
use cc_testkit::aci::{Chain, Endorsement, FEED};
use cc_testkit::snp::ca::{BASIC_CONSTRAINTS, KEY_USAGE};
use cc_testkit::snp::{Ext, SigKind, keys};
use cc_testkit::{cbor, der};
use cc_verifier::aci::Uvm;
use cc_verifier::aci::uvm::{Form, verify};

use crate::common::aci;

const MEASUREMENT: [u8; 48] = [0x5e; 48];

fn header() -> Endorsement {
    Endorsement::header(&Chain::new(), &MEASUREMENT)
}

fn code(message: &[u8]) -> String {
    verify(message, &aci::endorser())
        .map_or_else(|refused| refused.code.as_str().to_owned(), |_| "accept".to_owned())
}

/// The protected headers of an endorsement with one replaced, of whatever bytes.
fn protected(edit: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let endorsement = header();
    let mut protected = cbor::map(&endorsement.protected);
    edit(&mut protected);
    endorsement.sign_as(&protected)
}

#[test]
fn the_header_form_says_what_it_endorses() {
    let endorsement = verify(&header().sign(), &aci::endorser()).unwrap();
    assert_eq!((endorsement.form, endorsement.algorithm), (Form::Header, "PS384"));
    assert_eq!((endorsement.guest_svn, endorsement.launch_measurement), (104, Some(MEASUREMENT)));
    assert_eq!(endorsement.signing_time.unwrap().to_string(), "2026-01-01T00:00:00Z");
    let root = "CN=Synthetic Supply Chain RSA Root CA,O=Synthetic Corporation,C=US";
    assert_eq!(endorsement.root.as_deref(), Some(root));
    assert_eq!(endorsement.leaf_not_before.to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(endorsement.leaf_not_after.to_string(), "2049-12-31T23:59:59Z");
    assert_eq!(endorsement.endorses(&MEASUREMENT), Ok(()));
    for at in 0..48 {
        let mut other = MEASUREMENT;
        other[at] ^= 1;
        assert_eq!(endorsement.endorses(&other).unwrap_err().code.as_str(), "aci.uvm.measurement_mismatch");
    }
}

#[test]
fn the_form_of_cwt_claims_endorses_no_measurement() {
    let endorsement = verify(&Endorsement::cwt(&Chain::new()).sign(), &aci::endorser()).unwrap();
    assert_eq!((endorsement.form, endorsement.guest_svn), (Form::Cwt, 104));
    assert_eq!(endorsement.launch_measurement, None);
    assert_eq!(endorsement.signing_time.unwrap().to_string(), "2026-01-01T00:00:00Z");
    // Not even of the bytes that it signs.
    let refused = endorsement.endorses(&[0xc5; 48]).unwrap_err();
    assert_eq!(refused.code.as_str(), "aci.uvm.measurement_mismatch");
}

#[test]
fn messages_have_one_shape() {
    let good = header().sign();
    assert_eq!(code(&good), "accept");
    let tail = good[1..].to_vec();
    let four = |parts: &[Vec<u8>]| cbor::tag(18, &cbor::array(parts));
    let part = cbor::bytes(&[]);
    let cases = [
        ("nothing", vec![]),
        ("no tag", tail.clone()),
        ("tag 98", cbor::tag(98, &tail)),
        ("tag 18 twice", cbor::tag(18, &good)),
        ("a byte more", [good.as_slice(), &[0]].concat()),
        ("a byte less", good[..good.len() - 1].to_vec()),
        ("three parts", four(&[part.clone(), cbor::map::<&[u8], &[u8]>(&[]), part.clone()])),
        ("an indefinite array", [&[0xd2, 0x9f], &tail[1..], &[0xff]].concat()),
        ("an array of five with four parts", [&[0xd2, 0x85], &tail[1..]].concat()),
        ("empty headers", four(&[part.clone(), vec![0xa0], part.clone(), part.clone()])),
        ("headers that are no map", four(&[cbor::bytes(&[0x80]), vec![0xa0], part.clone(), part.clone()])),
        ("no payload", four(&[cbor::bytes(&[0xa0]), vec![0xa0], vec![0xf6], part.clone()])),
        ("headers not in bytes", four(&[vec![0xa0], vec![0xa0], part.clone(), part])),
        ("bytes after the headers", protected(|bytes| bytes.push(0))),
        (
            "an indefinite map",
            protected(|bytes| {
                bytes[0] = 0xbf;
                bytes.push(0xff);
            }),
        ),
    ];
    for (what, message) in cases {
        assert_eq!(code(&message), "aci.uvm.cose_malformed", "{what}");
    }
}

#[test]
fn labels_are_there_once_and_values_are_well_formed() {
    type Edit = fn(&mut Endorsement);
    let deep = |depth: usize| [vec![0x81; depth], vec![0]].concat();
    let accepted: [Edit; 3] = [
        |e| e.unprotected.clear(),
        |e| e.unprotected.push((label(394), cbor::array(&[cbor::bytes(&[1])]))),
        |e| e.protected.push((name("other"), cbor::map(&[(cbor::integer(1), vec![0xf9, 0x3c, 0])]))),
    ];
    for edit in accepted {
        let mut endorsement = header();
        edit(&mut endorsement);
        assert_eq!(code(&endorsement.sign()), "accept");
    }
    let refused: [(&str, Edit); 12] = [
        ("a protected label twice", |e| e.protected.push((name("feed"), cbor::text(FEED)))),
        ("an unknown label twice", |e| e.unprotected.extend([(label(99), vec![0]), (label(99), vec![0])])),
        ("in both headers", |e| e.unprotected.push((name("iss"), cbor::text("x")))),
        ("a label in bytes", |e| e.protected.push((cbor::bytes(b"x"), vec![0]))),
        ("too many labels", |e| e.unprotected.extend((100..140).map(|i| (label(i), vec![0])))),
        ("indefinite bytes", |e| e.unprotected.push((label(99), vec![0x5f, 0x41, 0, 0xff]))),
        ("an indefinite text", |e| e.unprotected.push((label(99), vec![0x7f, 0x61, b'a', 0xff]))),
        ("an indefinite array", |e| e.protected.push((label(99), vec![0x9f, 0xff]))),
        ("an indefinite map inside", |e| e.protected.push((label(99), vec![0x81, 0xbf, 0xff]))),
        ("a break", |e| e.unprotected.push((label(99), vec![0xff]))),
        ("a reserved head", |e| e.unprotected.push((label(99), vec![0x1c]))),
        ("a text that is none", |e| e.unprotected.push((label(99), vec![0x61, 0xff]))),
    ];
    for (what, edit) in refused {
        let mut endorsement = header();
        edit(&mut endorsement);
        assert_eq!(code(&endorsement.sign()), "aci.uvm.cose_malformed", "{what}");
    }
    for (depth, expected) in
        [(15, "accept"), (16, "aci.uvm.cose_malformed"), (100_000, "aci.uvm.cose_malformed")]
    {
        let mut endorsement = header();
        endorsement.unprotected.push((label(99), deep(depth)));
        assert_eq!(code(&endorsement.sign()), expected, "{depth}");
    }
    // Lengths promise nothing.
    let mut endorsement = header();
    endorsement.unprotected.push((label(99), cbor::head(4, u64::MAX)));
    assert_eq!(code(&endorsement.sign()), "aci.uvm.cose_malformed");
}

#[test]
fn headers_are_protected_and_of_their_type() {
    let labels = [label(1), label(3), label(33), name("iss"), name("feed")];
    for label in &labels {
        let mut absent = header();
        absent.remove(label);
        assert_eq!(code(&absent.sign()), "aci.uvm.cose_malformed", "{label:x?} absent");
        let mut beside = header();
        let entry = beside.remove(label);
        beside.unprotected.push(entry);
        assert_eq!(code(&beside.sign()), "aci.uvm.cose_malformed", "{label:x?} beside");
        for other in [
            vec![0xf6],
            cbor::bytes(b"x"),
            cbor::array(&[cbor::integer(1)]),
            cbor::map(&[(vec![0], vec![0])]),
        ] {
            let mut typed = header();
            typed.set(label.clone(), other.clone());
            assert_eq!(code(&typed.sign()), "aci.uvm.cose_malformed", "{label:x?} {other:x?}");
        }
    }
    for (time, expected) in [
        (cbor::tag(1, &cbor::integer(0)), "accept"),
        (cbor::tag(0, &cbor::text("2026-01-01T00:00:00Z")), "aci.uvm.cose_malformed"),
        (cbor::tag(1, &cbor::integer(-1)), "aci.uvm.cose_malformed"),
        (cbor::tag(0, &cbor::integer(0)), "aci.uvm.cose_malformed"),
        (cbor::integer(0), "aci.uvm.cose_malformed"),
    ] {
        let mut timed = header();
        timed.set(name("signingtime"), time.clone());
        assert_eq!(code(&timed.sign()), expected, "{time:x?}");
    }
    let mut timeless = header();
    timeless.remove(&name("signingtime"));
    assert_eq!(verify(&timeless.sign(), &aci::endorser()).unwrap().signing_time, None);
    for issuer in ["", "did:x509:0:sha256:x", &format!("{} ", Chain::new().did())] {
        let mut other = header();
        other.set(name("iss"), cbor::text(issuer));
        assert_eq!(code(&other.sign()), "aci.uvm.issuer", "{issuer:?}");
    }
}

#[test]
fn cwt_claims_are_of_their_form() {
    type Edit = fn(&mut Endorsement);
    let refused: [(&str, Edit); 9] = [
        ("iss beside", |e| e.protected.push((name("iss"), cbor::text(&Chain::new().did())))),
        ("feed beside", |e| e.protected.push((name("feed"), cbor::text(FEED)))),
        ("content type beside", |e| e.protected.push((label(3), cbor::text("application/json")))),
        ("no hash", |e| {
            e.remove(&label(258));
        }),
        ("another hash", |e| {
            e.set(label(258), cbor::integer(-16));
        }),
        ("no preimage type", |e| {
            e.remove(&label(259));
        }),
        ("a longer payload", |e| e.payload.push(0)),
        ("claims that are no map", |e| {
            e.set(label(15), cbor::bytes(&[0xa0]));
        }),
        ("no claims", |e| {
            e.set(label(15), vec![0xa0]);
        }),
    ];
    for (what, edit) in refused {
        let mut endorsement = Endorsement::cwt(&Chain::new());
        assert_eq!(code(&endorsement.sign()), "accept", "{what}: before");
        edit(&mut endorsement);
        assert_eq!(code(&endorsement.sign()), "aci.uvm.cose_malformed", "{what}");
    }
    let did = Chain::new().did();
    let claims = |issuer: &str, feed: &str, svn: Vec<u8>| {
        let entries = [(label(1), cbor::text(issuer)), (label(2), cbor::text(feed)), (name("svn"), svn)];
        let mut endorsement = Endorsement::cwt(&Chain::new());
        code(&endorsement.set(label(15), cbor::map(&entries)).sign())
    };
    assert_eq!(claims(&did, FEED, cbor::integer(0)), "accept");
    assert_eq!(claims("did:x509:0:sha256:x", FEED, cbor::integer(0)), "aci.uvm.issuer");
    assert_eq!(claims(&did, "ConfAKS-AMD-UVM", cbor::integer(0)), "aci.uvm.feed");
    assert_eq!(claims(&did, FEED, cbor::integer(-1)), "aci.uvm.cose_malformed");
    assert_eq!(claims(&did, FEED, cbor::text("104")), "aci.uvm.cose_malformed");
    let mut altered = Endorsement::cwt(&Chain::new()).sign();
    let at = altered.windows(4).position(|part| part == [0xc5; 4]).unwrap();
    altered[at] ^= 1;
    assert_eq!(code(&altered), "aci.uvm.signature");
}

#[test]
fn chains_are_whole_and_above_the_signer_are_authorities() {
    type Edit = fn(&mut Chain);
    let cases: [(&str, Edit, &str); 18] = [
        ("as it is", |_| (), "accept"),
        ("SHA-256", |c| c.signer.set_algorithm(SigKind::Pkcs1Sha256), "accept"),
        ("SHA-512", |c| c.authority.set_algorithm(SigKind::Pkcs1Sha512), "accept"),
        ("PSS", |c| c.signer.set_algorithm(SigKind::PssSha384), "aci.uvm.chain"),
        ("two algorithms", |c| c.signer.inner_algorithm = SigKind::Pkcs1Sha256.algorithm(), "aci.uvm.chain"),
        ("signer by another", |c| c.authority_key = keys::stranger_rsa(), "aci.uvm.chain"),
        ("authority by another", |c| c.authority.subject = c.root.subject.clone(), "aci.uvm.chain"),
        ("signer names another", |c| c.signer.issuer = c.root.subject.clone(), "aci.uvm.chain"),
        ("authority names another", |c| c.authority.issuer = c.signer.subject.clone(), "aci.uvm.chain"),
        (
            "signer that is a CA",
            |c| c.signer.set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)])),
            "aci.uvm.chain",
        ),
        ("signer without usage", |c| c.signer.remove_ext(KEY_USAGE), "aci.uvm.chain"),
        (
            "signer for other things",
            |c| c.signer.set_ext(KEY_USAGE, der::bit_string(5, &[0b0010_0000])),
            "aci.uvm.chain",
        ),
        (
            "signer with an unknown",
            |c| c.signer.extensions.push(Ext::critical("1.2.3.4", vec![5, 0])),
            "aci.uvm.chain",
        ),
        ("signer with two", |c| c.signer.duplicate_ext(EXTENDED_KEY_USAGE, vec![0x30, 0]), "aci.uvm.chain"),
        ("signer of version 2", |c| c.signer.version = Some(1), "aci.uvm.chain"),
        (
            "authority that is none",
            |c| c.authority.set_ext(BASIC_CONSTRAINTS, der::seq::<&[u8]>(&[])),
            "aci.uvm.chain",
        ),
        (
            "authority without certSign",
            |c| c.authority.set_ext(KEY_USAGE, der::bit_string(7, &[0b1000_0000])),
            "aci.uvm.chain",
        ),
        ("no purpose", |c| c.signer.remove_ext(EXTENDED_KEY_USAGE), "aci.uvm.eku"),
    ];
    for (what, edit, expected) in cases {
        let mut chain = Chain::new();
        edit(&mut chain);
        assert_eq!(code(&header().set_chain(&chain.ders()).sign()), expected, "{what}");
    }
    // A root that allows one authority at most; the pin is of that root.
    for (below, expected) in [(0, "aci.uvm.chain"), (1, "accept")] {
        let mut chain = Chain::new();
        let constraints = der::seq(&[der::boolean(true), der::integer(below)]);
        chain.root.set_ext(BASIC_CONSTRAINTS, constraints);
        let endorsement = Endorsement::header(&chain, &MEASUREMENT).sign();
        let judged = verify(&endorsement, &Uvm::new(&chain.did(), FEED));
        assert_eq!(
            judged.map_or_else(|e| e.code.as_str().to_owned(), |_| "accept".to_owned()),
            expected,
            "{below}"
        );
    }
}

#[test]
fn certificates_are_as_many_and_as_long_as_they_may_be() {
    let ders = Chain::new().ders();
    let with = |ders: &[Vec<u8>]| code(&header().set_chain(ders).sign());
    assert_eq!(with(&[]), "aci.uvm.chain");
    assert_eq!(with(&ders[..1]), "aci.uvm.fingerprint");
    assert_eq!(with(&ders[..2]), "aci.uvm.fingerprint");
    assert_eq!(with(&ders[1..]), "aci.uvm.chain");
    assert_eq!(with(&[&ders[..1], &ders[2..]].concat()), "aci.uvm.chain");
    assert_eq!(with(&[ders.clone(), vec![ders[0].clone()]].concat()), "aci.uvm.chain");
    assert_eq!(with(&[ders.clone(), vec![vec![0x30, 0]]].concat()), "aci.uvm.chain");
    // The root signs itself, so that it can stand above itself.
    let repeated = |count: usize| [ders.clone(), vec![ders[2].clone(); count]].concat();
    assert_eq!((with(&repeated(7)), with(&repeated(8))), ("accept".to_owned(), "aci.uvm.chain".to_owned()));
    let refused =
        |ders: &[Vec<u8>]| verify(&header().set_chain(ders).sign(), &aci::endorser()).unwrap_err().detail;
    assert!(refused(&repeated(8)).contains("11 certificates"));
    assert!(refused(&[vec![0; 16 * 1024 + 1]]).contains("16385 bytes"));
    assert!(!refused(&[vec![0; 16 * 1024]]).contains("bytes, the limit"));
}

#[test]
fn a_pin_counts_above_the_signer_only() {
    let chain = Chain::new();
    let ders = chain.ders();
    for (position, expected) in [(0, "aci.uvm.fingerprint"), (1, "accept"), (2, "accept")] {
        let did = did_of(&ders[position]);
        let endorsement = header().set(name("iss"), cbor::text(&did)).sign();
        let judged = verify(&endorsement, &Uvm::new(&did, FEED));
        assert_eq!(
            judged.map_or_else(|e| e.code.as_str().to_owned(), |_| "accept".to_owned()),
            expected,
            "{position}"
        );
    }
    // A DID that pins nothing is no DID to trust, whoever is named by it.
    let did = format!("did:x509:0:sha256:::eku:{PURPOSE}");
    let endorsement = header().set(name("iss"), cbor::text(&did)).sign();
    assert_eq!(verify(&endorsement, &Uvm::new(&did, FEED)).unwrap_err().code.as_str(), "aci.uvm.fingerprint");
}

#[test]
fn algorithm_and_key_fit() {
    let rsa = cc_testkit::aci::keys::signer();
    let (p256, p384) = (keys::stranger_p256(), keys::stranger_p384());
    for (number, kind, key, expected) in [
        (-38, SigKind::PssSha384, rsa, "accept"),
        (-38, SigKind::PssSha256, rsa, "aci.uvm.signature"),
        (-38, SigKind::Pkcs1Sha384, rsa, "aci.uvm.signature"),
        (-37, SigKind::PssSha384, rsa, "aci.uvm.signature"),
        (-35, SigKind::PssSha384, rsa, "aci.uvm.alg"),
        (-38, SigKind::Ecdsa, p384, "aci.uvm.alg"),
        (-7, SigKind::Ecdsa, p384, "aci.uvm.alg"),
        (-35, SigKind::Ecdsa, p256, "aci.uvm.alg"),
        (-36, SigKind::Ecdsa, p384, "aci.uvm.alg"),
        (-257, SigKind::Pkcs1Sha256, rsa, "aci.uvm.alg"),
        (-258, SigKind::Pkcs1Sha384, rsa, "aci.uvm.alg"),
        (-8, SigKind::PssSha384, rsa, "aci.uvm.alg"),
        (0, SigKind::PssSha384, rsa, "aci.uvm.alg"),
    ] {
        let mut chain = Chain::new();
        chain.signer.spki = key.spki().to_vec();
        let mut endorsement = header();
        endorsement.set_chain(&chain.ders()).sign_with(number, kind, key);
        assert_eq!(code(&endorsement.sign()), expected, "{number} {kind:?}");
    }
}

#[test]
fn payloads_are_judged_after_the_signature() {
    for (bytes, expected) in [
        (payload("\"99\"", &MEASUREMENT), "accept"),
        (payload("99", &MEASUREMENT), "accept"),
        (payload("\"099\"", &MEASUREMENT), "aci.uvm.cose_malformed"),
        (b"{}".to_vec(), "aci.uvm.cose_malformed"),
        (b"".to_vec(), "aci.uvm.cose_malformed"),
    ] {
        let mut endorsement = header();
        endorsement.payload = bytes;
        let mut signed = endorsement.sign();
        assert_eq!(code(&signed), expected);
        *signed.last_mut().unwrap() ^= 1;
        assert_eq!(code(&signed), "aci.uvm.signature");
    }
}
