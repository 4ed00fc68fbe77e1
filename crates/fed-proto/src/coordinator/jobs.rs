//! From the verdicts of a job's round to its admission (*workflow.md* S5, *verification.md* 5.5 step 7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cc_core::{Finding, codes};

use crate::admission;
use crate::binding::Purpose;
use crate::job::{JobFile, JobId};
use crate::message::{Admission, JobOrder, JobUpdate, Kind, Payload, Reserve, Reserved};
use crate::name::Name;
use crate::round::Now;
use crate::scheduler::Outcome;
use crate::signed::Signed;

use super::rounds::Phase;
use super::{Action, Coordinator, ServerEnv, ServerEvent, Work};

/// An attempt to start a job.
#[derive(Clone, Debug)]
pub struct JobAttempt {
    /// The job.
    pub id: JobId,
    /// Which attempt.
    pub number: u32,
    /// The 16 random bytes of the submission.
    pub nonce: [u8; 16],
    /// The job file as submitted.
    pub file_bytes: Vec<u8>,
    /// It, read.
    pub parsed: Arc<JobFile>,
    /// The clients to invite.
    pub sites: BTreeSet<Name>,
}

/// The job of a round.
#[derive(Debug)]
pub(super) struct JobRound {
    pub(super) id: JobId,
    number: u32,
    pub(super) nonce: [u8; 16],
    pub(super) file_bytes: Vec<u8>,
    pub(super) parsed: Arc<JobFile>,
    /// Who is admitted as far as verdicts go.
    chosen: BTreeSet<Name>,
    /// What each of them said about its resources: nothing, or why not.
    reserved: BTreeMap<Name, String>,
    /// Why others were left out, for people.
    left_out: BTreeMap<Name, String>,
    /// Whom [`Coordinator::announce`] names.
    admitted: BTreeSet<Name>,
}

impl JobRound {
    /// Whether this site was asked about its resources and has not answered.
    pub(super) fn awaits(&self, name: &Name) -> bool {
        self.chosen.contains(name) && !self.reserved.contains_key(name)
    }
}

impl Coordinator {
    /// Opens the round of an attempt. It ends in [`ServerEvent::Attempted`], at once if no round can be opened.
    pub fn attempt(&mut self, now: Now, attempt: JobAttempt, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let JobAttempt { id, number, nonce, file_bytes, parsed, sites } = attempt;
        let job = JobRound {
            id: id.clone(),
            number,
            nonce,
            file_bytes,
            parsed,
            chosen: BTreeSet::new(),
            reserved: BTreeMap::new(),
            left_out: BTreeMap::new(),
            admitted: BTreeSet::new(),
        };
        let sites = sites.into_iter().map(|name| (name, None)).collect();
        if let Err(finding) = self.open_round(now, Purpose::JobStart, sites, Some(job), env, out) {
            let outcome = Outcome::NoResource { reason: finding.to_string() };
            out.push(Action::Event(ServerEvent::Attempted { job: id, number, outcome }));
        }
        self.pump(now, env, out);
    }

    /// How long the members' hardware wants to be left alone: the server's own limit, and a second for those whose last
    /// report was made a little later than the server's. A round that is opened earlier finds members busy.
    pub fn report_wait(&self, now: Now) -> std::time::Duration {
        let a_second_ago = Now { mono: now.mono.saturating_sub(std::time::Duration::from_secs(1)), ..now };
        self.own.report_wait(a_second_ago)
    }

    pub(super) fn decide_if_ready(
        &mut self,
        now: Now,
        epoch: u64,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        if self.rounds.get(&epoch).is_some_and(|round| round.verdicts_complete()) {
            self.decide(now, epoch, env, out);
        }
    }

    /// All verdicts are in, or no more are waited for.
    pub(super) fn decide(&mut self, now: Now, epoch: u64, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let server = self.own.me().name.clone();
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let clients = round.clients(&server);
        let Some(job) = &mut round.job else {
            return self.end_round(epoch, out);
        };
        match admission::decide(job.parsed.admission(), &job.parsed, &server, &clients, &round.verdicts) {
            Err(refusal) => {
                let reason = refusal.to_string();
                self.attempt_over(now, epoch, &reason, env, out);
            }
            Ok(chosen) => {
                job.left_out = left_out(&clients, &chosen, &round.verdicts);
                job.chosen.clone_from(&chosen);
                round.phase = Phase::Reserving(now.mono.saturating_add(self.timing.reservation));
                let id = job.id.to_string();
                for name in chosen.iter().filter(|name| **name != server) {
                    if let Some(connection) = self.member_connection(epoch, name) {
                        self.tell(connection, name, &Reserve { epoch }, epoch, &id, out);
                    }
                }
                self.reservations_if_all(now, epoch, env, out);
            }
        }
    }

    pub(super) fn reserved(
        &mut self,
        now: Now,
        epoch: u64,
        name: &Name,
        message: &Signed,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let answer: Reserved = message.read().ok_or_else(|| {
            Finding::new(
                codes::FL_PEER_QUARANTINED,
                format!("{name}: an answer about resources that does not read"),
            )
        })?;
        if let Some(round) = self.rounds.get_mut(&epoch)
            && matches!(round.phase, Phase::Reserving(_))
            && let Some(job) = &mut round.job
        {
            job.reserved.entry(name.clone()).or_insert(answer.refusal);
            self.reservations_if_all(now, epoch, env, out);
        }
        Ok(())
    }

    fn reservations_if_all(&mut self, now: Now, epoch: u64, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let server = &self.own.me().name;
        let Some(job) = self.rounds.get(&epoch).and_then(|round| round.job.as_ref()) else { return };
        if job.chosen.iter().all(|name| name == server || job.reserved.contains_key(name)) {
            self.reservations_over(now, epoch, env, out);
        }
    }

    /// S5, after the resource check: the sites that have enough, if they are enough.
    pub(super) fn reservations_over(
        &mut self,
        now: Now,
        epoch: u64,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let server = self.own.me().name.clone();
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let Some(job) = &mut round.job else { return };
        let mut details: BTreeMap<Name, String> = job.left_out.clone();
        let mut ok: BTreeSet<Name> = BTreeSet::new();
        for name in job.chosen.iter().filter(|name| **name != server) {
            match job.reserved.get(name) {
                Some(refusal) if refusal.is_empty() => {
                    ok.insert(name.clone());
                }
                Some(refusal) => drop(details.insert(name.clone(), refusal.clone())),
                None => drop(details.insert(name.clone(), "no answer about resources".to_owned())),
            }
        }
        if let Err(reason) = job.parsed.met_by_ready(&server, &ok, &details) {
            self.attempt_over(now, epoch, &reason, env, out);
            return;
        }
        let mut processes = ok.clone();
        ok.insert(server.clone());
        if job.parsed.app_of(&server).is_some() {
            processes.insert(server);
        }
        job.admitted = ok;
        round.phase = Phase::Deciding;
        let (id, number) = (job.id.clone(), job.number);
        let outcome = Outcome::Scheduled { sites: processes };
        out.push(Action::Event(ServerEvent::Attempted { job: id, number, outcome }));
    }

    /// Says who takes part: the shell has stored that the job is dispatched.
    pub fn announce(&mut self, now: Now, job: &JobId, env: &mut dyn ServerEnv, out: &mut Vec<Action>) {
        let of_job = |round: &super::Round| {
            round.phase == Phase::Deciding && round.job.as_ref().is_some_and(|known| known.id == *job)
        };
        let Some(epoch) = self.rounds.iter().find(|(_, round)| of_job(round)).map(|(epoch, _)| *epoch) else {
            return;
        };
        let Some(round) = self.rounds.get(&epoch) else { return };
        let Some(known) = &round.job else { return };
        let admitted = known.admitted.iter().map(Name::to_string).collect();
        self.admission(epoch, Admission { admitted, text: lines(&known.left_out) }, out);
        self.rounds.remove(&epoch);
        self.pump(now, env, out);
    }

    /// The shell gives the attempt up: the job was aborted, or took too long.
    pub fn give_up(
        &mut self,
        now: Now,
        job: &JobId,
        reason: &str,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let of_job = |round: &super::Round| round.job.as_ref().is_some_and(|known| known.id == *job);
        let epochs: Vec<u64> =
            self.rounds.iter().filter(|(_, round)| of_job(round)).map(|(epoch, _)| *epoch).collect();
        for epoch in epochs {
            self.admission(epoch, Admission { admitted: Vec::new(), text: reason.to_owned() }, out);
            self.rounds.remove(&epoch);
        }
        self.pump(now, env, out);
    }

    fn admission(&mut self, epoch: u64, admission: Admission, out: &mut Vec<Action>) {
        let own = self.own.me().name.clone();
        let Some(round) = self.rounds.get(&epoch) else { return };
        let job_id = round.job_id().to_owned();
        let members: Vec<Name> = round.clients(&own).into_iter().collect();
        let bytes = Arc::new(self.own.sign(Kind::Admission, epoch, &job_id, None, admission.to_bytes()));
        for name in members {
            if let Some(connection) = self.member_connection(epoch, &name) {
                self.send(connection, &bytes, out);
            }
        }
        self.work.push_back(Work::ToOwn(bytes));
    }

    /// A round that was published leads to no job.
    fn attempt_over(
        &mut self,
        now: Now,
        epoch: u64,
        reason: &str,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        self.admission(epoch, Admission { admitted: Vec::new(), text: reason.to_owned() }, out);
        let Some(job) = self.rounds.remove(&epoch).and_then(|round| round.job) else { return };
        self.attempt_failed(now, epoch, job, reason, env, out);
    }

    pub(super) fn attempt_failed(
        &mut self,
        now: Now,
        _epoch: u64,
        job: JobRound,
        reason: &str,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        let outcome = Outcome::NoResource { reason: reason.to_owned() };
        out.push(Action::Event(ServerEvent::Attempted { job: job.id, number: job.number, outcome }));
        self.pump(now, env, out);
    }

    pub(super) fn job_update_of(
        &mut self,
        name: &Name,
        message: &Signed,
        out: &mut Vec<Action>,
    ) -> Result<(), Finding> {
        let JobUpdate { state, text } = message.read().ok_or_else(|| {
            Finding::new(codes::FL_PEER_QUARANTINED, format!("{name}: a job's update that does not read"))
        })?;
        let job_id = message.header.job_id.clone();
        out.push(Action::Event(ServerEvent::JobUpdate { job_id, name: name.clone(), state, text }));
        Ok(())
    }

    /// Has these participants stop a job that goes on without them, or has ended already.
    pub fn stop_sites(
        &mut self,
        job_id: &str,
        names: &BTreeSet<Name>,
        finding: &Finding,
        out: &mut Vec<Action>,
    ) {
        let order = JobOrder { code: finding.code.as_str().to_owned(), text: finding.detail.clone() };
        for name in names {
            if let Some(connection) = self.sites.get(name).and_then(|site| site.connection) {
                self.tell(connection, name, &order, 0, job_id, out);
            }
        }
    }

    /// Ends a job: has these participants stop it, and the server's own.
    pub fn stop_job(
        &mut self,
        now: Now,
        job_id: &str,
        names: &BTreeSet<Name>,
        finding: &Finding,
        env: &mut dyn ServerEnv,
        out: &mut Vec<Action>,
    ) {
        self.stop_sites(job_id, names, finding, out);
        let mut own = Vec::new();
        self.own.end_job(job_id, finding, &mut own);
        self.follow(now, own, env, out);
    }
}

/// Why members of the round do not take part, for people.
fn left_out(
    clients: &BTreeSet<Name>,
    chosen: &BTreeSet<Name>,
    verdicts: &admission::Verdicts,
) -> BTreeMap<Name, String> {
    let excluded = clients.iter().filter(|name| !chosen.contains(*name));
    excluded
        .map(|name| {
            let declined = verdicts.get(name).into_iter().flatten();
            let declined: Vec<String> = declined
                .filter_map(|(subject, result)| Some(format!("{subject} ({})", result.as_ref().err()?.code)))
                .collect();
            let why = if declined.is_empty() {
                "left out".to_owned()
            } else {
                format!("declines {}", declined.join(", "))
            };
            (name.clone(), why)
        })
        .collect()
}

fn lines(left_out: &BTreeMap<Name, String>) -> String {
    let lines = left_out.iter().map(|(name, why)| format!("{name}: {why}"));
    lines.collect::<Vec<_>>().join("; ")
}
