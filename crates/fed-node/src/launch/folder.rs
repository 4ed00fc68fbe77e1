//! The folder of one job.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use fed_proto::crypto::Digest;
use fed_proto::job::{App, FileRef, JobId};

use super::Setup;
use super::error::LaunchError;

/// Where jobs are, below the agent's data.
pub(super) const JOBS: &str = "jobs";
/// The grant.
const GRANT: &str = "grant.cbor";
/// Which process runs it.
pub(super) const RECORD: &str = "process";
const STDERR: &str = "stderr";
const STDOUT: &str = "stdout";

/// Read by the program.
const DATA: u32 = 0o400;
/// Run by the program.
const CODE: u32 = 0o500;

/// A job's folder, which goes away again unless it is [kept](Self::keep).
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Where the program's output goes.
    pub(super) stdout: File,
    /// Where its complaints go.
    pub(super) stderr: File,
    /// Where the process is noted.
    pub(super) record: File,
    remove: Removal,
}

#[derive(Debug)]
struct Removal(Option<PathBuf>);

impl Drop for Removal {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

impl Folder {
    /// Steps `code` to `grant`.
    pub(super) fn prepare(setup: &Setup, job: &JobId, app: &App, grant: &[u8]) -> Result<Self, LaunchError> {
        if let Some(code) = app.code.iter().find(|code| !setup.allow_code.contains(&code.sha256)) {
            return Err(LaunchError::CodeNotAllowed { name: code.name.clone(), digest: code.sha256 });
        }
        let (path, remove) = create(setup, job)?;
        let own = |name: &str| new_file(&path, name, 0o600);
        let (stdout, stderr, record) = (own(STDOUT)?, own(STDERR)?, own(RECORD)?);
        let write = own(GRANT)?.write_all(grant);
        write.map_err(|error| LaunchError::file(&path.join(GRANT), &error))?;
        for input in &app.inputs {
            copy(setup, &path, input, DATA)?;
        }
        for code in &app.code {
            copy(setup, &path, code, CODE)?;
        }
        Ok(Self { path, stdout, stderr, record, remove })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn grant(&self) -> PathBuf {
        self.path.join(GRANT)
    }

    /// The job has started: its folder stays, and keeps it from starting again.
    pub(super) fn keep(&mut self) {
        self.remove.0 = None;
    }

    /// Nothing of the job runs any more.
    pub(super) fn forget_process(&self) {
        let _ = std::fs::remove_file(self.path.join(RECORD));
    }
}

fn create(setup: &Setup, job: &JobId) -> Result<(PathBuf, Removal), LaunchError> {
    let jobs = setup.data.join(JOBS);
    let fail = |error: std::io::Error| LaunchError::file(&jobs, &error);
    DirBuilder::new().recursive(true).mode(0o700).create(&jobs).map_err(fail)?;
    // Without symbolic links, so that the folder has the one name by which a later agent looks for its processes.
    let path = jobs.canonicalize().map_err(fail)?.join(job.as_str());
    match DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => Ok((path.clone(), Removal(Some(path)))),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(LaunchError::Exists { job: job.clone(), folder: path })
        }
        Err(error) => Err(LaunchError::file(&path, &error)),
    }
}

/// Creates a file that was not there.
fn new_file(folder: &Path, name: &str, mode: u32) -> Result<File, LaunchError> {
    let path = folder.join(name);
    if path.file_name().is_none_or(|last| last != name) {
        return Err(LaunchError::NotAName { name: name.to_owned() });
    }
    OpenOptions::new().write(true).create_new(true).mode(mode).open(&path).map_err(|error| {
        match error.kind() {
            ErrorKind::AlreadyExists => LaunchError::NameTaken { name: name.to_owned() },
            _ => LaunchError::file(&path, &error),
        }
    })
}

/// Copies a file of the site's store. What is hashed is what is written.
fn copy(setup: &Setup, folder: &Path, file: &FileRef, mode: u32) -> Result<(), LaunchError> {
    let from = setup.inputs.join(file.sha256.to_string());
    let fail = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => LaunchError::FileMissing { name: file.name.clone(), digest: file.sha256 },
        _ => LaunchError::file(&from, &error),
    };
    // A folder or pipe of that name would block or fail later, with a worse explanation.
    if !std::fs::metadata(&from).map_err(fail)?.is_file() {
        return Err(fail(std::io::Error::other("not a regular file")));
    }
    let mut source = File::open(&from).map_err(fail)?;
    let mut target = new_file(folder, &file.name, mode)?;
    let found = transfer(&mut source, &mut target).map_err(fail)?;
    if found != file.sha256 {
        return Err(LaunchError::FileDiffers { name: file.name.clone(), expected: file.sha256, found });
    }
    Ok(())
}

fn transfer(source: &mut File, target: &mut File) -> std::io::Result<Digest> {
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let chunk = buffer.get(..read).unwrap_or_default();
        context.update(chunk);
        target.write_all(chunk)?;
    }
    let digest = context.finish();
    digest.as_ref().try_into().map(Digest).map_err(std::io::Error::other)
}
