//! Why a job did not start, or an agent must not.

use std::path::{Path, PathBuf};

use fed_proto::crypto::Digest;
use fed_proto::job::JobId;
use fed_proto::scheduler::Exit;

/// Why a job did not start. Nothing of it is left.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// Code came with the job that the site does not allow.
    #[error("BYOC job not allowed: code {name} with SHA-256 {digest} is not on the site's allow-list")]
    CodeNotAllowed {
        /// The file.
        name: String,
        /// SHA-256 of its content.
        digest: Digest,
    },
    /// The job has run here.
    #[error("job {job} has run here: {} exists", folder.display())]
    Exists {
        /// The job.
        job: JobId,
        /// Its folder.
        folder: PathBuf,
    },
    /// The site does not have a file.
    #[error("the site has no file with SHA-256 {digest}, which the job calls {name}")]
    FileMissing {
        /// The job's name for it.
        name: String,
        /// SHA-256 of its content.
        digest: Digest,
    },
    /// A file in the site's store has other content than its name says.
    #[error("the site's file for {name} has SHA-256 {found}, expected {expected}")]
    FileDiffers {
        /// The job's name for it.
        name: String,
        /// What the job names.
        expected: Digest,
        /// What the file has.
        found: Digest,
    },
    /// Two files of the job have one name, or one has the name of a file that the agent makes.
    #[error("the job's folder has a file {name} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name of a file is a path.
    #[error("{name:?} is not the name of a file")]
    NotAName {
        /// The name.
        name: String,
    },
    /// A file or folder cannot be used.
    #[error("{}: {detail}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// There is nothing to run.
    #[error("the app has no command")]
    NoCommand,
    /// The program cannot be run.
    #[error("cannot run {program:?}: {detail}")]
    Program {
        /// The program.
        program: String,
        /// What the system says.
        detail: String,
    },
    /// No process could be made to become the program.
    #[error("cannot start a process: {detail}")]
    Process {
        /// What the system says.
        detail: String,
    },
}

impl LaunchError {
    /// How the scheduler counts it.
    pub const fn exit(&self) -> Exit {
        Exit::NotStarted
    }

    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::File { path: path.to_owned(), detail: error.to_string() }
    }

    pub(super) fn process(error: &std::io::Error) -> Self {
        Self::Process { detail: error.to_string() }
    }
}

/// Why an agent must not start: jobs may run here that nobody admitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeftoverError {
    /// What runs, or what ran, cannot be found out.
    #[error("cannot look for jobs that an earlier agent left: {}: {detail}", path.display())]
    Unreadable {
        /// What cannot be read.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// They do not end.
    #[error("processes of jobs that an earlier agent left do not end: {pids:?}")]
    Alive {
        /// The processes.
        pids: Vec<i32>,
    },
}
