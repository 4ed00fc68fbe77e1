//! Requests: one certificate, one nonce (RFC 6960, 4.1.1; RFC 8954).

use der::Tag;
use der::oid::ObjectIdentifier;

use super::subject::{CertId, Subject};
use super::write::{self, OCTET_STRING, element, oid, sequence};
use crate::pki::{Element, Elements, Extensions, Malformed, context};

const WHAT: &str = "OCSP request";
/// id-pkix-ocsp-nonce.
pub(super) const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");

/// An `OCSPRequest` about one certificate, DER.
pub fn request(subject: &Subject, nonce: &[u8; 32]) -> Vec<u8> {
    let nonce = element(OCTET_STRING, &element(OCTET_STRING, nonce));
    let extensions = sequence(&[&sequence(&[&oid(NONCE), &nonce])]);
    let list = sequence(&[&sequence(&[subject.id()])]);
    sequence(&[&sequence(&[&list, &write::context(2, &extensions)])])
}

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) id: CertId<'a>,
    /// The content of the extension.
    pub(super) nonce: Option<&'a [u8]>,
}

impl<'a> Question<'a> {
    /// Reads an unsigned request about one certificate.
    pub(super) fn read(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Elements::of(Element::of(der, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let mut fields = Elements::of(outer.expect(Tag::Sequence)?.content, WHAT)?;
        outer.finish()?;
        let mut list = Elements::of(fields.expect(Tag::Sequence)?.content, WHAT)?;
        let mut one = Elements::of(list.expect(Tag::Sequence)?.content, WHAT)?;
        list.finish()?;
        let id = CertId::read(one.next()?)?;
        one.finish()?;
        let extensions = match fields.optional(context(2))? {
            Some(explicit) => Extensions::parse(explicit.content)?,
            None => Extensions::none(),
        };
        fields.finish()?;
        Ok(Self { id, nonce: nonce(&extensions, WHAT)? })
    }
}

/// The nonce of a request or answer, if it has one. No extension stands there twice, and no other one is critical.
pub(super) fn nonce<'a>(
    extensions: &Extensions<'a>,
    what: &'static str,
) -> Result<Option<&'a [u8]>, Malformed> {
    extensions.judge(&[NONCE]).map_err(|_| Malformed(what))?;
    Ok(extensions.all(NONCE).next().map(|extension| extension.value))
}
