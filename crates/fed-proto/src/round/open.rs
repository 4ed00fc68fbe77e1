//! Steps 1 and 2: a round is opened, and this participant contributes its challenge.

use std::sync::Arc;

use cc_core::{Finding, codes};

use crate::binding::{Leaf, Purpose};
use crate::bundle::SignedBundle;
use crate::crypto::sha256;
use crate::job::{self, JobFile};
use crate::message::{Busy, Contribution, MAX_MEMBERS, Open};
use crate::name::Name;
use crate::role::Role;
use crate::signed::Signed;
use crate::token::Peer;

use super::state::{Job, Round};
use super::{EPOCH_WINDOW, Env, Event, Floor, NONCE_LIFETIME, Now, Output, Participant, garbage};

/// Most rounds that are open at once; more is a storm.
const MOST_OPEN: usize = 64;

impl Participant {
    pub(super) fn open(
        &mut self,
        now: Now,
        message: &Signed,
        bytes: &[u8],
        env: &mut dyn Env,
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        let open: Open = message.read().ok_or_else(|| garbage("an Open that does not read"))?;
        let epoch = message.header.epoch;
        if message.header.sender != self.me.descriptor.server {
            return Err(garbage("an Open from somebody who is not the server"));
        }
        // A newer bundle first: the server's enrolment is judged under the bundle that the round runs under.
        self.adopt(now, &open.bundle, out)?;
        let server = self.opened_by(now, &open, message)?;
        let digest = sha256(&message.payload);
        if let Some(earlier) = self.seen.get(&epoch) {
            return if *earlier == digest {
                self.resend(epoch, out);
                Ok(())
            } else {
                self.rounds.remove(&epoch);
                Err(Finding::new(
                    codes::FL_ROOT_EQUIVOCATION,
                    format!("a second, different Open for round {epoch}"),
                ))
            };
        }
        self.in_window(epoch)?;
        self.seen.insert(epoch, digest);
        match self.join(now, epoch, &open, message, server, env) {
            Ok(mut round) => {
                round.messages = vec![bytes.to_vec(), round.contribution.clone()];
                out.push(Output::Send(round.contribution.clone()));
                self.rounds.insert(epoch, round);
            }
            Err(finding) => {
                let busy = Busy { text: finding.to_string() };
                let server = self.server();
                self.send(&busy, epoch, &message.header.job_id, Some(server), out);
                out.push(Output::Event(Event::Abstained { epoch, finding }));
            }
        }
        Ok(())
    }

    /// The server's instance, verified: enrolled under the bundle in force, and the signer of this message.
    fn opened_by(&mut self, now: Now, open: &Open, message: &Signed) -> Result<Peer, Finding> {
        let server = self.enrolled(now, &message.header.sender, Role::Server, &open.identity)?;
        message.verify(&self.federation_id, &server.key)?;
        self.received.admit(&server.key.digest(), &message.header)?;
        self.server_key = Some(server.key.clone());
        Ok(server)
    }

    /// Takes the bundle of an Open for the one in force: the same, or a newer one of the owner (*verification.md* 0.13).
    ///
    /// The owner's signature suffices: whoever brings the owner's newest word does no harm with it.
    pub(crate) fn adopt(&mut self, now: Now, bytes: &[u8], out: &mut Vec<Output>) -> Result<(), Finding> {
        let signed = SignedBundle::from_bytes(bytes).ok_or_else(|| {
            Finding::new(codes::POL_SIGNATURE_INVALID, "the bundle of an Open does not read")
        })?;
        let digest = signed.digest();
        if digest == self.floor.digest {
            // The one in force may have run out meanwhile.
            return self.floor.signed.open(&self.me.descriptor, None, now.wall).map(drop);
        }
        let bundle = signed.open(&self.me.descriptor, Some(self.floor.bundle.version), now.wall)?;
        if bundle.version == self.floor.bundle.version {
            let text = format!("a second bundle of version {}", bundle.version);
            return Err(Finding::new(codes::POL_ROLLBACK, text));
        }
        let version = bundle.version;
        let kept = signed.to_bytes();
        self.floor = Floor { signed, bundle: Arc::new(bundle), digest };
        self.enrolled.clear();
        out.push(Output::Event(Event::Adopted { version, digest, bundle: kept }));
        Ok(())
    }

    fn in_window(&mut self, epoch: u64) -> Result<(), Finding> {
        let highest = self.seen.keys().next_back().copied().unwrap_or(0).max(epoch);
        let lowest = highest.saturating_sub(EPOCH_WINDOW);
        if epoch < lowest {
            let text = format!("round {epoch} lies more than {EPOCH_WINDOW} below {highest}");
            return Err(Finding::new(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN, text));
        }
        self.seen = self.seen.split_off(&lowest);
        if self.seen.len() >= MAX_MEMBERS {
            return Err(garbage("too many rounds within the window"));
        }
        Ok(())
    }

    fn join(
        &mut self,
        now: Now,
        epoch: u64,
        open: &Open,
        message: &Signed,
        server: Peer,
        env: &mut dyn Env,
    ) -> Result<Round, Finding> {
        let purpose =
            Purpose::from_number(open.purpose).ok_or_else(|| garbage("a round of unknown purpose"))?;
        let proposed = members(open)?;
        for name in [&self.me.name, &server.name] {
            if !proposed.contains(name) {
                let text = format!("{name} is not among the proposed members");
                return Err(Finding::new(codes::FL_MEMBER_MISSING, text));
            }
        }
        let job_id = &message.header.job_id;
        let job = self.job_of(purpose, open, job_id)?;
        if self.rounds.len() >= MOST_OPEN {
            return Err(garbage("too many rounds at once"));
        }
        self.reports.take(now.mono).map_err(|wait| {
            Finding::new(codes::FL_MEMBER_BUSY, format!("no report for another {:.1} s", wait.as_secs_f64()))
        })?;
        let leaf = Leaf {
            federation_id: self.federation_id,
            epoch,
            name: self.me.name.clone(),
            role: self.me.role,
            nonce: env.nonce(),
            key: self.me.key.public().digest(),
        }
        .bytes();
        let contribution = Contribution {
            identity: self.me.identity.clone(),
            signature: self.me.key.sign(&leaf).0.to_vec().into(),
            leaf: leaf.clone().into(),
        };
        let mut sent = Vec::new();
        let contribution = self.send(&contribution, epoch, job_id, Some(server.name.clone()), &mut sent);
        Ok(Round {
            purpose,
            job_id: job_id.clone(),
            job,
            policy_digest: self.floor.digest,
            bundle: Arc::clone(&self.floor.bundle),
            server,
            proposed,
            drawn_at: now.mono,
            leaf,
            contribution,
            published: None,
            messages: Vec::new(),
        })
    }

    /// The job that a round is about: its file is the one that the id names, and it is not running here.
    fn job_of(&self, purpose: Purpose, open: &Open, job_id: &str) -> Result<Option<Job>, Finding> {
        let mismatch = |text: &str| Finding::new(codes::BIND_JOB_MISMATCH, text);
        if purpose != Purpose::JobStart {
            return if job_id.is_empty() && open.job_file.is_empty() && purpose != Purpose::KeyRelease {
                Ok(None)
            } else {
                Err(mismatch("a round of this purpose has no job"))
            };
        }
        let nonce: [u8; 16] = open
            .job_nonce
            .as_slice()
            .try_into()
            .map_err(|_| mismatch("the submission's nonce is not 16 bytes"))?;
        if job::job_id(&self.federation_id, &nonce, &open.job_file).as_str() != job_id {
            return Err(mismatch("the job id is not that of the job file"));
        }
        if self.running.contains_key(job_id) {
            return Err(mismatch("the job runs here already"));
        }
        let text = std::str::from_utf8(&open.job_file).map_err(|_| mismatch("the job file is not text"))?;
        let parsed = JobFile::parse(text).map_err(|error| mismatch(&error.to_string()))?;
        Ok(Some(Job { file: open.job_file.to_vec(), parsed }))
    }

    /// The server asks again, after a reconnect: the same answers, and no second report.
    fn resend(&mut self, epoch: u64, out: &mut Vec<Output>) {
        let Some(round) = self.rounds.get(&epoch) else { return };
        let (job_id, server) = (round.job_id.clone(), round.server.name.clone());
        let contribution = Signed::from_bytes(&round.contribution, usize::MAX).map(|message| message.payload);
        let token = round.published.as_ref().and_then(|published| published.token.clone());
        if let Some(payload) = contribution {
            let bytes = self.sign(crate::message::Kind::Contribution, epoch, &job_id, Some(server), payload);
            out.push(Output::Send(bytes));
        }
        if let Some(payload) = token {
            let bytes = self.sign(crate::message::Kind::Token, epoch, &job_id, None, payload);
            out.push(Output::Send(bytes));
        }
    }

    /// How long until this machine may make another report.
    pub fn report_wait(&self, now: Now) -> std::time::Duration {
        self.reports.wait(now.mono)
    }

    /// Rounds whose nonce has died are forgotten once nobody's verdict on them can matter.
    pub(super) fn forget_rounds(&mut self, now: Now) {
        let kept = NONCE_LIFETIME
            .saturating_mul(2)
            .max(self.floor.bundle.verdict_lifetime.saturating_add(NONCE_LIFETIME));
        self.rounds.retain(|_, round| now.mono.saturating_sub(round.drawn_at) <= kept);
    }
}

/// The proposed members, strictly ascending.
fn members(open: &Open) -> Result<Vec<Name>, Finding> {
    let malformed = |text: &str| Finding::new(codes::FL_ROOT_MALFORMED, text);
    if open.members.len() > MAX_MEMBERS {
        return Err(malformed("more members than a round can have"));
    }
    let names: Result<Vec<Name>, _> = open.members.iter().map(|name| Name::new(name)).collect();
    let names = names.map_err(|_| malformed("a proposed member has no name"))?;
    if names.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return Err(malformed("the proposed members are not in ascending order"));
    }
    Ok(names)
}
