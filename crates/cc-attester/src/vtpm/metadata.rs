//! The platform's metadata service, which endorses what the platform reports.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use cc_core::limits::MAX_EVIDENCE;
use cc_core::message::Blob;
use cc_core::{Finding, codes};
use serde::Deserialize;
use serde_json::json;

use super::Options;
use crate::pace::Gate;
use crate::thim::HostCertificates;
use crate::web::{Client, Conditions, Question, address, is_http};

/// The processor's certificates.
const CERTIFICATION: &str = "/metadata/THIM/amd/certification";
/// Quotes for local reports.
const TD_QUOTE: &str = "/acc/tdquote";
/// Without it the service refuses: a page in a browser cannot send it.
const HEADER: (&str, &str) = ("Metadata", "true");

const CONDITIONS: Conditions =
    Conditions { unavailable: &codes::VTPM_COLLECT_UNAVAILABLE, refused: &codes::VTPM_COLLECT_REFUSED };

/// The service at its address.
pub(super) struct Metadata {
    address: String,
    timeout: std::time::Duration,
}

/// The answer with a quote.
#[derive(Deserialize)]
struct Answer {
    /// The quote, base64url.
    quote: String,
}

impl Metadata {
    /// The one of the options; `plug.config.invalid` where it is no address.
    pub(super) fn new(options: &Options) -> Result<Self, Finding> {
        let address = address("metadata", &options.metadata, is_http)?;
        Ok(Self { address, timeout: options.metadata_timeout })
    }

    /// The certificates of this machine's processor, VCEK first.
    pub(super) fn certificates(&self, client: &mut Client, gate: &mut Gate) -> Result<Vec<Blob>, Finding> {
        let url = format!("{}{CERTIFICATION}", self.address);
        let certificates: HostCertificates = client.ask(&self.question(&url, None), gate)?;
        certificates.endorsements().map_err(|detail| refused(&url, detail))
    }

    /// The quote for a TDREPORT.
    pub(super) fn td_quote(
        &self,
        td_report: &[u8],
        client: &mut Client,
        gate: &mut Gate,
    ) -> Result<Vec<u8>, Finding> {
        let url = format!("{}{TD_QUOTE}", self.address);
        let json = json!({ "report": URL_SAFE_NO_PAD.encode(td_report) });
        let answer: Answer = client.ask(&self.question(&url, Some(json.to_string().into_bytes())), gate)?;
        let padded = answer.quote.ends_with('=');
        let engine = if padded { URL_SAFE } else { URL_SAFE_NO_PAD };
        let quote = engine.decode(&answer.quote).map_err(|error| refused(&url, error.to_string()))?;
        if quote.len() > MAX_EVIDENCE {
            return Err(refused(
                &url,
                format!("a quote of {} bytes, the limit is {MAX_EVIDENCE}", quote.len()),
            ));
        }
        Ok(quote)
    }

    fn question<'a>(&self, url: &'a str, json: Option<Vec<u8>>) -> Question<'a> {
        Question { url, header: Some(HEADER), json, timeout: self.timeout, conditions: CONDITIONS }
    }
}

fn refused(url: &str, detail: String) -> Finding {
    Finding::new(codes::VTPM_COLLECT_REFUSED, format!("{url}: {detail}"))
}
