//! The server's scheduler (*workflow.md* S1 to S8): which job is attempted when, and what became of it.
//!
//! An attempt has two phases. [`Scheduler::begin`] picks a job and says which sites to invite; the round that follows
//! takes seconds; [`Scheduler::finish`] takes its outcome. Meanwhile no other attempt begins. Everything about one job
//! stays with that job: an attempt that fails, or that never ends, costs that job an attempt and no other anything.
//!
//! The shell stores what [`Scheduler::take_changes`] returns before it acts on it: a grant leaves only after
//! [`Scheduler::dispatched`] is stored, so that no job runs twice over a restart.

mod limits;
mod record;
pub mod resources;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::UnixTime;

use crate::job::{JobFile, JobId};
use crate::name::Name;

pub use limits::Limits;
pub use record::{Record, history_line};
pub use status::{Exit, InvalidStatus, Process, Status};

/// A job with all that is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What was submitted.
    pub file: Arc<JobFile>,
    /// What became of it.
    pub record: Record,
}

/// An attempt to start a job: invite these sites.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The job.
    pub job: JobId,
    /// Counts the job's attempts, from 1.
    pub number: u32,
    /// What was submitted.
    pub file: Arc<JobFile>,
    /// The clients that are mapped and online; at least as many as the job needs, with all that it requires.
    pub sites: BTreeSet<Name>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These were admitted and will run a process: clients, and the server if it runs one.
    Scheduled {
        /// Whoever runs a process.
        sites: BTreeSet<Name>,
    },
    /// Not now; attestation failures too. The job is attempted again.
    NoResource {
        /// Why.
        reason: String,
    },
    /// Never: the job ends as `FINISHED:CAN_NOT_SCHEDULE`.
    Block {
        /// Why.
        reason: String,
    },
}

/// A job that just ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// As what.
    pub status: Status,
    /// Whose processes have to be stopped.
    pub stop: BTreeSet<Name>,
}

/// Why something about a job was not noted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchedulerError {
    /// The job was submitted before.
    #[error("job {job} was submitted before")]
    Duplicate {
        /// The job.
        job: JobId,
    },
    /// No such job, or it has ended.
    #[error("there is no job {job}, or it has ended")]
    Unknown {
        /// The job.
        job: JobId,
    },
    /// The attempt is over: the job was aborted or the attempt timed out. Whatever it reserved must be cancelled.
    #[error("attempt {number} of job {job} is over")]
    Stale {
        /// The job.
        job: JobId,
        /// The attempt.
        number: u32,
    },
    /// That participant runs no process of the job.
    #[error("{participant} runs no process of job {job}")]
    NotParticipant {
        /// The job.
        job: JobId,
        /// The participant.
        participant: Name,
    },
    /// The job's state does not allow it.
    #[error("job {job} is {from} and cannot become {to}")]
    Illegal {
        /// The job.
        job: JobId,
        /// Its state.
        from: Status,
        /// The state that was asked for.
        to: Status,
    },
}
