//! Any bytes as an answer or as an exchange: nothing is said about a certificate but what its authority signed.

#![no_main]

use std::sync::LazyLock;

use cc_core::UnixTime;
use cc_testkit::snp::mint::NOW;
use cc_verifier::ocsp::{Answers, Problem};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::ocsp::{ANSWERS, OWN, SUBJECT};

static SIGNED: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| ANSWERS.iter().map(|(_, answer)| answer.tbs()).chain([OWN.tbs()]).collect());

fuzz_target!(|blob: &[u8]| {
    let now = UnixTime::from_secs(NOW.try_into().unwrap());
    let status = Answers::judge([blob], &[&SUBJECT]).status(&SUBJECT, now);
    let says_something =
        matches!(status, Ok(_) | Err(Problem::Revoked { .. } | Problem::Unknown | Problem::Stale { .. }));
    let holds = |signed: &Vec<u8>| blob.windows(signed.len()).any(|part| part == signed);
    assert!(!says_something || SIGNED.iter().any(holds));
});
