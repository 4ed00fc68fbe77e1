//! Step G2: a report is one SPDM 1.1 GET_MEASUREMENTS request with its MEASUREMENTS response (DSP0274, 10.11).

use cc_core::gpu::REQUEST_LENGTH;
use cc_core::limits::MAX_DEVICE_REPORT;
use cc_core::{Finding, codes};

use super::opaque::Opaque;
use super::reader::{Reader, malformed};

/// Length of the signature, r and s of P-384.
pub(super) const SIGNATURE_LENGTH: usize = 96;

const VERSION: u8 = 0x11;
const GET_MEASUREMENTS: u8 = 0xe0;
const MEASUREMENTS: u8 = 0x60;
/// Param1 of the request: with signature. Param2: all measurements.
const WITH_SIGNATURE: u8 = 0x01;
const ALL: u8 = 0xff;
/// MeasurementSpecification: DMTF.
const DMTF: u8 = 0x01;

/// A well-formed report; borrows from it.
#[derive(Debug)]
pub struct Report<'a> {
    /// The request's nonce: the bound field.
    pub nonce: &'a [u8; 32],
    /// What the vendor adds to the measurements.
    pub opaque: Opaque<'a>,
    /// The signed bytes, as received: request, and response without its signature.
    pub signed: &'a [u8],
    /// r and s, big-endian.
    pub signature: &'a [u8; SIGNATURE_LENGTH],
    /// Values by index, ascending.
    measurements: Vec<(u8, &'a [u8])>,
}

impl<'a> Report<'a> {
    /// Reads exactly one report: `gpu.spdm.version` for another SPDM version, `gpu.spdm.malformed` for anything else that is
    /// not the one form. Indices are unique and not 0.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_DEVICE_REPORT {
            let detail = format!("a report of {} bytes, the limit is {MAX_DEVICE_REPORT}", bytes.len());
            return Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
        }
        let cut = || malformed(format!("report of {} bytes", bytes.len()));
        let (signed, signature) = bytes.split_last_chunk().ok_or_else(cut)?;
        let (request, response) = signed.split_at_checked(REQUEST_LENGTH).ok_or_else(cut)?;
        let nonce = read_request(request)?;

        let mut response = Reader::new(response, "response");
        let version = response.byte()?;
        known_version("response", version)?;
        let [code, param1, param2, blocks] = *response.chunk()?;
        expect("response code", code, MEASUREMENTS)?;
        // Param1 counts blocks for other requests than ours; bits 0 to 3 of Param2 are the slot, which is 0.
        expect("Param1 of the response", param1, 0)?;
        expect("Param2 of the response", param2, 0)?;
        let [low, middle, high] = *response.chunk()?;
        let length = u32::from_le_bytes([low, middle, high, 0]);
        let record = response.take(usize::try_from(length).map_err(|_| cut())?)?;
        let measurements = read_measurements(record, blocks)?;
        // The responder's nonce makes each response unique and says nothing.
        response.chunk::<32>()?;
        let opaque = Opaque::new(response.sized()?)?;
        response.finish()?;
        Ok(Self { nonce, opaque, signed, signature, measurements })
    }

    /// Number of measurements.
    pub fn blocks(&self) -> usize {
        self.measurements.len()
    }

    /// The measurement at a place of the reference manifests, which count from 0 where SPDM counts from 1.
    pub fn measurement(&self, place: u8) -> Option<&'a [u8]> {
        let index = place.checked_add(1)?;
        let at = self.measurements.binary_search_by_key(&index, |(index, _)| *index).ok()?;
        self.measurements.get(at).map(|(_, value)| *value)
    }

    /// The places of all measurements, ascending; see [`Report::measurement`].
    pub(super) fn places(&self) -> impl Iterator<Item = u8> {
        self.measurements.iter().filter_map(|(index, _)| index.checked_sub(1))
    }
}

/// Reads the request and returns its nonce.
fn read_request(request: &[u8]) -> Result<&[u8; 32], Finding> {
    let mut request = Reader::new(request, "request");
    known_version("request", request.byte()?)?;
    expect("request code", request.byte()?, GET_MEASUREMENTS)?;
    expect("Param1 of the request", request.byte()?, WITH_SIGNATURE)?;
    expect("Param2 of the request", request.byte()?, ALL)?;
    let nonce = request.chunk()?;
    expect("slot", request.byte()?, 0)?;
    request.finish()?;
    Ok(nonce)
}

fn known_version(what: &str, found: u8) -> Result<(), Finding> {
    if found == VERSION {
        return Ok(());
    }
    let detail = format!("SPDM version {found:#04x} in the {what}, only {VERSION:#04x} is known here");
    Err(Finding::new(codes::GPU_SPDM_VERSION, detail))
}

fn expect(what: &str, found: u8, expected: u8) -> Result<(), Finding> {
    if found == expected {
        return Ok(());
    }
    Err(malformed(format!("{what} is {found:#04x}, not {expected:#04x}")))
}

/// Reads the blocks that fill `record`; there are `count`.
fn read_measurements(record: &[u8], count: u8) -> Result<Vec<(u8, &[u8])>, Finding> {
    let mut blocks = Reader::new(record, "measurement record");
    let mut measurements = Vec::with_capacity(count.into());
    for _ in 0..count {
        let index = blocks.byte()?;
        if index == 0 {
            return Err(malformed("a measurement has index 0".to_owned()));
        }
        expect("measurement specification", blocks.byte()?, DMTF)?;
        let mut block = Reader::new(blocks.sized()?, "measurement block");
        // DMTFSpecMeasurementValueType; bit 7 says that the value is raw, the rest what it is of.
        block.byte()?;
        let value = block.sized()?;
        block.finish()?;
        measurements.push((index, value));
    }
    blocks.finish()?;
    measurements.sort_unstable_by_key(|(index, _)| *index);
    let mut pairs = measurements.iter().zip(measurements.iter().skip(1));
    if let Some(((index, _), _)) = pairs.find(|((first, _), (second, _))| first == second) {
        return Err(malformed(format!("two measurements with index {index}")));
    }
    Ok(measurements)
}
