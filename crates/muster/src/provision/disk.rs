//! Files and folders of kits: read with bounds and modes, written so that a reader sees the old or the new and nothing
//! in between.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Mode of a private key.
const SECRET: u32 = 0o600;
/// Mode of any other file; its folder is the owner's alone.
const PUBLIC: u32 = 0o644;
/// Mode of a folder.
const FOLDER: u32 = 0o700;
/// What the name of a folder or file begins with while it is being made.
const UNFINISHED: &str = ".new-";

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NewFile {
    /// Its name within the folder.
    pub(super) name: &'static str,
    pub(super) content: Vec<u8>,
    /// Whether it is its owner's alone.
    pub(super) secret: bool,
}

impl NewFile {
    /// A private key.
    pub(super) fn secret(name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        Self { name, content: content.into(), secret: true }
    }

    /// Anything else.
    pub(super) fn public(name: &'static str, content: impl Into<Vec<u8>>) -> Self {
        Self { name, content: content.into(), secret: false }
    }
}

/// Reads a file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut content = Vec::new();
    File::open(path).map_err(failed)?.take(most).read_to_end(&mut content).map_err(failed)?;
    if content.len() > limit {
        return Err(format!("{}: more than {limit} bytes", path.display()));
    }
    Ok(content)
}

/// The same, for text.
pub(super) fn read_text(path: &Path, limit: usize) -> Result<String, String> {
    String::from_utf8(read(path, limit)?).map_err(|_| format!("{}: not UTF-8", path.display()))
}

/// Reads a private key, which nobody else may read.
pub(super) fn read_secret(path: &Path, limit: usize) -> Result<String, String> {
    alone(path)?;
    read_text(path, limit)
}

/// Fails when others than the owner can do anything with a file or folder.
pub(super) fn alone(path: &Path) -> Result<(), String> {
    let metadata = std::fs::symlink_metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if metadata.is_symlink() || mode & 0o077 != 0 {
        let wanted = if metadata.is_dir() { FOLDER } else { SECRET };
        return Err(format!("{}: mode {mode:04o}, expected {wanted:04o} and no link", path.display()));
    }
    Ok(())
}

/// Whether something is there, and be it a link that leads nowhere.
pub(super) fn exists(path: &Path) -> Result<bool, String> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Names of the folders that have a file of this name, ascending. None if the folder is not there.
pub(super) fn folders_with(folder: &Path, file: &str) -> Result<Vec<String>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !name.starts_with(UNFINISHED) && path.join(file).exists() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes the folder of the kits, for the owner alone, and removes what an interrupted run left in it.
pub(super) fn prepare(folder: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    DirBuilder::new().recursive(true).mode(FOLDER).create(folder).map_err(failed)?;
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(UNFINISHED)) {
            let removed =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            removed.map_err(failed)?;
        }
    }
    Ok(())
}

/// Makes a folder with these files, whole or not at all.
pub(super) fn create_folder(path: &Path, files: &[NewFile]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let temporary = unfinished(path)?;
    let made = (|| {
        DirBuilder::new().mode(FOLDER).create(&temporary)?;
        for file in files {
            write(&temporary.join(file.name), &file.content, file.secret)?;
        }
        File::open(&temporary)?.sync_all()?;
        // Fails if anything but an empty folder came there meanwhile.
        std::fs::rename(&temporary, path)?;
        sync_parent(path)
    })();
    made.map_err(|error| {
        let _ = std::fs::remove_dir_all(&temporary);
        failed(error)
    })
}

/// Replaces a file that is not secret.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<(), String> {
    let temporary = unfinished(path)?;
    let made = write(&temporary, content, false)
        .and_then(|()| std::fs::rename(&temporary, path))
        .and_then(|()| sync_parent(path));
    made.map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        format!("{}: {error}", path.display())
    })
}

/// Where something is made before it is moved to its place.
fn unfinished(path: &Path) -> Result<PathBuf, String> {
    let mut random = [0; 8];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "no randomness".to_owned())?;
    Ok(path.with_file_name(format!("{UNFINISHED}{}", hex::encode(random))))
}

fn write(path: &Path, content: &[u8], secret: bool) -> std::io::Result<()> {
    let mode = if secret { SECRET } else { PUBLIC };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(SECRET).open(path)?;
    // Whatever the umask says.
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn folders_come_whole_and_with_their_modes() {
        let folder = tempfile::tempdir().unwrap();
        let kits = folder.path().join("a/kits");
        prepare(&kits).unwrap();
        let kit = kits.join("site-1");
        let files = [NewFile::secret("key", "k"), NewFile::public("pem", "p")];
        create_folder(&kit, &files).unwrap();
        assert_eq!([mode(&kits), mode(&kit)], [0o700; 2]);
        assert_eq!((mode(&kit.join("key")), mode(&kit.join("pem"))), (0o600, 0o644));
        assert_eq!(read_secret(&kit.join("key"), 1).unwrap(), "k");
        // What is there is not overwritten, and nothing is left behind.
        assert!(create_folder(&kit, &[NewFile::public("pem", "other")]).is_err());
        assert_eq!(read(&kit.join("pem"), 1).unwrap(), b"p");
        assert_eq!(std::fs::read_dir(&kits).unwrap().count(), 1);
    }

    #[test]
    fn what_an_interrupted_run_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".new-1")).unwrap();
        std::fs::write(folder.path().join(".new-1/muster.toml"), "").unwrap();
        std::fs::write(folder.path().join(".new-2"), "").unwrap();
        std::fs::write(folder.path().join("other"), "").unwrap();
        assert_eq!(folders_with(folder.path(), "muster.toml"), Ok(Vec::new()));
        prepare(folder.path()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn keys_that_others_can_read_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        write(&key, b"k", true).unwrap();
        for (bad, reads) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o610, false)] {
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(bad)).unwrap();
            assert_eq!(read_secret(&key, 9).is_ok(), reads, "{bad:o}");
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&key, &link).unwrap();
        assert!(read_secret(&link, 9).is_err());
    }

    #[test]
    fn replacing_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bundle.cbor");
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(read(&file, 3).unwrap(), b"two");
        assert!(read(&file, 2).is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
