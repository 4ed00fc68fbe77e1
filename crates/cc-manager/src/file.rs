//! First stage of loading: from a path to bytes that nobody can change any more and whose digest is known.
//!
//! The file is opened once. Its content goes into an anonymous memory file, which is sealed against writing;
//! the digest is that of the sealed copy, and the dynamic linker is later given the sealed copy and nothing else.
//! So whoever swaps a link or rewrites the file after it was opened changes nothing that is loaded. Owner and
//! mode of the file and its folder are judged (*decisions.md* 16), as a sign of a careless installation; the
//! digest, not the permissions, is what binds.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cc_core::{Code, codes};
use rustix::fs::{FileType, MemfdFlags, Mode, OFlags, SealFlags, Stat};

use crate::digest::Hasher;
use crate::{LoadError, Sha256};

/// Largest plugin library, in bytes.
const MAX_LIBRARY: u64 = 256 * 1024 * 1024;

/// A plugin file that was opened and judged by owner and mode, not yet read.
#[derive(Debug)]
struct OpenedFile {
    path: PathBuf,
    file: File,
    stat: Stat,
}

/// An unchangeable copy of a plugin file.
#[derive(Debug)]
pub struct SealedFile {
    path: PathBuf,
    memory: OwnedFd,
    sha256: Sha256,
}

impl SealedFile {
    /// Opens, judges, copies and seals the file at an absolute path.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        OpenedFile::open(path)?.seal()
    }

    /// Digest of the sealed content.
    pub const fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Fails unless the content is what was provisioned.
    pub(crate) fn expect(&self, wanted: Sha256) -> Result<(), LoadError> {
        if self.sha256 == wanted {
            return Ok(());
        }
        let detail = format!("sha256 is {}, the configuration has {wanted}", self.sha256);
        Err(LoadError::new(codes::PLUG_DIGEST_MISMATCH, &self.path, detail))
    }

    pub(crate) fn into_parts(self) -> (PathBuf, OwnedFd, Sha256) {
        (self.path, self.memory, self.sha256)
    }
}

impl OpenedFile {
    fn open(path: &Path) -> Result<Self, LoadError> {
        let fail = |code: Code, detail: String| LoadError::new(code, path, detail);
        if !path.is_absolute() {
            return Err(fail(codes::PLUG_FILE_NOT_ABSOLUTE, "the path must begin at the root".to_owned()));
        }
        // NONBLOCK: opening a named pipe must not wait for a writer.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| fail(codes::PLUG_FILE_NOT_FOUND, error.to_string()))?;
        let file = File::from(file);
        let stat = stat(&file, path)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(fail(codes::PLUG_FILE_NOT_FOUND, "not a regular file".to_owned()));
        }
        judge(&stat, path, "the file")?;
        judge_folder(path.parent(), path)?;
        // Through a link, the folder of the file itself counts too.
        let real = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
            .map_err(|error| fail(codes::PLUG_FILE_NOT_FOUND, error.to_string()))?;
        judge_folder(real.parent(), path)?;
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size > MAX_LIBRARY {
            return Err(fail(codes::PLUG_LOAD_FAILED, format!("{size} bytes, the limit is {MAX_LIBRARY}")));
        }
        Ok(Self { path: path.to_owned(), file, stat })
    }

    fn seal(self) -> Result<SealedFile, LoadError> {
        let fail = |error: std::io::Error| {
            LoadError::new(codes::PLUG_LOAD_FAILED, &self.path, format!("copy into memory: {error}"))
        };
        let memory =
            rustix::fs::memfd_create("muster-plugin", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
                .map_err(|error| fail(error.into()))?;
        let memory = File::from(memory);
        each_chunk(&self.file, |chunk, offset| memory.write_all_at(chunk, offset)).map_err(fail)?;
        let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
        while_busy(|| rustix::fs::fcntl_add_seals(memory.as_fd(), seals))
            .map_err(|error| fail(error.into()))?;
        let mut hasher = Hasher::new();
        each_chunk(&memory, |chunk, _| {
            hasher.update(chunk);
            Ok(())
        })
        .map_err(fail)?;
        unchanged(&self.stat, &stat(&self.file, &self.path)?, &self.path)?;
        Ok(SealedFile { path: self.path, memory: memory.into(), sha256: hasher.finish() })
    }
}

/// Most attempts to seal. In each the kernel waits for up to 150 ms itself (`memfd_wait_for_pins`).
const ATTEMPTS: usize = 20;

/// Tries again while the kernel holds pages of the file, as it does for a moment when memory is short or compacted.
fn while_busy(mut seal: impl FnMut() -> rustix::io::Result<()>) -> rustix::io::Result<()> {
    for _ in 1..ATTEMPTS {
        match seal() {
            Err(rustix::io::Errno::BUSY) => {}
            other => return other,
        }
    }
    seal()
}

/// Hands the content to `take`, piece by piece with the offset, up to one byte beyond the limit.
fn each_chunk(file: &File, mut take: impl FnMut(&[u8], u64) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let mut offset: u64 = 0;
    while offset <= MAX_LIBRARY {
        let count = file.read_at(&mut buffer, offset)?;
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else {
            return Ok(());
        };
        take(chunk, offset)?;
        offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Err(std::io::Error::other(format!("more than {MAX_LIBRARY} bytes")))
}

fn stat(file: &File, path: &Path) -> Result<Stat, LoadError> {
    rustix::fs::fstat(file)
        .map_err(|error| LoadError::new(codes::PLUG_FILE_NOT_FOUND, path, error.to_string()))
}

fn judge_folder(folder: Option<&Path>, path: &Path) -> Result<(), LoadError> {
    let Some(folder) = folder else { return Ok(()) };
    let stat = rustix::fs::stat(folder)
        .map_err(|error| LoadError::new(codes::PLUG_FILE_NOT_FOUND, path, error.to_string()))?;
    judge(&stat, path, &format!("the folder {}", folder.display()))
}

fn judge(stat: &Stat, path: &Path, what: &str) -> Result<(), LoadError> {
    let user = rustix::process::geteuid().as_raw();
    if stat.st_uid != 0 && stat.st_uid != user {
        let detail = format!("{what} belongs to user {}, expected 0 or {user}", stat.st_uid);
        return Err(LoadError::new(codes::PLUG_FILE_OWNER, path, detail));
    }
    if Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH) {
        let mode = stat.st_mode & 0o7777;
        let detail = format!("{what} has mode {mode:04o}, group and others must not be able to write");
        return Err(LoadError::new(codes::PLUG_FILE_MODE, path, detail));
    }
    Ok(())
}

fn unchanged(before: &Stat, after: &Stat, path: &Path) -> Result<(), LoadError> {
    let facts = |s: &Stat| {
        let changed = [(s.st_mtime, s.st_mtime_nsec), (s.st_ctime, s.st_ctime_nsec)];
        (s.st_size, changed, s.st_mode, s.st_uid)
    };
    if facts(before) == facts(after) {
        return Ok(());
    }
    let detail = format!(
        "was {} bytes changed at {}.{:09}, is {} bytes changed at {}.{:09}",
        before.st_size,
        before.st_ctime,
        before.st_ctime_nsec,
        after.st_size,
        after.st_ctime,
        after.st_ctime_nsec
    );
    Err(LoadError::new(codes::PLUG_FILE_CHANGED, path, detail))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn library(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin.so");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_whose_pages_are_held_for_a_moment_is_sealed() {
        use rustix::io::Errno;
        let after = |busy: usize, then: rustix::io::Result<()>| {
            let mut asked = 0;
            let result = while_busy(|| {
                asked += 1;
                if asked <= busy { Err(Errno::BUSY) } else { then }
            });
            (result, asked)
        };
        assert_eq!(after(0, Ok(())), (Ok(()), 1));
        assert_eq!(after(ATTEMPTS - 1, Ok(())), (Ok(()), ATTEMPTS));
        assert_eq!(after(ATTEMPTS, Ok(())), (Err(Errno::BUSY), ATTEMPTS));
        assert_eq!(after(1, Err(Errno::PERM)), (Err(Errno::PERM), 2), "nothing else is tried again");
    }

    fn content(sealed: &SealedFile) -> Vec<u8> {
        let mut bytes = Vec::new();
        each_chunk(&File::from(sealed.memory.try_clone().unwrap()), |chunk, _| {
            bytes.extend_from_slice(chunk);
            Ok(())
        })
        .unwrap();
        bytes
    }

    #[test]
    fn a_swapped_link_changes_nothing() {
        let (folder, first) = library(b"first");
        let second = folder.path().join("second.so");
        std::fs::write(&second, b"second").unwrap();
        let link = folder.path().join("link.so");
        symlink(&first, &link).unwrap();
        let opened = OpenedFile::open(&link).unwrap();
        std::fs::remove_file(&link).unwrap();
        symlink(&second, &link).unwrap();
        let sealed = opened.seal().unwrap();
        assert_eq!((content(&sealed), sealed.sha256()), (b"first".to_vec(), Sha256::of(b"first")));
    }

    #[test]
    fn a_file_rewritten_while_it_is_read_is_refused() {
        let (_folder, path) = library(b"first");
        let opened = OpenedFile::open(&path).unwrap();
        std::fs::write(&path, b"another content").unwrap();
        assert_eq!(opened.seal().unwrap_err().code, codes::PLUG_FILE_CHANGED);
    }

    #[test]
    fn the_copy_cannot_be_written() {
        let (_folder, path) = library(b"first");
        let sealed = SealedFile::read(&path).unwrap();
        std::fs::write(&path, b"later").unwrap();
        let memory = File::from(sealed.memory.try_clone().unwrap());
        assert!(memory.write_all_at(b"x", 0).is_err() && memory.set_len(0).is_err());
        assert!(memory.write_all_at(b"x", 100).is_err(), "growing");
        assert_eq!(content(&sealed), b"first");
    }
}
