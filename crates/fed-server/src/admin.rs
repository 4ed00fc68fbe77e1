//! Answers administrators.

use std::sync::Arc;

use cc_store::Stage;
use fed_proto::bundle::SignedBundle;
use fed_proto::descriptor::FederationProfile;
use fed_proto::job::{JobFile, JobId, job_id};
use fed_proto::scheduler::{Job, Process};

use crate::api::{
    JobDetail, JobSummary, ProcessDetail, Request, Response, SiteStatus, Status, VerdictDetail,
};
use crate::{Server, Submission};

/// Longest reason for an abort, in characters.
const MAX_REASON: usize = 512;

fn refused(text: impl ToString) -> Response {
    Response::Refused { code: None, text: text.to_string() }
}

impl Server {
    pub(crate) fn administer(&mut self, request: Request) -> Response {
        match request {
            Request::Status => self.status(),
            Request::JobSubmit { file } => self.submit(&file).unwrap_or_else(|error| error),
            Request::JobList => {
                Response::Jobs { jobs: self.scheduler.jobs().into_iter().map(summary).collect() }
            }
            Request::JobShow { job } => match self.find(&job) {
                Ok(job) => self.detail(&job),
                Err(error) => error,
            },
            Request::JobAbort { job, reason } => match self.find(&job) {
                Ok(id) => self.abort(&id, &reason),
                Err(error) => error,
            },
            Request::BundlePublish { bundle } => self.publish(&bundle),
        }
    }

    fn status(&self) -> Response {
        let Some(now) = self.now() else { return refused("the server's clock cannot be trusted") };
        let own = self.coordinator.own();
        let lifetime = own.bundle().verdict_lifetime;
        let sites = self.coordinator.sites().map(|(name, site)| SiteStatus {
            name: name.to_string(),
            connected: site.is_connected(),
            standing: site.standing().to_string(),
            code: site.reason().map(|reason| reason.code.to_string()),
            reason: site.reason().map(|reason| reason.detail.clone()),
            expires_in_s: lifetime.saturating_sub(now.mono.saturating_sub(site.accepted_at())).as_secs(),
        });
        let descriptor = &self.node.kit.descriptor;
        Response::Status(Status {
            server: self.node.kit.config.name.to_string(),
            federation_id: descriptor.federation_id().to_string(),
            profile: match descriptor.profile {
                FederationProfile::Production => "production".to_owned(),
                FederationProfile::Development => "development".to_owned(),
            },
            bundle_version: own.bundle().version,
            verdict_lifetime_s: lifetime.as_secs(),
            sites: sites.collect(),
        })
    }

    /// The submitter hears of the job when it is on disk.
    fn submit(&mut self, text: &str) -> Result<Response, Response> {
        let file = JobFile::parse(text).map_err(|error| refused(format!("the job file: {error}")))?;
        let now = self.now().ok_or_else(|| refused("the server's clock cannot be trusted"))?;
        let mut nonce = [0; 16];
        for (to, from) in nonce.iter_mut().zip(fed_node::random()) {
            *to = from;
        }
        let id = job_id(&self.node.kit.descriptor.federation_id(), &nonce, text.as_bytes());
        let name = file.name().to_string();
        self.scheduler.submit(id.clone(), Arc::new(file), now.wall).map_err(refused)?;
        let job = self.scheduler.job(&id).ok_or_else(|| refused("the job is gone"))?;
        let row = cc_store::Job {
            id: id.to_string(),
            sequence: job.record.sequence,
            nonce,
            file: text.as_bytes().to_vec(),
            stage: Stage::Waiting,
            record: job.record.to_bytes(),
        };
        if self.store(move |change| change.add_job(&row)).is_none() {
            let _ = self.scheduler.abort(&id, "it could not be stored", now.wall);
            return Err(refused("the job could not be stored; see the server's log"));
        }
        self.submissions.insert(id.clone(), Submission { nonce, file: text.as_bytes().to_vec() });
        self.store_jobs();
        Ok(Response::Submitted { id: id.to_string(), name })
    }

    /// A job by its identity, the beginning of it (at least 4 characters), or its name.
    fn find(&self, text: &str) -> Result<JobId, Response> {
        let jobs = self.scheduler.jobs();
        let begins = |job: &&&Job| text.len() >= 4 && job.record.id.as_str().starts_with(text);
        let mut by_id = jobs.iter().filter(begins);
        if let (Some(job), None) = (by_id.next(), by_id.next()) {
            return Ok(job.record.id.clone());
        }
        let named = jobs.iter().rev().find(|job| job.file.name().as_str() == text);
        named.map(|job| job.record.id.clone()).ok_or_else(|| {
            refused(format!("there is no job {text:?}, or several begin like that; see `muster job list`"))
        })
    }

    fn detail(&self, id: &JobId) -> Response {
        let Some(job) = self.scheduler.job(id) else { return refused("there is no such job") };
        let stored = self.node.store.read(|view| view.job_verdicts(id.as_str()));
        let verdicts = match stored {
            Ok(verdicts) => verdicts,
            Err(error) => return refused(format!("the verdicts cannot be read: {error}")),
        };
        let latest = verdicts.iter().map(|verdict| verdict.epoch).max();
        let verdicts = verdicts.into_iter().filter(|verdict| Some(verdict.epoch) == latest);
        let verdicts = verdicts.map(|verdict| VerdictDetail {
            epoch: verdict.epoch,
            verifier: verdict.verifier,
            subject: verdict.judgement.subject,
            code: verdict.judgement.code,
            detail: verdict.judgement.detail,
            policy_line: verdict.judgement.policy_line,
        });
        let processes = job.record.processes.iter().map(|(name, process)| ProcessDetail {
            name: name.to_string(),
            state: match process {
                Process::Waiting => "waiting".to_owned(),
                Process::Running => "running".to_owned(),
                Process::Ended(exit) => fed_node::work::state_of(*exit).to_owned(),
            },
        });
        Response::Job(Box::new(JobDetail {
            summary: summary(job),
            reason: job.record.reason.clone(),
            history: job.record.schedule_history.clone(),
            processes: processes.collect(),
            verdicts: verdicts.collect(),
        }))
    }

    fn abort(&mut self, id: &JobId, reason: &str) -> Response {
        let Some(now) = self.now() else { return refused("the server's clock cannot be trusted") };
        let reason: String = reason.chars().filter(|c| !c.is_control()).take(MAX_REASON).collect();
        match self.scheduler.abort(id, &reason, now.wall) {
            Err(error) => refused(error),
            Ok(ended) => {
                self.store_jobs();
                self.with(|c, now, env, out| c.give_up(now, id, &reason, env, out));
                self.wind_up(id, &ended, None);
                Response::Aborted { id: id.to_string() }
            }
        }
    }

    fn publish(&mut self, bundle: &str) -> Response {
        let Some(bundle) = hex::decode(bundle).ok().and_then(|bytes| SignedBundle::from_bytes(&bytes)) else {
            return refused("not a signed bundle");
        };
        let mut result = Ok(());
        self.with(|c, now, env, out| result = c.adopt(now, &bundle, env, out));
        match result {
            Ok(()) => Response::Published { version: self.coordinator.own().bundle().version },
            Err(finding) => Response::Refused { code: Some(finding.code.to_string()), text: finding.detail },
        }
    }
}

fn summary(job: &Job) -> JobSummary {
    let record = &job.record;
    JobSummary {
        id: record.id.to_string(),
        name: job.file.name().to_string(),
        status: record.status.to_string(),
        submitted: record.submitted.to_string(),
        attempts: record.schedule_count,
        sites: record.processes.keys().map(ToString::to_string).collect(),
    }
}
