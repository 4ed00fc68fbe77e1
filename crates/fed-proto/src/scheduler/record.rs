//! What is known of a job from its submission to its end, and what a server keeps of it over a restart.

use std::collections::BTreeMap;

use cc_core::UnixTime;
use minicbor::{Decode, Encode};

use super::status::{Exit, Process, Status};
use crate::job::JobId;
use crate::name::Name;

/// Everything about a job but its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The job.
    pub id: JobId,
    /// When it was submitted: older jobs come first.
    pub submitted: UnixTime,
    /// Order among jobs of one second.
    pub sequence: u64,
    /// Its state.
    pub status: Status,
    /// Attempts so far; the entry that gives up counts too, so 10 attempts end at 11.
    pub schedule_count: u32,
    /// When the last attempt ended.
    pub last_schedule: Option<UnixTime>,
    /// One line per attempt: [`history_line`].
    pub schedule_history: Vec<String>,
    /// Whoever runs a process of it, since it was scheduled.
    pub processes: BTreeMap<Name, Process>,
    /// Why it ended other than by completing.
    pub reason: Option<String>,
}

impl Record {
    pub(super) fn new(id: JobId, submitted: UnixTime, sequence: u64) -> Self {
        Self {
            id,
            submitted,
            sequence,
            status: Status::Submitted,
            schedule_count: 0,
            last_schedule: None,
            schedule_history: Vec::new(),
            processes: BTreeMap::new(),
            reason: None,
        }
    }

    /// Whether participants were admitted and the job has not ended.
    pub fn is_scheduled(&self) -> bool {
        !self.status.is_finished() && !self.processes.is_empty()
    }

    /// Notes an attempt (S2): the count, the instant and a line of history.
    pub(super) fn attempted(&mut self, at: UnixTime, result: &str) {
        self.schedule_count = self.schedule_count.saturating_add(1);
        self.last_schedule = Some(at);
        self.schedule_history.push(history_line(at, result));
    }
}

/// Bytes are not the record of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the record of a job")]
pub struct InvalidRecord;

const VERSION: u8 = 1;

/// The form in which a record is stored.
#[derive(Encode, Decode)]
struct Stored {
    #[n(0)]
    version: u8,
    #[n(1)]
    id: String,
    #[n(2)]
    submitted: UnixTime,
    #[n(3)]
    sequence: u64,
    #[n(4)]
    status: String,
    #[n(5)]
    schedule_count: u32,
    #[n(6)]
    last_schedule: Option<UnixTime>,
    #[n(7)]
    schedule_history: Vec<String>,
    #[n(8)]
    processes: BTreeMap<String, u8>,
    #[n(9)]
    reason: Option<String>,
}

impl Record {
    /// What is stored: deterministic CBOR.
    pub fn to_bytes(&self) -> Vec<u8> {
        let stored = Stored {
            version: VERSION,
            id: self.id.as_str().to_owned(),
            submitted: self.submitted,
            sequence: self.sequence,
            status: self.status.as_str().to_owned(),
            schedule_count: self.schedule_count,
            last_schedule: self.last_schedule,
            schedule_history: self.schedule_history.clone(),
            processes: self
                .processes
                .iter()
                .map(|(name, process)| (name.as_str().to_owned(), number(*process)))
                .collect(),
            reason: self.reason.clone(),
        };
        // Writing to a vector cannot fail; an empty answer, should it ever, is no record for every reader.
        minicbor::to_vec(stored).unwrap_or_default()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidRecord> {
        let stored: Stored = minicbor::decode(bytes).map_err(|_| InvalidRecord)?;
        let processes = stored
            .processes
            .iter()
            .map(|(name, process)| Some((Name::new(name).ok()?, from_number(*process)?)))
            .collect::<Option<_>>()
            .ok_or(InvalidRecord)?;
        let record = Self {
            id: JobId::parse(&stored.id).map_err(|_| InvalidRecord)?,
            submitted: stored.submitted,
            sequence: stored.sequence,
            status: Status::parse(&stored.status).map_err(|_| InvalidRecord)?,
            schedule_count: stored.schedule_count,
            last_schedule: stored.last_schedule,
            schedule_history: stored.schedule_history,
            processes,
            reason: stored.reason,
        };
        // Each record has one form, so that bytes after it, other versions and unknown parts are all refused here.
        if record.to_bytes() == bytes { Ok(record) } else { Err(InvalidRecord) }
    }
}

const fn number(process: Process) -> u8 {
    match process {
        Process::Waiting => 0,
        Process::Running => 1,
        Process::Ended(Exit::Completed) => 2,
        Process::Ended(Exit::Exception) => 3,
        Process::Ended(Exit::Abnormal) => 4,
        Process::Ended(Exit::NotStarted) => 5,
        Process::Ended(Exit::Stopped) => 6,
    }
}

const fn from_number(number: u8) -> Option<Process> {
    match number {
        0 => Some(Process::Waiting),
        1 => Some(Process::Running),
        2 => Some(Process::Ended(Exit::Completed)),
        3 => Some(Process::Ended(Exit::Exception)),
        4 => Some(Process::Ended(Exit::Abnormal)),
        5 => Some(Process::Ended(Exit::NotStarted)),
        6 => Some(Process::Ended(Exit::Stopped)),
        _ => None,
    }
}

/// A line of a job's schedule history: `2026-06-01 08:00:00: scheduled`, in UTC.
pub fn history_line(at: UnixTime, result: &str) -> String {
    let stamp = at.to_string().replace('T', " ");
    format!("{}: {result}", stamp.trim_end_matches('Z'))
}
