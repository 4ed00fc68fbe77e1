//! The database as a file: whose it is, and who has it open.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// Keeps other processes away from a database for as long as it lives. The system gives it free when the process ends,
/// however it ends.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "closing it gives the lock free")] File);

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::File { path: path.to_owned(), detail: error.to_string() }
}

/// The path with its folder resolved, so that one database has one name and one lock.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, StoreError> {
    let name = path.file_name().ok_or_else(|| StoreError::File {
        path: path.to_owned(),
        detail: "not the path of a file".to_owned(),
    })?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = folder.canonicalize().map_err(|error| unusable(folder, &error))?;
    Ok(folder.join(name))
}

/// Takes the lock beside a database. SQLite's own locks stay free, so that its tools can look inside.
pub(super) fn lock(path: &Path) -> Result<Lock, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let fail = |error: std::io::Error| unusable(&beside, &error);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&beside)
        .map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let pid = holder(&mut file);
            return Err(StoreError::InUse { path: path.to_owned(), pid });
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(fail(error)),
    }
    let note = format!("{}\n", std::process::id());
    let noted = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes()));
    noted.map_err(fail)?;
    Ok(Lock(file))
}

/// Who has the lock, as far as it has said so: for people only.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Creates the database's file for its owner alone, or checks that it is that.
pub(super) fn prepare(path: &Path) -> Result<(), StoreError> {
    let fail = |error: std::io::Error| unusable(path, &error);
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            Err(StoreError::File { path: path.to_owned(), detail: "not a regular file".to_owned() })
        }
        Ok(found) => {
            let mode = found.permissions().mode() & 0o777;
            if mode & 0o077 == 0 {
                return Ok(());
            }
            Err(StoreError::Mode { path: path.to_owned(), found: mode, expected: 0o600 })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
            file.sync_all().map_err(fail)?;
            let Some(folder) = path.parent() else { return Ok(()) };
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| unusable(folder, &error))
        }
        Err(error) => Err(fail(error)),
    }
}
