//! The server's scheduler (*workflow.md* S1 to S8): which job is attempted when, and what became of it.
//!
//! An attempt has two phases. [`Scheduler::begin`] picks a job and says which sites to invite; the round that follows
//! takes seconds; [`Scheduler::finish`] takes its outcome. Meanwhile no other attempt begins. Everything about one job
//! stays with that job: an attempt that fails, or that never ends, costs that job an attempt and no other anything.
//!
//! The shell stores what [`Scheduler::take_changes`] returns before it acts on it: a grant leaves only after
//! [`Scheduler::dispatched`] is stored, so that no job runs twice over a restart.

mod attempt;
mod limits;
mod record;
pub mod resources;
mod running;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::UnixTime;

use crate::job::{JobFile, JobId};
use crate::name::Name;

pub use limits::Limits;
pub use record::{InvalidRecord, Record, history_line};
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

/// A job that the end of a participant's admission, or its loss, touched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The job.
    pub job: JobId,
    /// As what it ended, unless it goes on with the others.
    pub ended: Option<Status>,
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
    /// Those that were admitted are not enough, or somebody who was not invited is among them. Counted as an attempt
    /// that failed; whatever was reserved must be cancelled.
    #[error("attempt {number} of job {job} admits nobody: {reason}")]
    Unfit {
        /// The job.
        job: JobId,
        /// The attempt.
        number: u32,
        /// Why.
        reason: String,
    },
    /// That participant runs no process of the job, or its process was written off and has to be stopped.
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

/// The server's jobs. Pure: instants are arguments, the shell stores and acts.
#[derive(Debug)]
pub struct Scheduler {
    limits: Limits,
    server: Name,
    jobs: BTreeMap<JobId, Job>,
    /// The attempt that is under way.
    open: Option<Open>,
    /// The jobs that had their turn in this cycle (S1).
    cycle: BTreeSet<JobId>,
    next_sequence: u64,
    changed: BTreeSet<JobId>,
}

/// An attempt that is under way.
#[derive(Debug)]
struct Open {
    job: JobId,
    number: u32,
    /// The clients that were invited.
    sites: BTreeSet<Name>,
    /// Monotonic.
    deadline: Duration,
}

impl Scheduler {
    /// A scheduler without jobs. The server is no site: it counts in no minimum, and no job goes on without it.
    pub const fn new(limits: Limits, server: Name) -> Self {
        Self {
            limits,
            server,
            jobs: BTreeMap::new(),
            open: None,
            cycle: BTreeSet::new(),
            next_sequence: 0,
            changed: BTreeSet::new(),
        }
    }

    /// Takes the jobs of an earlier run of the server: those that had a grant end as `FINISHED:ABANDONED`, those that
    /// wait keep their counts. [`leftovers`](Self::leftovers) says what still has to be stopped.
    pub fn restore(&mut self, jobs: impl IntoIterator<Item = Job>) {
        for mut job in jobs {
            let record = &mut job.record;
            self.next_sequence = self.next_sequence.max(record.sequence.saturating_add(1));
            match record.status {
                Status::Dispatched | Status::Running => {
                    record.status = Status::Abandoned;
                    record.reason = Some("the server restarted".to_owned());
                    self.changed.insert(record.id.clone());
                }
                // Scheduled, but no grant has left: nothing runs, so it is attempted again.
                Status::Submitted if !record.processes.is_empty() => {
                    record.processes.clear();
                    self.changed.insert(record.id.clone());
                }
                _ => {}
            }
            self.jobs.insert(job.record.id.clone(), job);
        }
    }

    /// Takes a job. Whether it may come at all, by its submitter or with its code, was decided before.
    pub fn submit(
        &mut self,
        id: JobId,
        file: impl Into<Arc<JobFile>>,
        now: UnixTime,
    ) -> Result<(), SchedulerError> {
        if self.jobs.contains_key(&id) {
            return Err(SchedulerError::Duplicate { job: id });
        }
        let record = Record::new(id.clone(), now, self.next_sequence);
        self.next_sequence = self.next_sequence.saturating_add(1);
        self.changed.insert(id.clone());
        self.jobs.insert(id, Job { file: file.into(), record });
        Ok(())
    }

    /// All jobs, ended ones too, oldest first.
    pub fn jobs(&self) -> Vec<&Job> {
        let mut jobs: Vec<_> = self.jobs.values().collect();
        jobs.sort_by_key(|job| (job.record.submitted, job.record.sequence));
        jobs
    }

    /// One job.
    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// The jobs that changed since this was asked last. They have to be stored before anything is done about them.
    pub fn take_changes(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.changed).iter().filter_map(|id| self.jobs.get(id)).cloned().collect()
    }
}
