//! The scheduler between the coordinator and the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, codes};
use cc_store::{Change, Handle, Stage, StoreError};
use fed_node::log::Line;
use fed_node::work::exit_of;
use fed_proto::coordinator::JobAttempt;
use fed_proto::job::{JobFile, JobId};
use fed_proto::name::Name;
use fed_proto::scheduler::{Attempt, Ended, Job, Limits, Outcome, Record, Scheduler, SchedulerError, Status};

use crate::{Server, ServerError, Submission};

/// How long a site may take from the announcement of a job to the word that its program runs: copying inputs included.
const START: Duration = Duration::from_secs(300);

/// The scheduler with the jobs of earlier runs.
pub(crate) fn restored(
    store: &Handle,
    limits: Limits,
    server: &Name,
) -> Result<(Scheduler, BTreeMap<JobId, Submission>), ServerError> {
    let mut scheduler = Scheduler::new(limits, server.clone());
    let mut submissions = BTreeMap::new();
    let mut jobs = Vec::new();
    for row in store.read(|view| view.jobs())? {
        let unreadable = || ServerError::Job(row.id.clone());
        let record = Record::from_bytes(&row.record).map_err(|_| unreadable())?;
        let text = std::str::from_utf8(&row.file).map_err(|_| unreadable())?;
        let file = JobFile::parse(text).map_err(|_| unreadable())?;
        submissions.insert(record.id.clone(), Submission { nonce: row.nonce, file: row.file });
        jobs.push(Job { file: Arc::new(file), record });
    }
    scheduler.restore(jobs);
    Ok((scheduler, submissions))
}

const fn stage(status: Status) -> Stage {
    match status {
        Status::Submitted => Stage::Waiting,
        Status::Dispatched | Status::Running => Stage::Dispatched,
        _ => Stage::Ended,
    }
}

impl Server {
    /// Makes a change and waits until it is on disk; half a millisecond.
    pub(crate) fn store<T: Send + 'static>(
        &self,
        change: impl FnOnce(&dyn Change) -> Result<T, StoreError> + Send + 'static,
    ) -> Option<T> {
        let written = tokio::task::block_in_place(|| self.node.store.write(change));
        written.inspect_err(|error| tracing::error!(%error, "not stored")).ok()
    }

    /// Puts on disk what changed about jobs; says whether it is there.
    pub(crate) fn store_jobs(&mut self) -> bool {
        let changes = self.scheduler.take_changes();
        if changes.is_empty() {
            return true;
        }
        for job in &changes {
            let record = &job.record;
            let shown = (record.status, record.schedule_count);
            if self.shown.insert(record.id.clone(), shown) == Some(shown) {
                continue;
            }
            let fill = |line: Line| Line {
                job: Some(job.file.name().to_string()),
                job_id: Some(record.id.to_string()),
                text: record.reason.clone().or_else(|| record.schedule_history.last().cloned()),
                ..line.state(record.status)
            };
            self.say(fill, "job");
        }
        let rows: Vec<_> = changes
            .into_iter()
            .map(|job| (job.record.id.to_string(), stage(job.record.status), job.record.to_bytes()))
            .collect();
        self.store(move |change| {
            rows.iter().try_for_each(|(id, stage, record)| change.update_job(id, *stage, record))
        })
        .is_some()
    }

    /// S1: at most one attempt at a time, and none while the server's own hardware wants to be left alone.
    pub(crate) fn schedule(&mut self) {
        let Some(now) = self.now() else { return };
        if !self.coordinator.report_wait(now).is_zero() {
            return;
        }
        let online = self.coordinator.online();
        let begun = self.scheduler.begin(now.wall, now.mono, &online);
        self.store_jobs();
        let Some(Attempt { job, number, file, sites }) = begun else { return };
        let Some(submission) = self.submissions.get(&job) else { return };
        let attempt = JobAttempt {
            id: job,
            number,
            nonce: submission.nonce,
            file_bytes: submission.file.clone(),
            parsed: file,
            sites,
        };
        self.with(|c, now, env, out| c.attempt(now, attempt, env, out));
    }

    /// Sites that were told to start a job and said nothing since are not waited for.
    pub(crate) fn give_up_silent_starts(&mut self) {
        let Some(now) = self.now() else { return };
        for (job, name) in self.scheduler.overdue(now.wall, START) {
            let text = format!("no word of its start within {} s", START.as_secs());
            self.job_updated(job.as_str(), &name, "refused", &text);
            let finding = Finding::new(codes::FL_JOB_STOPPED, text);
            let names = BTreeSet::from([name]);
            self.with(|c, _, _, out| c.stop_sites(job.as_str(), &names, &finding, out));
        }
    }

    /// An attempt is over. Nobody hears that a job starts before the disk knows it.
    pub(crate) fn attempted(&mut self, job: &JobId, number: u32, outcome: Outcome) {
        let Some(now) = self.now() else { return };
        let scheduled = matches!(outcome, Outcome::Scheduled { .. });
        let finished = self.scheduler.finish(job, number, outcome, now.wall);
        let dispatched = match finished {
            Ok(()) if scheduled => self.scheduler.dispatched(job),
            other => other,
        };
        let stored = self.store_jobs();
        match dispatched {
            Ok(()) if scheduled && stored => {
                self.with(|c, now, env, out| c.announce(now, job, env, out));
            }
            Ok(()) if !scheduled => {}
            Ok(()) => {
                // Nobody was told to start, and after a restart nothing would know of it.
                let reason = "the server could not store the job's state";
                let _ = self.scheduler.abort(job, reason, now.wall);
                self.give_up(job, reason);
            }
            Err(error) => self.give_up(job, &error.to_string()),
        }
    }

    fn give_up(&mut self, job: &JobId, reason: &str) {
        self.with(|c, now, env, out| c.give_up(now, job, reason, env, out));
    }

    /// A participant says what became of its process.
    pub(crate) fn job_updated(&mut self, job_id: &str, name: &Name, state: &str, text: &str) {
        let Ok(job) = JobId::parse(job_id) else { return };
        let fill = |line: Line| Line { job: self.name_of(job_id), job_id: Some(job_id.to_owned()), ..line };
        self.say(|line| fill(line).name(name).state(state).text(text), "process");
        if state == "started" {
            if let Err(SchedulerError::NotParticipant { .. } | SchedulerError::Unknown { .. }) =
                self.scheduler.started(&job, name)
            {
                let finding =
                    Finding::new(codes::FL_JOB_STOPPED, "the job has ended, or goes on without this site");
                let names = BTreeSet::from([name.clone()]);
                self.with(|c, _, _, out| c.stop_sites(job_id, &names, &finding, out));
            }
            self.store_jobs();
            return;
        }
        let ended = self.scheduler.ended(&job, name, exit_of(state));
        self.store_jobs();
        if let Ok(Some(ended)) = ended {
            self.wind_up(&job, &ended, None);
        }
    }

    /// Admission ended by the server's own count: the job stops everywhere.
    pub(crate) fn admission_ended(&mut self, job_id: &str, finding: &Finding) {
        let Ok(job) = JobId::parse(job_id) else { return };
        let Some(now) = self.now() else { return };
        if let Ok(ended) = self.scheduler.abort(&job, &finding.to_string(), now.wall) {
            let fill =
                |line: Line| Line { job: self.name_of(job_id), job_id: Some(job_id.to_owned()), ..line };
            self.say(|line| fill(line).finding(finding), "revoked");
            self.store_jobs();
            self.wind_up(&job, &ended, Some(finding));
        }
    }

    /// Stops what still runs of a job that ended.
    pub(crate) fn wind_up(&mut self, job: &JobId, ended: &Ended, finding: Option<&Finding>) {
        let over = || Finding::new(codes::FL_JOB_STOPPED, format!("the job ended as {}", ended.status));
        let finding = finding.cloned().unwrap_or_else(over);
        self.with(|c, now, env, out| c.stop_job(now, job.as_str(), &ended.stop, &finding, env, out));
    }

    /// The name of a job, for people.
    pub(crate) fn name_of(&self, job_id: &str) -> Option<String> {
        let job = self.scheduler.job(&JobId::parse(job_id).ok()?)?;
        Some(job.file.name().to_string())
    }
}
