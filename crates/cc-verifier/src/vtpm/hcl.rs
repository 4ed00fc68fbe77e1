//! The HCL report as a view over its bytes: what the paravisor leaves in the TPM's NV index 0x01400001 at boot.
//!
//! The layout is the one that OpenHCL publishes (microsoft/openvmm, `openhcl_attestation_protocol`, `igvm_attest::get`:
//! `IgvmAttestRequestBase` and what follows it). Numbers are little-endian. Header and data header are not measured: they
//! say where things are, and nothing else is believed of them.

use cc_core::Finding;

use super::malformed;
use super::td_report::{TD_REPORT_LENGTH, TdReport};
use crate::bytes::field;
use crate::snp::REPORT_LENGTH;

/// Longest HCL report, in bytes: NV indices of virtual TPMs have less than 4 KiB, and the space after the report is zero.
const MAX_LENGTH: usize = 16 * 1024;
/// Length of the header, in bytes.
const HEADER: usize = 32;
/// Length of the header of the runtime data, in bytes.
const DATA_HEADER: usize = 20;
/// What stands before the runtime data: both headers, and room for the longest report of a processor.
const BEFORE_DATA: usize = HEADER + REPORT_LENGTH + DATA_HEADER;
/// The signature: `HCLA`.
const SIGNATURE: [u8; 4] = *b"HCLA";
/// The type of the request that the same bytes are to the service which certifies attestation keys.
const AK_CERT_REQUEST: u32 = 2;
/// The version of the data header; a later one, with another layout, goes to that service only.
const DATA_VERSION: u32 = 1;
/// The hash of the runtime data: SHA-256.
const SHA256: u32 = 1;

/// An HCL report, not copied, not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HclReport<'a> {
    version: u32,
    hardware: Hardware<'a>,
    runtime_data: &'a [u8],
}

/// The processor's report in an HCL report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardware<'a> {
    /// A signed report of SEV-SNP.
    Snp(&'a [u8; REPORT_LENGTH]),
    /// A report of a TDX module, which only its own platform can authenticate.
    Tdx(TdReport<'a>),
}

impl<'a> HclReport<'a> {
    /// Takes exactly one report and the zeros that fill its NV index; anything else is `vtpm.format.malformed`.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Finding> {
        let short = || malformed(format!("an HCL report of {} bytes ends too early", bytes.len()));
        if bytes.len() > MAX_LENGTH {
            return Err(malformed(format!(
                "an HCL report of {} bytes, the limit is {MAX_LENGTH}",
                bytes.len()
            )));
        }
        let (header, rest) = bytes.split_first_chunk::<HEADER>().ok_or_else(short)?;
        let (report, rest) = rest.split_first_chunk::<REPORT_LENGTH>().ok_or_else(short)?;
        let (data, rest) = rest.split_first_chunk::<DATA_HEADER>().ok_or_else(short)?;
        let size = word::<16, DATA_HEADER>(data);
        let length = usize::try_from(size).map_err(|_| short())?;
        let (runtime_data, after) = rest.split_at_checked(length).ok_or_else(short)?;
        let version = read_header(header, length)?;
        let hardware = read_hardware(report, word::<8, DATA_HEADER>(data))?;
        expect("size of the data", word::<0, DATA_HEADER>(data), sum(DATA_HEADER, length))?;
        expect("version of the data", word::<4, DATA_HEADER>(data), Some(DATA_VERSION))?;
        expect("hash of the runtime data", word::<12, DATA_HEADER>(data), Some(SHA256))?;
        zero("the end of the HCL report", after)?;
        Ok(Self { version, hardware, runtime_data })
    }

    /// The version of the header: 1 or 2, which have the same layout.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The processor's report.
    pub const fn hardware(&self) -> Hardware<'a> {
        self.hardware
    }

    /// The runtime data, as received: what the processor's report has the digest of.
    pub const fn runtime_data(&self) -> &'a [u8] {
        self.runtime_data
    }
}

/// Returns the version.
fn read_header(header: &[u8; HEADER], runtime_data: usize) -> Result<u32, Finding> {
    let signature = field::<0, 4, HEADER>(header);
    if *signature != SIGNATURE {
        return Err(malformed(format!("an HCL report begins with {}", hex::encode(signature))));
    }
    let version = word::<4, HEADER>(header);
    if !matches!(version, 1 | 2) {
        return Err(malformed(format!("an HCL report of version {version}, known are 1 and 2")));
    }
    expect("size of the HCL report", word::<8, HEADER>(header), sum(BEFORE_DATA, runtime_data))?;
    expect("request type", word::<12, HEADER>(header), Some(AK_CERT_REQUEST))?;
    zero("status and reserved words of the HCL report", field::<16, 16, HEADER>(header))?;
    Ok(version)
}

fn read_hardware(report: &[u8; REPORT_LENGTH], kind: u32) -> Result<Hardware<'_>, Finding> {
    match kind {
        2 => Ok(Hardware::Snp(report)),
        4 => {
            const REST: usize = REPORT_LENGTH - TD_REPORT_LENGTH;
            zero("what follows the TD report", field::<TD_REPORT_LENGTH, REST, REPORT_LENGTH>(report))?;
            TdReport::new(field::<0, TD_REPORT_LENGTH, REPORT_LENGTH>(report)).map(Hardware::Tdx)
        }
        other => Err(malformed(format!("a hardware report of type {other}, known are 2 (SNP) and 4 (TDX)"))),
    }
}

fn word<const OFFSET: usize, const TOTAL: usize>(bytes: &[u8; TOTAL]) -> u32 {
    u32::from_le_bytes(*field::<OFFSET, 4, TOTAL>(bytes))
}

fn sum(a: usize, b: usize) -> Option<u32> {
    a.checked_add(b).and_then(|sum| u32::try_from(sum).ok())
}

fn expect(what: &str, found: u32, wanted: Option<u32>) -> Result<(), Finding> {
    if Some(found) == wanted {
        return Ok(());
    }
    let wanted = wanted.map_or("too much to say".to_owned(), |wanted| wanted.to_string());
    Err(malformed(format!("{what}: {found}, expected {wanted}")))
}

fn zero(what: &str, bytes: &[u8]) -> Result<(), Finding> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(());
    }
    Err(malformed(format!("{what} should be zero")))
}
