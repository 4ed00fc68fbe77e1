//! Reading a file of a kit: bounded, and only if nobody else could have written it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};

use super::KitError;

/// Who else may do what with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Others may read it.
    Public,
    /// It is its owner's alone.
    Secret,
}

/// Reads a file of at most `limit` bytes, of this user or root. What is judged is the file that was opened.
pub(super) fn read(path: &Path, limit: usize, access: Access) -> Result<Vec<u8>, KitError> {
    let failed = |source| KitError::Read { path: path.to_owned(), source };
    // NONBLOCK: opening a named pipe must not wait for a writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let stat = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(failed(std::io::Error::other("not a regular file")));
    }
    let user = rustix::process::geteuid().as_raw();
    if stat.st_uid != user && stat.st_uid != 0 {
        return Err(KitError::Owner { path: path.to_owned(), owner: stat.st_uid, user });
    }
    let mode = stat.st_mode & 0o7777;
    match access {
        Access::Secret if mode & !0o600 != 0 => {
            return Err(KitError::SecretMode { path: path.to_owned(), mode });
        }
        Access::Public if mode & 0o002 != 0 => return Err(KitError::Mode { path: path.to_owned(), mode }),
        Access::Secret | Access::Public => {}
    }
    let mut content = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::from(file).take(most).read_to_end(&mut content).map_err(failed)?;
    if content.len() > limit {
        return Err(KitError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(content)
}

/// The same, for text.
pub(super) fn read_text(path: &Path, limit: usize) -> Result<String, KitError> {
    String::from_utf8(read(path, limit, Access::Public)?)
        .map_err(|_| KitError::NotText { path: path.to_owned() })
}
