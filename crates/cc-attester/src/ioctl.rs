//! The raw ioctls of `/dev/sev-guest` and `/dev/tdx_guest` (the kernel's `include/uapi/linux/sev-guest.h` and
//! `tdx-guest.h`; *verification.md* 1.5 and 2.6).
//!
//! Layouts and the system calls, no judgement: [`crate::snp::sev_guest`] and `tdx::guest` say what an answer means.
#![expect(unsafe_code, reason = "an ioctl with pointers to structures has no safe form")]

use std::fs::File;

use rustix::io::Errno;
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};

use crate::snp::sev_guest::{Answer, RESPONSE_LENGTH};

/// `struct snp_report_req`.
#[repr(C)]
struct ReportRequest {
    user_data: [u8; 64],
    vmpl: u32,
    reserved: [u8; 28],
}

/// `struct snp_ext_report_req`. The order and width of the fields are the kernel's.
#[repr(C)]
struct ExtReportRequest {
    data: ReportRequest,
    certs_address: u64,
    certs_len: u32,
}

/// `struct snp_guest_request_ioctl`. The order and width of the fields are the kernel's.
#[repr(C)]
struct GuestRequest {
    msg_version: u8,
    req_data: u64,
    resp_data: u64,
    exitinfo2: u64,
}

/// `struct tdx_report_req`. The order and width of the fields are the kernel's.
#[repr(C)]
struct TdxReportRequest {
    reportdata: [u8; 64],
    tdreport: [u8; TDREPORT_LENGTH],
}

/// Bytes of a TDREPORT.
pub(crate) const TDREPORT_LENGTH: usize = 1024;

const SNP_GET_EXT_REPORT: Opcode = opcode::read_write::<GuestRequest>(b'S', 2);
const TDX_CMD_GET_REPORT0: Opcode = opcode::read_write::<TdxReportRequest>(b'T', 1);

const _: () = {
    assert!(SNP_GET_EXT_REPORT == 0xC020_5302);
    assert!(size_of::<ReportRequest>() == 96);
    assert!(size_of::<ExtReportRequest>() == 112);
    assert!(std::mem::offset_of!(ExtReportRequest, certs_len) == 104);
    assert!(size_of::<GuestRequest>() == 32);
    assert!(std::mem::offset_of!(GuestRequest, exitinfo2) == 24);
    assert!(TDX_CMD_GET_REPORT0 == 0xC440_5401);
    assert!(std::mem::offset_of!(TdxReportRequest, tdreport) == 64);
};

/// SNP_GET_EXT_REPORT: a report over `report_data` for `vmpl`, and the host's certificate table into `certs`. The
/// kernel wants the length of `certs` to be a multiple of the page size, 16 KiB at most.
pub(crate) fn snp_get_ext_report(
    device: &File,
    report_data: &[u8; 64],
    vmpl: u32,
    certs: &mut [u8],
) -> Answer {
    let mut response = [0; RESPONSE_LENGTH];
    let Ok(certs_len) = u32::try_from(certs.len()) else {
        return Answer { result: Err(Errno::INVAL), exitinfo2: 0, response, certs_len: 0 };
    };
    let mut request = ExtReportRequest {
        data: ReportRequest { user_data: *report_data, vmpl, reserved: [0; 28] },
        certs_address: address(certs.as_mut_ptr()),
        certs_len,
    };
    let mut argument = GuestRequest {
        msg_version: 1,
        req_data: address(&raw mut request),
        resp_data: address(&raw mut response),
        exitinfo2: 0,
    };
    // SAFETY: the opcode is made from the size of `GuestRequest` and is the read-write one of the driver.
    let call = unsafe { Updater::<SNP_GET_EXT_REPORT, GuestRequest>::new(&mut argument) };
    // SAFETY: the kernel reads and writes `argument`, the 112 bytes of `request`, the 4000 bytes of `response`, and at
    // most `certs_len` bytes at `certs`; all of them are live, writable, unaliased for the call and of types for which
    // every bit pattern is valid. Their addresses were exposed above. A file that is no sev-guest device does not know
    // the opcode, whose type and size are encoded in it, and refuses it.
    let result = unsafe { ioctl(device, call) };
    Answer { result, exitinfo2: argument.exitinfo2, response, certs_len: request.certs_len }
}

/// TDX_CMD_GET_REPORT0: a TDREPORT over `report_data`.
pub(crate) fn tdx_get_report(device: &File, report_data: &[u8; 64]) -> Result<[u8; TDREPORT_LENGTH], Errno> {
    let mut request = TdxReportRequest { reportdata: *report_data, tdreport: [0; TDREPORT_LENGTH] };
    // SAFETY: the opcode is made from the size of `TdxReportRequest` and is the read-write one of the driver.
    let call = unsafe { Updater::<TDX_CMD_GET_REPORT0, TdxReportRequest>::new(&mut request) };
    // SAFETY: the kernel reads and writes `request` alone, which is live, writable, unaliased for the call and of a type
    // for which every bit pattern is valid. A file that is no tdx_guest device does not know the opcode, whose type and
    // size are encoded in it, and refuses it.
    unsafe { ioctl(device, call) }?;
    Ok(request.tdreport)
}

/// The address that the kernel is told; exposed, because the kernel writes there.
fn address<T>(pointer: *mut T) -> u64 {
    const { assert!(size_of::<usize>() <= size_of::<u64>()) };
    u64::try_from(pointer.expose_provenance()).unwrap_or(0)
}
