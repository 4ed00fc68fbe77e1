//! The report that the platform keeps in the TPM's memory: a header, a report of the processor, runtime data.

/// What it begins with.
const MAGIC: &[u8] = b"HCLA";
/// Where the processor's report stands.
const REPORT: usize = 32;
/// Where the type of the report stands in it: 32, the report's 1184 bytes, then two words of runtime data.
const TYPE: usize = 1224;
const SNP: u32 = 2;
const TDX: u32 = 4;
/// Where the length of the runtime data stands; they follow it.
const DATA_LENGTH: usize = 1232;
/// Bytes of a TDREPORT.
const TD_REPORT: usize = 1024;
/// Where REPORTDATA stands in a TDREPORT.
const REPORT_DATA: usize = 128;

/// The processor's report.
pub(super) enum Hardware<'a> {
    /// An SNP report, which the processor signed.
    Snp,
    /// A TDREPORT, which only its own machine can verify, and its REPORTDATA.
    Tdx(&'a [u8], &'a [u8; 64]),
}

/// The runtime data; nothing where there are not as many as the report says.
pub(super) fn runtime_data(report: &[u8]) -> Option<&[u8]> {
    let (length, data) = report.get(DATA_LENGTH..)?.split_first_chunk()?;
    data.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)
}

/// Reads as much as says what it is of; nothing for anything else.
pub(super) fn hardware(report: &[u8]) -> Option<Hardware<'_>> {
    let kind = u32::from_le_bytes(*report.get(TYPE..)?.first_chunk()?);
    match kind {
        SNP if report.starts_with(MAGIC) => Some(Hardware::Snp),
        TDX if report.starts_with(MAGIC) => {
            let td_report = report.get(REPORT..)?.get(..TD_REPORT)?;
            Some(Hardware::Tdx(td_report, td_report.get(REPORT_DATA..)?.first_chunk()?))
        }
        _ => None,
    }
}
