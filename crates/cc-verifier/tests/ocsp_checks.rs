//! Every check of answers that no row of the catalogue covers, one violation each, and what is just not one.

use cc_core::exchange;
use cc_testkit::der;
use cc_testkit::ocsp::{Authority, CertStatus, EXTENDED_KEY_USAGE, Hash, NO_CHECK, OCSP_SIGNING};
use cc_testkit::snp::ca::{BASIC_CONSTRAINTS, KEY_USAGE};
use cc_testkit::snp::mint::{DAY, NOW};
use cc_testkit::snp::{Ext, keys};
use cc_verifier::ocsp::{Answers, Chain, Problem, Subject, is_answer, request};

use crate::common::ocsp::{Case, NONCE, SERIAL, code, now, other_authority, status, subject};

type Row = (&'static str, fn(&mut Case), &'static str);

fn assert_rows(rows: &[Row]) {
    for (what, change, expected) in rows {
        let mut case = Case::new();
        change(&mut case);
        assert_eq!(case.code(Chain::Device), *expected, "{what}");
    }
}

const MALFORMED: &str = "gpu.ocsp.signature";
const RESPONDER: &str = "gpu.ocsp.responder";

#[test]
fn answers_have_one_form() {
    assert_rows(&[
        ("another type", |c| c.answer.response_type = "1.3.6.1.5.5.7.48.1.3".to_owned(), MALFORMED),
        ("version 1 written out", |c| c.answer.version = Some(0), MALFORMED),
        ("version 2", |c| c.answer.version = Some(1), MALFORMED),
        ("no body", |c| c.damage = |a| *a = der::seq(&[der::tlv(0x0a, &[0])]), MALFORMED),
        ("a status that nobody knows", |c| c.answer.status = 4, MALFORMED),
        ("a byte after it", |c| c.damage = |a| a.push(0), MALFORMED),
        ("cut", |c| c.damage = |a| _ = a.pop(), MALFORMED),
        ("empty", |c| c.damage = Vec::clear, MALFORMED),
        ("no certificate in the list", |c| c.answer.singles.clear(), "gpu.ocsp.certid_mismatch"),
        (
            "eight certificates",
            |c| {
                let others = (1..8).map(|serial| c.authority.answer(&[serial]).singles.remove(0));
                c.answer.singles.extend(others);
            },
            "accept",
        ),
        (
            "nine certificates",
            |c| {
                let others = (1..9).map(|serial| c.authority.answer(&[serial]).singles.remove(0));
                c.answer.singles.extend(others);
            },
            MALFORMED,
        ),
        (
            "the certificate twice",
            |c| {
                let mut again = c.answer.singles[0].clone();
                again.id = c.authority.cert_id(Hash::Sha1, SERIAL);
                c.answer.singles.push(again);
            },
            MALFORMED,
        ),
        (
            "good and then revoked",
            |c| {
                let mut again = c.answer.singles[0].clone();
                again.status = CertStatus::Revoked(None);
                c.answer.singles.push(again);
            },
            "gpu.cert.revoked",
        ),
        ("an extension", |c| c.answer.extensions.push(Ext::new("1.2.3", vec![5, 0])), "accept"),
        ("a critical extension", |c| c.answer.extensions.push(Ext::critical("1.2.3", vec![5, 0])), MALFORMED),
        ("the nonce critical", |c| c.answer.extensions[0].critical = true, "accept"),
        (
            "the nonce twice",
            |c| {
                let nonce = c.answer.extensions[0].clone();
                c.answer.extensions.push(nonce);
            },
            MALFORMED,
        ),
        (
            "an extension of the certificate's status",
            |c| c.answer.singles[0].extensions.push(Ext::new("1.2.3", vec![5, 0])),
            "accept",
        ),
        (
            "a critical one",
            |c| c.answer.singles[0].extensions.push(Ext::critical("1.2.3", vec![5, 0])),
            MALFORMED,
        ),
    ]);
}

#[test]
fn times_are_generalized() {
    let case = Case::new();
    let replaced = |new: &[u8]| {
        let (tbs, old) = (case.answer.tbs(), der::generalized_time(NOW));
        let at = tbs.windows(old.len()).position(|part| part == old).unwrap();
        // The header of the whole has four bytes.
        let content = [&tbs[4..at], new, &tbs[at + old.len()..]].concat();
        let signed = case.answer.sign_tbs(&der::seq(&[content]), case.key);
        status(&[&signed], &case.subject(), 60).map(|_| ())
    };
    assert_eq!(replaced(&der::generalized_time(NOW)), Ok(()));
    assert_eq!(replaced(&der::utc_time(NOW)), Err(Problem::Malformed("OCSP answer")));
}

#[test]
fn large_certificates_are_not_read() {
    let mut case = Case::new();
    let mut with = |size: usize| {
        case.edit_responder(|responder| responder.remove_ext(NO_CHECK));
        case.authority.responder.extensions.push(Ext::new(NO_CHECK, vec![5; size]));
        case.answer.certificates = vec![case.authority.responder.sign(case.authority.key)];
        (case.answer.certificates[0].len(), case.code(Chain::Device))
    };
    let (size, code) = with(15_000);
    assert_eq!(code, "accept");
    // ECDSA signatures differ by a few bytes in length.
    assert_eq!(with(15_000 + 16 * 1024 - size - 16).1, "accept");
    assert_eq!(with(15_000 + 16 * 1024 - size + 16).1, MALFORMED);
}

#[test]
fn certificates_are_named_by_all_three_hashes() {
    for hash in Hash::ALL {
        for is_exchange in [false, true] {
            let mut case = Case::new();
            case.is_exchange = is_exchange;
            case.answer.singles[0].id = case.authority.cert_id(hash, SERIAL);
            assert_eq!(case.code(Chain::Device), "accept", "{hash:?}");
        }
    }
    // A hash of the right length over something else.
    let id = |name: &Authority, key: &Authority| {
        let (name, key) = (name.cert_id(Hash::Sha384, SERIAL), key.cert_id(Hash::Sha384, SERIAL));
        let mut id = name;
        let key_hash = id.len() - SERIAL.len() - 2 - 48;
        id[key_hash..key_hash + 48].copy_from_slice(&key[key_hash..key_hash + 48]);
        id
    };
    let (own, other) = (Authority::test(), other_authority());
    for (what, id, expected) in [
        ("name and key", id(&own, &own), "accept"),
        ("another key", id(&own, &other), "gpu.ocsp.certid_mismatch"),
        ("another name", id(&other, &own), "gpu.ocsp.certid_mismatch"),
    ] {
        let mut case = Case::new();
        case.answer.singles[0].id = id;
        assert_eq!(case.code(Chain::Device), expected, "{what}");
    }
    let mut md5 = Case::new();
    let id = md5.answer.singles[0].id.clone();
    let sha384 = der::oid("2.16.840.1.101.3.4.2.2");
    let at = id.windows(sha384.len()).position(|part| part == sha384).unwrap();
    md5.answer.singles[0].id[at + sha384.len() - 1] = 4;
    assert_eq!(md5.code(Chain::Device), MALFORMED, "an unknown hash");
    // Parameters other than NULL, or a NULL with content: one more byte in three lengths.
    for (parameters, expected) in
        [(der::null(), true), (Vec::new(), true), (vec![5, 1, 0], false), (vec![4, 0], false)]
    {
        let mut case = Case::new();
        let algorithm = der::seq(&[sha384.clone(), parameters.clone()]);
        let id = &case.answer.singles[0].id;
        // The header of the whole has two bytes, the algorithm fifteen.
        case.answer.singles[0].id = der::seq(&[&algorithm[..], &id[2 + 15..]]);
        let is_good = case.code(Chain::Device) == "accept";
        assert_eq!(is_good, expected, "{parameters:02x?}");
    }
}

#[test]
fn responders_are_authorised_by_the_issuer() {
    assert_rows(&[
        (
            "named by name",
            |c| c.answer.responder = der::context(1, &[&c.authority.responder.subject]),
            "accept",
        ),
        ("of another name", |c| c.answer.responder = der::context(1, &[&c.authority.name[..]]), MALFORMED),
        (
            "of nobody's key",
            |c| c.answer.responder = der::context(2, &[der::octet_string(&[0; 20])]),
            RESPONDER,
        ),
        ("without a certificate", |c| c.answer.certificates.clear(), RESPONDER),
        (
            "with the issuer's certificate beside its own",
            |c| c.answer.certificates.push(c.authority.certificate()),
            "accept",
        ),
        (
            "with two certificates",
            |c| {
                let again = c.answer.certificates[0].clone();
                c.answer.certificates.push(again);
            },
            RESPONDER,
        ),
        (
            "with five certificates",
            |c| c.answer.certificates.extend(vec![c.authority.certificate(); 4]),
            MALFORMED,
        ),
        (
            "the issuer, by key",
            |c| {
                c.key = c.authority.key;
                c.answer.responder = der::context(2, &[der::octet_string(&c.key.key_id())]);
                c.answer.certificates.clear();
            },
            "accept",
        ),
        (
            "the issuer, by name",
            |c| {
                c.key = c.authority.key;
                c.answer.responder = der::context(1, &[&c.authority.name[..]]);
                c.answer.certificates.clear();
            },
            "accept",
        ),
        ("signed by another key", |c| c.key = keys::stranger_p384(), "gpu.ocsp.signature"),
        (
            "signed with another algorithm",
            |c| c.answer.algorithm = der::seq(&[der::oid("1.2.840.10045.4.3.2")]),
            "gpu.ocsp.signature",
        ),
        (
            "a CA",
            |c| c.edit_responder(|r| r.set_ext(BASIC_CONSTRAINTS, der::seq(&[der::boolean(true)]))),
            RESPONDER,
        ),
        (
            "CA:FALSE",
            |c| c.edit_responder(|r| r.set_ext(BASIC_CONSTRAINTS, der::seq::<Vec<u8>>(&[]))),
            "accept",
        ),
        ("without keyUsage", |c| c.edit_responder(|r| r.remove_ext(KEY_USAGE)), RESPONDER),
        (
            "for signing certificates",
            |c| c.edit_responder(|r| r.set_ext(KEY_USAGE, der::bit_string(2, &[0b0000_0100]))),
            RESPONDER,
        ),
        (
            "for client authentication",
            |c| {
                c.edit_responder(|r| {
                    r.set_ext(EXTENDED_KEY_USAGE, der::seq(&[der::oid("1.3.6.1.5.5.7.3.2")]))
                })
            },
            RESPONDER,
        ),
        (
            "for anything",
            |c| c.edit_responder(|r| r.set_ext(EXTENDED_KEY_USAGE, der::seq(&[der::oid("2.5.29.37.0")]))),
            RESPONDER,
        ),
        (
            // As the responder of NVIDIA's device root: nothing critical, nocheck as a purpose.
            "in another form",
            |c| {
                c.edit_responder(|r| {
                    r.remove_ext(NO_CHECK);
                    r.set_ext(EXTENDED_KEY_USAGE, der::seq(&[der::oid(OCSP_SIGNING), der::oid(NO_CHECK)]));
                    r.extensions.iter_mut().for_each(|extension| extension.critical = false);
                });
            },
            "accept",
        ),
        (
            "an extension twice",
            |c| c.edit_responder(|r| r.extensions.push(r.extensions[0].clone())),
            RESPONDER,
        ),
        (
            "an unknown critical extension",
            |c| c.edit_responder(|r| r.extensions.push(Ext::critical("1.2.3", vec![5, 0]))),
            RESPONDER,
        ),
        ("X.509 v1", |c| c.edit_responder(|r| r.version = None), RESPONDER),
        ("issuer of another name", |c| c.edit_responder(|r| r.issuer = other_authority().name), RESPONDER),
        (
            "issued with another algorithm inside",
            |c| c.edit_responder(|r| r.inner_algorithm = der::seq(&[der::oid("1.2.840.10045.4.3.2")])),
            RESPONDER,
        ),
        (
            "issued with another algorithm",
            |c| {
                c.edit_responder(|r| {
                    r.inner_algorithm = der::seq(&[der::oid("1.2.840.10045.4.3.2")]);
                    r.outer_algorithm = r.inner_algorithm.clone();
                });
            },
            RESPONDER,
        ),
        (
            "issued by another key of that name",
            |c| c.answer.certificates = vec![c.authority.responder.sign(keys::stranger_p384())],
            RESPONDER,
        ),
        ("an RSA key", |c| c.edit_responder(|r| r.spki = keys::stranger_rsa().spki().to_vec()), RESPONDER),
    ]);
}

#[test]
fn authorities_may_be_on_p256() {
    let authority = Authority::new(&cc_testkit::ocsp::name("P-256"), keys::stranger_p256());
    let mut case = Case::new();
    case.answer = authority.answer(SERIAL).with_nonce(&NONCE);
    case.authority = authority;
    assert_eq!(case.code(Chain::Device), "accept");
    assert!(Subject::of(&case.authority.issue(SERIAL), &Authority::test().certificate()).is_none(), "issuer");
}

#[test]
fn answers_last_from_this_update_to_next_update() {
    assert_rows(&[
        ("first second", |c| c.at = 0, "accept"),
        ("before", |c| c.at = -1, "gpu.ocsp.stale"),
        ("last second", |c| c.at = DAY, "accept"),
        ("no nextUpdate", |c| c.answer.singles[0].next_update = None, "gpu.ocsp.stale"),
        ("this update to come", |c| c.answer.singles[0].this_update = NOW + 61, "gpu.ocsp.stale"),
        ("produced in the future", |c| c.answer.produced_at = NOW + 61, "gpu.ocsp.stale"),
        ("produced before it was current", |c| c.answer.produced_at = NOW - 60, "accept"),
        ("the responder's last second", |c| c.edit_responder(|r| r.not_after = NOW + 60), "accept"),
        ("after it", |c| c.edit_responder(|r| r.not_after = NOW + 59), RESPONDER),
        ("the responder's first second", |c| c.edit_responder(|r| r.not_before = NOW), "accept"),
        ("produced before it", |c| c.edit_responder(|r| r.not_before = NOW + 1), RESPONDER),
        ("produced after its end", |c| c.edit_responder(|r| r.not_after = NOW - 1), RESPONDER),
    ]);
    // Not even a revocation is believed then.
    let mut late = Case::new();
    late.edit_responder(|responder| responder.not_after = NOW - 1);
    late.answer.singles[0].status = CertStatus::Revoked(None);
    assert!(matches!(late.status(), Err(Problem::Responder(_))), "{:?}", late.status());
    let status = Case::new().status().unwrap();
    assert_eq!((status.this_update, status.next_update), (now(0), now(DAY)));
}

#[test]
fn an_answer_without_its_question_lasts_as_long_as_it_says() {
    let mut case = Case::new();
    case.is_exchange = false;
    for nonce in [true, false] {
        assert_eq!(case.code(Chain::Device), "accept", "nonce: {nonce}");
        case.answer.extensions.clear();
    }
    let other = subject(&case.authority, &[7]);
    assert_eq!(status(&[&case.blob()], &other, 60), Err(Problem::Missing));
    assert_eq!(
        Answers::judge([&case.blob()[..]], &[]).status(&case.subject(), now(60)),
        Err(Problem::Missing)
    );
    case.damage = |answer| _ = answer.pop();
    assert_eq!(case.code(Chain::Device), MALFORMED);
}

#[test]
fn a_question_asks_for_its_own_answer() {
    let case = Case::new();
    let (own, other) = (case.subject(), subject(&case.authority, &[7]));
    // Asked about another certificate, answered about this one.
    let good = exchange::encode(&request(&other, &NONCE), &case.answer.sign());
    assert_eq!(status(&[&good], &own, 60), Err(Problem::Missing));
    assert_eq!(status(&[&good], &other, 60), Err(Problem::CertIdMismatch));
    let mut answer = case.answer.clone();
    answer.singles[0].status = CertStatus::Revoked(None);
    let revoked = exchange::encode(&request(&other, &NONCE), &answer.sign());
    assert!(matches!(status(&[&revoked], &own, 60), Err(Problem::Revoked { .. })));
    // Another nonce; a revoked certificate is revoked all the same.
    for (answer, expected) in [(&case.answer, "gpu.ocsp.nonce"), (&answer, "gpu.cert.revoked")] {
        let blob = exchange::encode(&request(&own, &[0; 32]), &answer.sign());
        assert_eq!(code(status(&[&blob], &own, 60), Chain::Device), expected);
    }
    // No question at all.
    let blob = exchange::encode(b"?", &case.answer.sign());
    assert_eq!(code(status(&[&blob], &own, 60), Chain::Device), MALFORMED);
}

#[test]
fn the_newest_answer_counts_and_revocation_before_all() {
    let case = Case::new();
    let bare = |state: CertStatus, from: i64, produced: i64| {
        let mut answer = case.authority.answer(SERIAL);
        answer.singles[0].status = state;
        answer.singles[0].this_update = NOW + from;
        answer.singles[0].next_update = Some(NOW + from + DAY);
        answer.produced_at = NOW + produced;
        answer.sign()
    };
    let (good, unknown, hold) = (CertStatus::Good, CertStatus::Unknown, CertStatus::Revoked(Some(6)));
    let garbled = {
        let mut blob = bare(good, 0, 0);
        blob.truncate(40);
        blob
    };
    for (what, blobs, expected) in [
        ("old good, new unknown", [bare(good, -9, -9), bare(unknown, 0, 0)], "gpu.cert.unknown"),
        ("old unknown, new good", [bare(unknown, -9, -9), bare(good, 0, 0)], "accept"),
        ("equally new", [bare(unknown, 0, 0), bare(good, 0, 0)], "gpu.cert.unknown"),
        ("produced later", [bare(unknown, 0, 0), bare(good, 0, 1)], "accept"),
        (
            "new unknown, stale good",
            [bare(unknown, 0, 0), bare(good, -2 * DAY, -2 * DAY)],
            "gpu.cert.unknown",
        ),
        ("good, stale unknown", [bare(good, 0, 0), bare(unknown, -2 * DAY, -2 * DAY)], "accept"),
        ("good, stale revoked", [bare(good, 0, 0), bare(hold, -2 * DAY, -2 * DAY)], "gpu.cert.revoked"),
        ("good, garbled", [bare(good, 0, 0), garbled.clone()], "accept"),
        ("stale, garbled", [bare(good, -2 * DAY, -2 * DAY), garbled], "gpu.ocsp.stale"),
    ] {
        for order in [[0, 1], [1, 0]] {
            let blobs = order.map(|index| blobs[index].as_slice());
            assert_eq!(code(status(&blobs, &case.subject(), 60), Chain::Device), expected, "{what}");
        }
    }
    // What nobody authorised to say so says nothing.
    let mut forged = case.authority.answer(SERIAL);
    forged.singles[0].status = hold;
    let forged = forged.sign_with(keys::stranger_p384());
    assert_eq!(code(status(&[&forged, &case.blob()], &case.subject(), 60), Chain::Device), "accept");
}

#[test]
fn answers_are_told_from_other_endorsements() {
    let case = Case::new();
    let answer = case.answer.sign();
    assert!(is_answer(&answer) && is_answer(&case.blob()) && is_answer(&answer[..]));
    assert!(!is_answer(&case.authority.certificate()) && !is_answer(b"<xml/>") && !is_answer(&[]));
}

#[test]
fn requests_name_one_certificate_and_a_nonce() {
    let case = Case::new();
    let subject = case.subject();
    assert_eq!(subject.id(), case.authority.cert_id(Hash::Sha384, SERIAL));
    assert_eq!(request(&subject, &NONCE), case.authority.question(SERIAL, &NONCE));
}
