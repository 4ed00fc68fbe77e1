//! One HTTP exchange: a GET with its redirects, and the body up to the limit with the issuer chain beside it.

use std::time::Duration;

use cc_core::UnixTime;
use cc_core::limits::MAX_ENDORSEMENT;
use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::backoff::retry_after;
use super::{Content, FetchFailure, issuer_chain};

/// Most redirects that are followed, all on the same host.
const MAX_REDIRECTS: usize = 3;

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
        let response = send(client, &url).await?;
        let status = response.status();
        if status == StatusCode::OK {
            let issuer_chain = issuer_chain::of(response.headers()).map_err(FetchFailure::IssuerChain)?;
            return Ok(Content { body: body(response).await?, issuer_chain });
        }
        if !status.is_redirection() {
            let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
            let wish = header.and_then(|header| retry_after(header, now));
            return Err(Failed { failure: FetchFailure::Status(status.as_u16()), wish });
        }
        url = redirected(&url, &response)?;
    }
    Err(FetchFailure::Redirect(format!("more than {MAX_REDIRECTS}")).into())
}

async fn send(client: &Client, url: &Url) -> Result<Response, Failed> {
    client.get(url.clone()).send().await.map_err(|error| connection(&error))
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

async fn body(mut response: Response) -> Result<Vec<u8>, Failed> {
    let too_large = || Failed::from(FetchFailure::Oversize);
    let limit = u64::try_from(MAX_ENDORSEMENT).unwrap_or(u64::MAX);
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| connection(&error))? {
        if body.len().saturating_add(chunk.len()) > MAX_ENDORSEMENT {
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
