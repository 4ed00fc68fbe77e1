//! A job from its grant to its end (*workflow.md* S7): what its processes do, and whom it can lose.

use std::collections::BTreeSet;
use std::time::Duration;

use cc_core::UnixTime;

use super::{Affected, Ended, Exit, Job, Process, Scheduler, SchedulerError, Status};
use crate::job::{JobFile, JobId};
use crate::name::Name;

impl Scheduler {
    /// The grant is about to leave: store this first, so that the job never runs twice.
    pub fn dispatched(&mut self, job: &JobId) -> Result<(), SchedulerError> {
        let found = self.live(job)?;
        let from = found.record.status;
        if !found.record.is_scheduled() || !from.may_become(Status::Dispatched) {
            return Err(SchedulerError::Illegal { job: job.clone(), from, to: Status::Dispatched });
        }
        self.note(job, |record| record.status = Status::Dispatched);
        Ok(())
    }

    /// A participant's process has started.
    pub fn started(&mut self, job: &JobId, participant: &Name) -> Result<(), SchedulerError> {
        let found = self.live(job)?;
        let from = found.record.status;
        match process(found, participant)? {
            Process::Running => Ok(()),
            Process::Ended(_) => Err(not_participant(found, participant)),
            Process::Waiting if from == Status::Submitted => {
                Err(SchedulerError::Illegal { job: job.clone(), from, to: Status::Running })
            }
            Process::Waiting => {
                self.note(job, |record| {
                    record.processes.insert(participant.clone(), Process::Running);
                    record.status = Status::Running;
                });
                Ok(())
            }
        }
    }

    /// A participant's process has ended. The answer says what has to be done, if this was the end of the job. Of a job
    /// that has ended already only the process is noted; what is said twice counts once.
    pub fn ended(
        &mut self,
        job: &JobId,
        participant: &Name,
        exit: Exit,
    ) -> Result<Option<Ended>, SchedulerError> {
        let unknown = || SchedulerError::Unknown { job: job.clone() };
        let found = self.jobs.get(job).ok_or_else(unknown)?;
        let from = found.record.status;
        if let Process::Ended(_) = process(found, participant)? {
            return Ok(None);
        }
        if from == Status::Submitted && !matches!(exit, Exit::NotStarted | Exit::Stopped) {
            return Err(SchedulerError::Illegal { job: job.clone(), from, to: exit.ends_as() });
        }
        Ok(self.end_process(job, participant, exit, None))
    }

    /// A person stops a job, whatever its state.
    pub fn abort(&mut self, job: &JobId, reason: &str, now: UnixTime) -> Result<Ended, SchedulerError> {
        self.live(job)?;
        if self.open.take_if(|open| open.job == *job).is_some() {
            self.failed(job, now, "aborted");
        }
        Ok(self.end(job, Status::Aborted, Some(reason.to_owned())))
    }

    /// A participant is gone: its processes ended abnormally.
    pub fn lost(&mut self, participant: &Name) -> Vec<Affected> {
        let affected = self.with_process(participant);
        affected
            .into_iter()
            .map(|(job, status)| {
                // Before the grant leaves there is no process that could end.
                let exit = if status == Status::Submitted { Exit::NotStarted } else { Exit::Abnormal };
                let end = self.end_process(&job, participant, exit, None);
                affect(job, end)
            })
            .collect()
    }

    /// A participant may no longer take part in a job: its process has to be stopped, and the others' if the job cannot
    /// go on without it.
    pub fn stop(
        &mut self,
        job: &JobId,
        participant: &Name,
        reason: &str,
    ) -> Result<Affected, SchedulerError> {
        let found = self.live(job)?;
        if let Process::Ended(_) = process(found, participant)? {
            return Err(not_participant(found, participant));
        }
        let end = self.end_process(job, participant, Exit::Stopped, Some(reason));
        let mut affected = affect(job.clone(), end);
        affected.stop.insert(participant.clone());
        Ok(affected)
    }

    /// [`stop`](Self::stop) for every job in which the participant has a process.
    pub fn stop_for(&mut self, participant: &Name, reason: &str) -> Vec<Affected> {
        let jobs = self.with_process(participant);
        jobs.into_iter().filter_map(|(job, _)| self.stop(&job, participant, reason).ok()).collect()
    }

    /// The jobs in which the participant has a process that is not known to have ended although the job has: what to
    /// stop when it connects again, after a restart of the server too.
    pub fn leftovers(&self, participant: &Name) -> Vec<JobId> {
        let jobs = self.jobs.values().filter(|job| job.record.status.is_finished());
        jobs.filter(|job| has_process(job, participant)).map(|job| job.record.id.clone()).collect()
    }

    /// Processes that were to start and of which nothing was heard since: a site that was gone when its job was announced
    /// never hears of it. The wait counts from the attempt.
    pub fn overdue(&self, now: UnixTime, limit: Duration) -> Vec<(JobId, Name)> {
        let late = |job: &&Job| {
            let scheduled = job.record.last_schedule.map(|at| Duration::from_secs(now.seconds_since(at)));
            let given = matches!(job.record.status, Status::Dispatched | Status::Running);
            given && scheduled.is_some_and(|waited| waited > limit)
        };
        let waiting = self.jobs.values().filter(late).flat_map(|job| {
            let waiting = job.record.processes.iter().filter(|(_, process)| **process == Process::Waiting);
            waiting.map(|(name, _)| (job.record.id.clone(), name.clone()))
        });
        waiting.collect()
    }

    /// The jobs, with their states, that go on and in which the participant has a process that has not ended.
    pub fn with_process(&self, participant: &Name) -> Vec<(JobId, Status)> {
        let jobs = self.jobs.values().filter(|job| !job.record.status.is_finished());
        jobs.filter(|job| has_process(job, participant))
            .map(|job| (job.record.id.clone(), job.record.status))
            .collect()
    }

    fn live(&self, job: &JobId) -> Result<&Job, SchedulerError> {
        let found = self.jobs.get(job).filter(|found| !found.record.status.is_finished());
        found.ok_or_else(|| SchedulerError::Unknown { job: job.clone() })
    }

    /// Notes the end of a process and decides whether the job goes on.
    fn end_process(
        &mut self,
        job: &JobId,
        participant: &Name,
        exit: Exit,
        reason: Option<&str>,
    ) -> Option<Ended> {
        self.note(job, |record| {
            record.processes.insert(participant.clone(), Process::Ended(exit));
            if record.status == Status::Dispatched && matches!(exit, Exit::Completed | Exit::Exception) {
                record.status = Status::Running;
            }
        });
        let found = self.live(job).ok()?;
        if let Err(lacks) = self.goes_on(found) {
            let why = reason.unwrap_or_else(|| exit.text());
            let text = format!("{participant}: {why}; {lacks}");
            return Some(self.end(job, exit.ends_as(), Some(text)));
        }
        let all_ended = found.record.processes.values().all(|process| matches!(process, Process::Ended(_)));
        all_ended.then(|| self.end(job, Status::Completed, None))
    }

    /// Whether those whose process has not ended badly are enough (S7).
    fn goes_on(&self, job: &Job) -> Result<(), String> {
        let file: &JobFile = &job.file;
        let (good, bad): (Vec<_>, Vec<_>) =
            job.record.processes.iter().map(|(name, process)| (name, *process)).partition(
                |(_, process)| !matches!(process, Process::Ended(exit) if *exit != Exit::Completed),
            );
        for (name, process) in bad {
            if *name == self.server {
                return Err("the server's own process is needed".to_owned());
            }
            if file.required_sites().contains(name) {
                return Err(match process {
                    Process::Ended(Exit::NotStarted) => format!("failed to deploy to required site {name}"),
                    _ => format!("required site {name} is gone"),
                });
            }
        }
        let sites = good.iter().filter(|(name, _)| **name != self.server).count();
        if file.enough(sites) {
            Ok(())
        } else {
            Err(format!("num_ok_sites {sites} < required_min_sites {}", file.min_sites()))
        }
    }

    /// Ends a job.
    fn end(&mut self, job: &JobId, status: Status, reason: Option<String>) -> Ended {
        let mut stop = BTreeSet::new();
        self.note(job, |record| {
            record.status = status;
            record.reason = reason;
            let running =
                record.processes.iter().filter(|(_, process)| !matches!(process, Process::Ended(_)));
            stop = running.map(|(name, _)| name.clone()).collect();
        });
        Ended { status, stop }
    }
}

fn affect(job: JobId, end: Option<Ended>) -> Affected {
    match end {
        Some(Ended { status, stop }) => Affected { job, ended: Some(status), stop },
        None => Affected { job, ended: None, stop: BTreeSet::new() },
    }
}

fn has_process(job: &Job, participant: &Name) -> bool {
    job.record.processes.get(participant).is_some_and(|process| !matches!(process, Process::Ended(_)))
}

fn process(job: &Job, participant: &Name) -> Result<Process, SchedulerError> {
    job.record.processes.get(participant).copied().ok_or_else(|| not_participant(job, participant))
}

fn not_participant(job: &Job, participant: &Name) -> SchedulerError {
    SchedulerError::NotParticipant { job: job.record.id.clone(), participant: participant.clone() }
}
