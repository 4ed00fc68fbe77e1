//! The stand-in for NVIDIA's attestation service, asked over TLS.

use cc_testkit::https::Fault;
use cc_testkit::nras::{ATTEST_GPU, ATTEST_SWITCH, Answer, JWKS, Nras, jwks};

use crate::support::{ask, post};

fn question(devices: usize) -> String {
    let device = r#"{"evidence": "AAAA", "certificate": "AAAA"}"#;
    let (nonce, devices) = ("2a".repeat(32), vec![device; devices].join(","));
    format!(
        r#"{{"nonce": "{nonce}", "arch": "HOPPER", "evidence_list": [{devices}], "claims_version": "3.0"}}"#
    )
}

/// What is in the tokens of a body: everything but the signatures, which are random, and the digests, which cover them.
fn payloads(body: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(body).unwrap();
    let tokens = text.split('"').filter(|part| part.starts_with("eyJ"));
    tokens.skip(1).map(|token| token.rsplit_once('.').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn devices_are_answered_with_their_nonce() {
    let nras = Nras::start();
    nras.set_now(1_800_000_000);
    for (path, expected) in [
        (ATTEST_GPU, Answer::gpus(2, &[0x2a; 32], 1_800_000_000)),
        (ATTEST_SWITCH, Answer::switches(2, &[0x2a; 32], 1_800_000_000)),
    ] {
        let (status, body) = post(nras.service(), path, &question(2)).await;
        assert_eq!(status, "HTTP/1.1 200 OK");
        assert_eq!(payloads(&body), payloads(&expected.body()));
    }
    nras.edit(|answer| answer.devices[0].1.payload.set("secboot", "false"));
    let (_, body) = post(nras.service(), ATTEST_GPU, &question(1)).await;
    let mut expected = Answer::gpus(1, &[0x2a; 32], 1_800_000_000);
    expected.devices[0].1.payload.set("secboot", "false");
    assert_eq!(payloads(&body), payloads(&expected.body()));
}

#[tokio::test]
async fn keys_are_published_and_faults_are_made() {
    let nras = Nras::start();
    let get = format!("GET {JWKS} HTTP/1.1\r\n\r\n");
    assert_eq!(ask(nras.service(), &get).await, ("HTTP/1.1 200 OK".to_owned(), jwks()));
    nras.service().fault(ATTEST_GPU, Fault::Status(403));
    assert_eq!(post(nras.service(), ATTEST_GPU, &question(1)).await.0, "HTTP/1.1 403 Status");
    assert_eq!(post(nras.service(), ATTEST_GPU, &question(1)).await.0, "HTTP/1.1 200 OK");
}
