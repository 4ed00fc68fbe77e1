//! What is known of a job from its submission to its end, and what a server keeps of it over a restart.

use std::collections::BTreeMap;

use cc_core::UnixTime;

use super::status::{Process, Status};
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

/// A line of a job's schedule history: `2026-06-01 08:00:00: scheduled`, in UTC.
pub fn history_line(at: UnixTime, result: &str) -> String {
    let stamp = at.to_string().replace('T', " ");
    format!("{}: {result}", stamp.trim_end_matches('Z'))
}
