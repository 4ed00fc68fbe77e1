//! Certificate revocation lists (RFC 5280, 5).

use cc_core::UnixTime;
use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Element, Elements, Malformed, context, is_minimal_integer, octets_of_bits};
use super::cert::Extensions;
use super::window::{is_time, time};

const WHAT: &str = "revocation list";
const CRL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.20");
/// Longest CRL number in octets (RFC 5280, 5.2.3).
const NUMBER_LENGTH: usize = 20;

/// A well-formed revocation list. Its parts are not judged; see the module documentation.
#[derive(Debug)]
pub(crate) struct Crl<'a> {
    /// The signed bytes, as received.
    pub(crate) tbs: &'a [u8],
    /// The algorithm identifier in the signed part, all bytes.
    pub(crate) inner_algorithm: &'a [u8],
    /// The algorithm identifier beside the signature, all bytes.
    pub(crate) outer_algorithm: &'a [u8],
    /// The issuer's `Name`, all bytes.
    pub(crate) issuer: &'a [u8],
    /// When it was issued.
    pub(crate) this_update: UnixTime,
    /// When the next one is due; may be absent in the format.
    pub(crate) next_update: Option<UnixTime>,
    /// The signature.
    pub(crate) signature: &'a [u8],
    entries: Vec<Entry<'a>>,
    extensions: Extensions<'a>,
}

impl<'a> Crl<'a> {
    /// Reads exactly one revocation list of version 2.
    pub(crate) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Elements::of(Element::of(der, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let tbs = outer.expect(Tag::Sequence)?;
        let outer_algorithm = outer.expect(Tag::Sequence)?.raw;
        let signature = octets_of_bits(outer.expect(Tag::BitString)?.content, WHAT)?;
        outer.finish()?;

        let mut inner = Elements::of(tbs.content, WHAT)?;
        if inner.expect(Tag::Integer)?.content != [1] {
            return Err(Malformed(WHAT));
        }
        let inner_algorithm = inner.expect(Tag::Sequence)?.raw;
        let issuer = inner.expect(Tag::Sequence)?.raw;
        let this_update = time(inner.next()?, WHAT)?;
        let next_update = match inner.peek() {
            Some(tag) if is_time(tag) => Some(time(inner.next()?, WHAT)?),
            _ => None,
        };
        let entries = match inner.optional(Tag::Sequence)? {
            Some(entries) => Entry::list(entries.content)?,
            None => Vec::new(),
        };
        let extensions = match inner.optional(context(0))? {
            Some(explicit) => Extensions::parse(explicit.content)?,
            None => Extensions::none(),
        };
        inner.finish()?;
        Ok(Self {
            tbs: tbs.raw,
            inner_algorithm,
            outer_algorithm,
            issuer,
            this_update,
            next_update,
            signature,
            entries,
            extensions,
        })
    }

    /// Whether this serial number (INTEGER content) is revoked.
    pub(crate) fn revokes(&self, serial: &[u8]) -> bool {
        self.entries.iter().any(|entry| entry.serial == serial)
    }

    /// The serial numbers (INTEGER content) that are revoked.
    pub(crate) fn serials(&self) -> impl Iterator<Item = &'a [u8]> {
        self.entries.iter().map(|entry| entry.serial)
    }

    /// No duplicate and no critical extension, of the list or of an entry: a delta list, one with a limited scope or
    /// one for several issuers would be read wrongly. To be called on authentic lists: it reads the extensions of
    /// every entry.
    pub(crate) fn judge_extensions(&self) -> Result<(), &'static str> {
        self.extensions.judge(&[])?;
        self.entries.iter().filter_map(|entry| entry.extensions).try_for_each(|extensions| {
            Extensions::parse(extensions).map_err(|Malformed(what)| what)?.judge(&[])
        })
    }

    /// The CRL number, big-endian, padded with zeros on the left. `None` when there is none or it is not a
    /// number of at most 20 octets.
    pub(crate) fn number(&self) -> Option<[u8; NUMBER_LENGTH]> {
        let extension = self.extensions.all(CRL_NUMBER).next()?;
        let content = Element::of(extension.value, WHAT).ok()?.content_of(Tag::Integer, WHAT).ok()?;
        let magnitude = match content {
            _ if !is_minimal_integer(content) => return None,
            [0x80..=0xff, ..] => return None,
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        };
        let mut number = [0; NUMBER_LENGTH];
        let start = NUMBER_LENGTH.checked_sub(magnitude.len())?;
        number.get_mut(start..)?.copy_from_slice(magnitude);
        Some(number)
    }
}

/// A revoked certificate.
#[derive(Debug)]
struct Entry<'a> {
    /// The content of the serial number INTEGER.
    serial: &'a [u8],
    /// The extensions, all bytes, not yet read.
    extensions: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    fn list(content: &'a [u8]) -> Result<Vec<Self>, Malformed> {
        let mut list = Elements::of(content, WHAT)?;
        let mut entries = Vec::new();
        while !list.is_finished() {
            let mut fields = Elements::of(list.expect(Tag::Sequence)?.content, WHAT)?;
            let serial = fields.expect(Tag::Integer)?.content;
            time(fields.next()?, WHAT)?;
            let extensions = fields.optional(Tag::Sequence)?.map(|extensions| extensions.raw);
            fields.finish()?;
            entries.push(Self { serial, extensions });
        }
        Ok(entries)
    }
}
