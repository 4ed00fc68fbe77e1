//! Any bytes as an answer of NVIDIA's service, and any text as the claims of a device in one that is well signed.

#![no_main]

use std::sync::LazyLock;

use cc_core::UnixTime;
use cc_testkit::jwt::{Signing, compact};
use cc_testkit::nras::{Answer, jwks, key, submods};
use cc_testkit::snp::NOW;
use cc_verifier::jwt::Jwks;
use cc_verifier::nras::{Service, verify};
use libfuzzer_sys::fuzz_target;

const NONCE: [u8; 32] = [0x2a; 32];

static KEYS: LazyLock<Jwks> = LazyLock::new(|| Jwks::parse(&jwks()).unwrap());

fuzz_target!(|bytes: &[u8]| {
    let now = UnixTime::from_secs(NOW.unsigned_abs());
    let judge = |body: &[u8], keys| verify(body, &Service::NVIDIA, keys, &NONCE, now);
    assert!(judge(bytes, None).is_err());
    assert!(judge(bytes, Some(&KEYS)).is_err());
    let Ok(claims) = std::str::from_utf8(bytes) else { return };
    let answer = Answer::gpus(1, &NONCE, NOW);
    let mut signed = answer.sign();
    signed.devices[0].1 = compact(&answer.devices[0].1.header.text(), claims, &Signing::Ecdsa, key());
    let mut overall = answer.overall.clone();
    overall.payload.set("submods", &submods("SHA-256", &signed.devices));
    signed.overall = overall.sign(key());
    if let Ok(found) = judge(&signed.body(), Some(&KEYS)) {
        assert!(minicbor::to_vec(&found).unwrap().len() <= cc_core::limits::MAX_CLAIMS);
    }
});
