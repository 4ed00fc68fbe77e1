//! The configfs-tsm report tree over FUSE.
//!
//! Written values are taken over when the file is closed, as the kernel does with binary attributes; files are read
//! past the page cache, so that each read sees the tree as it is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fuser::{
    Errno, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner, OpenFlags,
    ReplyAttr, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyWrite, Request, WriteFlags,
};

use super::configfs::{ATTRIBUTES, ReportTree};
use super::mounted::{Mounted, attributes};

/// Mounts `tree` on the directory `at`.
pub fn mount(tree: Arc<Mutex<ReportTree>>, at: &Path) -> std::io::Result<Mounted> {
    let fs = TreeFs { tree, names: Mutex::default(), written: Mutex::default(), handles: AtomicU64::new(1) };
    Mounted::new(fs, at)
}

/// Inode numbers: 1 is the root, `16 * n` the n-th directory ever seen, `16 * n + 1 + i` its i-th attribute.
const PER_DIRECTORY: u64 = 16;

struct TreeFs {
    tree: Arc<Mutex<ReportTree>>,
    names: Mutex<Vec<String>>,
    written: Mutex<BTreeMap<u64, Vec<u8>>>,
    handles: AtomicU64,
}

impl TreeFs {
    /// The inode of a directory; one for each name.
    fn inode(&self, name: &str) -> u64 {
        let mut names = self.names.lock().unwrap();
        let at = names.iter().position(|known| known == name).unwrap_or_else(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        (at as u64 + 1) * PER_DIRECTORY
    }

    /// The directory, and the attribute if it is one, behind an inode.
    fn node(&self, ino: INodeNo) -> Option<(String, Option<&'static str>)> {
        let directory = (ino.0 / PER_DIRECTORY).checked_sub(1)? as usize;
        let name = self.names.lock().unwrap().get(directory)?.clone();
        if !self.exists(&name) {
            return None;
        }
        match (ino.0 % PER_DIRECTORY).checked_sub(1) {
            None => Some((name, None)),
            Some(at) => ATTRIBUTES.get(at as usize).map(|attribute| (name, Some(*attribute))),
        }
    }

    fn exists(&self, name: &str) -> bool {
        self.tree.lock().unwrap().directories().iter().any(|known| known == name)
    }

    fn attribute(&self, ino: INodeNo) -> Result<(String, &'static str), i32> {
        match self.node(ino) {
            Some((name, Some(attribute))) => Ok((name, attribute)),
            _ => Err(libc::ENOENT),
        }
    }
}

fn directory(ino: u64) -> fuser::FileAttr {
    attributes(INodeNo(ino), FileType::Directory, 0o755)
}

fn file(ino: u64) -> fuser::FileAttr {
    attributes(INodeNo(ino), FileType::RegularFile, 0o644)
}

impl Filesystem for TreeFs {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let name = name.to_string_lossy();
        let found = if parent == INodeNo::ROOT {
            self.exists(&name).then(|| directory(self.inode(&name)))
        } else {
            let at = self.tree.lock().unwrap().attributes().iter().position(|attribute| *attribute == name);
            at.filter(|_| self.node(parent).is_some()).map(|at| file(parent.0 + 1 + at as u64))
        };
        match found {
            Some(attr) => reply.entry(&Duration::ZERO, &attr, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.node(ino) {
            _ if ino == INodeNo::ROOT => reply.attr(&Duration::ZERO, &directory(1)),
            Some((_, None)) => reply.attr(&Duration::ZERO, &directory(ino.0)),
            Some((_, Some(_))) => reply.attr(&Duration::ZERO, &file(ino.0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, _: u32, _: u32, reply: ReplyEntry) {
        let name = name.to_string_lossy();
        if parent != INodeNo::ROOT {
            return reply.error(Errno::EPERM);
        }
        let made = self.tree.lock().unwrap().make(&name);
        match made {
            Ok(()) => reply.entry(&Duration::ZERO, &directory(self.inode(&name)), Generation(0)),
            Err(errno) => reply.error(Errno::from_i32(errno)),
        }
    }

    fn rmdir(&self, _: &Request, _: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        match self.tree.lock().unwrap().remove(&name.to_string_lossy()) {
            Ok(()) => reply.ok(),
            Err(errno) => reply.error(Errno::from_i32(errno)),
        }
    }

    fn readdir(&self, _: &Request, ino: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let names = if ino == INodeNo::ROOT { self.tree.lock().unwrap().directories() } else { Vec::new() };
        for (at, name) in names.iter().enumerate().skip(offset as usize) {
            if reply.add(INodeNo(self.inode(name)), at as u64 + 1, FileType::Directory, name) {
                break;
            }
        }
        reply.ok();
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let handle = self.handles.fetch_add(1, Ordering::Relaxed);
        reply.opened(FileHandle(handle), FopenFlags::FOPEN_DIRECT_IO);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let value = self
            .attribute(ino)
            .and_then(|(name, attribute)| self.tree.lock().unwrap().read(&name, attribute));
        match value {
            Ok(value) => {
                let from = value.len().min(offset as usize);
                let to = value.len().min(from + size as usize);
                reply.data(&value[from..to]);
            }
            Err(errno) => reply.error(Errno::from_i32(errno)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.attribute(ino) {
            Err(errno) => return reply.error(Errno::from_i32(errno)),
            Ok((_, "inblob")) => {
                // Taken over when closed. A second write would be another request: it is refused here.
                if offset != 0 || data.len() > 64 {
                    return reply.error(Errno::EFBIG);
                }
                self.written.lock().unwrap().insert(handle.0, data.to_vec());
            }
            Ok((name, attribute)) => {
                let written = self.tree.lock().unwrap().write(&name, attribute, data);
                if let Err(errno) = written {
                    return reply.error(Errno::from_i32(errno));
                }
            }
        }
        reply.written(data.len() as u32);
    }

    fn flush(&self, _: &Request, ino: INodeNo, handle: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        let pending = self.written.lock().unwrap().remove(&handle.0);
        if let (Some(value), Ok((name, attribute))) = (pending, self.attribute(ino)) {
            let _ = self.tree.lock().unwrap().write(&name, attribute, &value);
        }
        reply.ok();
    }
}
