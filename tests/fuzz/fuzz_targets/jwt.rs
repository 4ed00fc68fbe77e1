//! Any bytes as a token, as header and payload of a token that is well signed, and as a set of keys.

#![no_main]

use std::sync::LazyLock;

use cc_core::UnixTime;
use cc_testkit::jwt::{Signing, compact, ec_key, key_set};
use cc_testkit::snp::keys;
use cc_verifier::jwt::{Algorithm, Issuer, Jwks, verify};
use libfuzzer_sys::fuzz_target;

const ISSUER: Issuer<'static> = Issuer {
    iss: "https://issuer.example",
    algorithm: Algorithm::Es384,
    jwks_url: "https://issuer.example/certs",
    max_age: 300,
    audience: None,
};

static KEYS: LazyLock<Jwks> =
    LazyLock::new(|| Jwks::parse(&key_set(&[ec_key("ec", keys::stranger_p384())])).unwrap());

fuzz_target!(|bytes: &[u8]| {
    let now = UnixTime::from_secs(cc_testkit::snp::NOW.unsigned_abs());
    // A signature that fits cannot be found by trying.
    assert!(verify(bytes, &ISSUER, Some(&KEYS), now).is_err());
    if let Ok(keys) = Jwks::parse(bytes) {
        let token = compact(r#"{"alg":"ES384","kid":"ec"}"#, "{}", &Signing::None, keys::stranger_p384());
        assert!(verify(token.as_bytes(), &ISSUER, Some(&keys), now).is_err());
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Some((header, payload)) = text.split_once('\n') else { return };
    let token = compact(header, payload, &Signing::Ecdsa, keys::stranger_p384());
    if verify(token.as_bytes(), &ISSUER, Some(&KEYS), now).is_ok() {
        assert!(header.contains("ES384") && payload.contains("exp"));
    }
});
