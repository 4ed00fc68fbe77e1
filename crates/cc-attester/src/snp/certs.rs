//! Where the certificate table of an extended report ends.

const ENTRY: usize = 24;

/// Cuts `buffer`, a table followed by the rest of the buffer it was returned in, to the table (*decisions.md* 12). Empty
/// when there are no certificates. A table that does not lie within the buffer, or with something other than zeros
/// after it, stays as it is: that is for its verifier to see.
pub(super) fn trimmed(mut buffer: Vec<u8>) -> Vec<u8> {
    if buffer.iter().all(|byte| *byte == 0) {
        return Vec::new();
    }
    if let Some(end) = end(&buffer)
        && buffer.get(end..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
    {
        buffer.truncate(end);
    }
    buffer
}

/// The end of the table's header or of its last blob, whichever is later.
fn end(buffer: &[u8]) -> Option<usize> {
    let mut end = 0_usize;
    for (at, entry) in buffer.chunks_exact(ENTRY).enumerate() {
        end = end.max(at.checked_add(1)?.checked_mul(ENTRY)?);
        if entry.iter().all(|byte| *byte == 0) {
            return Some(end);
        }
        let (_, numbers) = entry.split_at_checked(16)?;
        let offset = u32::from_le_bytes(*numbers.first_chunk()?);
        let length = u32::from_le_bytes(*numbers.last_chunk()?);
        end = end.max(usize::try_from(offset.checked_add(length)?).ok()?);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of one entry with a blob whose own last byte is zero, then the rest of a page.
    fn page(offset: u32, length: u32) -> Vec<u8> {
        let mut page = vec![7; 16];
        page.extend(offset.to_le_bytes());
        page.extend(length.to_le_bytes());
        page.resize(2 * ENTRY, 0);
        page.extend([9, 9, 0]);
        page.resize(4096, 0);
        page
    }

    #[test]
    fn the_last_blob_is_kept_whole() {
        assert_eq!(trimmed(page(48, 3)).len(), 51);
        assert_eq!(trimmed(trimmed(page(48, 3))).len(), 51);
    }

    #[test]
    fn no_entries_is_no_table() {
        assert!(trimmed(vec![0; 8192]).is_empty());
        assert!(trimmed(Vec::new()).is_empty());
    }

    #[test]
    fn what_is_not_understood_stays() {
        for odd in [page(48, 1), page(48, 5000), page(u32::MAX, 2), vec![7; 4096]] {
            assert_eq!(trimmed(odd.clone()), odd);
        }
    }
}
