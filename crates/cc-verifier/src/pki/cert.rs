//! Certificates and extension lists.

use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Element, Elements, Malformed, context, is_minimal_integer, octets_of_bits};
use super::window::{Window, time};

const WHAT: &str = "certificate";
const EXTENSION: &str = "extension";
/// Most extensions in one list; AMD's leaves have 13. Bounds the search for duplicates, which looks at all pairs.
const MAX_EXTENSIONS: usize = 32;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");

const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");

/// What a key may be used for (RFC 5280, 4.2.1.3), as far as anybody asks: a bit of the first octet of keyUsage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUsage(u8);

impl KeyUsage {
    /// Signing what is neither a certificate nor a revocation list (bit 0).
    pub(crate) const DIGITAL_SIGNATURE: Self = Self(0b1000_0000);
    /// Signing certificates (bit 5).
    pub(crate) const CERT_SIGN: Self = Self(0b0000_0100);
    /// Signing revocation lists (bit 6).
    pub(crate) const CRL_SIGN: Self = Self(0b0000_0010);
}

/// A well-formed certificate. Its parts are not judged; see the module documentation.
#[derive(Debug)]
pub(crate) struct Certificate<'a> {
    /// The signed bytes, as received.
    pub(crate) tbs: &'a [u8],
    /// Whether it is X.509 version 3.
    pub(crate) is_v3: bool,
    /// The content of the serial number INTEGER.
    pub(crate) serial: &'a [u8],
    /// The algorithm identifier in the signed part, all bytes.
    pub(crate) inner_algorithm: &'a [u8],
    /// The algorithm identifier beside the signature, all bytes.
    pub(crate) outer_algorithm: &'a [u8],
    /// The issuer's `Name`, all bytes.
    pub(crate) issuer: &'a [u8],
    /// The subject's `Name`, all bytes.
    pub(crate) subject: &'a [u8],
    /// The span of validity.
    pub(crate) window: Window,
    /// The SubjectPublicKeyInfo, all bytes.
    pub(crate) spki: &'a [u8],
    /// The extensions.
    pub(crate) extensions: Extensions<'a>,
    /// The signature.
    pub(crate) signature: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads exactly one certificate.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Elements::of(Element::of(der, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let tbs = outer.expect(Tag::Sequence)?;
        let outer_algorithm = outer.expect(Tag::Sequence)?.raw;
        let signature = octets_of_bits(outer.expect(Tag::BitString)?.content, WHAT)?;
        outer.finish()?;

        let mut inner = Elements::of(tbs.content, WHAT)?;
        let is_v3 = match inner.optional(context(0))? {
            Some(version) => Element::of(version.content, WHAT)?.content_of(Tag::Integer, WHAT)? == [2],
            None => false,
        };
        let serial = inner.expect(Tag::Integer)?.content;
        let inner_algorithm = inner.expect(Tag::Sequence)?.raw;
        let issuer = inner.expect(Tag::Sequence)?.raw;
        let mut validity = Elements::of(inner.expect(Tag::Sequence)?.content, WHAT)?;
        let window = Window { from: time(validity.next()?, WHAT)?, until: time(validity.next()?, WHAT)? };
        validity.finish()?;
        let subject = inner.expect(Tag::Sequence)?.raw;
        let spki = inner.expect(Tag::Sequence)?.raw;
        let extensions = match inner.optional(context(3))? {
            Some(explicit) => Extensions::parse(explicit.content)?,
            None => Extensions(Vec::new()),
        };
        // Unique identifiers, [1] and [2], are not for certificates of today: they end up here.
        inner.finish()?;
        if !is_minimal_integer(serial) {
            return Err(Malformed(WHAT));
        }
        Ok(Self {
            tbs: tbs.raw,
            is_v3,
            serial,
            inner_algorithm,
            outer_algorithm,
            issuer,
            subject,
            window,
            spki,
            extensions,
            signature,
        })
    }

    /// Whether the certificate may sign leaves and nothing else: critical basicConstraints with CA and path length
    /// 0, critical keyUsage with keyCertSign. Says what is wrong.
    pub(crate) fn judge_issuer_of_leaves(&self) -> Result<(), &'static str> {
        if self.authority()? != Some(0) {
            return Err("basicConstraints other than CA with path length 0");
        }
        self.judge_signer_of_certificates()
    }

    /// Whether the certificate may sign others with `below` intermediate certificates between it and the leaf:
    /// critical basicConstraints with CA and no shorter path length, critical keyUsage with keyCertSign. Says what is
    /// wrong.
    pub(crate) fn judge_issuer(&self, below: u8) -> Result<(), &'static str> {
        if self.authority()?.is_some_and(|path_length| path_length < below) {
            return Err("basicConstraints with too short a path length");
        }
        self.judge_signer_of_certificates()
    }

    /// The path length in the critical basicConstraints of a CA, which must be there.
    fn authority(&self) -> Result<Option<u8>, &'static str> {
        let constraints =
            self.extensions.critical(BASIC_CONSTRAINTS).ok_or("no critical basicConstraints")?;
        path_length_of_ca(constraints).map_err(|_| "basicConstraints other than those of a CA")
    }

    /// Critical keyUsage with keyCertSign, no extension twice and no other critical one.
    fn judge_signer_of_certificates(&self) -> Result<(), &'static str> {
        let usage = self.extensions.critical(KEY_USAGE).ok_or("no critical keyUsage")?;
        if !has_usage(usage, KeyUsage::CERT_SIGN).unwrap_or(false) {
            return Err("keyUsage without keyCertSign");
        }
        self.extensions.judge(&[BASIC_CONSTRAINTS, KEY_USAGE])
    }

    /// Whether a critical keyUsage says that the key may be used for that.
    pub(crate) fn allows(&self, usage: KeyUsage) -> bool {
        self.extensions.critical(KEY_USAGE).is_some_and(|value| has_usage(value, usage).unwrap_or(false))
    }

    /// Whether the certificate is an end entity: whatever it has of basicConstraints does not make it a CA, and
    /// it has no critical extension but these two.
    pub(crate) fn judge_end_entity(&self) -> Result<(), &'static str> {
        self.judge_no_ca()?;
        self.extensions.judge_critical(&[BASIC_CONSTRAINTS, KEY_USAGE])
    }

    /// Whether its issuer authorised its key to answer for it (RFC 6960, 4.2.2.2): an end entity with digitalSignature
    /// and id-kp-OCSPSigning, critical or not (NVIDIA's responders are not of one mind). Says what is wrong.
    pub(crate) fn judge_responder(&self) -> Result<(), &'static str> {
        if !self.is_v3 {
            return Err("not an X.509 v3 certificate");
        }
        self.extensions.judge(&[BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE])?;
        self.judge_no_ca()?;
        let says = |id, holds: fn(&[u8]) -> Result<bool, Malformed>| {
            self.extensions.all(id).next().is_some_and(|extension| holds(extension.value).unwrap_or(false))
        };
        if !says(KEY_USAGE, |value| has_usage(value, KeyUsage::DIGITAL_SIGNATURE)) {
            return Err("no keyUsage with digitalSignature");
        }
        if !says(EXTENDED_KEY_USAGE, |value| has_purpose(value, OCSP_SIGNING)) {
            return Err("no extendedKeyUsage with id-kp-OCSPSigning");
        }
        Ok(())
    }

    /// Whether it says, in one extendedKeyUsage, that its key is for that purpose.
    pub(crate) fn has_purpose(&self, purpose: ObjectIdentifier) -> bool {
        let purposes = self.extensions.only(EXTENDED_KEY_USAGE);
        purposes.is_some_and(|value| has_purpose(value, purpose).unwrap_or(false))
    }

    fn judge_no_ca(&self) -> Result<(), &'static str> {
        let is_ca = |extension: &Extension<'_>| {
            !matches!(
                Element::of(extension.value, EXTENSION),
                Ok(Element { tag: Tag::Sequence, content: [], .. })
            )
        };
        if self.extensions.all(BASIC_CONSTRAINTS).any(is_ca) {
            return Err("basicConstraints of a CA");
        }
        Ok(())
    }
}

fn has_purpose(value: &[u8], purpose: ObjectIdentifier) -> Result<bool, Malformed> {
    let mut purposes =
        Elements::of(Element::of(value, EXTENSION)?.content_of(Tag::Sequence, EXTENSION)?, EXTENSION)?;
    let mut found = false;
    while !purposes.is_finished() {
        found |= purposes.expect(Tag::ObjectIdentifier)?.content == purpose.as_bytes();
    }
    Ok(found)
}

fn path_length_of_ca(value: &[u8]) -> Result<Option<u8>, Malformed> {
    let mut fields =
        Elements::of(Element::of(value, EXTENSION)?.content_of(Tag::Sequence, EXTENSION)?, EXTENSION)?;
    if fields.expect(Tag::Boolean)?.content != [0xff] {
        return Err(Malformed(EXTENSION));
    }
    let path_length = match fields.optional(Tag::Integer)?.map(|length| length.content) {
        None => None,
        Some([length @ 0..=0x7f]) => Some(*length),
        Some(_) => return Err(Malformed(EXTENSION)),
    };
    fields.finish()?;
    Ok(path_length)
}

fn has_usage(value: &[u8], usage: KeyUsage) -> Result<bool, Malformed> {
    // AMD does not strip trailing zero bits, so there may be fewer unused bits than could be; those that are must be
    // zero.
    match Element::of(value, EXTENSION)?.content_of(Tag::BitString, EXTENSION)? {
        [unused @ 0..=7, first, rest @ ..]
            if rest.last().unwrap_or(first).trailing_zeros() >= u32::from(*unused) =>
        {
            Ok(first & usage.0 != 0)
        }
        _ => Err(Malformed(EXTENSION)),
    }
}

/// One extension.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extension<'a> {
    /// The content of the OBJECT IDENTIFIER.
    pub(crate) id: &'a [u8],
    /// Whether it is marked critical.
    pub(crate) critical: bool,
    /// The content of the OCTET STRING.
    pub(crate) value: &'a [u8],
}

/// Extensions in the order in which they stand; there may be duplicates.
#[derive(Debug)]
pub(crate) struct Extensions<'a>(Vec<Extension<'a>>);

impl<'a> Extensions<'a> {
    /// Reads an `Extensions` SEQUENCE of at most 32. A certificate without extensions leaves the field out.
    pub(crate) fn parse(sequence: &'a [u8]) -> Result<Self, Malformed> {
        let content = Element::of(sequence, EXTENSION)?.content_of(Tag::Sequence, EXTENSION)?;
        let mut list = Elements::of(content, EXTENSION)?;
        let mut extensions = Vec::with_capacity(16);
        while !list.is_finished() {
            if extensions.len() == MAX_EXTENSIONS {
                return Err(Malformed(EXTENSION));
            }
            let mut fields = Elements::of(list.expect(Tag::Sequence)?.content, EXTENSION)?;
            let id = fields.expect(Tag::ObjectIdentifier)?.content;
            let critical = match fields.optional(Tag::Boolean)? {
                // FALSE is the default and so is not written in DER.
                Some(flag) if flag.content == [0xff] => true,
                Some(_) => return Err(Malformed(EXTENSION)),
                None => false,
            };
            let value = fields.expect(Tag::OctetString)?.content;
            fields.finish()?;
            extensions.push(Extension { id, critical, value });
        }
        Ok(Self(extensions))
    }

    /// No extensions.
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// The value of the only extension with this identifier.
    pub(crate) fn only(&self, id: ObjectIdentifier) -> Option<&'a [u8]> {
        let mut all = self.all(id);
        let first = all.next()?;
        all.next().is_none().then_some(first.value)
    }

    /// All extensions with this identifier.
    pub(crate) fn all(&self, id: ObjectIdentifier) -> impl Iterator<Item = &Extension<'a>> {
        self.0.iter().filter(move |extension| extension.id == id.as_bytes())
    }

    /// The value of the first extension with this identifier, if it is critical.
    fn critical(&self, id: ObjectIdentifier) -> Option<&'a [u8]> {
        self.all(id).find(|extension| extension.critical).map(|extension| extension.value)
    }

    /// The first identifier that occurs again.
    pub(crate) fn duplicate(&self) -> Option<&'a [u8]> {
        let mut rest = self.0.iter();
        while let Some(extension) = rest.next() {
            if rest.clone().any(|other| other.id == extension.id) {
                return Some(extension.id);
            }
        }
        None
    }

    /// No duplicates, and nothing critical but `known`.
    pub(crate) fn judge(&self, known: &[ObjectIdentifier]) -> Result<(), &'static str> {
        if self.duplicate().is_some() {
            return Err("an extension twice");
        }
        self.judge_critical(known)
    }

    fn judge_critical(&self, known: &[ObjectIdentifier]) -> Result<(), &'static str> {
        let unknown = |extension: &Extension<'_>| {
            extension.critical && !known.iter().any(|id| id.as_bytes() == extension.id)
        };
        if self.0.iter().any(unknown) { Err("an unknown critical extension") } else { Ok(()) }
    }
}
