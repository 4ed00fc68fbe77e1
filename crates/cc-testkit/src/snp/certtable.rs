//! The certificate table which a host hands to its guest (GHCB specification, extended guest request; section 1.5
//! of the verification requirements).
//!
//! GUIDs stand in the order of their digits (RFC 9562, no byte swapped), as published tables have them. Blobs are
//! DER or, on many hosts, PEM.

/// GUID of the entry with the VCEK certificate.
pub const VCEK_GUID: &str = "63da758d-e664-4564-adc5-f4b93be8accd";
/// GUID of the entry with the VLEK certificate.
pub const VLEK_GUID: &str = "a8074bc2-a25a-483e-aae6-39c045a0b8a1";
/// GUID of the entry with the ASK or ASVK certificate.
pub const ASK_GUID: &str = "4ab7b379-bbac-4fe4-a02f-05aef327c782";
/// GUID of the entry with the ARK certificate.
pub const ARK_GUID: &str = "c0b406a4-a803-4952-9743-3fb6014cd0ae";

/// Bytes of one table entry: GUID, offset, length.
pub const ENTRY_LENGTH: usize = 24;

/// One entry and its blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableEntry {
    /// The GUID; see [`guid`].
    pub guid: [u8; 16],
    /// The blob: a certificate, DER or PEM.
    pub blob: Vec<u8>,
    /// What to write as offset instead of where the blob lies.
    pub offset: Option<u32>,
    /// What to write as length instead of the blob's.
    pub length: Option<u32>,
}

/// A table before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertTable {
    /// The entries in order.
    pub entries: Vec<TableEntry>,
    /// Whether the all-zero entry ends the table.
    pub terminated: bool,
}

impl Default for CertTable {
    /// The empty, terminated table.
    fn default() -> Self {
        Self { entries: Vec::new(), terminated: true }
    }
}

impl CertTable {
    /// Appends an entry with the right offset and length.
    pub fn push(&mut self, guid_text: &str, blob: &[u8]) -> &mut Self {
        self.entries.push(TableEntry {
            guid: guid(guid_text),
            blob: blob.to_vec(),
            offset: None,
            length: None,
        });
        self
    }

    /// The table, then the blobs without gaps.
    pub fn build(&self) -> Vec<u8> {
        let rows = self.entries.len() + usize::from(self.terminated);
        let mut table = Vec::new();
        let mut blobs: Vec<u8> = Vec::new();
        for entry in &self.entries {
            let offset = (rows * ENTRY_LENGTH + blobs.len()) as u32;
            table.extend(entry.guid);
            table.extend(entry.offset.unwrap_or(offset).to_le_bytes());
            table.extend(entry.length.unwrap_or(entry.blob.len() as u32).to_le_bytes());
            blobs.extend(&entry.blob);
        }
        table.resize(rows * ENTRY_LENGTH, 0);
        table.extend(blobs);
        table
    }
}

/// The bytes of a GUID, in the order of its digits.
pub fn guid(text: &str) -> [u8; 16] {
    let digits: Vec<u8> = text.bytes().filter(|b| *b != b'-').collect();
    let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).expect("hex digits");
    digits.chunks(2).map(hex).collect::<Vec<_>>().try_into().expect("a GUID has 32 hex digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blobs_follow_the_table() {
        let bytes = CertTable::default().push(VCEK_GUID, b"leaf").push(ARK_GUID, b"root!").build();
        assert_eq!(bytes.len(), 3 * ENTRY_LENGTH + 9);
        assert_eq!(bytes[16..24], [72, 0, 0, 0, 4, 0, 0, 0]);
        assert_eq!(bytes[40..48], [76, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(bytes[48..72], [0; 24]);
        assert_eq!(&bytes[72..], b"leafroot!");
    }

    #[test]
    fn lies_are_written_as_told() {
        let mut table = CertTable { terminated: false, ..CertTable::default() };
        table.push(VCEK_GUID, b"leaf");
        table.entries[0].offset = Some(u32::MAX);
        table.entries[0].length = Some(7);
        let bytes = table.build();
        assert_eq!(bytes.len(), ENTRY_LENGTH + 4);
        assert_eq!(bytes[16..24], [0xFF, 0xFF, 0xFF, 0xFF, 7, 0, 0, 0]);
    }
}
