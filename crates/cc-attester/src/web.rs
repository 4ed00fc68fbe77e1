//! Questions to services over HTTP: the sidecar of a container group, the attestation service, the platform's metadata.
//!
//! A question is asked up to five times, with waits that grow and vary, or are as long as the service says, and never past
//! the caller's deadline. What comes back is bounded; redirects are not followed; nothing here is trusted.

use std::sync::Arc;
use std::time::Duration;

use cc_core::limits::MAX_ENDORSEMENT;
use cc_core::{Code, Finding, codes};
use serde::de::DeserializeOwned;
use ureq::http::{HeaderMap, StatusCode, Uri, header::RETRY_AFTER};
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use crate::pace::Gate;

/// How often a question is asked.
const ATTEMPTS: u32 = 5;
/// The longest wait before the second attempt; it doubles from one to the next.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of a refusal is passed on, in bytes.
const EXCERPT: usize = 256;

/// Any number, other ones for other callers: waits differ by it.
pub type Chance = Box<dyn FnMut() -> u8 + Send>;

/// Chance of the system.
pub fn system_chance() -> Chance {
    Box::new(|| {
        let mut byte = [0];
        // Without randomness everybody waits as long as anybody: nothing worse.
        let _ = aws_lc_rs::rand::fill(&mut byte);
        let [byte] = byte;
        byte
    })
}

/// Whom a client trusts to name a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorities {
    /// The system's.
    System,
    /// These certificates, DER, and no others.
    Only(Vec<Vec<u8>>),
}

/// What the caller says where a question stays without an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions {
    /// There is none: asking again may help.
    pub(crate) unavailable: &'static Code,
    /// The service said no, or something that is no answer.
    pub(crate) refused: &'static Code,
}

/// One question.
pub(crate) struct Question<'a> {
    /// Address with path and query.
    pub(crate) url: &'a str,
    /// A header besides the usual ones.
    pub(crate) header: Option<(&'static str, &'static str)>,
    /// The JSON to post; nothing to get.
    pub(crate) json: Option<Vec<u8>>,
    /// How long an attempt may take.
    pub(crate) timeout: Duration,
    pub(crate) conditions: Conditions,
}

/// The client.
pub(crate) struct Client {
    agent: ureq::Agent,
    chance: Chance,
}

/// Why an attempt gave no answer.
enum Failure {
    /// Another attempt may give one, after this time where the service says so.
    Passing(String, Option<Duration>),
    Final(String),
}

impl Client {
    pub(crate) fn new(authorities: &Authorities, chance: Chance) -> Self {
        let roots = match authorities {
            Authorities::System => RootCerts::PlatformVerifier,
            Authorities::Only(certificates) => RootCerts::Specific(Arc::new(
                certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect(),
            )),
        };
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(roots)
            .build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            // Not that of the environment.
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
            .build();
        Self { agent: config.new_agent(), chance }
    }

    /// The answer to `question`, of the form `T`.
    pub(crate) fn ask<T: DeserializeOwned>(
        &mut self,
        question: &Question<'_>,
        gate: &mut Gate,
    ) -> Result<T, Finding> {
        self.ask_if_known(question, gate)?.ok_or_else(|| {
            Finding::new(
                question.conditions.refused.clone(),
                format!("{}: status 404 Not Found", question.url),
            )
        })
    }

    /// The same; nothing where the service does not know the path.
    pub(crate) fn ask_if_known<T: DeserializeOwned>(
        &mut self,
        question: &Question<'_>,
        gate: &mut Gate,
    ) -> Result<Option<T>, Finding> {
        let finding =
            |code: &Code, detail: String| Finding::new(code.clone(), format!("{}: {detail}", question.url));
        let (unavailable, refused) = (question.conditions.unavailable, question.conditions.refused);
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            let body = match self.attempt(question, gate.rest()) {
                Ok(None) => return Ok(None),
                Ok(Some(body)) => body,
                Err(Failure::Final(detail)) => return Err(finding(refused, detail)),
                Err(Failure::Passing(detail, after)) => {
                    last = detail;
                    let wait = after.unwrap_or_else(|| self.wait(attempt));
                    if attempt.saturating_add(1) == ATTEMPTS || !gate.pause(wait) {
                        break;
                    }
                    continue;
                }
            };
            return serde_json::from_slice(&body)
                .map(Some)
                .map_err(|error| finding(refused, format!("the answer is not of the known form: {error}")));
        }
        Err(finding(unavailable, last))
    }

    /// Between half and the whole of the longest wait after this attempt.
    fn wait(&mut self, attempt: u32) -> Duration {
        let longest = FIRST_WAIT.saturating_mul(1 << attempt.min(ATTEMPTS));
        let share = u32::from((self.chance)()).saturating_add(256);
        longest.saturating_mul(share).checked_div(511).unwrap_or(longest)
    }

    /// The body of an answer with status 200; nothing with 404.
    fn attempt(&self, question: &Question<'_>, rest: Duration) -> Result<Option<Vec<u8>>, Failure> {
        let limit = Some(question.timeout.min(rest));
        let answer = match &question.json {
            Some(body) => {
                let mut request = self.agent.post(question.url).content_type("application/json");
                if let Some((name, value)) = question.header {
                    request = request.header(name, value);
                }
                request.config().timeout_global(limit).build().send(body)
            }
            None => {
                let mut request = self.agent.get(question.url);
                if let Some((name, value)) = question.header {
                    request = request.header(name, value);
                }
                request.config().timeout_global(limit).build().call()
            }
        };
        let mut answer = answer.map_err(failure)?;
        let status = answer.status();
        let after = retry_after(answer.headers());
        let body = answer.body_mut().with_config().limit(MAX_BODY).read_to_vec();
        match status {
            StatusCode::OK => body.map(Some).map_err(failure),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(Failure::Passing(format!("status {status}"), after))
            }
            _ if status.is_server_error() => Err(Failure::Passing(said(status, body), None)),
            _ => Err(Failure::Final(said(status, body))),
        }
    }
}

#[expect(clippy::as_conversions, reason = "a constant of 1 MiB; there is no other conversion in a constant")]
const MAX_BODY: u64 = MAX_ENDORSEMENT as u64;

/// What an error of the client means: the network may be better later, an answer that is too long is none.
fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::BodyExceedsLimit(limit) => {
            Failure::Final(format!("the answer has more than {limit} bytes"))
        }
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::Final(error.to_string()),
        _ => Failure::Passing(error.to_string(), None),
    }
}

/// Status and the beginning of what a service says with it.
fn said(status: StatusCode, body: Result<Vec<u8>, ureq::Error>) -> String {
    let body = body.unwrap_or_default();
    let text = String::from_utf8_lossy(body.get(..EXCERPT).unwrap_or(&body)).into_owned();
    format!("status {status}: {text:?}")
}

/// The seconds of `Retry-After`. A date is not looked at: the host's clock is nobody's here.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().map(Duration::from_secs).ok()
}

/// An address of the administrator's: scheme, host and port, nothing else; without the last `/`. `plug.config.invalid`
/// otherwise.
pub(crate) fn address(setting: &str, text: &str, allowed: fn(&Uri) -> bool) -> Result<String, Finding> {
    let uri: Option<Uri> = text.parse().ok();
    uri.filter(|uri| uri.host().is_some_and(|host| !host.is_empty()))
        .filter(|uri| uri.path_and_query().is_none_or(|rest| rest.as_str() == "/"))
        .filter(|uri| uri.authority().is_some_and(|authority| !authority.as_str().contains('@')))
        .filter(allowed)
        .map(|_| text.trim_end_matches('/').to_owned())
        .ok_or_else(|| {
            Finding::new(
                codes::PLUG_CONFIG_INVALID,
                format!("{setting}: {text:?} is not an address to ask at"),
            )
        })
}

/// Whether the address is of this machine: whoever listens there needs no certificate.
pub(crate) fn is_loopback(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http") && matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Whether the address is asked over TLS.
pub(crate) fn is_https(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

/// Whether the address is asked without TLS.
pub(crate) fn is_http(uri: &Uri) -> bool {
    uri.scheme_str() == Some("http")
}
