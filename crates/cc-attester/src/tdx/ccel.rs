//! The firmware's event log (*verification.md* 2.6), and where it ends.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use cc_core::limits::MAX_ENDORSEMENT;
use cc_core::message::Blob;
use cc_core::{Finding, codes};

/// Bytes before the length of the header event: register, type, a SHA-1 digest.
const HEADER: usize = 28;
/// Digest lengths by algorithm: SHA-1, SHA-256, SHA-384, SHA-512, SM3-256.
const DIGESTS: [(u16, usize); 5] = [(0x04, 20), (0x0B, 32), (0x0C, 48), (0x0D, 64), (0x12, 32)];
/// Most digests of one event.
const MAX_DIGESTS: u32 = 8;

/// Reads the log without the unused rest of its memory. `None` where there is no log, or an empty one. One that cannot
/// be read, or that no verifier would take for its size, is `tdx.collect.failed`.
pub(super) fn read(path: &Path) -> Result<Option<Blob>, Finding> {
    let failed =
        |what: String| Finding::new(codes::TDX_COLLECT_FAILED, format!("{}: {what}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error.to_string())),
    };
    let (mut log, limit) = (Vec::new(), u64::try_from(MAX_ENDORSEMENT).unwrap_or(u64::MAX));
    file.take(limit.saturating_add(1)).read_to_end(&mut log).map_err(|error| failed(error.to_string()))?;
    if log.len() > MAX_ENDORSEMENT {
        return Err(failed(format!("more than {MAX_ENDORSEMENT} bytes")));
    }
    let log = trimmed(log);
    Ok((!log.is_empty()).then_some(Blob(log)))
}

/// Cuts a log followed by the rest of its memory to the log. What is not understood stays as it is: that is for its
/// verifier to see.
fn trimmed(mut log: Vec<u8>) -> Vec<u8> {
    if is_unused(&log) {
        return Vec::new();
    }
    if let Some(end) = end(&log) {
        log.truncate(end);
    }
    log
}

/// Whether firmware never wrote there: all bits zero or all one.
fn is_unused(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0) || rest.iter().all(|byte| *byte == 0xFF)
}

/// The end of the last event before unused memory.
fn end(log: &[u8]) -> Option<usize> {
    let (_, rest) = log.split_at_checked(HEADER)?;
    let mut rest = after_field(rest)?;
    while !is_unused(rest) {
        rest = after_event(rest)?;
    }
    log.len().checked_sub(rest.len())
}

/// What follows an event: register, type, digests, data.
fn after_event(event: &[u8]) -> Option<&[u8]> {
    let (_, event) = event.split_at_checked(8)?;
    let (count, mut rest) = event.split_first_chunk()?;
    for _ in 0..Some(u32::from_le_bytes(*count)).filter(|count| *count <= MAX_DIGESTS)? {
        let (algorithm, digest) = rest.split_first_chunk()?;
        let algorithm = u16::from_le_bytes(*algorithm);
        let (_, length) = DIGESTS.iter().find(|(known, _)| *known == algorithm)?;
        (_, rest) = digest.split_at_checked(*length)?;
    }
    after_field(rest)
}

/// What follows data with their 32-bit length before them.
fn after_field(field: &[u8]) -> Option<&[u8]> {
    let (length, data) = field.split_first_chunk()?;
    let (_, rest) = data.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header and an event with two digests and data that end in zeros.
    fn log() -> Vec<u8> {
        let mut log = vec![0; HEADER];
        log.extend([3, 0, 0, 0, 7, 7, 7]);
        log.extend([1, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0]);
        log.extend([&[0x0B, 0][..], &[5; 32], &[0x0C, 0], &[6; 48]].concat());
        log.extend([4, 0, 0, 0, 1, 0, 0, 0]);
        log
    }

    fn padded(mut log: Vec<u8>, fill: u8) -> Vec<u8> {
        log.resize(65_536, fill);
        log
    }

    #[test]
    fn unused_memory_is_cut_and_data_are_not() {
        for log in [log(), padded(log(), 0), padded(log(), 0xFF)] {
            assert_eq!(trimmed(log), self::log());
        }
        for empty in [Vec::new(), vec![0; 65_536], vec![0xFF; 65_536]] {
            assert!(trimmed(empty).is_empty());
        }
    }

    #[test]
    fn what_is_not_understood_stays() {
        let altered = |at: usize, value: u8| {
            let mut log = padded(log(), 0xFF);
            log[at] = value;
            log
        };
        let digests = HEADER.saturating_add(7);
        for (what, odd) in [
            ("something after the end", altered(65_535, 0)),
            ("header longer than the log", altered(HEADER.saturating_add(3), 1)),
            ("many digests", altered(digests.saturating_add(8), 9)),
            ("an algorithm that is not known", altered(digests.saturating_add(12), 9)),
            ("no log", vec![7; 20]),
        ] {
            assert_eq!(trimmed(odd.clone()), odd, "{what}");
        }
    }
}
