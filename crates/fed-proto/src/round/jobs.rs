//! Jobs: admission by own count, and its end (*verification.md* 5.5 steps 7 and 8).

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Finding, UnixTime, codes};

use crate::binding::Purpose;
use crate::crypto::Digest;
use crate::grant::{Admitted, Grant};
use crate::message::{Admission, JobOrder, JobUpdate, Reserved};
use crate::name::Name;
use crate::role::Role;
use crate::signed::Signed;

use super::state::{Announced, Published, Round, VerdictMap};
use super::{Event, Now, Output, Participant, garbage};

/// A job that was admitted here and has not ended here.
#[derive(Debug)]
pub(super) struct Running {
    /// Everybody who takes part, with the key of the admitted instance.
    admitted: BTreeMap<Name, Digest>,
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
        bytes: &[u8],
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
        round.messages.push(bytes.to_vec());
        self.try_admission(now, epoch, out);
        Ok(())
    }

    /// Starts the job if the announcement is what the signed verdicts say; waits as long as verdicts are missing.
    pub(super) fn try_admission(&mut self, now: Now, epoch: u64, out: &mut Vec<Output>) {
        let lifetime = self.floor.bundle.verdict_lifetime;
        let own_key = self.me.key.public().digest();
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
        let counted = if age > lifetime {
            let text = format!(
                "the verdicts of round {epoch} are {} s old, {} s are allowed",
                age.as_secs(),
                lifetime.as_secs()
            );
            Err(Finding::new(codes::FL_VERDICT_EXPIRED, text))
        } else {
            counted(&self.me.name, &names, round)
        };
        match counted {
            Ok(()) => {
                let start = self.start(now, epoch, &names, own_key);
                if let Some((start, running)) = start {
                    self.running.insert(job_id, running);
                    out.push(Output::Event(Event::Start(Box::new(start))));
                }
            }
            Err(finding) => {
                self.tell(&job_id, "refused", &finding.to_string(), out);
                out.push(Output::Event(Event::NotAdmitted { job_id, reason: finding.to_string() }));
            }
        }
    }

    fn start(
        &self,
        now: Now,
        epoch: u64,
        names: &BTreeSet<Name>,
        own_key: Digest,
    ) -> Option<(Start, Running)> {
        let round = self.rounds.get(&epoch)?;
        let published = round.published.as_ref()?;
        let members: Vec<Admitted> =
            names.iter().map(|name| self.admitted(name, published, own_key)).collect::<Option<_>>()?;
        let admitted = members.iter().map(|member| (member.name.clone(), member.key)).collect();
        let left = self.floor.bundle.verdict_lifetime.saturating_sub(now.mono.saturating_sub(round.drawn_at));
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
        let file = round.job.as_ref()?.file.clone();
        Some((Start { grant, signed, file }, Running { admitted }))
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
        let server = self.server();
        self.send(&reserved, epoch, job_id, Some(server), out);
    }

    /// The server ends a job.
    pub(super) fn stop_job(&mut self, message: &Signed, out: &mut Vec<Output>) -> Result<(), Finding> {
        let JobOrder { code, text } = self.from_server(message)?;
        let job_id = message.header.job_id.clone();
        self.running.remove(&job_id);
        let code = cc_core::Code::parse(&code).unwrap_or(codes::FL_JOB_STOPPED);
        out.push(Output::Event(Event::Stop { job_id, finding: Finding::new(code, text) }));
        Ok(())
    }

    /// A verifier rejects a subject: the jobs that the two share stop at once.
    pub(super) fn refuted(
        &mut self,
        verifier: &Name,
        subject: &Name,
        finding: &Finding,
        out: &mut Vec<Output>,
    ) {
        let shared = |running: &Running| {
            running.admitted.contains_key(verifier) && running.admitted.contains_key(subject)
        };
        let text = format!("{verifier} rejects {subject}: {}", finding.detail);
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
        self.stop_where_id(job_id, finding, out);
    }

    fn stop_where_id(&mut self, job_id: &str, finding: &Finding, out: &mut Vec<Output>) {
        if self.running.remove(job_id).is_some() {
            let (job_id, finding) = (job_id.to_owned(), finding.clone());
            out.push(Output::Event(Event::Stop { job_id, finding }));
        }
    }

    /// Stops the jobs in which an Accept of any pair is older than the lifetime of verdicts.
    pub(super) fn expire(&mut self, now: Now, out: &mut Vec<Output>) {
        let lifetime = self.floor.bundle.verdict_lifetime;
        let ledger = &self.ledger;
        let stale = |running: &Running| {
            let pairs = running.admitted.iter().flat_map(|v| running.admitted.iter().map(move |s| (v, s)));
            let mut pairs = pairs.filter(|(v, s)| v.0 != s.0);
            pairs
                .find(|(v, s)| ledger.age(now.mono, *v, *s).is_none_or(|age| age > lifetime))
                .map(|(v, s)| (v.0.clone(), s.0.clone()))
        };
        let expired: Vec<_> =
            self.running.iter().filter_map(|(job, running)| Some((job.clone(), stale(running)?))).collect();
        for (job_id, (verifier, subject)) in expired {
            self.running.remove(&job_id);
            let text = format!("{verifier} accepted {subject} more than {} s ago", lifetime.as_secs());
            let finding = Finding::new(codes::FL_VERDICT_EXPIRED, text);
            out.push(Output::Event(Event::Stop { job_id, finding }));
        }
        self.ledger.forget(now.mono, lifetime);
    }

    fn stop_where(&mut self, which: impl Fn(&Running) -> bool, finding: &Finding, out: &mut Vec<Output>) {
        let jobs: Vec<String> =
            self.running.iter().filter(|(_, running)| which(running)).map(|(job, _)| job.clone()).collect();
        for job_id in jobs {
            self.running.remove(&job_id);
            out.push(Output::Event(Event::Stop { job_id, finding: finding.clone() }));
        }
    }
}

/// Whether everybody in the announced set accepted everybody else in it, by the signed verdicts, and the job's demands
/// are met.
fn counted(me: &Name, names: &BTreeSet<Name>, round: &Round) -> Result<(), Finding> {
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
    let clients =
        names.iter().filter(|name| role_of(name, me, round, published) != Some(Role::Server)).count();
    job.parsed
        .met_by(clients, |name| names.contains(name))
        .map_err(|text| Finding::new(codes::FL_MEMBER_MISSING, text))
}

fn role_of(name: &Name, me: &Name, round: &Round, published: &Published) -> Option<Role> {
    if *name == round.server.name {
        return Some(Role::Server);
    }
    if name == me {
        return Some(Role::Client);
    }
    published.peers.get(name).map(|member| member.peer.role)
}
