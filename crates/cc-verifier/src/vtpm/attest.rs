//! What a TPM signs when it quotes, as a view over its bytes (TPM 2.0 Library, part 2, 10.12.8: TPMS_ATTEST with
//! TPMS_QUOTE_INFO).

use cc_core::{Finding, codes};

use super::malformed;
use super::reader::Reader;

/// TPM_GENERATED_VALUE (part 2, 6.2): a restricted key signs nothing that begins like this and is not the TPM's own.
const GENERATED: [u8; 4] = [0xff, b'T', b'C', b'G'];
/// TPM_ST_ATTEST_QUOTE (part 2, 6.9).
const QUOTE: u16 = 0x8018;
/// Bytes of the bitmap of a bank: 24 PCRs (PC Client Platform TPM Profile, 4.6.1).
const BITMAP: u8 = 3;
/// Longest extra data that are of use as a bound field, in bytes.
const MAX_EXTRA_DATA: usize = 64;

/// A quote, not authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attest<'a> {
    /// extraData: what the caller of TPM2_Quote chose, at most 64 bytes.
    pub extra_data: &'a [u8],
    /// clockInfo.clock: milliseconds that the TPM was powered for.
    pub clock: u64,
    /// clockInfo.resetCount: how often the TPM was reset since it was last cleared.
    pub reset_count: u32,
    /// clockInfo.restartCount: how often it was restarted or resumed since the last reset.
    pub restart_count: u32,
    /// clockInfo.safe: whether no greater `clock` was reported before.
    pub safe: bool,
    /// firmwareVersion, as its vendor counts.
    pub firmware_version: u64,
    /// attested.quote.pcrSelect, in order.
    pub banks: Vec<Bank>,
    /// attested.quote.pcrDigest: the digest of the values of the selected PCRs, one after the other.
    pub pcr_digest: &'a [u8],
}

/// The PCRs that were selected of one bank (TPMS_PCR_SELECTION).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bank {
    /// The bank's hash, a TPM_ALG_ID.
    pub hash: u16,
    /// The bitmap; bit 0 of the first byte is PCR 0.
    pub bitmap: [u8; 3],
}

impl<'a> Attest<'a> {
    /// Takes exactly one quote.
    ///
    /// # Errors
    ///
    /// `vtpm.attest.magic`, `vtpm.attest.type` for what is no quote, and `vtpm.format.malformed`.
    pub fn new(message: &'a [u8]) -> Result<Self, Finding> {
        let mut reader = Reader::new(message);
        let magic = reader.chunk::<4>()?;
        if *magic != GENERATED {
            let detail =
                format!("what was signed begins with {}, not with TPM_GENERATED", hex::encode(magic));
            return Err(Finding::new(codes::VTPM_ATTEST_MAGIC, detail));
        }
        let kind = reader.half()?;
        if kind != QUOTE {
            let detail = format!("what was signed is of type {kind:#06x}, a quote is {QUOTE:#06x}");
            return Err(Finding::new(codes::VTPM_ATTEST_TYPE, detail));
        }
        // qualifiedSigner is a digest of attributes that are not at hand; whose signature it is says the key.
        reader.sized()?;
        let extra_data = reader.sized()?;
        if extra_data.len() > MAX_EXTRA_DATA {
            let detail = format!("extra data of {} bytes, the limit is {MAX_EXTRA_DATA}", extra_data.len());
            return Err(malformed(detail));
        }
        let (clock, reset_count, restart_count) = (reader.long()?, reader.word()?, reader.word()?);
        let safe = match reader.byte()? {
            0 => false,
            1 => true,
            other => return Err(malformed(format!("clockInfo.safe is {other}, neither yes nor no"))),
        };
        let firmware_version = reader.long()?;
        let count = reader.word()?;
        let mut banks = Vec::new();
        for _ in 0..count {
            banks.push(bank(&mut reader)?);
        }
        let pcr_digest = reader.sized()?;
        reader.finish()?;
        Ok(Self { extra_data, clock, reset_count, restart_count, safe, firmware_version, banks, pcr_digest })
    }
}

fn bank(reader: &mut Reader<'_>) -> Result<Bank, Finding> {
    let (hash, size) = (reader.half()?, reader.byte()?);
    if size != BITMAP {
        return Err(malformed(format!("a selection of PCRs in {size} bytes, not {BITMAP}")));
    }
    Ok(Bank { hash, bitmap: *reader.chunk()? })
}

impl Bank {
    /// The numbers of the selected PCRs, ascending.
    pub fn selected(&self) -> Vec<u8> {
        let [a, b, c] = self.bitmap;
        let bits = u32::from_le_bytes([a, b, c, 0]);
        (0..24).filter(|number| bits & 1_u32.rotate_left(u32::from(*number)) != 0).collect()
    }
}
