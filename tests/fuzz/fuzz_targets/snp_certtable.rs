//! Any bytes as a certificate table: each blob of it is what its entry points at, behind the entries, and not empty.

#![no_main]

use cc_verifier::snp::certtable;
use libfuzzer_sys::fuzz_target;

/// GUID, offset, length.
const ENTRY: usize = 24;

fuzz_target!(|table: &[u8]| {
    let is_table = certtable::is_table(table);
    let Ok(blobs) = certtable::blobs(table) else { return };
    let header = ENTRY * (blobs.len() + 1);
    assert_eq!(table[header - ENTRY..header], [0; ENTRY]);
    for (entry, blob) in table.chunks(ENTRY).zip(&blobs) {
        let number = |at: usize| u32::from_le_bytes(entry[at..at + 4].try_into().unwrap()) as usize;
        let (offset, length) = (number(16), number(20));
        assert!(offset >= header && length > 0);
        assert_eq!(&table[offset..offset + length], *blob);
    }
    assert!(!is_table || !blobs.is_empty());
});
