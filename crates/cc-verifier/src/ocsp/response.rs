//! Answers, as far as they are read without knowing whom they are from (RFC 6960, 4.2.1).

use cc_core::UnixTime;
use cc_core::limits::MAX_CERTIFICATE;
use der::oid::ObjectIdentifier;
use der::{Tag, TagNumber};

use super::request::nonce;
use super::subject::CertId;
use crate::pki::{Certificate, Element, Elements, Extensions, Malformed, context, octets_of_bits, time};

const WHAT: &str = "OCSP answer";
/// id-pkix-ocsp-basic.
const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const SUCCESSFUL: &[u8] = &[0];
/// Most certificates in one answer. NVIDIA's have one, that of the responder.
const MAX_CERTIFICATES: usize = 4;
/// Most certificates that one answer is about. NVIDIA's are about the one asked for.
const MAX_SINGLES: usize = 8;

/// A basic answer, well formed; nothing of it is judged.
#[derive(Debug)]
pub(super) struct Response<'a> {
    /// The signed bytes, as received.
    pub(super) tbs: &'a [u8],
    pub(super) responder: ResponderId<'a>,
    pub(super) produced_at: UnixTime,
    pub(super) singles: Vec<Single<'a>>,
    /// The content of the extension.
    pub(super) nonce: Option<&'a [u8]>,
    /// The algorithm identifier, all bytes.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) certificates: Vec<Certificate<'a>>,
}

/// Whom an answer says that it is from.
#[derive(Clone, Copy, Debug)]
pub(super) enum ResponderId<'a> {
    /// The `Name`, all bytes.
    Name(&'a [u8]),
    /// SHA-1 of the key.
    Key(&'a [u8]),
}

/// What an answer says about one certificate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Single<'a> {
    pub(super) id: CertId<'a>,
    pub(super) status: CertStatus,
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
}

/// The state of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CertStatus {
    Good,
    /// Revoked or on hold, since then.
    Revoked(UnixTime),
    Unknown,
}

impl<'a> Response<'a> {
    /// Reads exactly one `OCSPResponse`. `None` for one that says that the responder cannot answer.
    pub(super) fn read(der: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let mut outer = Elements::of(Element::of(der, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let status = outer.expect(Tag::Enumerated)?.content;
        let body = outer.optional(context(0))?;
        outer.finish()?;
        match (status, body) {
            (SUCCESSFUL, Some(body)) => Self::basic(body.content).map(Some),
            ([1..=3 | 5 | 6], None) => Ok(None),
            _ => Err(Malformed(WHAT)),
        }
    }

    fn basic(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut typed = Elements::of(Element::of(body, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        if typed.expect(Tag::ObjectIdentifier)?.content != BASIC.as_bytes() {
            return Err(Malformed(WHAT));
        }
        let basic = typed.expect(Tag::OctetString)?.content;
        typed.finish()?;

        let mut outer = Elements::of(Element::of(basic, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let tbs = outer.expect(Tag::Sequence)?;
        let algorithm = outer.expect(Tag::Sequence)?.raw;
        let signature = octets_of_bits(outer.expect(Tag::BitString)?.content, WHAT)?;
        let certificates = match outer.optional(context(0))? {
            Some(explicit) => certificates(explicit.content)?,
            None => Vec::new(),
        };
        outer.finish()?;

        // The version is 1, the default, and so not written.
        let mut inner = Elements::of(tbs.content, WHAT)?;
        let responder = ResponderId::read(inner.next()?)?;
        let produced_at = generalized_time(inner.next()?)?;
        let singles = Single::list(inner.expect(Tag::Sequence)?.content)?;
        let extensions = match inner.optional(context(1))? {
            Some(explicit) => Extensions::parse(explicit.content)?,
            None => Extensions::none(),
        };
        inner.finish()?;
        let nonce = nonce(&extensions, WHAT)?;
        Ok(Self { tbs: tbs.raw, responder, produced_at, singles, nonce, algorithm, signature, certificates })
    }
}

fn certificates(content: &[u8]) -> Result<Vec<Certificate<'_>>, Malformed> {
    let mut list = Elements::of(Element::of(content, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
    let mut certificates = Vec::new();
    while !list.is_finished() {
        let der = list.next()?.raw;
        if certificates.len() == MAX_CERTIFICATES || der.len() > MAX_CERTIFICATE {
            return Err(Malformed(WHAT));
        }
        certificates.push(Certificate::parse(der)?);
    }
    Ok(certificates)
}

impl<'a> ResponderId<'a> {
    fn read(element: Element<'a>) -> Result<Self, Malformed> {
        const NAME: Tag = context(1);
        const KEY: Tag = context(2);
        let inner = Element::of(element.content, WHAT)?;
        match element.tag {
            NAME => inner.content_of(Tag::Sequence, WHAT).map(|_| Self::Name(inner.raw)),
            KEY => inner.content_of(Tag::OctetString, WHAT).map(Self::Key),
            _ => Err(Malformed(WHAT)),
        }
    }
}

impl<'a> Single<'a> {
    fn list(content: &'a [u8]) -> Result<Vec<Self>, Malformed> {
        let mut list = Elements::of(content, WHAT)?;
        let mut singles = Vec::new();
        while !list.is_finished() {
            if singles.len() == MAX_SINGLES {
                return Err(Malformed(WHAT));
            }
            singles.push(Self::read(list.expect(Tag::Sequence)?.content)?);
        }
        Ok(singles)
    }

    fn read(content: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = Elements::of(content, WHAT)?;
        let id = CertId::read(fields.next()?)?;
        let status = CertStatus::read(fields.next()?)?;
        let this_update = generalized_time(fields.next()?)?;
        let next_update = match fields.optional(context(0))? {
            Some(explicit) => Some(generalized_time(Element::of(explicit.content, WHAT)?)?),
            None => None,
        };
        if let Some(explicit) = fields.optional(context(1))? {
            // None of them is known, so none may be critical.
            Extensions::parse(explicit.content)?.judge(&[]).map_err(|_| Malformed(WHAT))?;
        }
        fields.finish()?;
        Ok(Self { id, status, this_update, next_update })
    }
}

impl CertStatus {
    fn read(element: Element<'_>) -> Result<Self, Malformed> {
        const GOOD: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };
        const REVOKED: Tag = context(1);
        const UNKNOWN: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(2) };
        match (element.tag, element.content) {
            (GOOD, []) => Ok(Self::Good),
            (UNKNOWN, []) => Ok(Self::Unknown),
            (REVOKED, content) => {
                let mut fields = Elements::of(content, WHAT)?;
                let since = generalized_time(fields.next()?)?;
                // Whatever the reason: also certificateHold is one not to trust it.
                if let Some(reason) = fields.optional(context(0))? {
                    Element::of(reason.content, WHAT)?.content_of(Tag::Enumerated, WHAT)?;
                }
                fields.finish()?;
                Ok(Self::Revoked(since))
            }
            _ => Err(Malformed(WHAT)),
        }
    }
}

fn generalized_time(element: Element<'_>) -> Result<UnixTime, Malformed> {
    match element.tag {
        Tag::GeneralizedTime => time(element, WHAT),
        _ => Err(Malformed(WHAT)),
    }
}
