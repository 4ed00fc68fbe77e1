//! Why a store could not be opened, or did not do what it was asked.

use std::path::PathBuf;

use crate::rows::{FloorNumber, Stage};

/// An operation that fails has changed nothing, except for [`NotCommitted`](Self::NotCommitted), which says that nobody
/// knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process, or another part of this one, has the store open.
    #[error("{} is in use{}", path.display(), match pid { Some(pid) => format!(" by process {pid}"), None => String::new() })]
    InUse {
        /// The database.
        path: PathBuf,
        /// Who has it, as that process has written beside it.
        pid: Option<u32>,
    },
    /// A file or its folder cannot be used.
    #[error("{}: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        detail: String,
    },
    /// Others than its owner may read or write the database.
    #[error("{} has mode {found:03o}, expected {expected:03o}", path.display())]
    Mode {
        /// The database.
        path: PathBuf,
        /// Its permissions.
        found: u32,
        /// What they must be.
        expected: u32,
    },
    /// The file is a database of some other program.
    #[error("{} is not a store of muster (application id {found:#010x}, expected {expected:#010x})", path.display())]
    NotAStore {
        /// The database.
        path: PathBuf,
        /// Its application id.
        found: u32,
        /// Ours.
        expected: u32,
    },
    /// A newer version of this program wrote the store.
    #[error("{} has schema {found}, newest known is {known}", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest that this program knows.
        known: u32,
    },
    /// The store belongs to another federation.
    #[error("the store belongs to federation {}, not {}", hex(stored), hex(offered))]
    OtherFederation {
        /// Whose it is.
        stored: [u8; 32],
        /// Who asked.
        offered: [u8; 32],
    },
    /// A bundle older than one that was taken over.
    #[error("bundle version {offered} is below {stored}")]
    BundleRollback {
        /// The newest version.
        stored: u64,
        /// The version offered.
        offered: u64,
    },
    /// Two bundles of one version.
    #[error("bundle version {version} is {}, and another was offered: {}", hex(stored), hex(offered))]
    BundleEquivocation {
        /// The version.
        version: u64,
        /// Digest of the bundle that was taken over.
        stored: [u8; 32],
        /// Digest of the other.
        offered: [u8; 32],
    },
    /// A number below its floor.
    #[error("{name} has number {offered}, its floor is {floor}")]
    FloorLower {
        /// The floor.
        name: String,
        /// What it stands at.
        floor: FloorNumber,
        /// What was offered.
        offered: FloorNumber,
    },
    /// Two names with one attestation key.
    #[error("the attestation key of {name} is that of {holder}")]
    KeyTaken {
        /// Who comes with it.
        name: String,
        /// Who has it.
        holder: String,
    },
    /// Other bytes are stored under this hash: the caller's hash is wrong.
    #[error("evidence {} is stored with other bytes", hex(hash))]
    EvidenceConflict {
        /// The hash.
        hash: [u8; 32],
    },
    /// A nonce that was issued before, perhaps in another round.
    #[error("the nonce for epoch {offered} was issued for epoch {stored} already")]
    NonceReused {
        /// The round it was issued for.
        stored: u64,
        /// The round it is to be issued for.
        offered: u64,
    },
    /// The job was submitted before.
    #[error("job {job} exists")]
    JobExists {
        /// The job.
        job: String,
    },
    /// There is no such job.
    #[error("there is no job {job}")]
    JobUnknown {
        /// The job.
        job: String,
    },
    /// A job cannot go back.
    #[error("job {job} is {stored} and cannot become {offered}")]
    JobStage {
        /// The job.
        job: String,
        /// How far it has come.
        stored: Stage,
        /// What it was to become.
        offered: Stage,
    },
    /// The store cannot hold a number that large.
    #[error("{what} {value} exceeds {most}")]
    TooLarge {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: u64,
        /// The largest.
        most: u64,
    },
    /// What is stored is not what this program stores: somebody else wrote to the database, or the disk is failing.
    #[error("the store is damaged: {detail}")]
    Damaged {
        /// What is wrong.
        detail: String,
    },
    /// The database does not do it.
    #[error("the database failed: {detail} ({code})")]
    Database {
        /// SQLite's extended result code.
        code: i32,
        /// What SQLite says.
        detail: String,
    },
    /// The change could not be made durable. It may be found after the next start, or not.
    #[error("not committed: {detail} ({code})")]
    NotCommitted {
        /// SQLite's extended result code.
        code: i32,
        /// What SQLite says.
        detail: String,
    },
    /// The disk failed in a commit before. Nothing is accepted until the store has been opened anew.
    #[error("the store stopped after a failed commit")]
    Stopped,
    /// The code that makes the change panicked.
    #[error("the change panicked")]
    Panicked,
    /// More changes wait than the store lets wait.
    #[error("more than {most} changes wait for the disk")]
    Overloaded {
        /// The most that may wait.
        most: usize,
    },
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(cause, detail) => Self::Database {
                code: cause.extended_code,
                detail: detail.unwrap_or_else(|| cause.to_string()),
            },
            rusqlite::Error::SqlInputError { error, msg, .. } => {
                Self::Database { code: error.extended_code, detail: msg }
            }
            other => Self::Damaged { detail: other.to_string() },
        }
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
