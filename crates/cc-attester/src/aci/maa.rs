//! Microsoft Azure Attestation: asking it, and whether a token answers the request (*wire-shapes.md* 5.5).

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use cc_core::{Finding, codes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::context::Context;
use super::{Options, report};
use crate::pace::Gate;
use crate::web::{Client, Conditions, Question, address, is_https};

/// The path that takes evidence of container groups, and the version of the interface.
const ATTEST: &str = "/attest/SevSnpVm?api-version=2022-08-01";
/// Longest token (*verification.md* J1).
const MAX_TOKEN: usize = 64 * 1024;

const CONDITIONS: Conditions =
    Conditions { unavailable: &codes::MAA_COLLECT_UNAVAILABLE, refused: &codes::MAA_COLLECT_REFUSED };

/// The service at its endpoint.
pub(super) struct Service {
    endpoint: String,
    timeout: std::time::Duration,
}

/// Its answer.
#[derive(Deserialize)]
struct Answer {
    token: String,
}

/// What is looked at of a token's payload.
#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "x-ms-sevsnpvm-reportdata")]
    report_data: String,
    #[serde(rename = "x-ms-runtime")]
    runtime: Value,
}

impl Service {
    /// The one of the options: `plug.config.missing` without one, `plug.config.invalid` where it is not asked over TLS.
    pub(super) fn new(options: &Options) -> Result<Option<Self>, Finding> {
        let Some(text) = &options.maa_endpoint else { return Ok(None) };
        let endpoint = address("maa_endpoint", text, is_https)?;
        Ok(Some(Self { endpoint, timeout: options.maa_timeout }))
    }

    /// Its host, with the port if any.
    pub(super) fn host(&self) -> &str {
        self.endpoint.strip_prefix("https://").unwrap_or_default()
    }

    /// A token about `report`, which is over `runtime_data`, unchecked.
    pub(super) fn token(
        &self,
        report: &[u8],
        runtime_data: &[u8],
        context: &Context,
        client: &mut Client,
        gate: &mut Gate,
    ) -> Result<String, Finding> {
        let endorsements = json!({ "Uvm": [URL_SAFE.encode(&context.uvm)] });
        let evidence = json!({
            "SnpReport": URL_SAFE.encode(report),
            "VcekCertChain": URL_SAFE.encode(context.host.pem()),
            "Endorsements": URL_SAFE.encode(endorsements.to_string()),
        });
        let question = json!({
            "report": URL_SAFE.encode(evidence.to_string()),
            "runtimeData": { "data": URL_SAFE.encode(runtime_data), "dataType": "JSON" },
        });
        let question = Question {
            url: &format!("{}{ATTEST}", self.endpoint),
            header: None,
            json: Some(question.to_string().into_bytes()),
            timeout: self.timeout,
            conditions: CONDITIONS,
        };
        let answer: Answer = client.ask(&question, gate)?;
        Ok(answer.token)
    }
}

/// Whether a token is about a report over these runtime data, by what its payload says, which is not verified here:
/// `maa.collect.wrong_token` otherwise, `maa.collect.refused` for what is no token.
pub(super) fn check(token: &str, runtime_data: &[u8]) -> Result<(), Finding> {
    let malformed =
        |detail: String| Finding::new(codes::MAA_COLLECT_REFUSED, format!("the service's token: {detail}"));
    if token.len() > MAX_TOKEN {
        return Err(malformed(format!("{} bytes, the limit is {MAX_TOKEN}", token.len())));
    }
    let mut segments = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (segments.next(), segments.next(), segments.next(), segments.next())
    else {
        return Err(malformed("not three segments".to_owned()));
    };
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|error| malformed(error.to_string()))?;
    let payload: Payload = serde_json::from_slice(&payload).map_err(|error| malformed(error.to_string()))?;

    let wrong = |detail: String| Finding::new(codes::MAA_COLLECT_WRONG_TOKEN, detail);
    let expected = hex::encode(report::report_data(runtime_data));
    if payload.report_data != expected {
        return Err(wrong(format!("reportdata is {:?}, requested was {expected}", payload.report_data)));
    }
    let sent: Value = serde_json::from_slice(runtime_data).map_err(|error| wrong(error.to_string()))?;
    if payload.runtime != sent {
        return Err(wrong(format!("x-ms-runtime is {}, sent was {sent}", payload.runtime)));
    }
    Ok(())
}
