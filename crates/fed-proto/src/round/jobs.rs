//! Jobs: admission by own count, and its end (*verification.md* 5.5 steps 7 and 8).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cc_core::{Finding, UnixTime, codes};

use crate::binding::Purpose;
use crate::crypto::Digest;
use crate::grant::{Admitted, Grant};
use crate::message::{Admission, JobOrder, JobUpdate, Reserved};
use crate::name::Name;
use crate::role::Role;
use crate::signed::Signed;

use super::ledger::{Instance, Ledger};
use super::state::{Announced, Published, Round, VerdictMap};
use super::{Event, Now, Output, Participant, garbage};

/// A job that was admitted here and has not ended here.
#[derive(Debug)]
pub(super) struct Running {
    /// Everybody who takes part, with the key of the admitted instance.
    admitted: BTreeMap<Name, Digest>,
}

impl Running {
    fn has(&self, instance: Instance<'_>) -> bool {
        self.admitted.get(instance.0) == Some(instance.1)
    }

    /// A pair of its members without an Accept that is at most `lifetime` old.
    fn stale(&self, ledger: &Ledger, now: Duration, lifetime: Duration) -> Option<(&Name, &Name)> {
        let pairs = self.admitted.iter().flat_map(|v| self.admitted.iter().map(move |s| (v, s)));
        let mut pairs = pairs.filter(|(verifier, subject)| verifier.0 != subject.0);
        let stale =
            |(v, s): &(Instance<'_>, Instance<'_>)| ledger.age(now, *v, *s).is_none_or(|age| age > lifetime);
        pairs.find(stale).map(|(verifier, subject)| (verifier.0, subject.0))
    }
}

/// A job starts: the grant for its program, signed, with the job file.
#[derive(Clone, Debug)]
pub struct Start {
    /// What the agent states.
    pub grant: Grant,
    /// It, signed by the attestation key.
    pub signed: Vec<u8>,
    /// The job file.
    pub file: Vec<u8>,
}

impl Participant {
    /// The coordinator says who takes part; every member counts for itself.
    pub(super) fn admission(
        &mut self,
        now: Now,
        message: &Signed,
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        self.of_round(message)?;
        let epoch = message.header.epoch;
        let admission: Admission =
            message.read().ok_or_else(|| garbage("an Admission that does not read"))?;
        let Some(round) = self.rounds.get_mut(&epoch) else { return Ok(()) };
        if round.purpose != Purpose::JobStart {
            return Err(garbage("an Admission in a round without job"));
        }
        let published = round.published.as_mut().ok_or_else(|| garbage("an Admission before the list"))?;
        if !matches!(published.announced, Announced::Nothing) {
            return Ok(());
        }
        let names: Result<BTreeSet<Name>, _> =
            admission.admitted.iter().map(|name| Name::new(name)).collect();
        let names = names.map_err(|_| garbage("an Admission with names that are none"))?;
        published.announced = Announced::Admission { names, text: admission.text };
        self.try_admission(now, epoch, out);
        Ok(())
    }

    /// Starts the job if the announcement is what the signed verdicts say; waits as long as verdicts are missing.
    pub(super) fn try_admission(&mut self, now: Now, epoch: u64, out: &mut Vec<Output>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        let Some(published) = round.published.as_mut() else { return };
        let Announced::Admission { names, text } = &published.announced else { return };
        let (names, text) = (names.clone(), text.clone());
        let job_id = round.job_id.clone();
        if !names.contains(&self.me.name) {
            published.announced = Announced::Done;
            let reason = if text.is_empty() { "not among the admitted".to_owned() } else { text };
            out.push(Output::Event(Event::NotAdmitted { job_id, reason }));
            return;
        }
        let all_verdicts = published.verdict.is_some()
            && names.iter().all(|name| *name == self.me.name || published.verdicts.contains_key(name));
        let age = now.mono.saturating_sub(round.drawn_at);
        if !all_verdicts && age <= super::NONCE_LIFETIME {
            return;
        }
        published.announced = Announced::Done;
        match self.admit(now, epoch, &names) {
            Ok((start, running)) => {
                self.running.insert(job_id, running);
                out.push(Output::Event(Event::Start(Box::new(start))));
            }
            Err(finding) => {
                self.tell(&job_id, "refused", &finding.to_string(), out);
                out.push(Output::Event(Event::NotAdmitted { job_id, reason: finding.to_string() }));
            }
        }
    }

    /// Announcements that wait for verdicts which do not come.
    pub(super) fn overdue_admissions(&mut self, now: Now, out: &mut Vec<Output>) {
        let waits = |round: &Round| {
            let announced = round.published.as_ref().map(|published| &published.announced);
            matches!(announced, Some(Announced::Admission { .. }))
        };
        let epochs: Vec<u64> =
            self.rounds.iter().filter(|(_, round)| waits(round)).map(|(epoch, _)| *epoch).collect();
        for epoch in epochs {
            self.try_admission(now, epoch, out);
        }
    }

    /// The gate: the verdicts are not too old, they say what the announcement says, and none was taken back.
    fn admit(&self, now: Now, epoch: u64, names: &BTreeSet<Name>) -> Result<(Start, Running), Finding> {
        let lifetime = self.floor.bundle.verdict_lifetime;
        let round = self.rounds.get(&epoch).ok_or_else(|| garbage("no round"))?;
        let published = round.published.as_ref().ok_or_else(|| garbage("no list"))?;
        let expired = |text: String| Finding::new(codes::FL_VERDICT_EXPIRED, text);
        let age = now.mono.saturating_sub(round.drawn_at);
        if age > lifetime {
            return Err(expired(format!(
                "the verdicts of round {epoch} are {} s old, {} s are allowed",
                age.as_secs(),
                lifetime.as_secs()
            )));
        }
        if now.wall >= round.bundle.not_after {
            let text = format!("the bundle of round {epoch} ended {}", round.bundle.not_after);
            return Err(Finding::new(codes::POL_ROLLBACK, text));
        }
        counted(&self.me.name, self.me.role, names, round)?;
        if self.running.contains_key(&round.job_id) {
            return Err(Finding::new(codes::BIND_JOB_MISMATCH, "the job runs here already"));
        }
        let own_key = self.me.key.public().digest();
        let members: Option<Vec<Admitted>> =
            names.iter().map(|name| self.admitted(name, published, own_key)).collect();
        let members = members.ok_or_else(|| garbage("somebody is admitted who is no member"))?;
        let running =
            Running { admitted: members.iter().map(|member| (member.name.clone(), member.key)).collect() };
        if let Some((verifier, subject)) = running.stale(&self.ledger, now.mono, lifetime) {
            return Err(expired(format!("{verifier} accepts {subject} no longer")));
        }
        let left = lifetime.saturating_sub(age);
        let grant = Grant {
            federation_id: self.federation_id,
            epoch,
            job_id: round.job_id.clone(),
            root: published.terms.root,
            bundle: round.policy_digest,
            holder: self.me.name.clone(),
            issued: now.wall,
            expires: UnixTime::from_secs(now.wall.as_secs().saturating_add(left.as_secs())),
            members,
        };
        let signed = grant.sign(&self.me.key);
        let file = round.job.as_ref().ok_or_else(|| garbage("no job"))?.file.clone();
        Ok((Start { grant, signed, file }, running))
    }

    fn admitted(&self, name: &Name, published: &Published, own_key: Digest) -> Option<Admitted> {
        if *name == self.me.name {
            return Some(Admitted {
                name: name.clone(),
                role: self.me.role,
                key: own_key,
                policy: self.me.policy,
            });
        }
        let peer = &published.peers.get(name)?.peer;
        let policy = published.verdicts.get(name)?.1;
        Some(Admitted { name: name.clone(), role: peer.role, key: peer.key.digest(), policy })
    }

    /// Says to the server what became of a job here: `started`, `completed`, `failed`, `stopped`, `refused`. After
    /// anything but `started` the job no longer runs here.
    pub fn job_update(&mut self, job_id: &str, state: &str, text: &str, out: &mut Vec<Output>) {
        if state != "started" {
            self.running.remove(job_id);
        }
        self.tell(job_id, state, text, out);
    }

    fn tell(&mut self, job_id: &str, state: &str, text: &str, out: &mut Vec<Output>) {
        let update = JobUpdate { state: state.to_owned(), text: text.to_owned() };
        let server = self.server();
        self.send(&update, 0, job_id, Some(server), out);
    }

    /// The answer to [`Event::Reserve`].
    pub fn reserved(&mut self, epoch: u64, job_id: &str, result: Result<(), String>, out: &mut Vec<Output>) {
        let reserved = Reserved { epoch, refusal: result.err().unwrap_or_default() };
        if let Some(job) = self.rounds.get_mut(&epoch).and_then(|round| round.job.as_mut()) {
            job.answer = Some(reserved.refusal.clone());
        }
        let server = self.server();
        self.send(&reserved, epoch, job_id, Some(server), out);
    }

    /// The server ends a job.
    pub(super) fn stop_job(&mut self, message: &Signed, out: &mut Vec<Output>) -> Result<(), Finding> {
        let JobOrder { code, text } = self.order_of_server(message)?;
        let job_id = message.header.job_id.clone();
        self.running.remove(&job_id);
        // An announcement that still waits for verdicts is void.
        let of_job = self.rounds.values_mut().filter(|round| round.job_id == job_id);
        for published in of_job.filter_map(|round| round.published.as_mut()) {
            if matches!(published.announced, Announced::Admission { .. }) {
                published.announced = Announced::Done;
            }
        }
        let code = cc_core::Code::parse(&code).unwrap_or(codes::FL_JOB_STOPPED);
        out.push(Output::Event(Event::Stop { job_id, finding: Finding::new(code, text) }));
        Ok(())
    }

    /// A verifier rejects a subject: the jobs that these two instances share stop at once.
    pub(super) fn refuted(
        &mut self,
        verifier: Instance<'_>,
        subject: Instance<'_>,
        finding: &Finding,
        out: &mut Vec<Output>,
    ) {
        let text = format!("{} rejects {}: {}", verifier.0, subject.0, finding.detail);
        let shared = |running: &Running| running.has(verifier) && running.has(subject);
        self.stop_where(shared, &Finding::new(finding.code.clone(), text), out);
    }

    /// A name is accepted under another key: what the earlier instance was admitted to ends (5.6).
    pub(super) fn replaced(&mut self, name: &Name, key: &Digest, out: &mut Vec<Output>) {
        let other = |running: &Running| running.admitted.get(name).is_some_and(|admitted| admitted != key);
        let text = format!("{name} is another instance than the one that was admitted");
        self.stop_where(other, &Finding::new(codes::FL_REGISTRATION_STALE_INSTANCE, text), out);
    }

    /// A newer instance of a name was accepted outside of any verdict that was counted.
    pub(crate) fn replaced_instance(&mut self, name: &Name, key: &Digest, out: &mut Vec<Output>) {
        self.replaced(name, key, out);
    }

    /// A name is no member any longer.
    pub(crate) fn evict(&mut self, name: &Name, finding: &Finding, out: &mut Vec<Output>) {
        self.stop_where(|running| running.admitted.contains_key(name), finding, out);
    }

    /// The server's own word that a job ends, for its own participant.
    pub(crate) fn end_job(&mut self, job_id: &str, finding: &Finding, out: &mut Vec<Output>) {
        if self.running.remove(job_id).is_some() {
            let (job_id, finding) = (job_id.to_owned(), finding.clone());
            out.push(Output::Event(Event::Stop { job_id, finding }));
        }
    }

    /// Stops the jobs in which an Accept of any pair is older than the lifetime of verdicts.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Output>) {
        let lifetime = self.floor.bundle.verdict_lifetime;
        let mut expired = Vec::new();
        for (job_id, running) in &self.running {
            if let Some((verifier, subject)) = running.stale(&self.ledger, now.mono, lifetime) {
                let text = format!("{verifier} accepted {subject} more than {} s ago", lifetime.as_secs());
                expired.push((job_id.clone(), Finding::new(codes::FL_VERDICT_EXPIRED, text)));
            }
        }
        for (job_id, finding) in expired {
            self.end_job(&job_id, &finding, out);
        }
        self.ledger.forget(now.mono, lifetime);
    }

    fn stop_where(&mut self, which: impl Fn(&Running) -> bool, finding: &Finding, out: &mut Vec<Output>) {
        let jobs: Vec<String> =
            self.running.iter().filter(|(_, running)| which(running)).map(|(job, _)| job.clone()).collect();
        for job_id in jobs {
            self.end_job(&job_id, finding, out);
        }
    }
}

/// Whether everybody in the announced set accepted everybody else in it, by the signed verdicts, and the job's demands
/// are met.
fn counted(me: &Name, role: Role, names: &BTreeSet<Name>, round: &Round) -> Result<(), Finding> {
    let mismatch = |text: String| Finding::new(codes::FL_VERDICT_MISMATCH, text);
    let published = round.published.as_ref().ok_or_else(|| garbage("no list"))?;
    if !names.contains(&round.server.name) {
        return Err(mismatch("the server is not among the admitted".to_owned()));
    }
    let verdict_of = |name: &Name| -> Option<&VerdictMap> {
        if name == me { published.verdict.as_ref() } else { published.verdicts.get(name).map(|(map, _)| map) }
    };
    for verifier in names {
        let verdict = verdict_of(verifier)
            .ok_or_else(|| mismatch(format!("{verifier} is announced as admitted and signed no verdict")))?;
        for subject in names.iter().filter(|subject| *subject != verifier) {
            match verdict.get(subject) {
                Some(Ok(())) => {}
                Some(Err(finding)) => {
                    let text = format!(
                        "{verifier} and {subject} are announced as admitted, but {verifier} says {}",
                        finding.code
                    );
                    return Err(mismatch(text));
                }
                None => return Err(mismatch(format!("{verifier} says nothing of {subject}"))),
            }
        }
    }
    let job = round.job.as_ref().ok_or_else(|| garbage("no job"))?;
    let is_client = |name: &&Name| match published.peers.get(*name) {
        Some(member) => member.peer.role == Role::Client,
        None => role == Role::Client,
    };
    job.parsed
        .met_by(names.iter().filter(is_client).count(), |name| names.contains(name))
        .map_err(|text| Finding::new(codes::FL_MEMBER_MISSING, text))
}
