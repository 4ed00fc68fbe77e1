//! The group's sidecar for key release, which obtains reports and tokens for the other containers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::message::Blob;
use cc_core::{Finding, codes};
use serde::Deserialize;
use serde_json::json;

use super::{Options, report};
use crate::pace::Gate;
use crate::thim::certificates;
use crate::web::{Client, Conditions, Question, address, is_loopback};

const CONDITIONS: Conditions =
    Conditions { unavailable: &codes::ACI_COLLECT_UNAVAILABLE, refused: &codes::ACI_COLLECT_REFUSED };

/// The sidecar at its address.
pub(super) struct Sidecar {
    address: String,
    timeout: std::time::Duration,
}

/// A report, and what the sidecar endorses it with where it does.
pub(super) struct Obtained {
    pub(super) report: Vec<u8>,
    pub(super) endorsements: Option<Vec<Blob>>,
}

/// The answer of `/attest/raw`.
#[derive(Deserialize)]
struct Raw {
    /// The report, hexadecimal.
    report: String,
}

/// The answer of `/attest/combined`, all base64.
#[derive(Deserialize)]
struct Combined {
    /// The report.
    evidence: String,
    /// VCEK, ASK and ARK, PEM.
    endorsements: String,
    /// The signed statement about the utility VM, COSE.
    uvm_endorsements: String,
}

/// The answer of `/attest/maa`.
#[derive(Deserialize)]
struct Token {
    token: String,
}

impl Sidecar {
    /// The one of the options; `plug.config.invalid` where its address is not of this machine.
    pub(super) fn new(options: &Options) -> Result<Option<Self>, Finding> {
        let Some(text) = &options.sidecar else { return Ok(None) };
        let address = address("sidecar", text, is_loopback)?;
        Ok(Some(Self { address, timeout: options.sidecar_timeout }))
    }

    /// A report over `runtime_data`, checked. Newer sidecars give endorsements with it.
    pub(super) fn report(
        &self,
        runtime_data: &[u8],
        client: &mut Client,
        gate: &mut Gate,
    ) -> Result<Obtained, Finding> {
        let question = json!({ "runtime_data": STANDARD.encode(runtime_data) });
        let combined: Option<Combined> =
            client.ask_if_known(&self.question(&self.path("/attest/combined"), &question), gate)?;
        let obtained = match combined {
            Some(combined) => combined.read()?,
            None => {
                let raw: Raw = client.ask(&self.question(&self.path("/attest/raw"), &question), gate)?;
                let report = hex::decode(&raw.report).map_err(|error| malformed("report", error))?;
                Obtained { report, endorsements: None }
            }
        };
        report::check(&obtained.report, runtime_data)?;
        Ok(obtained)
    }

    /// A token of the attestation service at `host` about `runtime_data`, unchecked.
    pub(super) fn token(
        &self,
        host: &str,
        runtime_data: &[u8],
        client: &mut Client,
        gate: &mut Gate,
    ) -> Result<String, Finding> {
        let question = json!({ "maa_endpoint": host, "runtime_data": STANDARD.encode(runtime_data) });
        let token: Token = client.ask(&self.question(&self.path("/attest/maa"), &question), gate)?;
        Ok(token.token)
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn question<'a>(&self, url: &'a str, json: &serde_json::Value) -> Question<'a> {
        let json = Some(json.to_string().into_bytes());
        Question { url, header: None, json, timeout: self.timeout, conditions: CONDITIONS }
    }
}

impl Combined {
    fn read(&self) -> Result<Obtained, Finding> {
        let decode = |name: &str, text: &str| STANDARD.decode(text).map_err(|error| malformed(name, error));
        let pem = decode("endorsements", &self.endorsements)?;
        let mut endorsements = certificates(&pem).map_err(|detail| malformed("endorsements", detail))?;
        endorsements.push(Blob(decode("uvm_endorsements", &self.uvm_endorsements)?));
        Ok(Obtained { report: decode("evidence", &self.evidence)?, endorsements: Some(endorsements) })
    }
}

fn malformed(member: &str, detail: impl std::fmt::Display) -> Finding {
    Finding::new(codes::ACI_COLLECT_REFUSED, format!("`{member}` of the sidecar's answer: {detail}"))
}
