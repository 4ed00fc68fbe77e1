//! Rule J1: the form of a token.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::NO_PAD;
use base64::engine::simd::Simd;
use cc_core::{Finding, codes};
use serde::de::MapAccess;

use super::claims::Payload;
use crate::json::{self, Members};

/// Longest token, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// A token taken apart; nothing of it is verified.
pub(crate) struct Token<'a, T = ()> {
    pub(super) header: Header,
    /// What it says.
    pub(crate) payload: Payload<T>,
    /// What is signed, as received: header, dot, payload.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
}

/// What of a header is looked at; other parameters are allowed and mean nothing.
#[derive(Default)]
pub(super) struct Header {
    pub(super) alg: Option<String>,
    pub(super) kid: Option<String>,
    pub(super) jku: Option<String>,
    /// Whether it has `jwk`, `x5c`, `x5u`, whatever they are.
    pub(super) jwk: bool,
    pub(super) x5c: bool,
    pub(super) x5u: bool,
    crit: bool,
    /// Whether the payload is encoded (RFC 7797).
    b64: Option<bool>,
    /// Whether it has a parameter of encrypted tokens (RFC 7516): `enc` or `zip`.
    encrypted: bool,
}

impl<'de> Members<'de> for Header {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "alg" => self.alg = Some(object.next_value()?),
            "kid" => self.kid = Some(object.next_value()?),
            "jku" => self.jku = Some(object.next_value()?),
            "b64" => self.b64 = Some(object.next_value()?),
            other => {
                match other {
                    "jwk" => self.jwk = true,
                    "x5c" => self.x5c = true,
                    "x5u" => self.x5u = true,
                    "crit" => self.crit = true,
                    "enc" | "zip" => self.encrypted = true,
                    _ => {}
                }
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<'a, T: for<'de> Members<'de>> Token<'a, T> {
    /// Takes a token apart (J1).
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_TOKEN {
            return Err(invalid(format!("{} bytes, the limit is {MAX_TOKEN}", bytes.len())));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| invalid(error.to_string()))?;
        let mut segments = text.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            let segments = text.split('.').count();
            return Err(invalid(format!("{segments} segments separated by dots, not 3")));
        };
        let end = header.len().saturating_add(payload.len()).saturating_add(1);
        let signed = bytes.get(..end).unwrap_or_default();

        let header: Header = {
            let bytes = decoded("header", header)?;
            let text = std::str::from_utf8(&bytes).map_err(|error| invalid(format!("header: {error}")))?;
            json::members(text).map_err(|error| invalid(format!("header: {error}")))?
        };
        if header.encrypted {
            return Err(invalid("the header is that of an encrypted token".to_owned()));
        }
        if header.crit {
            let detail = "the header has `crit`, and no extension is known here";
            return Err(Finding::new(codes::JWT_CRIT_UNKNOWN, detail));
        }
        if header.b64 == Some(false) {
            return Err(invalid("the header says that the payload is not encoded".to_owned()));
        }
        let payload = decoded("payload", payload)?;
        let payload = String::from_utf8(payload).map_err(|error| invalid(format!("payload: {error}")))?;
        let payload = Payload::new(payload)?;
        Ok(Self { header, payload, signed, signature: decoded("signature", signature)? })
    }
}

/// Base64 in the alphabet of URLs, canonical, without padding; many digits at once, since tokens have thousands.
static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));

fn decoded(what: &str, segment: &str) -> Result<Vec<u8>, Finding> {
    BASE64.decode(segment).map_err(|error| invalid(format!("{what}: {error}")))
}

pub(super) fn invalid(detail: String) -> Finding {
    Finding::new(codes::JWT_FORMAT_INVALID, detail)
}
