//! A stand-in for Microsoft's sidecar for key release, as far as it obtains reports and tokens.

use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::https::Service;
use crate::jwt::Token;
use crate::maa;
use crate::snp::mint::NOW;
use crate::snp::report::{REPORT_LENGTH, ReportBuilder};

/// Path of its state.
pub const STATUS: &str = "/status";
/// Path of reports.
pub const RAW: &str = "/attest/raw";
/// Path of reports with what endorses them, which older ones do not have.
pub const COMBINED: &str = "/attest/combined";
/// Path of tokens.
pub const MAA: &str = "/attest/maa";
/// REPORT_ID of its canned report.
pub const CANNED_REPORT_ID: &str = "2e880add9a31077e5e8f3568b4c4451f0fea4372f66e3df3c0ca3ba26f447db2";

/// Makes the report over a REPORT_DATA.
type Maker = dyn Fn(&[u8; 64]) -> Vec<u8> + Send;
/// What is done to each token before it is signed.
type Edit = dyn Fn(&mut Token) + Send;

/// The running sidecar. Every report that it gives, and every token is about, is of its maker.
pub struct Sidecar {
    service: Service,
    maker: Arc<Mutex<Box<Maker>>>,
    edit: Arc<Mutex<Box<Edit>>>,
}

impl Sidecar {
    /// Starts one without `/attest/combined`, whose reports `maker` makes.
    pub fn start(maker: impl Fn(&[u8; 64]) -> Vec<u8> + Send + 'static) -> Self {
        let service = Service::start_plain();
        let maker: Arc<Mutex<Box<Maker>>> = Arc::new(Mutex::new(Box::new(maker)));
        let edit: Arc<Mutex<Box<Edit>>> = Arc::new(Mutex::new(Box::new(|_: &mut Token| ())));
        service.route(STATUS, br#"{"message":"STATUS OK"}"#);
        let made = Arc::clone(&maker);
        service.route_post(RAW, move |media_type, question| {
            let (report, _) = answer(&made, media_type, question);
            said(&json!({ "report": hex(&report) }))
        });
        let (made, edited) = (Arc::clone(&maker), Arc::clone(&edit));
        service.route_post(MAA, move |media_type, question| {
            let (report, runtime_data) = answer(&made, media_type, question);
            let question: Value = serde_json::from_slice(question).unwrap();
            let issuer = format!("https://{}", question["maa_endpoint"].as_str().unwrap());
            let mut token = maa::token(&issuer, &report, &runtime_data, NOW);
            edited.lock().unwrap()(&mut token);
            said(&json!({ "token": token.sign(maa::key()) }))
        });
        Self { service, maker, edit }
    }

    /// From now on has `/attest/combined`, with this chain (PEM) and this statement about the utility VM (COSE).
    pub fn combine(&self, chain: &str, uvm: &[u8]) {
        let (made, chain, uvm) = (Arc::clone(&self.maker), STANDARD.encode(chain), STANDARD.encode(uvm));
        self.service.route_post(COMBINED, move |media_type, question| {
            let (report, _) = answer(&made, media_type, question);
            said(&json!({
                "endorsed_tcb": hex(report.get(0x180..0x188).unwrap_or_default()),
                "endorsements": chain,
                "evidence": STANDARD.encode(report),
                "uvm_endorsements": uvm,
            }))
        });
    }

    /// The server behind it: its address, its log, and how it misbehaves.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// Makes reports in another way from now on.
    pub fn make(&self, maker: impl Fn(&[u8; 64]) -> Vec<u8> + Send + 'static) {
        *self.maker.lock().unwrap() = Box::new(maker);
    }

    /// Changes every token from now on before it is signed.
    pub fn edit(&self, edit: impl Fn(&mut Token) + Send + 'static) {
        *self.edit.lock().unwrap() = Box::new(edit);
    }
}

/// What a sidecar outside a confidential container group gives: version 1, and always the same REPORT_ID.
pub fn canned_report(report_data: &[u8; 64]) -> [u8; REPORT_LENGTH] {
    let mut id = [0; 32];
    for (at, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&CANNED_REPORT_ID[at * 2..][..2], 16).unwrap();
    }
    let mut report = ReportBuilder::zeroed();
    report.set_version(1).set_policy(0x3_001f).set_report_id(id).set_report_data(*report_data);
    *report.bytes()
}

/// The report over the runtime data of a question, and these.
fn answer(maker: &Mutex<Box<Maker>>, media_type: &str, question: &[u8]) -> (Vec<u8>, Vec<u8>) {
    assert_eq!(media_type, "application/json");
    let question: Value = serde_json::from_slice(question).unwrap();
    let runtime_data = STANDARD.decode(question["runtime_data"].as_str().unwrap()).unwrap();
    (maker.lock().unwrap()(&report_data(&runtime_data)), runtime_data)
}

/// REPORT_DATA over runtime data: their SHA-256, then zeros.
pub fn report_data(runtime_data: &[u8]) -> [u8; 64] {
    let mut report_data = [0; 64];
    report_data[..32].copy_from_slice(digest(&SHA256, runtime_data).as_ref());
    report_data
}

fn said(answer: &Value) -> (String, Vec<u8>) {
    ("application/json; charset=utf-8".to_owned(), answer.to_string().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
