//! The one encoding of everything that is hashed or signed: a domain prefix, then `tag u8 ‖ u32be length ‖ value`
//! (*verification.md* 5.2).

use crate::crypto::{Digest, sha256};

/// A domain-separated, length-prefixed byte string in the making.
#[derive(Clone, Debug)]
pub(crate) struct Tlv(Vec<u8>);

impl Tlv {
    /// Starts with a domain prefix, its closing NUL included.
    pub(crate) fn new(prefix: &[u8]) -> Self {
        Self(prefix.to_vec())
    }

    /// Appends a field.
    pub(crate) fn field(mut self, tag: u8, value: &[u8]) -> Self {
        self.0.push(tag);
        // Values are bounded far below 4 GiB by every caller; a longer one could not be stated, and saturates.
        self.0.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }

    /// Appends a number without tag, big-endian.
    pub(crate) fn count(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// The bytes.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// Their SHA-256.
    pub(crate) fn sha256(self) -> Digest {
        sha256(&self.0)
    }
}

/// Why bytes are not the fields that were expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Reads fields in the order in which they were written; nothing may be left over.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads what follows `prefix`.
    pub(crate) fn after(prefix: &[u8], bytes: &'a [u8]) -> Result<Self, Malformed> {
        bytes.strip_prefix(prefix).map(Self).ok_or(Malformed)
    }

    /// The next field, which must have this tag.
    pub(crate) fn field(&mut self, tag: u8) -> Result<&'a [u8], Malformed> {
        let ([found, a, b, c, d], rest) = self.0.split_first_chunk::<5>().ok_or(Malformed)?;
        let length = usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).map_err(|_| Malformed)?;
        let (value, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
        if *found != tag {
            return Err(Malformed);
        }
        self.0 = rest;
        Ok(value)
    }

    /// The next field, which must have this tag and this length.
    pub(crate) fn array<const N: usize>(&mut self, tag: u8) -> Result<[u8; N], Malformed> {
        self.field(tag)?.try_into().map_err(|_| Malformed)
    }

    /// Whether a field with this tag comes next.
    pub(crate) fn at(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }

    /// Nothing may follow.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}
