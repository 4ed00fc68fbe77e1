//! A stand-in for Microsoft Azure Attestation: tokens about container groups with the claims of *verification.md* 4.3, and
//! the service on loopback.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use crate::https::Service;
use crate::jwt::{Object, Token, key_set, quoted, rsa_key};
use crate::snp::SignKey;
use crate::snp::keys::key;
use crate::snp::mint::NOW;

/// An issuer: the published address of a regional endpoint.
pub const ISS: &str = "https://sharedeus2.eus2.attest.azure.net";
/// Path of an issuer's keys.
pub const CERTS: &str = "/certs";
/// Path that takes evidence of container groups, with its query.
pub const ATTEST: &str = "/attest/SevSnpVm?api-version=2022-08-01";
/// The name of the key that signs tokens; base64 with all of its characters, as the service names keys.
pub const KID: &str = "bWFhLXRlc3Qta2V5LW9uZSBpcyBub3QgYSBzZWNyZXQ/+A=";
/// The name of the key that comes after it.
pub const NEXT_KID: &str = "bWFhLXRlc3Qta2V5LXR3byBpcyBub3QgYSBzZWNyZXQ/+A=";
/// What the service says of its default policy.
pub const POLICY_HASH: &str = "9NY0VnTQ-IiBriBplVUpFbczcDaEBUwsiFYAzHu_gco";
/// For how long tokens are valid, seconds.
pub const LIFETIME: i64 = 8 * 3600;

/// The key that signs tokens (RSA-2048).
pub fn key() -> &'static SignKey {
    key!(SignKey::rsa, "maa.p8")
}

/// The key that comes after it (RSA-2048).
pub fn next_key() -> &'static SignKey {
    key!(SignKey::rsa, "maa-next.p8")
}

/// The published keys: [`key()`] alone.
pub fn jwks() -> Vec<u8> {
    key_set(&[rsa_key(KID, key())])
}

/// A token of `issuer` about the SNP report and the runtime data (JSON) that were sent to it, issued at `now` (seconds
/// since 1970): RS256 with [`KID`], every claim of *verification.md* 4.3, those of the report taken from it. Signed with
/// [`key()`], it is one that a verifier accepts; header and payload are there to be changed before that.
pub fn token(issuer: &str, report: &[u8], runtime_data: &[u8], now: i64) -> Token {
    let mut payload = Object::default();
    payload.set_number("exp", now + LIFETIME);
    payload.set_number("iat", now);
    payload.set_text("iss", issuer);
    payload.set_text("jti", &"0d".repeat(32));
    payload.set_number("nbf", now);
    payload.set_text("x-ms-attestation-type", "sevsnpvm");
    payload.set_text("x-ms-compliance-status", "azure-compliant-uvm");
    payload.set_text("x-ms-policy-hash", POLICY_HASH);
    payload.set("x-ms-runtime", std::str::from_utf8(runtime_data).expect("runtime data are JSON"));
    report_claims(&mut payload, report);
    payload.set_text("x-ms-ver", "1.0");

    let mut token = Token::rs256(KID, payload);
    token.header.set_text("jku", &format!("{issuer}{CERTS}"));
    token.header.set_text("typ", "JWT");
    token
}

/// What the token says of the report. The SVNs are those of REPORTED_TCB, by its layout on Milan and Genoa.
fn report_claims(payload: &mut Object, report: &[u8]) {
    let word = |at: usize| i64::from(u32::from_le_bytes(report[at..at + 4].try_into().unwrap()));
    let policy = |bit: u32| (word(0x008) >> bit) & 1 == 1;
    for (name, range) in [
        ("authorkeydigest", 0x110..0x140),
        ("familyId", 0x010..0x020),
        ("hostdata", 0x0C0..0x0E0),
        ("idkeydigest", 0x0E0..0x110),
        ("imageId", 0x020..0x030),
        ("launchmeasurement", 0x090..0x0C0),
        ("reportdata", 0x050..0x090),
        ("reportid", 0x140..0x160),
    ] {
        payload.set(&format!("x-ms-sevsnpvm-{name}"), &quoted(&hex(&report[range])));
    }
    for (name, number) in [
        ("bootloader-svn", i64::from(report[0x180])),
        ("guestsvn", word(0x004)),
        ("microcode-svn", i64::from(report[0x187])),
        ("snpfw-svn", i64::from(report[0x186])),
        ("tee-svn", i64::from(report[0x181])),
        ("vmpl", word(0x030)),
    ] {
        payload.set_number(&format!("x-ms-sevsnpvm-{name}"), number);
    }
    for (name, bit) in [("is-debuggable", 19), ("migration-allowed", 18), ("smt-allowed", 16)] {
        payload.set(&format!("x-ms-sevsnpvm-{name}"), if policy(bit) { "true" } else { "false" });
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is done to each token before it is signed.
type Edit = dyn Fn(&mut Token) + Send;

/// How the service answers.
struct Answering {
    now: i64,
    signer: &'static SignKey,
    edit: Box<Edit>,
}

/// The running service. It gives a token about whatever report it is asked with, and looks only at the question's form.
pub struct Maa {
    service: Service,
    answering: Arc<Mutex<Answering>>,
}

impl Maa {
    /// Starts the service on a free port; its address is the issuer of its tokens.
    pub fn start() -> Self {
        let service = Service::start();
        service.route(CERTS, &jwks());
        let answering = Answering { now: NOW, signer: key(), edit: Box::new(|_: &mut Token| ()) };
        let (issuer, answering) = (service.url(), Arc::new(Mutex::new(answering)));
        let answers = Arc::clone(&answering);
        service.route_post(ATTEST, move |media_type, question| {
            assert_eq!(media_type, "application/json");
            let question = Question::read(question);
            let Answering { now, signer, edit } = &*answers.lock().unwrap();
            let mut token = token(&issuer, &question.report, &question.runtime_data, *now);
            edit(&mut token);
            let body = json!({ "token": token.sign(signer) });
            ("application/json; charset=utf-8".to_owned(), body.to_string().into_bytes())
        });
        Self { service, answering }
    }

    /// The server behind it: its address, its authority, its log, and how it misbehaves.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The service's present from now on, seconds since 1970.
    pub fn set_now(&self, now: i64) {
        self.answering.lock().unwrap().now = now;
    }

    /// Changes every token from now on before it is signed, for example its algorithm or the name of its key.
    pub fn edit(&self, edit: impl Fn(&mut Token) + Send + 'static) {
        self.answering.lock().unwrap().edit = Box::new(edit);
    }

    /// From now on signs with [`next_key()`], and publishes it alone or with the one before.
    pub fn rotate(&self, keep: bool) {
        let mut keys = vec![rsa_key(NEXT_KID, next_key())];
        if keep {
            keys.push(rsa_key(KID, key()));
        }
        self.service.route(CERTS, &key_set(&keys));
        let mut answering = self.answering.lock().unwrap();
        answering.signer = next_key();
        answering.edit = Box::new(|token| token.header.set_text("kid", NEXT_KID));
    }
}

/// What a question to the service consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The SNP report.
    pub report: Vec<u8>,
    /// VCEK, ASK and ARK, PEM.
    pub chain: String,
    /// The signed statement about the utility VM, COSE.
    pub uvm: Vec<u8>,
    /// The runtime data.
    pub runtime_data: Vec<u8>,
}

impl Question {
    /// Reads the body of a question. Panics if it is not of the published form.
    pub fn read(body: &[u8]) -> Self {
        let text = |value: &Value| URL_SAFE.decode(value.as_str().expect("a text")).expect("base64url");
        let object = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
        let question = object(body);
        let evidence = object(&text(&question["report"]));
        let endorsements = object(&text(&evidence["Endorsements"]));
        assert_eq!(question["runtimeData"]["dataType"], "JSON");
        assert_eq!(endorsements["Uvm"].as_array().expect("an array").len(), 1);
        Self {
            report: text(&evidence["SnpReport"]),
            chain: String::from_utf8(text(&evidence["VcekCertChain"])).expect("PEM"),
            uvm: text(&endorsements["Uvm"][0]),
            runtime_data: text(&question["runtimeData"]["data"]),
        }
    }
}
