//! Reading a report from front to back (step G2: all lengths nest exactly).

use cc_core::{Finding, codes};

/// What is left of a part of a report. Every error is `gpu.spdm.malformed`.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Starts at the front; `what` names the part in errors.
    pub(super) const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    fn short(&self, wanted: usize) -> Finding {
        malformed(format!("{}: {wanted} bytes are needed, {} are left", self.what, self.rest.len()))
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

    /// A number of 8 bits.
    pub(super) fn byte(&mut self) -> Result<u8, Finding> {
        self.chunk().map(|[byte]| *byte)
    }

    /// A number of 16 bits.
    pub(super) fn word(&mut self) -> Result<u16, Finding> {
        self.chunk().copied().map(u16::from_le_bytes)
    }

    /// As many bytes as a number of 16 bits in front of them says.
    pub(super) fn sized(&mut self) -> Result<&'a [u8], Finding> {
        let length = self.word()?;
        self.take(length.into())
    }

    /// Whether everything was read.
    pub(super) const fn is_finished(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing may follow.
    pub(super) fn finish(self) -> Result<(), Finding> {
        if self.is_finished() {
            return Ok(());
        }
        Err(malformed(format!("{}: {} bytes are left over", self.what, self.rest.len())))
    }
}

/// `gpu.spdm.malformed`.
pub(super) fn malformed(detail: String) -> Finding {
    Finding::new(codes::GPU_SPDM_MALFORMED, detail)
}
