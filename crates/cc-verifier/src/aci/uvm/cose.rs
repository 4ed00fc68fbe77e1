//! COSE_Sign1 (RFC 9052, 4.2), strictly: tag 18, definite lengths, no label twice, nothing after it.

use cc_core::Finding;
use minicbor::data::{Tag, Type};
use minicbor::decode::Error;
use minicbor::{Decoder, Encoder};

use super::malformed;

/// The tag of COSE_Sign1.
const SIGN1: Tag = Tag::new(18);
/// Most labels in both headers together. Bounds the search for duplicates, which looks at all pairs.
const MAX_LABELS: usize = 32;
/// Deepest nesting of a header's value.
const MAX_DEPTH: usize = 16;

/// A signed message, not verified.
#[derive(Debug)]
pub(super) struct Sign1<'a> {
    protected_bytes: &'a [u8],
    /// The headers under the signature.
    pub(super) protected: Map<'a>,
    /// What is signed.
    pub(super) payload: &'a [u8],
    /// The signature.
    pub(super) signature: &'a [u8],
}

/// The label of a header or a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label<'a> {
    /// A registered one, as a rule.
    Number(i64),
    /// A private one.
    Text(&'a str),
}

/// A map by label; its values are well-formed and not yet read.
#[derive(Debug)]
pub(super) struct Map<'a>(Vec<(Label<'a>, &'a [u8])>);

impl<'a> Sign1<'a> {
    /// Reads exactly one message with its payload inside.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Finding> {
        read(bytes).map_err(|error| malformed(format!("not a COSE_Sign1: {error}")))
    }

    /// The bytes under the signature (RFC 9052, 4.4), with headers and payload as they were received.
    pub(super) fn to_be_signed(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(
            self.protected_bytes.len().saturating_add(self.payload.len()).saturating_add(32),
        );
        let mut e = Encoder::new(&mut bytes);
        let written = e
            .array(4)
            .and_then(|e| e.str("Signature1"))
            .and_then(|e| e.bytes(self.protected_bytes))
            .and_then(|e| e.bytes(&[]))
            .and_then(|e| e.bytes(self.payload))
            .is_ok();
        // Writing to a vector cannot fail; nobody signs nothing, should that ever change.
        if written { bytes } else { Vec::new() }
    }
}

fn read(bytes: &[u8]) -> Result<Sign1<'_>, Error> {
    let mut d = Decoder::new(bytes);
    if d.tag()? != SIGN1 {
        return Err(Error::message("another tag than 18"));
    }
    if d.array()? != Some(4) {
        return Err(Error::message("not an array of four"));
    }
    let protected_bytes = d.bytes()?;
    let mut inner = Decoder::new(protected_bytes);
    let protected = Map::read(&mut inner)?;
    finished(&inner)?;
    let unprotected = Map::read(&mut d)?;
    let (payload, signature) = (d.bytes()?, d.bytes()?);
    finished(&d)?;
    if unprotected.0.iter().any(|(label, _)| protected.has(*label)) {
        return Err(Error::message("a label in both headers"));
    }
    Ok(Sign1 { protected_bytes, protected, payload, signature })
}

fn finished(d: &Decoder<'_>) -> Result<(), Error> {
    if d.position() == d.input().len() { Ok(()) } else { Err(Error::message("bytes after the end")) }
}

impl<'a> Map<'a> {
    /// Reads a map of at most 32 labels, none of them twice.
    pub(super) fn read(d: &mut Decoder<'a>) -> Result<Self, Error> {
        let length = d.map()?.ok_or_else(|| Error::message("a map of indefinite length"))?;
        let mut entries: Vec<(Label<'a>, &'a [u8])> = Vec::new();
        for _ in 0..length {
            let label = match d.datatype()? {
                Type::String => Label::Text(d.str()?),
                _ => Label::Number(d.i64()?),
            };
            if entries.len() == MAX_LABELS || entries.iter().any(|(other, _)| *other == label) {
                return Err(Error::message("a label twice, or too many"));
            }
            let start = d.position();
            item(d, MAX_DEPTH)?;
            let value = d.input().get(start..d.position());
            entries.push((label, value.ok_or_else(Error::end_of_input)?));
        }
        Ok(Self(entries))
    }

    /// What `reader` reads out of the value of a label, which must be all of it; `None` without that label.
    pub(super) fn value<T>(
        &self,
        label: Label<'_>,
        reader: impl FnOnce(&mut Decoder<'a>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let Some(raw) = self.raw(label) else { return Ok(None) };
        let mut d = Decoder::new(raw);
        let value = reader(&mut d)?;
        finished(&d)?;
        Ok(Some(value))
    }

    /// Whether the label is there.
    pub(super) fn has(&self, label: Label<'_>) -> bool {
        self.raw(label).is_some()
    }

    /// The bytes of the value of a label.
    fn raw(&self, label: Label<'_>) -> Option<&'a [u8]> {
        self.0.iter().find(|(other, _)| *other == label).map(|(_, value)| *value)
    }
}

/// Passes one well-formed item of definite length. Every element takes a byte at least, so the lengths promise nothing.
fn item(d: &mut Decoder<'_>, depth: usize) -> Result<(), Error> {
    let depth = depth.checked_sub(1).ok_or_else(|| Error::message("nested too deeply"))?;
    let indefinite = || Error::message("an indefinite length");
    match d.datatype()? {
        Type::Bytes => d.bytes().map(|_| ()),
        Type::String => d.str().map(|_| ()),
        Type::Array => {
            let length = d.array()?.ok_or_else(indefinite)?;
            (0..length).try_for_each(|_| item(d, depth))
        }
        Type::Map => {
            let length = d.map()?.ok_or_else(indefinite)?;
            (0..length).try_for_each(|_| item(d, depth).and_then(|()| item(d, depth)))
        }
        Type::Tag => {
            d.tag()?;
            item(d, depth)
        }
        Type::BytesIndef | Type::StringIndef | Type::ArrayIndef | Type::MapIndef | Type::Break => {
            Err(indefinite())
        }
        _ => d.skip(),
    }
}
