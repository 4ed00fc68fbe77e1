//! The protected headers of an endorsement, in the two forms that Microsoft writes (*verification.md* 0.14).
//!
//! The *header form* has issuer, feed and time of signing under labels of text, and its payload is JSON. The *CWT form*
//! has them as claims of a web token (RFC 9597) and is a hash envelope, whose payload is a digest of something else.
//! Other entries may stand beside them.

use cc_core::limits::MAX_CERTIFICATE;
use cc_core::{Finding, UnixTime, codes};
use minicbor::Decoder;
use minicbor::data::Tag;
use minicbor::decode::Error;

use super::cose::{Label, Map, Sign1};
use super::malformed;

const ALGORITHM: Label<'_> = Label::Number(1);
const CONTENT_TYPE: Label<'_> = Label::Number(3);
const CWT_CLAIMS: Label<'_> = Label::Number(15);
const X5CHAIN: Label<'_> = Label::Number(33);
const ISSUER: Label<'_> = Label::Text("iss");
const FEED: Label<'_> = Label::Text("feed");
const SIGNING_TIME: Label<'_> = Label::Text("signingtime");
/// The hash of a hash envelope, and the type of what was hashed.
const PREIMAGE_HASH: Label<'_> = Label::Number(258);
const PREIMAGE_TYPE: Label<'_> = Label::Number(259);
/// Claims of a web token (RFC 8392): issuer, subject (here the feed), time of issue.
const CWT_ISSUER: Label<'_> = Label::Number(1);
const CWT_SUBJECT: Label<'_> = Label::Number(2);
const CWT_ISSUED_AT: Label<'_> = Label::Number(6);
const CWT_SVN: Label<'_> = Label::Text("svn");
/// SHA-384, the one hash that is used for envelopes, and the length of its digests.
const SHA384: i64 = -43;
const SHA384_LENGTH: usize = 48;
/// The tag of seconds since 1970 (RFC 8949, 3.4.2).
const EPOCH: Tag = Tag::new(1);
/// Most certificates in a chain (*verification.md* 0.6).
const MAX_CHAIN: usize = 10;

/// How the headers of an endorsement are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Headers with labels of text, JSON as payload.
    Header,
    /// Claims of a web token, a digest as payload.
    Cwt,
}

impl Form {
    /// The name in claims.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Cwt => "cwt",
        }
    }
}

/// What the protected headers say.
#[derive(Debug)]
pub(super) struct Headers<'a> {
    /// The number of the signature's algorithm.
    pub(super) algorithm: i64,
    pub(super) issuer: &'a str,
    pub(super) feed: &'a str,
    /// Certificates from the signer upwards, DER.
    pub(super) chain: Vec<&'a [u8]>,
    pub(super) signing_time: Option<UnixTime>,
    pub(super) content: Content<'a>,
}

/// What the payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// JSON, if its type says so.
    Json { content_type: &'a str },
    /// The digest of something.
    HashEnvelope { svn: u64 },
}

impl<'a> Headers<'a> {
    /// Reads the headers of a message; what is beside them is not looked at.
    pub(super) fn read(message: &Sign1<'a>) -> Result<Self, Finding> {
        let map = &message.protected;
        let wrong = |error: Error| malformed(format!("protected headers: {error}"));
        let headers = match map.value(CWT_CLAIMS, Map::read).map_err(wrong)? {
            Some(claims) => cwt_form(map, &claims, message.payload).map_err(wrong)?,
            None => header_form(map).map_err(wrong)?,
        };
        within_limits(&headers.chain)?;
        Ok(headers)
    }

    pub(super) const fn form(&self) -> Form {
        match self.content {
            Content::Json { .. } => Form::Header,
            Content::HashEnvelope { .. } => Form::Cwt,
        }
    }
}

fn header_form<'a>(map: &Map<'a>) -> Result<Headers<'a>, Error> {
    Ok(Headers {
        algorithm: needed("alg", map.value(ALGORITHM, Decoder::i64))?,
        issuer: needed("iss", map.value(ISSUER, Decoder::str))?,
        feed: needed("feed", map.value(FEED, Decoder::str))?,
        chain: needed("x5chain", map.value(X5CHAIN, chain))?,
        signing_time: map.value(SIGNING_TIME, epoch)?,
        content: Content::Json {
            content_type: needed("content type", map.value(CONTENT_TYPE, Decoder::str))?,
        },
    })
}

/// One that also has issuer or feed as a header would be read in two ways.
fn cwt_form<'a>(map: &Map<'a>, claims: &Map<'a>, payload: &[u8]) -> Result<Headers<'a>, Error> {
    for (name, label) in [("iss", ISSUER), ("feed", FEED), ("content type", CONTENT_TYPE)] {
        if map.has(label) {
            return Err(Error::message(format!("{name} beside CWT claims")));
        }
    }
    let hash = needed("payload hash", map.value(PREIMAGE_HASH, Decoder::i64))?;
    needed("preimage type", map.value(PREIMAGE_TYPE, Decoder::str))?;
    if hash != SHA384 || payload.len() != SHA384_LENGTH {
        let detail = format!("a hash envelope of hash {hash} with {} bytes, not SHA-384", payload.len());
        return Err(Error::message(detail));
    }
    let issued_at = claims.value(CWT_ISSUED_AT, Decoder::u64)?;
    Ok(Headers {
        algorithm: needed("alg", map.value(ALGORITHM, Decoder::i64))?,
        issuer: needed("CWT issuer", claims.value(CWT_ISSUER, Decoder::str))?,
        feed: needed("CWT subject", claims.value(CWT_SUBJECT, Decoder::str))?,
        chain: needed("x5chain", map.value(X5CHAIN, chain))?,
        signing_time: issued_at.map(UnixTime::from_secs),
        content: Content::HashEnvelope { svn: needed("CWT svn", claims.value(CWT_SVN, Decoder::u64))? },
    })
}

fn needed<T>(name: &str, value: Result<Option<T>, Error>) -> Result<T, Error> {
    value
        .map_err(|error| Error::message(format!("{name}: {error}")))?
        .ok_or_else(|| Error::message(format!("no {name}")))
}

fn epoch(d: &mut Decoder<'_>) -> Result<UnixTime, Error> {
    if d.tag()? != EPOCH {
        return Err(Error::message("a time with another tag than 1"));
    }
    d.u64().map(UnixTime::from_secs)
}

fn chain<'a>(d: &mut Decoder<'a>) -> Result<Vec<&'a [u8]>, Error> {
    let length = d.array()?.unwrap_or_default();
    (0..length).map(|_| d.bytes()).collect()
}

/// Sizes and numbers, before anything is parsed.
fn within_limits(chain: &[&[u8]]) -> Result<(), Finding> {
    let refuse = |detail: String| Err(Finding::new(codes::ACI_UVM_CHAIN, detail));
    if chain.len() > MAX_CHAIN {
        return refuse(format!("{} certificates, the limit is {MAX_CHAIN}", chain.len()));
    }
    match chain.iter().map(|der| der.len()).find(|length| *length > MAX_CERTIFICATE) {
        Some(length) => refuse(format!("a certificate of {length} bytes, the limit is {MAX_CERTIFICATE}")),
        None => Ok(()),
    }
}
