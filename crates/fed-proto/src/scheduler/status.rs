//! The states of a job (*workflow.md* S7), with NVFlare's words for them.
//!
//! NVFlare's `APPROVED` is never used, by NVFlare neither, and is not a state here.

use std::fmt;

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Waits for an attempt that admits its participants.
    Submitted,
    /// Its grant is on the way to the participants.
    Dispatched,
    /// It has started somewhere.
    Running,
    /// Ended: every process that it still needed completed.
    Completed,
    /// Ended: stopped by a person, or because admission ended.
    Aborted,
    /// Ended: a program failed.
    ExecutionException,
    /// Ended: infrastructure failed under a program.
    Abnormal,
    /// Ended: no attempt succeeded, or none can.
    CanNotSchedule,
    /// Ended: it could not be started.
    FailedToRun,
    /// Ended: it ran when the server stopped.
    Abandoned,
}

/// A text is not a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the status of a job")]
pub struct InvalidStatus;

impl Status {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Submitted,
        Self::Dispatched,
        Self::Running,
        Self::Completed,
        Self::Aborted,
        Self::ExecutionException,
        Self::Abnormal,
        Self::CanNotSchedule,
        Self::FailedToRun,
        Self::Abandoned,
    ];

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Dispatched => "DISPATCHED",
            Self::Running => "RUNNING",
            Self::Completed => "FINISHED:COMPLETED",
            Self::Aborted => "FINISHED:ABORTED",
            Self::ExecutionException => "FINISHED:EXECUTION_EXCEPTION",
            Self::Abnormal => "FINISHED:ABNORMAL",
            Self::CanNotSchedule => "FINISHED:CAN_NOT_SCHEDULE",
            Self::FailedToRun => "FINISHED:FAILED_TO_RUN",
            Self::Abandoned => "FINISHED:ABANDONED",
        }
    }

    /// The status with this word.
    pub fn parse(word: &str) -> Result<Self, InvalidStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == word).ok_or(InvalidStatus)
    }

    /// Whether nothing follows.
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Submitted | Self::Dispatched | Self::Running)
    }

    /// Whether `next` may follow. Nothing follows an end: an abort that was acknowledged is never overwritten.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Submitted => {
                matches!(next, Self::Dispatched | Self::Aborted | Self::CanNotSchedule | Self::FailedToRun)
            }
            Self::Dispatched => matches!(
                next,
                Self::Running
                    | Self::Aborted
                    | Self::ExecutionException
                    | Self::Abnormal
                    | Self::FailedToRun
                    | Self::Abandoned
            ),
            Self::Running => matches!(
                next,
                Self::Completed
                    | Self::Aborted
                    | Self::ExecutionException
                    | Self::Abnormal
                    | Self::FailedToRun
                    | Self::Abandoned
            ),
            Self::Completed
            | Self::Aborted
            | Self::ExecutionException
            | Self::Abnormal
            | Self::CanNotSchedule
            | Self::FailedToRun
            | Self::Abandoned => false,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How one participant's process of a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// With success.
    Completed,
    /// With a failure of its own.
    Exception,
    /// Killed, or lost with its site.
    Abnormal,
    /// It never started: code that the site does not allow, inputs missing, no such program.
    NotStarted,
    /// Stopped by its site, because admission ended there.
    Stopped,
}

impl Exit {
    /// What becomes of a job that cannot go on after this.
    pub(super) const fn ends_as(self) -> Status {
        match self {
            Self::Completed => Status::Completed,
            Self::Exception => Status::ExecutionException,
            Self::Abnormal => Status::Abnormal,
            Self::NotStarted => Status::FailedToRun,
            Self::Stopped => Status::Aborted,
        }
    }

    /// It, for people.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Exception => "its program failed",
            Self::Abnormal => "its process was killed or lost",
            Self::NotStarted => "its process did not start",
            Self::Stopped => "its site stopped it",
        }
    }
}

/// Where one participant's process of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// Admitted, not known to have started.
    Waiting,
    /// Started.
    Running,
    /// Ended.
    Ended(Exit),
}
