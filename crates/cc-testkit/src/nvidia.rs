//! A stand-in for NVIDIA's OCSP responder and for its service of reference manifests, both on one host.
//!
//! The responder answers every question about a certificate of its authorities, in the present that a test gives it; what
//! the answers say, or how they are wrong, is the test's choice.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::der;
use crate::https::Service;
use crate::ocsp::{Authority, CertStatus, Hash};
use crate::snp::mint::{DAY, NOW};

/// The published host of the responder.
pub const OCSP_HOST: &str = "ocsp.ndis.nvidia.com";
/// The published host of the manifests.
pub const RIM_HOST: &str = "rim.attestation.nvidia.com";
/// The responder's path.
pub const OCSP: &str = "/";

/// Path of a manifest.
pub fn rim(id: &str) -> String {
    format!("/v1/rim/{id}")
}

/// How the responder answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// As it should, with this status for every certificate.
    Says(CertStatus),
    /// About the certificate with the next serial number.
    WrongId,
    /// With an answer that ended a second ago.
    Stale,
    /// With another nonce.
    OtherNonce,
    /// With bytes that are no answer.
    Garbage,
    /// With a page for people.
    Page,
}

/// The running services.
pub struct Nvidia {
    service: Service,
    responder: Arc<Mutex<Responder>>,
}

struct Responder {
    authorities: Vec<Authority>,
    manner: Manner,
    now: i64,
}

impl Nvidia {
    /// Starts the services on a free port; there are no manifests yet, and the responder answers that the certificates
    /// of these authorities are good.
    pub fn start(authorities: Vec<Authority>) -> Self {
        let service = Service::start();
        let manner = Manner::Says(CertStatus::Good);
        let responder = Arc::new(Mutex::new(Responder { authorities, manner, now: NOW }));
        let answering = Arc::clone(&responder);
        service.route_post(OCSP, move |media_type, question| {
            assert_eq!(media_type, "application/ocsp-request");
            answering.lock().unwrap().answer(question)
        });
        Self { service, responder }
    }

    /// The server behind it: its address, its authority, its log, and how it misbehaves.
    pub const fn service(&self) -> &Service {
        &self.service
    }

    /// The server, to be ended.
    pub const fn service_mut(&mut self) -> &mut Service {
        &mut self.service
    }

    /// How the responder answers from now on.
    pub fn answer(&self, manner: Manner) {
        self.responder.lock().unwrap().manner = manner;
    }

    /// The responder's present from now on, seconds since 1970.
    pub fn set_now(&self, now: i64) {
        self.responder.lock().unwrap().now = now;
    }

    /// Serves a manifest under its id.
    pub fn serve_rim(&self, id: &str, xml: &[u8]) {
        self.serve_rim_as(id, id, xml);
    }

    /// Serves a manifest for an id as if it were that of another one.
    pub fn serve_rim_as(&self, id: &str, said: &str, xml: &[u8]) {
        self.service.route_with(&rim(id), &[("Content-Type", "application/json")], &rim_body(said, xml));
    }
}

/// The body that the service of manifests sends.
pub fn rim_body(id: &str, xml: &[u8]) -> Vec<u8> {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, xml);
    let sha256: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let rim = STANDARD.encode(xml);
    format!(r#"{{"id":"{id}","rim":"{rim}","sha256":"{sha256}","rim_format":"TCG_RIM"}}"#).into_bytes()
}

impl Responder {
    fn answer(&self, question: &[u8]) -> (String, Vec<u8>) {
        let (serial, nonce) = read(question);
        let id = |authority: &&Authority| {
            let id = authority.cert_id(Hash::Sha384, &serial);
            question.windows(id.len()).any(|part| part == id)
        };
        let body = match self.authorities.iter().find(id) {
            // unauthorized
            None => der::seq(&[der::tlv(0x0a, &[6])]),
            Some(authority) => self.speak(authority, serial, &nonce),
        };
        let media_type = if self.manner == Manner::Page { "text/html" } else { "application/ocsp-response" };
        (media_type.to_owned(), body)
    }

    fn speak(&self, authority: &Authority, mut serial: Vec<u8>, nonce: &[u8]) -> Vec<u8> {
        if let (Manner::WrongId, Some(last)) = (self.manner, serial.last_mut()) {
            *last ^= 1;
        }
        let mut from = self.now;
        if self.manner == Manner::Stale {
            from -= DAY + 1;
        }
        let nonce = if self.manner == Manner::OtherNonce { &[0; 32] } else { nonce };
        let mut answer = authority.answer(&serial).with_nonce(nonce);
        answer.produced_at = from;
        answer.singles[0].this_update = from;
        answer.singles[0].next_update = Some(from + DAY);
        match self.manner {
            Manner::Says(status) => answer.singles[0].status = status,
            Manner::Garbage | Manner::Page => return b"<html>maintenance</html>".to_vec(),
            Manner::WrongId | Manner::Stale | Manner::OtherNonce => {}
        }
        answer.sign()
    }
}

/// Serial number (INTEGER content) and nonce of a question about one certificate.
fn read(question: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let tbs = content(content(question).0).0;
    let (list, extensions) = content(tbs);
    let mut id = content(content(list).0).0;
    // After the algorithm and two hashes.
    for _ in 0..3 {
        id = content(id).1;
    }
    let extension = content(content(content(extensions).0).0).0;
    let nonce = content(content(content(extension).1).0).0;
    (content(id).0.to_vec(), nonce.to_vec())
}

/// The content of the first element, and what follows it.
fn content(der: &[u8]) -> (&[u8], &[u8]) {
    let (header, length) = match der[1] {
        length @ 0..=0x7f => (2, usize::from(length)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(der[2]) * 256 + usize::from(der[3])),
    };
    der[header..].split_at(length)
}
