//! Which job is attempted when (*workflow.md* S1 to S5, S8), and how an attempt ends.

use std::collections::BTreeSet;
use std::time::Duration;

use cc_core::UnixTime;

use super::record::Record;
use super::{Attempt, Open, Outcome, Process, Scheduler, SchedulerError, Status};
use crate::job::JobId;
use crate::name::Name;

impl Scheduler {
    /// The next attempt, if one is due: call it about every second. `online` are the clients that can be invited, as
    /// S4 counts them; with none of them, while `max_jobs` run, or while an attempt is under way, nothing begins.
    ///
    /// Jobs take turns as in NVFlare's cycle: oldest first, each at most once, until one is scheduled or all had their
    /// turn. So an old job that fails again and again cannot keep a younger one from its turn.
    ///
    /// `now` is the wall clock, `mono` a monotonic one.
    pub fn begin(&mut self, now: UnixTime, mono: Duration, online: &BTreeSet<Name>) -> Option<Attempt> {
        self.time_out(now, mono);
        let scheduled = self.jobs.values().filter(|job| job.record.is_scheduled()).count();
        if self.open.is_some() || scheduled >= self.limits.max_jobs {
            return None;
        }
        let mut clients = online.clone();
        clients.remove(&self.server);
        if clients.is_empty() {
            return None;
        }
        let mut begun = false;
        loop {
            let Some(id) = self.next_due(now) else {
                // The cycle is over. The next one begins at once, unless it was this call that ended it.
                if begun || self.cycle.is_empty() {
                    return None;
                }
                self.cycle.clear();
                continue;
            };
            begun = true;
            self.cycle.insert(id.clone());
            if let Some(attempt) = self.attempt(&id, now, &clients) {
                self.open = Some(Open {
                    job: id,
                    number: attempt.number,
                    sites: attempt.sites.clone(),
                    deadline: mono.saturating_add(self.limits.attempt_timeout),
                });
                return Some(attempt);
            }
        }
    }

    /// An attempt that never ends counts as failed, so that it holds up nobody (S8).
    fn time_out(&mut self, now: UnixTime, mono: Duration) {
        if let Some(open) = self.open.take_if(|open| mono >= open.deadline) {
            let limit = self.limits.attempt_timeout.as_secs();
            self.failed(&open.job, now, &format!("the attempt did not end within {limit} s"));
        }
    }

    /// The oldest waiting job whose turn it is (S2).
    fn next_due(&self, now: UnixTime) -> Option<JobId> {
        self.jobs
            .values()
            .filter(|job| job.record.status == Status::Submitted && job.record.processes.is_empty())
            .filter(|job| !self.cycle.contains(&job.record.id))
            .filter(|job| {
                let limits = self.limits.for_job(job.file.retry());
                let record = &job.record;
                let given_up = record.schedule_count >= limits.max_schedule_count;
                given_up || waited(record, now, limits.back_off(record.schedule_count))
            })
            .min_by_key(|job| (job.record.submitted, job.record.sequence))
            .map(|job| job.record.id.clone())
    }

    /// What can be said about a job without inviting anybody (S2, S4, first part of S5).
    fn attempt(&mut self, id: &JobId, now: UnixTime, clients: &BTreeSet<Name>) -> Option<Attempt> {
        let job = self.jobs.get(id)?;
        let limit = self.limits.for_job(job.file.retry()).max_schedule_count;
        if job.record.schedule_count >= limit {
            self.blocked(id, now, format!("exceeded max schedule count {limit}"));
            return None;
        }
        let sites = job.file.applicable(clients);
        if let Err(reason) = job.file.met_by(sites.len(), |site| *site == self.server || sites.contains(site))
        {
            self.failed(id, now, &reason);
            return None;
        }
        let number = job.record.schedule_count.saturating_add(1);
        Some(Attempt { job: id.clone(), number, file: job.file.clone(), sites })
    }

    /// How an attempt ended. It is counted whatever the answer, unless it is over already.
    pub fn finish(
        &mut self,
        job: &JobId,
        number: u32,
        outcome: Outcome,
        now: UnixTime,
    ) -> Result<(), SchedulerError> {
        let Some(open) = self.open.take_if(|open| open.job == *job && open.number == number) else {
            return Err(SchedulerError::Stale { job: job.clone(), number });
        };
        match outcome {
            Outcome::Scheduled { sites } => self.scheduled(&open, &sites, now),
            Outcome::NoResource { reason } => {
                self.failed(job, now, &reason);
                Ok(())
            }
            Outcome::Block { reason } => {
                self.blocked(job, now, reason);
                Ok(())
            }
        }
    }

    fn scheduled(
        &mut self,
        open: &Open,
        admitted: &BTreeSet<Name>,
        now: UnixTime,
    ) -> Result<(), SchedulerError> {
        let unknown = || SchedulerError::Unknown { job: open.job.clone() };
        let file = self.jobs.get(&open.job).ok_or_else(unknown)?.file.clone();
        let fits = match admitted.iter().find(|name| **name != self.server && !open.sites.contains(*name)) {
            Some(stranger) => Err(format!("{stranger} was not invited")),
            None => {
                let sites = admitted.iter().filter(|name| **name != self.server).count();
                file.met_by(sites, |name| *name == self.server || admitted.contains(name))
            }
        };
        if let Err(reason) = fits {
            self.failed(&open.job, now, &reason);
            return Err(SchedulerError::Unfit { job: open.job.clone(), number: open.number, reason });
        }
        // The server is admitted always and runs a process only if the deploy map says so.
        let runs = admitted.iter().filter(|name| file.app_of(name).is_some());
        let processes = runs.map(|name| (name.clone(), Process::Waiting)).collect();
        self.note(&open.job, |record| {
            record.attempted(now, "scheduled");
            record.processes = processes;
        });
        self.cycle.clear();
        Ok(())
    }

    /// An attempt that leaves the job waiting.
    pub(super) fn failed(&mut self, id: &JobId, now: UnixTime, reason: &str) {
        self.note(id, |record| record.attempted(now, reason));
    }

    /// An attempt that ends the job (S3).
    fn blocked(&mut self, id: &JobId, now: UnixTime, reason: String) {
        self.note(id, |record| {
            record.attempted(now, &reason);
            record.status = Status::CanNotSchedule;
            record.reason = Some(reason);
        });
    }

    /// Changes a record.
    pub(super) fn note(&mut self, id: &JobId, change: impl FnOnce(&mut Record)) {
        if let Some(job) = self.jobs.get_mut(id) {
            change(&mut job.record);
            self.changed.insert(id.clone());
        }
    }
}

/// Whether a job has waited long enough. A last attempt that lies in the future was noted by a clock that has been put
/// back since: waiting for it could take for ever.
fn waited(record: &Record, now: UnixTime, wait: Duration) -> bool {
    record.last_schedule.is_none_or(|last| last > now || Duration::from_secs(now.seconds_since(last)) >= wait)
}
