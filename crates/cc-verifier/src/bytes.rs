//! Fields of structures with a fixed layout.

/// `LENGTH` bytes from `OFFSET`, both checked when compiled, so that the fallback is never used.
pub(crate) fn field<const OFFSET: usize, const LENGTH: usize, const TOTAL: usize>(
    bytes: &[u8; TOTAL],
) -> &[u8; LENGTH] {
    const { assert!(OFFSET <= TOTAL && LENGTH <= TOTAL.saturating_sub(OFFSET)) };
    bytes.get(OFFSET..).and_then(<[u8]>::first_chunk).unwrap_or(const { &[0; LENGTH] })
}
