//! A mounted emulation.

use std::path::{Path, PathBuf};

use fuser::{BackgroundSession, Config, FileAttr, FileType, Filesystem, INodeNo, MountOption, Session};

/// A FUSE file system that is unmounted, and its thread joined, when this is dropped. Drop it on a thread of the
/// namespace where it was mounted.
pub struct Mounted {
    session: Option<BackgroundSession>,
    at: PathBuf,
}

impl Mounted {
    /// Mounts `fs` on `at`, which exists and is of the kind (directory, file) that the root of `fs` is.
    pub(super) fn new(fs: impl Filesystem + 'static, at: &Path) -> std::io::Result<Self> {
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("emulated".to_owned())];
        let session = Session::new(fs, at, &config)?.spawn()?;
        Ok(Self { session: Some(session), at: at.to_owned() })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = self.session.take().is_none_or(|session| session.umount_and_join().is_ok());
        if !unmounted {
            // Somebody has a file open; the mount goes when it is closed.
            let _ = nix::mount::umount2(&self.at, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}

/// Attributes of an emulated file or directory: empty of time, owned by whoever runs the emulation.
pub(super) fn attributes(ino: INodeNo, kind: FileType, perm: u16) -> FileAttr {
    let epoch = std::time::UNIX_EPOCH;
    FileAttr {
        ino,
        size: 4096,
        blocks: 0,
        atime: epoch,
        mtime: epoch,
        ctime: epoch,
        crtime: epoch,
        kind,
        perm,
        nlink: 1,
        uid: nix::unistd::geteuid().as_raw(),
        gid: nix::unistd::getegid().as_raw(),
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}
