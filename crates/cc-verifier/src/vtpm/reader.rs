//! Reading what a TPM marshalled: big-endian, from front to back, to the last byte.

use cc_core::Finding;

use super::malformed;

/// What is left of a structure. Every error is `vtpm.format.malformed`.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn short(&self, wanted: usize) -> Finding {
        malformed(format!("what the TPM signed has {} more bytes where {wanted} are needed", self.0.len()))
    }

    /// The next `N` bytes.
    pub(super) fn chunk<const N: usize>(&mut self) -> Result<&'a [u8; N], Finding> {
        let (chunk, rest) = self.0.split_first_chunk().ok_or_else(|| self.short(N))?;
        self.0 = rest;
        Ok(chunk)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Finding> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| self.short(length))?;
        self.0 = rest;
        Ok(taken)
    }

    /// A TPM2B: bytes with their length, 16 bits, before them.
    pub(super) fn sized(&mut self) -> Result<&'a [u8], Finding> {
        let length = self.half()?;
        self.take(length.into())
    }

    pub(super) fn byte(&mut self) -> Result<u8, Finding> {
        self.chunk().map(|[byte]| *byte)
    }

    /// A number of 16 bits.
    pub(super) fn half(&mut self) -> Result<u16, Finding> {
        self.chunk().copied().map(u16::from_be_bytes)
    }

    /// A number of 32 bits.
    pub(super) fn word(&mut self) -> Result<u32, Finding> {
        self.chunk().copied().map(u32::from_be_bytes)
    }

    /// A number of 64 bits.
    pub(super) fn long(&mut self) -> Result<u64, Finding> {
        self.chunk().copied().map(u64::from_be_bytes)
    }

    /// Nothing may follow.
    pub(super) fn finish(self) -> Result<(), Finding> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(malformed(format!("{} bytes follow what the TPM signed", self.0.len())))
    }
}
