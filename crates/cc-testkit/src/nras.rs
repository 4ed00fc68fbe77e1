//! A stand-in for NVIDIA's remote attestation service: detached EATs in the form of its claims of version 3, and the
//! service on loopback.

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};

use crate::https::Service;
use crate::jwt::{Object, Token, ec_key, key_set, quoted};
use crate::snp::mint::NOW;
use crate::snp::{SignKey, keys};

/// The published host.
pub const HOST: &str = "nras.attestation.nvidia.com";
/// The issuer of its tokens.
pub const ISS: &str = "https://nras.attestation.nvidia.com";
/// Path of its keys.
pub const JWKS: &str = "/.well-known/jwks.json";
/// Path that takes evidence of GPUs.
pub const ATTEST_GPU: &str = "/v4/attest/gpu";
/// Path that takes evidence of switches.
pub const ATTEST_SWITCH: &str = "/v4/attest/switch";
/// The name of its key.
pub const KID: &str = "nv-eat-kid-test";

/// The key that signs its tokens.
pub fn key() -> &'static SignKey {
    keys::stranger_p384()
}

/// Its published keys.
pub fn jwks() -> Vec<u8> {
    key_set(&[ec_key(KID, key())])
}

/// An answer before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The overall token, without `submods`.
    pub overall: Token,
    /// Device tokens by name.
    pub devices: Vec<(String, Token)>,
    /// The algorithm that the digests of device tokens are said to be made with.
    pub digest: &'static str,
}

/// An answer whose tokens are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The overall token.
    pub overall: String,
    /// Device tokens by name.
    pub devices: Vec<(String, String)>,
}

impl Answer {
    /// Good GPUs.
    pub fn gpus(count: u64, nonce: &[u8; 32], now: i64) -> Self {
        Self::new("GPU", count, nonce, now, gpu)
    }

    /// Good switches.
    pub fn switches(count: u64, nonce: &[u8; 32], now: i64) -> Self {
        Self::new("SWITCH", count, nonce, now, switch)
    }

    fn new(name: &str, count: u64, nonce: &[u8; 32], now: i64, claims: fn(&mut Object)) -> Self {
        let token = |jti: u64| {
            let mut payload = Object::of(&[("iss", ISS), ("eat_nonce", &hex(nonce))]);
            payload.set_text("jti", &format!("{jti:08x}"));
            payload.set_number("nbf", now);
            payload.set_number("iat", now);
            payload.set_number("exp", now + 3600);
            Token::es384(KID, payload)
        };
        let mut overall = token(0);
        overall.payload.set_text("sub", "NVIDIA-PLATFORM-ATTESTATION");
        overall.payload.set_text("x-nvidia-ver", "3.0");
        overall.payload.set("x-nvidia-overall-att-result", "true");
        let device = |index: u64| {
            let mut token = token(index + 1);
            claims(&mut token.payload);
            token
                .payload
                .set_text("ueid", &format!("478176379286082186618948445787393647364802107{index:03}"));
            (format!("{name}-{index}"), token)
        };
        Self { overall, devices: (0..count).map(device).collect(), digest: "SHA-256" }
    }

    /// Signs all tokens, with the digests of device tokens in the overall token unless it has its own `submods`.
    pub fn sign(&self) -> Signed {
        let devices: Vec<_> =
            self.devices.iter().map(|(name, token)| (name.clone(), token.sign(key()))).collect();
        let mut overall = self.overall.clone();
        if !overall.payload.0.iter().any(|(name, _)| name == "submods") {
            overall.payload.set("submods", &submods(self.digest, &devices));
        }
        Signed { overall: overall.sign(key()), devices }
    }

    /// The body of the service's answer.
    pub fn body(&self) -> Vec<u8> {
        self.sign().body()
    }
}

impl Signed {
    /// The body of the service's answer.
    pub fn body(&self) -> Vec<u8> {
        let devices: Vec<_> =
            self.devices.iter().map(|(name, token)| format!("{}:{}", quoted(name), quoted(token))).collect();
        format!("[[\"JWT\",{}],{{{}}}]", quoted(&self.overall), devices.join(",")).into_bytes()
    }
}

/// The claim that names these device tokens.
pub fn submods(algorithm: &str, devices: &[(String, String)]) -> String {
    let mut submods = Object::default();
    for (name, token) in devices {
        let digest = hex(digest(&SHA256, token.as_bytes()).as_ref());
        submods.push(name, &format!("[\"DIGEST\",[\"{algorithm}\",\"{digest}\"]]"));
    }
    submods.text()
}

fn gpu(claims: &mut Object) {
    report(claims, "x-nvidia-gpu");
    manifest(claims, "x-nvidia-gpu-driver-rim");
    manifest(claims, "x-nvidia-gpu-vbios-rim");
    claims.set("x-nvidia-gpu-vbios-index-no-conflict", "true");
    claims.set_text("x-nvidia-gpu-driver-version", "550.90.07");
    claims.set_text("x-nvidia-gpu-vbios-version", "96.00.9F.00.01");
    claims.set_text("hwmodel", "GH100 A01 GSP BROM");
    claims.set_text("oemid", "5703");
}

fn switch(claims: &mut Object) {
    report(claims, "x-nvidia-switch");
    manifest(claims, "x-nvidia-switch-bios-rim");
    claims.set_text("x-nvidia-switch-bios-version", "96.10.55.00.01");
    claims.set_text("hwmodel", "LS_10 A01 FSP BROM");
}

fn report(claims: &mut Object, prefix: &str) {
    claims.set_text("measres", "success");
    claims.set("secboot", "true");
    claims.set_text("dbgstat", "disabled");
    claims.set("x-nvidia-attestation-warning", "null");
    claims.set(&format!("{prefix}-arch-check"), "true");
    let report = format!("{prefix}-attestation-report");
    for flag in ["parsed", "nonce-match", "signature-verified", "cert-chain-fwid-match"] {
        claims.set(&format!("{report}-{flag}"), "true");
    }
    claims.set(&format!("{report}-cert-chain"), &good_chain().text());
}

fn manifest(claims: &mut Object, name: &str) {
    for flag in
        ["fetched", "schema-validated", "signature-verified", "version-match", "measurements-available"]
    {
        claims.set(&format!("{name}-{flag}"), "true");
    }
    claims.set(&format!("{name}-cert-chain"), &good_chain().text());
}

/// What is said of a good chain of certificates.
pub fn good_chain() -> Object {
    let mut chain = Object::of(&[("x-nvidia-cert-status", "valid"), ("x-nvidia-cert-ocsp-status", "good")]);
    chain.set_text("x-nvidia-cert-expiration-date", "9999-12-31T23:59:59Z");
    chain.set("x-nvidia-cert-revocation-reason", "null");
    chain
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is done to each answer before it is signed.
type Edit = dyn Fn(&mut Answer) + Send;

/// The running service.
pub struct Nras {
    service: Service,
    edit: Arc<Mutex<(i64, Box<Edit>)>>,
}

impl Nras {
    /// Starts the service on a free port. It finds every device good, as many as there are in the question.
    pub fn start() -> Self {
        let service = Service::start();
        service.route(JWKS, &jwks());
        let edit: Arc<Mutex<(i64, Box<Edit>)>> = Arc::new(Mutex::new((NOW, Box::new(|_: &mut Answer| ()))));
        for (path, new) in [
            (ATTEST_GPU, Answer::gpus as fn(u64, &[u8; 32], i64) -> Answer),
            (ATTEST_SWITCH, Answer::switches),
        ] {
            let edit = Arc::clone(&edit);
            service.route_post(path, move |media_type, question| {
                assert_eq!(media_type, "application/json");
                let (nonce, count) = read(question);
                let (now, edit) = &*edit.lock().unwrap();
                let mut answer = new(count, &nonce, *now);
                edit(&mut answer);
                ("application/json".to_owned(), answer.body())
            });
        }
        Self { service, edit }
    }

    /// The server behind it: its address, its authority, its log, and how it misbehaves.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The service's present from now on, seconds since 1970.
    pub fn set_now(&self, now: i64) {
        self.edit.lock().unwrap().0 = now;
    }

    /// Changes every answer from now on before it is signed.
    pub fn edit(&self, edit: impl Fn(&mut Answer) + Send + 'static) {
        self.edit.lock().unwrap().1 = Box::new(edit);
    }
}

/// Nonce and number of devices of a question.
fn read(question: &[u8]) -> ([u8; 32], u64) {
    let text = std::str::from_utf8(question).unwrap();
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    assert!(compact.contains("\"claims_version\":\"3.0\""), "{compact}");
    let digits = compact.split("\"nonce\":\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(digits.len(), 64, "{compact}");
    let mut nonce = [0; 32];
    for (at, byte) in nonce.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[at * 2..][..2], 16).unwrap();
    }
    (nonce, compact.matches("\"evidence\":").count() as u64)
}
