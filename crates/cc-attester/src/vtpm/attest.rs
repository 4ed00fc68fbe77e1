//! What a quote says of itself (TPM 2.0 Library, part 2, 10.12).

use super::command::Reader;

/// TPM_GENERATED_VALUE.
const MAGIC: u32 = 0xff54_4347;
/// TPM_ST_ATTEST_QUOTE.
const QUOTE: u16 = 0x8018;
/// Bytes of TPMS_CLOCK_INFO and of the firmware's version.
const CLOCK_AND_VERSION: usize = 17 + 8;

/// The part of TPMS_ATTEST that answers the request.
pub(super) struct Attest<'a> {
    pub(super) extra_data: &'a [u8],
    pub(super) pcr_digest: &'a [u8],
}

/// Reads a quote; nothing for anything else.
pub(super) fn read(message: &[u8]) -> Option<Attest<'_>> {
    let mut reader = Reader(message);
    if (reader.u32()?, reader.u16()?) != (MAGIC, QUOTE) {
        return None;
    }
    let (_signer, extra_data) = (reader.sized()?, reader.sized()?);
    reader.take(CLOCK_AND_VERSION)?;
    for _ in 0..reader.u32()?.min(16) {
        reader.u16()?;
        let bitmap = reader.u8()?;
        reader.take(usize::from(bitmap))?;
    }
    let pcr_digest = reader.sized()?;
    reader.end()?;
    Some(Attest { extra_data, pcr_digest })
}
