//! The certificate table that a host hands to its guest (*verification.md* 1.5).
//!
//! Entries of GUID, offset and length (both 32-bit little-endian, the offset from the start of the table), ended by
//! an all-zero entry; then the blobs. GUIDs stand in the order of their digits. What the GUIDs say of the blobs is a
//! label that proves nothing, so blobs are told by their content, like all other endorsements.

use cc_core::{Finding, codes};

/// Length of one entry: 16 bytes GUID, 4 bytes offset, 4 bytes length.
const ENTRY: usize = 24;
/// Longest table: the buffer of an extended guest request.
const MAX_TABLE: usize = 0x4000;
/// Most entries of a table; there are four known kinds.
const MAX_ENTRIES: usize = 32;

/// The GUIDs that make a blob a certificate table.
const GUIDS: [[u8; 16]; 4] = [
    // VCEK 63da758d-e664-4564-adc5-f4b93be8accd
    [0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd],
    // VLEK a8074bc2-a25a-483e-aae6-39c045a0b8a1
    [0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1],
    // ASK or ASVK 4ab7b379-bbac-4fe4-a02f-05aef327c782
    [0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82],
    // ARK c0b406a4-a803-4952-9743-3fb6014cd0ae
    [0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae],
];

/// Whether a blob is a certificate table, perhaps a malformed one: a known GUID is in one of its entries.
pub fn is_table(blob: &[u8]) -> bool {
    rows(blob).any(|(guid, _, _)| GUIDS.contains(&guid))
}

/// The blobs of a table in the order of their entries. A table has at most 16 KiB and 32 entries; every blob is within
/// the table, behind the entries and apart from the others; no GUID occurs twice.
pub fn blobs(table: &[u8]) -> Result<Vec<&[u8]>, Finding> {
    let malformed = |detail: String| Finding::new(codes::SNP_CERTTABLE_MALFORMED, detail);
    if table.len() > MAX_TABLE {
        return Err(malformed(format!("table of {} bytes, the limit is {MAX_TABLE}", table.len())));
    }
    let entries: Vec<_> = rows(table).collect();
    let header = entries.len().saturating_add(1).saturating_mul(ENTRY);
    let terminator = table.get(header.saturating_sub(ENTRY)..header);
    if terminator.is_none_or(|entry| entry.iter().any(|byte| *byte != 0)) {
        return Err(malformed(format!("no all-zero entry after {} entries", entries.len())));
    }
    let mut blobs = Vec::with_capacity(entries.len());
    for (i, (guid, offset, length)) in entries.iter().enumerate() {
        if entries.iter().take(i).any(|(other, _, _)| other == guid) {
            return Err(malformed(format!("two entries with GUID {}", hex::encode(guid))));
        }
        let blob = offset.checked_add(*length).and_then(|end| table.get(*offset..end));
        match blob {
            Some(blob) if *offset >= header && !blob.is_empty() => blobs.push(blob),
            _ => {
                let detail = format!(
                    "entry {i} has offset {offset} and length {length} in a table of {} bytes with blobs from {header}",
                    table.len()
                );
                return Err(malformed(detail));
            }
        }
    }
    let mut spans: Vec<_> =
        entries.iter().map(|(_, offset, length)| (*offset, offset.saturating_add(*length))).collect();
    spans.sort_unstable();
    for ((_, end), (start, _)) in spans.iter().zip(spans.iter().skip(1)) {
        if end > start {
            return Err(malformed(format!("a blob ends at {end}, the next one starts at {start}")));
        }
    }
    Ok(blobs)
}

/// GUID, offset and length of the entries up to the all-zero one.
fn rows(table: &[u8]) -> impl Iterator<Item = ([u8; 16], usize, usize)> {
    let (entries, _) = table.as_chunks::<ENTRY>();
    entries.iter().take(MAX_ENTRIES).map_while(|entry| {
        let (guid, rest) = entry.split_first_chunk::<16>()?;
        let (offset, length) = rest.split_first_chunk::<4>()?;
        let number = |bytes: [u8; 4]| usize::try_from(u32::from_le_bytes(bytes)).ok();
        let length = number(length.try_into().ok()?)?;
        (entry != &[0; ENTRY]).then_some((*guid, number(*offset)?, length))
    })
}
