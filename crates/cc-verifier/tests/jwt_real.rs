//! Published tokens of Microsoft Azure Attestation, with the keys that were published with them.

use cc_core::UnixTime;
use cc_testkit::published::corpus;
use cc_verifier::jwt::{Algorithm, Issuer, Jwks, verify};

use crate::common::codes::result_code;

fn read(item: &str, file: &str) -> Vec<u8> {
    let path = corpus().join("maa-token").join(item).join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const SHARED: Issuer<'static> = Issuer {
    iss: "https://sharedweu.weu.test.attest.azure.net",
    algorithm: Algorithm::Rs256,
    jwks_url: "https://sharedweu.weu.test.attest.azure.net/certs",
    max_age: 300,
    audience: None,
};
const TENANT: Issuer<'static> = Issuer {
    iss: "https://pylarryoattestationaad.wus.attest.azure.net",
    jwks_url: "https://pylarryoattestationaad.wus.attest.azure.net/certs",
    ..SHARED
};

/// When a token was issued.
fn issued(token: &[u8]) -> u64 {
    use base64::Engine;
    let payload = token.split(|byte| *byte == b'.').nth(1).unwrap();
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    claims["iat"].as_u64().unwrap()
}

#[test]
fn published_tokens_of_a_published_key() {
    let jwks = Jwks::parse(&read("sgx-2021-jwks", "jwks.json")).unwrap();
    let mut outcomes = Vec::new();
    for file in ["token-attest-0.jwt", "token-attest-1.jwt", "token-policy-0.jwt"] {
        let token = read("sgx-2021-jwks", file);
        let issued = issued(&token);
        let outcome = |issuer: &Issuer<'_>, jwks, now| {
            result_code(&verify(&token, issuer, jwks, UnixTime::from_secs(now)))
        };
        outcomes.push(outcome(&TENANT, Some(&jwks), issued));
        assert_eq!(outcome(&TENANT, None, issued), "jwt.jwks.unavailable", "{file}");
        assert_eq!(outcome(&TENANT, Some(&jwks), issued + 301), "jwt.too_old", "{file}");
        assert_eq!(outcome(&TENANT, Some(&jwks), issued + 10_000_000), "jwt.expired", "{file}");
        assert_eq!(outcome(&SHARED, Some(&jwks), issued), "jwt.jku.mismatch", "{file}");
        let algorithm = Algorithm::Es384;
        let other = Issuer { algorithm, ..TENANT };
        assert_eq!(outcome(&other, Some(&jwks), issued), "jwt.alg.not_allowed", "{file}");
    }
    assert_eq!(outcomes, ["accept", "accept", "accept"]);
    eprintln!("{} published tokens", outcomes.len());
}

#[test]
fn a_published_token_without_its_key() {
    let token = read("sevsnpvm-2025", "token.jwt");
    let now = UnixTime::from_secs(issued(&token));
    assert_eq!(result_code(&verify(&token, &SHARED, None, now)), "jwt.jwks.unavailable");
    let foreign = Jwks::parse(&read("sgx-2021-jwks", "jwks.json")).unwrap();
    assert_eq!(result_code(&verify(&token, &SHARED, Some(&foreign), now)), "jwt.kid.unknown");
}
