//! `/dev/tdx_guest` over FUSE: a regular file that answers the ioctl TDX_CMD_GET_REPORT0 (the kernel's
//! `include/uapi/linux/tdx-guest.h`), whose argument has no pointers.

use std::path::Path;
use std::time::Duration;

use fuser::{
    Errno, FileHandle, FileType, Filesystem, INodeNo, IoctlFlags, LockOwner, ReplyAttr, ReplyEmpty,
    ReplyIoctl, Request,
};

use super::mounted::{Mounted, attributes};

/// Number of the ioctl.
pub const GET_REPORT0: u32 = 0xC440_5401;

/// Mounts a device on the regular file `at`. It answers with what `report` makes of REPORTDATA, or with its errno.
pub fn mount(
    at: &Path,
    report: impl Fn([u8; 64]) -> Result<[u8; 1024], i32> + Send + Sync + 'static,
) -> std::io::Result<Mounted> {
    Mounted::new(DeviceFile(Box::new(report)), at)
}

type Report = dyn Fn([u8; 64]) -> Result<[u8; 1024], i32> + Send + Sync;

struct DeviceFile(Box<Report>);

impl Filesystem for DeviceFile {
    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&Duration::ZERO, &attributes(ino, FileType::RegularFile, 0o600));
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn ioctl(
        &self,
        _: &Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        number: u32,
        argument: &[u8],
        _: u32,
        reply: ReplyIoctl,
    ) {
        let report_data =
            argument.first_chunk::<64>().filter(|_| number == GET_REPORT0 && argument.len() == 1088);
        let Some(report_data) = report_data else { return reply.error(Errno::ENOTTY) };
        match self.0(*report_data) {
            Ok(report) => reply.ioctl(0, &[&report_data[..], &report].concat()),
            Err(errno) => reply.error(Errno::from_i32(errno)),
        }
    }
}
