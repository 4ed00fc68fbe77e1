//! Rule J1: the form of a token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cc_core::{Finding, codes};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::claims::Payload;
use crate::json::{self, present};

/// Longest token, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// A token taken apart; nothing of it is verified.
pub(crate) struct Token<'a> {
    pub(super) header: Header,
    /// What it says.
    pub(crate) payload: Payload,
    /// What is signed, as received: header, dot, payload.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// What of a header is looked at; other parameters are allowed and mean nothing.
#[derive(Deserialize)]
pub(super) struct Header {
    #[serde(default, deserialize_with = "present")]
    pub(super) alg: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) jku: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) jwk: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    pub(super) x5c: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    pub(super) x5u: Option<IgnoredAny>,
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
    /// Whether the payload is encoded (RFC 7797).
    #[serde(default, deserialize_with = "present")]
    b64: Option<bool>,
    /// Of encrypted tokens (RFC 7516).
    #[serde(default, deserialize_with = "present")]
    enc: Option<IgnoredAny>,
    /// Of encrypted tokens.
    #[serde(default, deserialize_with = "present")]
    zip: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Takes a token apart (J1).
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_TOKEN {
            return Err(invalid(format!("{} bytes, the limit is {MAX_TOKEN}", bytes.len())));
        }
        let is_dot = |byte: &u8| *byte == b'.';
        let mut segments = bytes.split(is_dot);
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            let segments = bytes.split(is_dot).count();
            return Err(invalid(format!("{segments} segments separated by dots, not 3")));
        };
        let end = header.len().saturating_add(payload.len()).saturating_add(1);
        let signed = bytes.get(..end).unwrap_or_default();

        let header: Header = {
            let bytes = decoded("header", header)?;
            let text = json::object(&bytes).map_err(|error| invalid(format!("header: {error}")))?;
            serde_json::from_str(text).map_err(|error| invalid(format!("header: {error}")))?
        };
        if header.enc.is_some() || header.zip.is_some() {
            return Err(invalid("the header is that of an encrypted token".to_owned()));
        }
        if header.crit.is_some() {
            let detail = "the header has `crit`, and no extension is known here";
            return Err(Finding::new(codes::JWT_CRIT_UNKNOWN, detail));
        }
        if header.b64 == Some(false) {
            return Err(invalid("the header says that the payload is not encoded".to_owned()));
        }
        let payload = decoded("payload", payload)?;
        json::object(&payload).map_err(|error| invalid(format!("payload: {error}")))?;
        let payload = String::from_utf8(payload).map_err(|error| invalid(format!("payload: {error}")))?;
        let payload = Payload::new(payload);
        Ok(Self { header, payload, signed, signature: decoded("signature", signature)? })
    }
}

/// Base64 in the alphabet of URLs, canonical, without padding.
fn decoded(what: &str, segment: &[u8]) -> Result<Vec<u8>, Finding> {
    URL_SAFE_NO_PAD.decode(segment).map_err(|error| invalid(format!("{what}: {error}")))
}

pub(super) fn invalid(detail: String) -> Finding {
    Finding::new(codes::JWT_FORMAT_INVALID, detail)
}
