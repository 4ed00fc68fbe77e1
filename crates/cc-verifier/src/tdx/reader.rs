//! Reading a quote from front to back (step T2: all lengths nest exactly).

use cc_core::{Finding, codes};

use super::quote::length;

/// What is left of a part of the quote. Every error is `tdx.format.length` unless it says otherwise.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    whole: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Starts at the front; `what` names the part in errors.
    pub(super) const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, whole: bytes.len(), what }
    }

    /// How many bytes were read.
    pub(super) const fn position(&self) -> usize {
        self.whole.saturating_sub(self.rest.len())
    }

    /// What was not read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn short(&self, wanted: impl std::fmt::Display) -> Finding {
        let (what, at, whole) = (self.what, self.position(), self.whole);
        length(format!("{what} of {whole} bytes, {wanted} are needed at offset {at}"))
    }

    /// The next `N` bytes.
    pub(super) fn chunk<const N: usize>(&mut self) -> Result<&'a [u8; N], Finding> {
        let (chunk, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short(N))?;
        self.rest = rest;
        Ok(chunk)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Finding> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or_else(|| self.short(length))?;
        self.rest = rest;
        Ok(taken)
    }

    /// [`Reader::take`] with a length as it stands in the quote.
    pub(super) fn take_long(&mut self, length: u32) -> Result<&'a [u8], Finding> {
        let length = usize::try_from(length).map_err(|_| self.short(length))?;
        self.take(length)
    }

    /// A number of 16 bits.
    pub(super) fn word(&mut self) -> Result<u16, Finding> {
        self.chunk().copied().map(u16::from_le_bytes)
    }

    /// A number of 32 bits.
    pub(super) fn long(&mut self) -> Result<u32, Finding> {
        self.chunk().copied().map(u32::from_le_bytes)
    }

    /// Certification data of the type `kind`: type, size and content (T3). It is the last thing in its part, and of
    /// which type it is matters only if its size is right.
    pub(super) fn certification_data(&mut self, kind: u16) -> Result<&'a [u8], Finding> {
        let (found, size) = (self.word()?, self.long()?);
        let content = self.take_long(size)?;
        if found != kind && self.rest.is_empty() {
            let detail = format!("{}: certification data of type {found}, not {kind}", self.what);
            return Err(Finding::new(codes::TDX_CERTDATA_UNSUPPORTED, detail));
        }
        Ok(content)
    }

    /// Nothing may follow.
    pub(super) fn finish(self) -> Result<(), Finding> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(length(format!("{}: {} bytes are left over", self.what, self.rest.len())))
    }
}
