//! `/dev/sev-guest`: the ioctl of the guest driver (*verification.md* 1.5).
//!
//! Always the extended request, which brings the host's certificate table with the report.

use std::fs::File;
use std::path::PathBuf;

use cc_core::codes;
use rustix::io::Errno;

use super::device::MAX_CERTS;
use super::{Device, Failure, RawReport, ReportRequest, certs};
use crate::pace::Gate;

/// Bytes of `struct snp_report_resp`.
pub const RESPONSE_LENGTH: usize = 4000;
/// Where the report starts in it; before that are the firmware's status and the report's size.
const REPORT_OFFSET: usize = 32;
const PAGE: usize = 4096;
/// Room for certificates to begin with: the usual three need less than two pages.
const FIRST_CERTS: usize = 0x2000;

/// The host says that the buffer for certificates is too small.
const VMM_INVALID_LENGTH: u64 = 1;
/// The host throttles.
const VMM_BUSY: u64 = 2;

/// What the driver returned for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The result of the system call.
    pub result: Result<(), Errno>,
    /// The firmware's error in the low half, the host's in the high half.
    pub exitinfo2: u64,
    /// The response structure.
    pub response: [u8; RESPONSE_LENGTH],
    /// How many bytes for certificates the host wants, or the length that was offered.
    pub certs_len: u32,
}

/// The extended report request of the driver.
pub trait Port: Send {
    /// Asks for a report over `report_data` for `vmpl`; `certs` (whole pages, at most 16 KiB) receives the certificate
    /// table. The outer error says why there is nobody to ask.
    fn ext_report(&mut self, report_data: &[u8; 64], vmpl: u32, certs: &mut [u8]) -> std::io::Result<Answer>;
}

/// The device at a path. It is opened for each request.
#[derive(Clone, Debug)]
pub struct DevicePort(pub PathBuf);

impl Port for DevicePort {
    fn ext_report(&mut self, report_data: &[u8; 64], vmpl: u32, certs: &mut [u8]) -> std::io::Result<Answer> {
        let named = |error: std::io::Error| {
            std::io::Error::new(error.kind(), format!("{}: {error}", self.0.display()))
        };
        let device = File::open(&self.0).map_err(named)?;
        Ok(crate::ioctl::snp_get_ext_report(&device, report_data, vmpl, certs))
    }
}

/// The interface on a port.
pub struct SevGuest<P> {
    port: P,
    certs_len: usize,
}

impl<P: Port> SevGuest<P> {
    /// Asks through `port`.
    pub const fn new(port: P) -> Self {
        Self { port, certs_len: FIRST_CERTS }
    }

    fn ask(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<(Answer, Vec<u8>), Failure> {
        let _pass = gate.pass();
        let mut certs = vec![0; self.certs_len];
        let vmpl = request.vmpl.unwrap_or(0);
        let answer = self
            .port
            .ext_report(request.binding.report_data().map_err(Failure::Denied)?, vmpl, &mut certs)
            .map_err(|error| Failure::Absent(format!("sev-guest: opening the device: {error}")))?;
        Ok((answer, certs))
    }
}

impl<P: Port> Device for SevGuest<P> {
    fn report(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<RawReport, Failure> {
        let (mut answer, mut certs) = self.ask(request, gate)?;
        if vmm_error(&answer) == VMM_INVALID_LENGTH {
            self.certs_len = wanted(answer.certs_len, self.certs_len)?;
            (answer, certs) = self.ask(request, gate)?;
        }
        judge(&answer)?;
        Ok(RawReport { report: report(&answer.response)?, certs: certs::trimmed(certs) })
    }
}

/// The larger length that the host asks for, if it is one that the kernel takes.
fn wanted(length: u32, offered: usize) -> Result<usize, Failure> {
    usize::try_from(length)
        .ok()
        .filter(|length| length.is_multiple_of(PAGE) && (offered..=MAX_CERTS).contains(length) && *length != offered)
        .ok_or_else(|| {
            Failure::denied(
                codes::SNP_COLLECT_FIRMWARE_ERROR,
                format!(
                    "sev-guest: the host wants {length} bytes for certificates, got {offered}; the limit is {MAX_CERTS}"
                ),
            )
        })
}

/// The error of the host, 0 for none.
const fn vmm_error(answer: &Answer) -> u64 {
    answer.exitinfo2 >> 32
}

/// Whether there is a response to look at.
fn judge(answer: &Answer) -> Result<(), Failure> {
    let error = match answer.result {
        Ok(()) if answer.exitinfo2 == 0 => return Ok(()),
        Ok(()) => "no error".to_owned(),
        Err(errno) => errno.to_string(),
    };
    let detail = format!("sev-guest: {error}, exitinfo2 {:#018x}", answer.exitinfo2);
    Err(match answer.result {
        Err(Errno::NOTTY) => Failure::KeyGone(detail),
        Err(Errno::NXIO) => Failure::Absent(detail),
        Err(Errno::TIMEDOUT) => Failure::denied(codes::SNP_COLLECT_THROTTLED, detail),
        _ if vmm_error(answer) == VMM_BUSY => Failure::denied(codes::SNP_COLLECT_THROTTLED, detail),
        _ => Failure::denied(codes::SNP_COLLECT_FIRMWARE_ERROR, detail),
    })
}

/// The report in a response (MSG_REPORT_RSP: status, size, report).
fn report(response: &[u8; RESPONSE_LENGTH]) -> Result<Vec<u8>, Failure> {
    let word =
        |at: usize| response.get(at..).and_then(|rest| rest.first_chunk()).copied().map(u32::from_le_bytes);
    let (status, size) = (word(0).unwrap_or(u32::MAX), word(4).unwrap_or(0));
    if status != 0 {
        return Err(Failure::denied(
            codes::SNP_COLLECT_FIRMWARE_ERROR,
            format!("sev-guest: MSG_REPORT_RSP has status {status:#x}, expected 0"),
        ));
    }
    let rest = response.get(REPORT_OFFSET..).unwrap_or_default();
    let report = usize::try_from(size).ok().and_then(|size| rest.get(..size));
    report.map(<[u8]>::to_vec).ok_or_else(|| {
        Failure::denied(
            codes::SNP_COLLECT_WRONG_REPORT,
            format!(
                "sev-guest: the response claims a report of {size} bytes, it has room for {}",
                rest.len()
            ),
        )
    })
}
