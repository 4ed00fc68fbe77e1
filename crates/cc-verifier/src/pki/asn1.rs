//! Walking through DER, element by element.

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, TagNumber};

/// Bytes that are not the DER structure they should be; says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed {}", self.0)
    }
}

/// One element: its tag, its content and all its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: Tag,
    pub(crate) content: &'a [u8],
    pub(crate) raw: &'a [u8],
}

impl<'a> Element<'a> {
    /// Reads the one element that `bytes` are.
    pub(crate) fn of(bytes: &'a [u8], what: &'static str) -> Result<Self, Malformed> {
        let mut elements = Elements::of(bytes, what)?;
        let element = elements.next()?;
        elements.finish()?;
        Ok(element)
    }

    /// The content, if the tag is `tag`.
    pub(crate) fn content_of(self, tag: Tag, what: &'static str) -> Result<&'a [u8], Malformed> {
        if self.tag == tag { Ok(self.content) } else { Err(Malformed(what)) }
    }
}

/// The elements of a content, in order. Strict DER: definite, minimal lengths.
pub(crate) struct Elements<'a> {
    reader: SliceReader<'a>,
    what: &'static str,
}

impl<'a> Elements<'a> {
    /// Starts at the first element of `content`; `what` names the structure in errors.
    pub(crate) fn of(content: &'a [u8], what: &'static str) -> Result<Self, Malformed> {
        let reader = SliceReader::new(content).map_err(|_| Malformed(what))?;
        Ok(Self { reader, what })
    }

    /// The next element, which must be there.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let what = self.what;
        let raw = self.reader.tlv_bytes().map_err(|_| Malformed(what))?;
        let any = AnyRef::from_der(raw).map_err(|_| Malformed(what))?;
        Ok(Element { tag: der::Tagged::tag(&any), content: any.value(), raw })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: Tag) -> Result<Element<'a>, Malformed> {
        let element = self.next()?;
        if element.tag == tag { Ok(element) } else { Err(Malformed(self.what)) }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: Tag) -> Result<Option<Element<'a>>, Malformed> {
        if self.peek() == Some(tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// The tag of the next element, if there is one.
    pub(crate) fn peek(&self) -> Option<Tag> {
        Tag::peek(&self.reader).ok()
    }

    /// Whether all elements were read.
    pub(crate) fn is_finished(&self) -> bool {
        self.reader.is_finished()
    }

    /// Nothing may follow.
    pub(crate) fn finish(self) -> Result<(), Malformed> {
        if self.is_finished() { Ok(()) } else { Err(Malformed(self.what)) }
    }
}

/// The tag `[number]`, constructed.
pub(crate) const fn context(number: u32) -> Tag {
    Tag::ContextSpecific { constructed: true, number: TagNumber(number) }
}

/// The content of a BIT STRING of whole octets.
pub(crate) fn octets_of_bits<'a>(content: &'a [u8], what: &'static str) -> Result<&'a [u8], Malformed> {
    match content.split_first() {
        Some((0, octets)) => Ok(octets),
        _ => Err(Malformed(what)),
    }
}

/// Whether content is that of an INTEGER in DER: not empty, no superfluous leading octet.
pub(crate) fn is_minimal_integer(content: &[u8]) -> bool {
    match content {
        [] => false,
        [0x00, next, ..] => next & 0x80 != 0,
        [0xff, next, ..] => next & 0x80 == 0,
        _ => true,
    }
}
