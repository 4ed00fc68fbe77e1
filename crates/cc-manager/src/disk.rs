//! Small files that are replaced as a whole: a reader sees the old content or the new one, never a part.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Creates a folder and its parents, for the owner alone.
pub(crate) fn create_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Replaces the content of `path`; it is on disk when this returns.
pub(crate) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().ok_or(std::io::ErrorKind::InvalidInput)?;
    // A random name: processes in different containers may have the same number.
    let mut name = [0; 16];
    aws_lc_rs::rand::fill(&mut name).map_err(|_| std::io::Error::other("no randomness"))?;
    replace_by(path, &folder.join(format!(".new-{}", hex::encode(name))), content)?;
    File::open(folder)?.sync_all()
}

/// Writes a file that did not exist, and moves it to its place.
fn replace_by(path: &Path, temporary: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    let written = written.and_then(|()| std::fs::rename(temporary, path));
    if written.is_err() {
        let _ = std::fs::remove_file(temporary);
    }
    written
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut content = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit {
        let what = format!("more than {limit} bytes");
        return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, what));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_the_place_of_the_new_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let [path, temporary, other] = ["path", "temporary", "other"].map(|name| folder.path().join(name));
        std::fs::write(&other, "other").unwrap();
        std::os::unix::fs::symlink(&other, &temporary).unwrap();
        assert!(replace_by(&path, &temporary, b"new").is_err());
        assert_eq!(std::fs::read(&other).unwrap(), b"other");
        assert!(temporary.is_symlink() && !path.exists());
        replace(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "nothing is left behind");
    }
}
