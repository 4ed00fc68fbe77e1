//! The rows of the negative test catalogue (*verification.md* 7) that answers about revocation decide. Each changes one
//! thing in an exchange that is otherwise acceptable.

use cc_testkit::ocsp::{CertStatus, EXTENDED_KEY_USAGE};
use cc_testkit::snp::mint::DAY;
use cc_verifier::ocsp::{Answers, Chain, Problem};

use crate::common::ocsp::{self, Case, code, now, other_authority};

type Row = (&'static str, Chain, fn(&mut Case), &'static str);

const ROWS: [Row; 12] = [
    ("N-GPU-24", Chain::Device, |c| revoke(c, None), "gpu.cert.revoked"),
    ("N-GPU-24", Chain::Device, |c| revoke(c, Some(1)), "gpu.cert.revoked"),
    ("N-GPU-25", Chain::Device, |c| revoke(c, Some(6)), "gpu.cert.revoked"),
    (
        "N-GPU-26",
        Chain::Device,
        |c| c.answer = c.authority.answer(&[0x41, 0x43, 0x1e]).with_nonce(&ocsp::NONCE),
        "gpu.ocsp.certid_mismatch",
    ),
    ("N-GPU-27", Chain::Device, |c| c.answer.extensions.clear(), "gpu.ocsp.nonce"),
    (
        "N-GPU-28",
        Chain::Device,
        |c| c.answer.certificates = vec![other_authority().responder.sign(other_authority().key)],
        "gpu.ocsp.responder",
    ),
    (
        "N-GPU-28",
        Chain::Device,
        |c| {
            // Not even a responder: the other authority itself, which shows its certificate.
            c.key = other_authority().key;
            c.answer.responder = cc_testkit::der::context(1, &[other_authority().name]);
            c.answer.certificates = vec![other_authority().certificate()];
        },
        "gpu.ocsp.responder",
    ),
    (
        "N-GPU-29",
        Chain::Device,
        |c| c.edit_responder(|responder| responder.remove_ext(EXTENDED_KEY_USAGE)),
        "gpu.ocsp.responder",
    ),
    ("N-GPU-30", Chain::Device, |c| c.at = DAY + 1, "gpu.ocsp.stale"),
    ("N-GPU-64", Chain::Device, |c| c.damage = |answer| flip_signature(answer), "gpu.ocsp.signature"),
    ("N-GPU-65", Chain::Device, |c| c.answer.singles[0].status = CertStatus::Unknown, "gpu.cert.unknown"),
    ("N-GPU-71", Chain::Manifest, |c| revoke(c, None), "gpu.rim.revoked"),
];

fn revoke(case: &mut Case, reason: Option<u8>) {
    case.answer.singles[0].status = CertStatus::Revoked(reason);
}

/// Changes the last byte of the answer's own signature, which stands before the certificates.
fn flip_signature(answer: &mut [u8]) {
    let responder = cc_testkit::ocsp::Authority::test().responder.tbs();
    let certificate = answer.windows(responder.len()).position(|part| part == responder).unwrap();
    // Before the certificate: its own header, that of the list, that of the field; four bytes each.
    answer[certificate - 13] ^= 1;
}

#[test]
fn an_exchange_without_fault_is_accepted() {
    assert_eq!(Case::new().code(Chain::Device), "accept");
    assert_eq!(Case::new().code(Chain::Manifest), "accept");
}

#[test]
fn rows_have_their_codes() {
    for (name, chain, change, expected) in ROWS {
        let mut case = Case::new();
        change(&mut case);
        assert_eq!(case.code(chain), expected, "{name}");
    }
}

#[test]
fn n_gpu_64_is_about_the_signature_itself() {
    let mut case = Case::new();
    case.damage = |answer| flip_signature(answer);
    assert_eq!(case.status(), Err(Problem::Signature));
}

#[test]
fn n_gpu_31_no_answer() {
    let subject = Case::new().subject();
    let nothing = Answers::judge([], &[&subject]).status(&subject, now(60));
    assert_eq!(code(nothing, Chain::Device), "gpu.ocsp.unavailable");
    // The responder answers that it cannot: internalError, tryLater, unauthorized.
    for status in [2, 3, 6] {
        let mut case = Case::new();
        case.answer.status = status;
        assert_eq!(case.code(Chain::Device), "gpu.ocsp.unavailable", "{status}");
        case.is_exchange = false;
        assert_eq!(case.code(Chain::Device), "gpu.ocsp.unavailable", "{status}, bare");
    }
}
