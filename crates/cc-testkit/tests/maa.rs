//! The stand-in for Microsoft Azure Attestation: its tokens as a verifier sees them, and the service asked over TLS.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use cc_core::azure::runtime_data;
use cc_core::{Code, UnixTime, codes};
use cc_testkit::https::Fault;
use cc_testkit::jwt::Signing;
use cc_testkit::maa::{self, ATTEST, CERTS, ISS, KID, Maa, NEXT_KID};
use cc_testkit::published::corpus;
use cc_testkit::sidecar::report_data;
use cc_testkit::snp::mint::NOW;
use cc_testkit::snp::{LeafKind, Product, ReportBuilder};
use cc_verifier::jwt::{Algorithm, Issuer, Jwks, verify};
use serde_json::{Value, json};

use crate::support::{ask, post};

fn sent() -> (Vec<u8>, Vec<u8>) {
    let runtime_data = runtime_data(&[0x3c; 64]);
    let mut report = ReportBuilder::healthy(Product::Milan, LeafKind::Vcek);
    report.set_report_data(report_data(&runtime_data)).set_host_data([0xAB; 32]);
    (report.bytes().to_vec(), runtime_data)
}

/// The code with which a verifier ends that trusts `issuer`, and these keys.
fn outcome(token: &str, issuer: &str, jwks: &[u8], now: i64) -> Result<(), Code> {
    let issuer = Issuer {
        iss: issuer,
        algorithm: Algorithm::Rs256,
        jwks_url: &format!("{issuer}{CERTS}"),
        max_age: 300,
        audience: None,
    };
    let now = UnixTime::from_secs(now.unsigned_abs());
    let jwks = Jwks::parse(jwks).unwrap();
    verify(token.as_bytes(), &issuer, Some(&jwks), now).map(|_| ()).map_err(|finding| finding.code)
}

fn payload(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn question() -> String {
    let (report, runtime_data) = sent();
    let endorsements = json!({ "Uvm": [URL_SAFE.encode([1, 2, 3])] }).to_string();
    let evidence = json!({
        "SnpReport": URL_SAFE.encode(report),
        "VcekCertChain": URL_SAFE.encode("a chain"),
        "Endorsements": URL_SAFE.encode(endorsements),
    });
    let runtime_data = json!({ "data": URL_SAFE.encode(runtime_data), "dataType": "JSON" });
    json!({ "report": URL_SAFE.encode(evidence.to_string()), "runtimeData": runtime_data }).to_string()
}

/// A token of the service about the same report.
async fn obtain(maa: &Maa) -> String {
    let (status, body) = post(maa.service(), ATTEST, &question()).await;
    assert_eq!(status, "HTTP/1.1 200 OK");
    serde_json::from_slice::<Value>(&body).unwrap()["token"].as_str().unwrap().to_owned()
}

async fn keys(maa: &Maa) -> Vec<u8> {
    ask(maa.service(), &format!("GET {CERTS} HTTP/1.1\r\n\r\n")).await.1
}

#[test]
fn a_token_is_accepted_and_says_what_the_report_does() {
    let (report, runtime_data) = sent();
    let token = maa::token(ISS, &report, &runtime_data, NOW).sign(maa::key());
    assert_eq!(outcome(&token, ISS, &maa::jwks(), NOW), Ok(()));
    let payload = payload(&token);
    let mut expected = "ab".repeat(32);
    assert_eq!(payload["x-ms-sevsnpvm-hostdata"], expected);
    expected = hex::encode(report_data(&runtime_data));
    assert_eq!(payload["x-ms-sevsnpvm-reportdata"], expected);
    assert_eq!(payload["x-ms-sevsnpvm-microcode-svn"], 0xDB);
    assert_eq!(payload["x-ms-sevsnpvm-snpfw-svn"], 0x18);
    assert_eq!(payload["x-ms-sevsnpvm-bootloader-svn"], 4);
    assert_eq!(payload["x-ms-sevsnpvm-is-debuggable"], false);
    assert_eq!(payload["x-ms-sevsnpvm-smt-allowed"], true);
    assert_eq!(payload["x-ms-runtime"], serde_json::from_slice::<Value>(&runtime_data).unwrap());
    let mut debug = ReportBuilder::healthy(Product::Milan, LeafKind::Vcek);
    debug.flip_policy(19).flip_policy(18).set_vmpl(2).set_guest_svn(7);
    let debug = self::payload(&maa::token(ISS, debug.bytes(), &runtime_data, NOW).sign(maa::key()));
    assert_eq!(debug["x-ms-sevsnpvm-is-debuggable"], true);
    assert_eq!(debug["x-ms-sevsnpvm-migration-allowed"], true);
    assert_eq!((&debug["x-ms-sevsnpvm-vmpl"], &debug["x-ms-sevsnpvm-guestsvn"]), (&json!(2), &json!(7)));
}

#[test]
fn claims_have_the_names_and_types_of_a_real_token() {
    let real = std::fs::read_to_string(corpus().join("maa-token/sevsnpvm-2025/token.jwt")).unwrap();
    let (report, runtime_data) = sent();
    let ours = payload(&maa::token(ISS, &report, &runtime_data, NOW).sign(maa::key()));
    let mut count = 0;
    for (name, value) in payload(&real).as_object().unwrap() {
        assert_eq!(std::mem::discriminant(&ours[name]), std::mem::discriminant(value), "{name}");
        if name.starts_with("x-ms-sevsnpvm") && value.is_string() {
            assert_eq!(ours[name].as_str().unwrap().len(), value.as_str().unwrap().len(), "{name}");
        }
        count += 1;
    }
    assert_eq!(count, 25);
    println!("{count} claims of 1 published token compared");
}

#[test]
fn any_part_of_a_token_can_be_changed() {
    let (report, runtime_data) = sent();
    let good = maa::token(ISS, &report, &runtime_data, NOW);
    let code = |edit: fn(&mut cc_testkit::jwt::Token)| {
        let mut token = good.clone();
        edit(&mut token);
        outcome(&token.sign(maa::key()), ISS, &maa::jwks(), NOW)
    };
    assert_eq!(code(|token| token.payload.remove("exp")), Err(codes::JWT_EXP_MISSING));
    assert_eq!(code(|token| token.payload.set_text("iss", "https://else")), Err(codes::JWT_ISS_MISMATCH));
    assert_eq!(
        code(|token| token.header.set_text("jku", "https://else/certs")),
        Err(codes::JWT_JKU_MISMATCH)
    );
    assert_eq!(code(|token| token.header.set_text("alg", "RS384")), Err(codes::JWT_ALG_NOT_ALLOWED));
    assert_eq!(code(|token| token.signing = Signing::None), Err(codes::JWT_SIGNATURE_INVALID));
    let other = good.sign(maa::next_key());
    assert_eq!(outcome(&other, ISS, &maa::jwks(), NOW), Err(codes::JWT_SIGNATURE_INVALID));
}

#[tokio::test]
async fn the_service_answers_with_its_own_name_and_time() {
    let maa = Maa::start();
    let issuer = maa.service().url();
    assert_eq!(outcome(&obtain(&maa).await, &issuer, &keys(&maa).await, NOW), Ok(()));
    maa.set_now(NOW + 1000);
    assert_eq!(outcome(&obtain(&maa).await, &issuer, &keys(&maa).await, NOW + 1000), Ok(()));
    maa.edit(|token| token.payload.set_text("x-ms-ver", "2.0"));
    assert_eq!(payload(&obtain(&maa).await)["x-ms-ver"], "2.0");
    maa.service().fault(ATTEST, Fault::Throttle(Some("1".to_owned())));
    assert_eq!(post(maa.service(), ATTEST, &question()).await.0, "HTTP/1.1 429 Too Many Requests");
}

#[tokio::test]
async fn keys_are_rotated() {
    let maa = Maa::start();
    let (issuer, before) = (maa.service().url(), keys(&maa).await);
    let old = obtain(&maa).await;
    maa.rotate(true);
    let (new, both) = (obtain(&maa).await, keys(&maa).await);
    for (token, jwks, expected) in
        [(&new, &before, Err(codes::JWT_KID_UNKNOWN)), (&new, &both, Ok(())), (&old, &both, Ok(()))]
    {
        assert_eq!(outcome(token, &issuer, jwks, NOW), expected);
    }
    maa.rotate(false);
    let after = keys(&maa).await;
    assert_eq!(outcome(&old, &issuer, &after, NOW), Err(codes::JWT_KID_UNKNOWN));
    assert_eq!(outcome(&new, &issuer, &after, NOW), Ok(()));
    assert_ne!(KID, NEXT_KID);
}
