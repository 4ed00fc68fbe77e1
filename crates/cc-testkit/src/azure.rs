//! What Azure's platform puts beside a machine or a container group: the processor's certificates as JSON, the security
//! context of a group, the metadata service of a machine.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::https::Service;
use crate::snp::World;
use crate::snp::cert::pem;

/// Path of the processor's certificates.
pub const CERTIFICATION: &str = "/metadata/THIM/amd/certification";
/// Path of quotes for local reports.
pub const TD_QUOTE: &str = "/acc/tdquote";

/// The certificates of a world's report as the platform gives them.
pub fn host_certificates(world: &World) -> Value {
    let tcb: [u8; 8] = world.report.reported_tcb();
    json!({
        "vcekCert": pem(&world.leaf),
        "tcbm": format!("{:016x}", u64::from_le_bytes(tcb)),
        "certificateChain": pem(&world.intermediate) + &pem(&world.ark),
        "cacheControl": "86400",
    })
}

/// Writes the security context of a container group: certificates, statement about the utility VM (COSE), CCE policy.
pub fn security_context(directory: &Path, host: &Value, uvm: &[u8], policy: &[u8]) {
    std::fs::create_dir_all(directory).unwrap();
    for (name, content) in [
        ("host-amd-cert-base64", host.to_string().as_bytes()),
        ("reference-info-base64", uvm),
        ("security-policy-base64", policy),
    ] {
        std::fs::write(directory.join(name), STANDARD.encode(content)).unwrap();
    }
}

/// The metadata service of a machine.
pub struct Metadata(Service);

impl Metadata {
    /// Starts it with these certificates, and with quotes that `quote` makes for local reports.
    pub fn start(host: &Value, quote: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let service = Service::start_plain();
        service.route_with(
            CERTIFICATION,
            &[("Content-Type", "application/json")],
            host.to_string().as_bytes(),
        );
        service.demand(CERTIFICATION, "Metadata", "true");
        service.route_post(TD_QUOTE, move |media_type, question| {
            assert_eq!(media_type, "application/json");
            let question: Value = serde_json::from_slice(question).unwrap();
            let report = URL_SAFE_NO_PAD.decode(question["report"].as_str().unwrap()).unwrap();
            let answer = json!({ "quote": URL_SAFE_NO_PAD.encode(quote(&report)) });
            ("application/json".to_owned(), answer.to_string().into_bytes())
        });
        Self(service)
    }

    /// The server behind it: its address, its log, and how it misbehaves.
    pub const fn service(&self) -> &Service {
        &self.0
    }
}
