//! One HTTP exchange: a GET with its redirects, and the body up to the limit with the issuer chain beside it; or a POST,
//! which is not redirected.

use std::time::Duration;

use cc_core::limits::MAX_ENDORSEMENT;
use cc_core::message::Post;
use cc_core::{UnixTime, exchange};
use reqwest::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::backoff::retry_after;
use super::{Content, FetchFailure, issuer_chain};

/// Most redirects that are followed, all on the same host.
const MAX_REDIRECTS: usize = 3;

/// Room in an exchange for what is not question or answer, in bytes.
const EXCHANGE_OVERHEAD: usize = 64;

/// A failure, with the host's wish when to be asked again.
pub(super) struct Failed {
    pub(super) failure: FetchFailure,
    pub(super) wish: Option<Duration>,
}

impl From<FetchFailure> for Failed {
    fn from(failure: FetchFailure) -> Self {
        Self { failure, wish: None }
    }
}

/// Gets the content.
pub(super) async fn get(client: &Client, url: &Url, now: UnixTime) -> Result<Content, Failed> {
    let mut url = url.clone();
    for _ in 0..=MAX_REDIRECTS {
        let response = client.get(url.clone()).send().await.map_err(|error| connection(&error))?;
        if response.status() == StatusCode::OK {
            let issuer_chain = issuer_chain::of(response.headers()).map_err(FetchFailure::IssuerChain)?;
            return Ok(Content { body: body(response, MAX_ENDORSEMENT).await?, issuer_chain });
        }
        if !response.status().is_redirection() {
            return Err(refused(&response, now));
        }
        url = redirected(&url, &response)?;
    }
    Err(FetchFailure::Redirect(format!("more than {MAX_REDIRECTS}")).into())
}

/// Posts a question; the content is the exchange.
pub(super) async fn post(client: &Client, url: &Url, post: &Post, now: UnixTime) -> Result<Content, Failed> {
    let request = client.post(url.clone()).header(CONTENT_TYPE, &post.media_type).body(post.body.clone());
    let response = request.send().await.map_err(|error| connection(&error))?;
    if response.status().is_redirection() {
        return Err(FetchFailure::Redirect("of a question".to_owned()).into());
    }
    if response.status() != StatusCode::OK {
        return Err(refused(&response, now));
    }
    // Pages of proxies and of services in maintenance; what else it is says whoever reads it.
    let media_type =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if media_type.trim_start().to_ascii_lowercase().starts_with("text/") {
        return Err(FetchFailure::MediaType(media_type.to_owned()).into());
    }
    // Both together are one endorsement.
    let room = MAX_ENDORSEMENT.saturating_sub(post.body.len()).saturating_sub(EXCHANGE_OVERHEAD);
    let answer = body(response, room).await?;
    Ok(Content { body: exchange::encode(&post.body, &answer), issuer_chain: None })
}

/// A status that is neither success nor redirection.
fn refused(response: &Response, now: UnixTime) -> Failed {
    let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let wish = header.and_then(|header| retry_after(header, now));
    Failed { failure: FetchFailure::Status(response.status().as_u16()), wish }
}

/// Where a redirect leads, if it stays on the host that sent it.
fn redirected(from: &Url, response: &Response) -> Result<Url, FetchFailure> {
    let refuse = |what: String| Err(FetchFailure::Redirect(what));
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        return refuse(format!("status {} without a place", response.status().as_u16()));
    };
    let to = match from.join(location) {
        Ok(to) => to,
        Err(error) => return refuse(format!("to a malformed place: {error}")),
    };
    let bare = to.username().is_empty() && to.password().is_none();
    if to.origin() != from.origin() || !bare {
        return refuse(format!("to {}, another host", to.origin().ascii_serialization()));
    }
    Ok(to)
}

async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, Failed> {
    let too_large = || Failed::from(FetchFailure::Oversize);
    let announced = u64::try_from(limit).unwrap_or(u64::MAX);
    if response.content_length().is_some_and(|length| length > announced) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| connection(&error))? {
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    if body.is_empty() { Err(FetchFailure::Empty.into()) } else { Ok(body) }
}

fn connection(error: &reqwest::Error) -> Failed {
    let what = causes(error);
    let failure =
        if error.is_connect() { FetchFailure::Unreachable(what) } else { FetchFailure::Connection(what) };
    failure.into()
}

/// What caused the error, on one line; the error's own text, which says little, where nothing did.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let causes: Vec<_> =
        std::iter::successors(error.source(), |error| error.source()).map(ToString::to_string).collect();
    if causes.is_empty() { error.to_string() } else { causes.join(": ") }
}
