//! `/dev/tdx_guest`: the local report of the TDX module, for the registers in it (*Intel TDX Module Base Architecture
//! Specification*, "TDREPORT_STRUCT" and "TDINFO_STRUCT").

use std::fs::File;
use std::path::Path;

use cc_core::{Code, Finding, codes};
use rustix::io::Errno;

use crate::ioctl::{self, TDREPORT_LENGTH};

/// REPORTTYPE.TYPE of a trust domain.
const TYPE: u8 = 0x81;
/// Where REPORTDATA stands in a TDREPORT.
const REPORT_DATA: usize = 128;
/// Where RTMR0 does: in TDINFO at 512, after ATTRIBUTES, XFAM and four digests.
const RTMRS: usize = 720;
/// What is asked with: the registers do not depend on it.
const ASKED: [u8; 64] = *b"the registers of this trust domain, for its own eyes and no more";

/// RTMR0 to RTMR3 of this trust domain, from the guest device at `path` (`/dev/tdx_guest`).
///
/// `tdx.collect.no_device` without such a device, `tdx.collect.failed` when it refuses or answers with something else.
pub fn rtmrs(path: &Path) -> Result<[[u8; 48]; 4], Finding> {
    let finding = |code: Code, what: String| Finding::new(code, format!("{}: {what}", path.display()));
    let device =
        File::open(path).map_err(|error| finding(codes::TDX_COLLECT_NO_DEVICE, error.to_string()))?;
    let report = ioctl::tdx_get_report(&device, &ASKED).map_err(|errno| {
        let absent = matches!(errno, Errno::NOTTY | Errno::NXIO);
        let code = if absent { codes::TDX_COLLECT_NO_DEVICE } else { codes::TDX_COLLECT_FAILED };
        finding(code, errno.to_string())
    })?;
    read(&report)
        .ok_or_else(|| finding(codes::TDX_COLLECT_FAILED, "the report is not the one asked for".to_owned()))
}

fn read(report: &[u8; TDREPORT_LENGTH]) -> Option<[[u8; 48]; 4]> {
    let answers = report.first() == Some(&TYPE) && report.get(REPORT_DATA..)?.starts_with(&ASKED);
    let (rtmrs, _) = report.get(RTMRS..)?.as_chunks::<48>();
    rtmrs.first_chunk::<4>().filter(|_| answers).copied()
}
