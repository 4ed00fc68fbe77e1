//! What the synthetic responder says about one certificate.

use std::sync::LazyLock;

use cc_testkit::der;
use cc_testkit::ocsp::{Answer, Authority, CertStatus};
use cc_verifier::ocsp::Subject;

/// The nonce of the question.
pub const NONCE: [u8; 32] = [0x5a; 32];
/// The certificate's serial number, INTEGER content.
pub const SERIAL: &[u8] = &[0x41, 0x43, 0x1d];

/// The certificate.
pub static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
    let authority = Authority::test();
    Subject::of(&authority.issue(SERIAL), &authority.certificate()).unwrap()
});

/// The answers that its authority ever gave, by name.
pub static ANSWERS: LazyLock<Vec<(&str, Answer)>> = LazyLock::new(|| {
    let with = |status| {
        let mut answer = Authority::test().answer(SERIAL).with_nonce(&NONCE);
        answer.singles[0].status = status;
        answer
    };
    vec![
        ("good", with(CertStatus::Good)),
        ("hold", with(CertStatus::Revoked(Some(6)))),
        ("unknown", with(CertStatus::Unknown)),
    ]
});

/// What the authority itself says, without a responder.
pub static OWN: LazyLock<Answer> = LazyLock::new(|| {
    let mut own = Authority::test().answer(SERIAL);
    own.responder = der::context(1, &[Authority::test().name]);
    own.certificates.clear();
    own
});
