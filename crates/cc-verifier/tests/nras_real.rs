//! Published answers of NVIDIA's service, and published claims signed anew.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cc_core::{Claims, Finding, UnixTime};
use cc_testkit::jwt::{Object, Signing, compact, ec_key, key_set};
use cc_testkit::nras::{KID, Signed, jwks, key, submods};
use cc_testkit::published::corpus;
use cc_verifier::jwt::Jwks;
use cc_verifier::nras::{Service, verify};
use serde_json::Value;

use crate::common::codes::result_code;

/// The nonce of all published answers.
const NONCE: &str = "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb";
const STAGING: Service<'static> =
    Service { iss: "https://nras.attestation-stg.nvidia.com", ..Service::NVIDIA };

struct Published {
    file: &'static str,
    service: Service<'static>,
    issued: u64,
    /// What stands in the claims of the device.
    expected: [(&'static str, &'static str); 5],
}

const PUBLISHED: [Published; 2] = [
    Published {
        file: "hopperClaimsv3",
        service: Service::NVIDIA,
        issued: 1_749_601_858,
        expected: [
            ("arch", "HOPPER"),
            ("driver_version", "550.90.07"),
            ("hwmodel", "GH100 A01 GSP BROM"),
            ("ueid", "53c22ba15e5d68088282da074ed9fb37aa585771"),
            ("vbios_version", "96.00.9f.00.01"),
        ],
    },
    Published {
        file: "switch",
        service: STAGING,
        issued: 1_751_155_060,
        expected: [
            ("arch", "LS10"),
            ("class", "switch"),
            ("hwmodel", "LS_10 A01 FSP BROM"),
            ("ueid", "79b9ca4c9b3e25c1015f3ddbfa80ace2d70c6eec"),
            ("vbios_version", "96.10.55.00.01"),
        ],
    },
];

fn read(item: &str, file: &str) -> Vec<u8> {
    let path = corpus().join("nras-token").join(item).join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn judge(body: &[u8], service: &Service<'_>, jwks: Option<&[u8]>, now: u64) -> Result<Claims, Finding> {
    let jwks = jwks.map(|jwks| Jwks::parse(jwks).unwrap());
    let nonce = hex::decode(NONCE).unwrap().try_into().unwrap();
    verify(body, service, jwks.as_ref(), &nonce, UnixTime::from_secs(now))
}

/// The tokens of an answer.
fn tokens(body: &[u8]) -> Signed {
    let value: Value = serde_json::from_slice(body).unwrap();
    let devices = value[1].as_object().unwrap().iter();
    let devices = devices.map(|(name, token)| (name.clone(), token.as_str().unwrap().to_owned()));
    Signed { overall: value[0][1].as_str().unwrap().to_owned(), devices: devices.collect() }
}

fn payload(token: &str) -> String {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    String::from_utf8(payload).unwrap()
}

/// A token of our key about these claims.
fn signed(payload: &str) -> String {
    let header = Object::of(&[("kid", KID), ("alg", "ES384")]);
    compact(&header.text(), payload, &Signing::Ecdsa, key())
}

/// The same overall claims about these device tokens.
fn answer(overall: &str, devices: Vec<(String, String)>) -> Vec<u8> {
    let mut claims = Object::default();
    let members: serde_json::Map<String, Value> = serde_json::from_str(overall).unwrap();
    members.iter().for_each(|(name, value)| claims.set(name, &value.to_string()));
    claims.set("submods", &submods("SHA-256", &devices));
    Signed { overall: signed(&claims.text()), devices }.body()
}

#[test]
fn published_answers_lack_nothing_but_keys() {
    let foreign = key_set(&[ec_key("other", key())]);
    for Published { file, service, issued, .. } in &PUBLISHED {
        let body = read("gpu-switch-nvat", &format!("{file}_detached_eat.json"));
        let outcome = |body: &[u8], service, jwks, now| result_code(&judge(body, service, jwks, now));
        assert_eq!(outcome(&body, service, None, *issued), "jwt.jwks.unavailable", "{file}");
        assert_eq!(outcome(&body, service, Some(&foreign), *issued), "jwt.kid.unknown", "{file}");
        assert_eq!(outcome(&body, service, None, issued + 301), "jwt.too_old", "{file}");
        assert_eq!(outcome(&body, service, None, issued + 3660), "jwt.expired", "{file}");
        assert_eq!(outcome(&body, service, None, issued - 61), "jwt.not_yet_valid", "{file}");
        let other = if *service == STAGING { Service::NVIDIA } else { STAGING };
        assert_eq!(outcome(&body, &other, None, *issued), "jwt.iss.mismatch", "{file}");

        // The digest is over the token's exact bytes: another signature is another token.
        let mut tampered = tokens(&body);
        let (name, token) = tampered.devices.remove(0);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        tampered.devices.push((name, format!("{signed}.{other}{}", &signature[1..])));
        let code = outcome(&tampered.body(), service, None, *issued);
        assert_eq!(code, "nras.submod.digest_mismatch", "{file}");
    }
    eprintln!("{} published answers", PUBLISHED.len());
}

#[test]
fn published_answers_signed_anew_are_good() {
    for Published { file, service, issued, expected } in &PUBLISHED {
        let Signed { overall, devices } =
            tokens(&read("gpu-switch-nvat", &format!("{file}_detached_eat.json")));
        let decoded: Value =
            serde_json::from_slice(&read("gpu-switch-nvat", &format!("{file}_decoded.json"))).unwrap();
        for (name, token) in &devices {
            let claims: Value = serde_json::from_str(&payload(token)).unwrap();
            assert_eq!(claims, decoded[name], "{file}: {name}");
        }
        let devices = devices.iter().map(|(name, token)| (name.clone(), signed(&payload(token)))).collect();
        let claims = judge(&answer(&payload(&overall), devices), service, Some(&jwks()), *issued).unwrap();
        let claims: Value = serde_json::from_str(&serde_json::to_string(&claims).unwrap()).unwrap();
        assert_eq!(claims["nonce"], NONCE);
        assert_eq!(claims["devices"].as_array().unwrap().len(), 1, "{file}");
        for (name, value) in expected {
            assert_eq!(claims["devices"][0][name], *value, "{file}: {name}");
        }
    }
}

/// Claims without tokens: of another time, another issuer and with nonces that do not all agree, so all of that is made to
/// fit first.
#[test]
fn published_claims_signed_anew_are_judged() {
    const NOW: u64 = 1_780_272_000;
    let fitting = |file: &str| {
        let mut claims = Object::default();
        let text = String::from_utf8(read("claims-nvtrust", file)).unwrap();
        let members: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
        members.iter().for_each(|(name, value)| claims.set(name, &value.to_string()));
        claims.set_text("eat_nonce", NONCE);
        claims.set_text("iss", Service::NVIDIA.iss);
        ["iat", "nbf", "exp"].iter().for_each(|name| claims.set_number(name, i64::try_from(NOW).unwrap()));
        claims
    };
    let mut cases = 0;
    for overall in
        ["local", "remote"].map(|verifier| fitting(&format!("overall_granular_claims_{verifier}.json")))
    {
        for verifier in ["local", "remote"] {
            let mut outcome = |claims: &Object| {
                cases += 1;
                let devices = vec![("GPU-0".to_owned(), signed(&claims.text()))];
                result_code(&judge(&answer(&overall.text(), devices), &Service::NVIDIA, Some(&jwks()), NOW))
            };
            let old = fitting(&format!("detached_claims_{verifier}.json"));
            assert_eq!(outcome(&old), "nras.claims.malformed", "{verifier}, version 2");
            let mut claims = fitting(&format!("detached_granular_claims_{verifier}.json"));
            assert_eq!(outcome(&claims), "nras.cert.status", "{verifier}: a certificate is on hold");
            claims.set("x-nvidia-attestation-warning", "null");
            assert_eq!(outcome(&claims), "accept", "{verifier}");
        }
    }
    for verifier in ["local", "remote"] {
        cases += 1;
        let overall = fitting(&format!("overall_claims_{verifier}.json"));
        let claims = fitting(&format!("detached_granular_claims_{verifier}.json"));
        let devices = vec![("GPU-0".to_owned(), signed(&claims.text()))];
        let result = judge(&answer(&overall.text(), devices), &Service::NVIDIA, Some(&jwks()), NOW);
        assert_eq!(result_code(&result), "nras.claims.malformed", "{verifier}, version 2");
    }
    eprintln!("{cases} combinations of published claims");
}
