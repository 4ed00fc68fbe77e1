//! The quote as a view over its bytes (*verification.md* 2.1; Intel TDX DCAP Quoting Library API, appendix A.3).

use cc_core::{Code, Finding, codes};

use super::body::{Body, TD10_LENGTH, TD15_LENGTH};
use super::enclave::EnclaveReport;
use super::reader::Reader;
use crate::bytes::field;

/// Length of the header, in bytes.
pub const HEADER_LENGTH: usize = 48;

/// TEE type of a trust domain.
const TEE_TDX: u32 = 0x81;
/// Attestation key type of ECDSA on P-256.
const KEY_ECDSA_P256: u16 = 2;
/// The vendor of Intel's quoting enclave: 939a7233-f79c-4ca9-940a-0db3957f0607.
const INTEL: [u8; 16] =
    [0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07];
/// Body type of a TD report of TDX 1.0.
const BODY_TD10: u16 = 2;
/// Body type of a TD report of TDX 1.5.
const BODY_TD15: u16 = 3;
/// Certification data: a QE report with certification data of its own.
const QE_REPORT_DATA: u16 = 6;
/// Certification data: the PCK certificate chain in PEM.
const PCK_CHAIN: u16 = 5;

/// A quote, not copied, not authenticated. Numbers are little-endian in the quote; signatures and keys are two
/// big-endian numbers of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote<'a> {
    signed: &'a [u8],
    version: u16,
    body: Body<'a>,
    signature: &'a [u8; 64],
    attestation: Attestation<'a>,
}

/// Everything in a quote that stays the same as long as the attestation key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation<'a> {
    /// The attestation key, x and y.
    pub key: &'a [u8; 64],
    /// The report of the quoting enclave that holds the key.
    pub qe_report: EnclaveReport<'a>,
    /// The PCK's signature over the report, r and s.
    pub qe_signature: &'a [u8; 64],
    /// What the enclave authenticated beside its key.
    pub qe_auth_data: &'a [u8],
    /// The PCK certificate, the intermediate and the root, as PEM.
    pub pck_chain: &'a [u8],
}

impl<'a> Quote<'a> {
    /// Takes exactly one quote: steps T1, T2 and the types of T3.
    pub fn new(evidence: &'a [u8]) -> Result<Self, Finding> {
        let (frame, after) = Frame::read(evidence)?;
        if !after.is_empty() {
            return Err(length(format!("{} bytes after the signature data", after.len())));
        }
        let mut data = Reader::new(frame.signature_data, "signature data");
        let signature = data.chunk()?;
        let key = data.chunk()?;
        let certification = data.certification_data(QE_REPORT_DATA)?;
        data.finish()?;

        let mut data = Reader::new(certification, "QE report certification data");
        let qe_report = EnclaveReport::new(data.chunk()?);
        let qe_signature = data.chunk()?;
        let auth_length = data.word()?;
        let qe_auth_data = data.take(auth_length.into())?;
        let pck_chain = data.certification_data(PCK_CHAIN)?;
        data.finish()?;
        let attestation = Attestation { key, qe_report, qe_signature, qe_auth_data, pck_chain };
        Ok(Self { signed: frame.signed, version: frame.version, body: frame.body, signature, attestation })
    }

    /// The bytes under the signature, as received: header and body, in version 5 with the body's type and size.
    pub const fn signed(&self) -> &'a [u8] {
        self.signed
    }

    /// Version of the quote format: 4 or 5.
    pub const fn version(&self) -> u16 {
        self.version
    }

    /// The TD report.
    pub const fn body(&self) -> Body<'a> {
        self.body
    }

    /// The attestation key's signature over [`Quote::signed`], r and s.
    pub const fn signature(&self) -> &'a [u8; 64] {
        self.signature
    }

    /// Key, quoting enclave and certification data.
    pub const fn attestation(&self) -> Attestation<'a> {
        self.attestation
    }
}

/// Header, body and extent of the signature data.
struct Frame<'a> {
    signed: &'a [u8],
    version: u16,
    body: Body<'a>,
    signature_data: &'a [u8],
}

impl<'a> Frame<'a> {
    /// T1, and T2 down to the signature data. Returns what follows it, too.
    fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Finding> {
        let mut reader = Reader::new(bytes, "quote");
        let version = header(reader.chunk()?)?;
        let body = if version == 4 { Body::V4(reader.chunk()?) } else { versioned_body(&mut reader)? };
        let signed = bytes.get(..reader.position()).unwrap_or_default();
        let signature_length = reader.long()?;
        let signature_data = reader.take_long(signature_length)?;
        Ok((Self { signed, version, body, signature_data }, reader.rest()))
    }
}

/// T1. Returns the version.
fn header(header: &[u8; HEADER_LENGTH]) -> Result<u16, Finding> {
    let refuse = |code: Code, detail: String| Err(Finding::new(code, detail));
    let version = u16::from_le_bytes(*field::<0x00, 2, HEADER_LENGTH>(header));
    if !matches!(version, 4 | 5) {
        return refuse(
            codes::TDX_VERSION_UNSUPPORTED,
            format!("quote version {version}, supported are 4 and 5"),
        );
    }
    let tee_type = u32::from_le_bytes(*field::<0x04, 4, HEADER_LENGTH>(header));
    if tee_type != TEE_TDX {
        return refuse(codes::TDX_TEE_TYPE_MISMATCH, format!("TEE type {tee_type:#x}, not {TEE_TDX:#x}"));
    }
    let key_type = u16::from_le_bytes(*field::<0x02, 2, HEADER_LENGTH>(header));
    if key_type != KEY_ECDSA_P256 {
        let detail = format!("attestation key type {key_type}, not {KEY_ECDSA_P256}");
        return refuse(codes::TDX_ATT_KEY_TYPE_UNSUPPORTED, detail);
    }
    let vendor = field::<0x0c, 16, HEADER_LENGTH>(header);
    if *vendor != INTEL {
        return refuse(codes::TDX_QE_VENDOR_UNKNOWN, format!("QE vendor {}", hex::encode(vendor)));
    }
    Ok(version)
}

/// T2: type, size and body of version 5.
fn versioned_body<'a>(reader: &mut Reader<'a>) -> Result<Body<'a>, Finding> {
    let (kind, size) = (reader.word()?, reader.long()?);
    match (kind, usize::try_from(size)) {
        (BODY_TD10, Ok(TD10_LENGTH)) => Ok(Body::V5Td10(reader.chunk()?)),
        (BODY_TD15, Ok(TD15_LENGTH)) => Ok(Body::V5Td15(reader.chunk()?)),
        _ => Err(length(format!("body of type {kind} with {size} bytes"))),
    }
}

pub(super) fn length(detail: String) -> Finding {
    Finding::new(codes::TDX_FORMAT_LENGTH, detail)
}
