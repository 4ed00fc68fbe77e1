//! A certificate, its authority, and what is answered about it.

use cc_core::{UnixTime, exchange};
use cc_testkit::ocsp::{Answer, Authority};
use cc_testkit::snp::SignKey;
use cc_testkit::snp::mint::NOW;
use cc_verifier::ocsp::{Answers, Chain, Problem, Status, Subject, request};

pub(crate) const SERIAL: &[u8] = &[0x41, 0x43, 0x1d];
pub(crate) const NONCE: [u8; 32] = [0x5a; 32];

/// Another certificate authority with another key.
pub(crate) fn other_authority() -> Authority {
    let name = cc_testkit::ocsp::name("NVIDIA GB100 Identity");
    Authority::new(&name, cc_testkit::snp::keys::stranger_p384())
}

pub(crate) fn subject(authority: &Authority, serial: &[u8]) -> Subject {
    Subject::of(&authority.issue(serial), &authority.certificate()).unwrap()
}

pub(crate) fn now(offset: i64) -> UnixTime {
    UnixTime::from_secs(u64::try_from(NOW + offset).unwrap())
}

/// One question and its answer, for a test to change.
pub(crate) struct Case {
    pub(crate) authority: Authority,
    pub(crate) answer: Answer,
    /// Who signs the answer.
    pub(crate) key: &'static SignKey,
    /// Whether the answer is known with its question.
    pub(crate) is_exchange: bool,
    /// Seconds after the answer was given.
    pub(crate) at: i64,
    /// Changes the signed answer.
    pub(crate) damage: fn(&mut Vec<u8>),
}

impl Case {
    pub(crate) fn new() -> Self {
        let authority = Authority::test();
        let answer = authority.answer(SERIAL).with_nonce(&NONCE);
        let key = cc_testkit::ocsp::responder_key();
        Self { authority, answer, key, is_exchange: true, at: 60, damage: |_| {} }
    }

    /// Changes the responder's certificate and signs it anew.
    pub(crate) fn edit_responder(&mut self, edit: fn(&mut cc_testkit::snp::CertSpec)) {
        edit(&mut self.authority.responder);
        self.answer.certificates = vec![self.authority.responder.sign(self.authority.key)];
    }

    pub(crate) fn subject(&self) -> Subject {
        subject(&self.authority, SERIAL)
    }

    /// The endorsement.
    pub(crate) fn blob(&self) -> Vec<u8> {
        let mut answer = self.answer.sign_with(self.key);
        (self.damage)(&mut answer);
        if self.is_exchange { exchange::encode(&request(&self.subject(), &NONCE), &answer) } else { answer }
    }

    pub(crate) fn status(&self) -> Result<Status, Problem> {
        status(&[&self.blob()], &self.subject(), self.at)
    }

    pub(crate) fn code(&self, chain: Chain) -> String {
        code(self.status(), chain)
    }
}

pub(crate) fn status(blobs: &[&[u8]], subject: &Subject, at: i64) -> Result<Status, Problem> {
    Answers::judge(blobs.iter().copied(), &[subject]).status(subject, now(at))
}

pub(crate) fn code(status: Result<Status, Problem>, chain: Chain) -> String {
    match status {
        Ok(_) => "accept".to_owned(),
        Err(problem) => problem.finding(chain, "certificate").code.as_str().to_owned(),
    }
}
