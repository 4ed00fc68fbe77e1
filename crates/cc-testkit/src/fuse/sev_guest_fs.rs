//! `/dev/sev-guest` over FUSE: a file system whose root is a regular file that answers ioctls.
//!
//! FUSE hands over only the outer 32 bytes of the argument; the structures to which they point are read and written
//! through `/proc/PID/mem` of the calling process.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fuser::{
    Errno, FileHandle, FileType, Filesystem, INodeNo, IoctlFlags, LockOwner, ReplyAttr, ReplyEmpty,
    ReplyIoctl, Request,
};

use super::mounted::{Mounted, attributes};
use super::sev_guest::{Guest, Memory};

/// Mounts `guest` on the regular file `at`.
pub fn mount(guest: Arc<Mutex<Guest>>, at: &Path) -> std::io::Result<Mounted> {
    Mounted::new(DeviceFile(guest), at)
}

struct DeviceFile(Arc<Mutex<Guest>>);

impl Filesystem for DeviceFile {
    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&Duration::ZERO, &attributes(ino, FileType::RegularFile, 0o600));
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn ioctl(
        &self,
        request: &Request,
        _: INodeNo,
        _: FileHandle,
        _: IoctlFlags,
        number: u32,
        argument: &[u8],
        _: u32,
        reply: ReplyIoctl,
    ) {
        let Ok(mut argument) = <[u8; 32]>::try_from(argument) else {
            return reply.error(Errno::ENOTTY);
        };
        let memory = File::options().read(true).write(true).open(format!("/proc/{}/mem", request.pid()));
        let Ok(memory) = memory.map(ProcessMemory) else {
            return reply.error(Errno::EFAULT);
        };
        let result = self.0.lock().unwrap().ioctl(number, &mut argument, &memory);
        reply.ioctl(result, &argument);
    }
}

struct ProcessMemory(File);

impl Memory for ProcessMemory {
    fn load(&self, address: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(bytes, address)
    }

    fn store(&self, address: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all_at(bytes, address)
    }
}
