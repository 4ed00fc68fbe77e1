//! Steps 1 and 2: a round is opened, and this participant contributes its challenge.

use std::collections::BTreeSet;
use std::sync::Arc;

use cc_core::{Finding, codes};

use crate::binding::{Leaf, Purpose};
use crate::bundle::SignedBundle;
use crate::crypto::{Digest, PublicKey, sha256};
use crate::job::{self, JobFile};
use crate::message::{Busy, Contribution, Kind, MAX_MEMBERS, Open};
use crate::name::Name;
use crate::role::Role;
use crate::signed::Signed;
use crate::token::Peer;

use super::state::{Announced, Job, Round};
use super::{EPOCH_WINDOW, Env, Event, Floor, NONCE_LIFETIME, Now, Output, Participant, garbage};

/// How many instances' runtimes are kept before those are forgotten that no round needs; twice the members of a round.
const MOST_RUNTIMES: usize = 2 * MAX_MEMBERS;

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
        self.server_key = Some(server.key.clone());
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
        let revoked = bundle.revoked_names.clone();
        let kept = signed.to_bytes();
        self.floor = Floor { signed, bundle: Arc::new(bundle), digest };
        out.push(Output::Event(Event::Adopted { version, digest, bundle: kept }));
        for name in revoked {
            let text = format!("the name {name} is revoked by bundle version {version}");
            self.evict(&name, &Finding::new(codes::FL_MEMBER_UNKNOWN, text), out);
        }
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
            registered: false,
            published: None,
            messages: Vec::new(),
        })
    }

    /// The job that a round is about: its file is the one that the id names, and it is not running here.
    fn job_of(&self, purpose: Purpose, open: &Open, job_id: &str) -> Result<Option<Job>, Finding> {
        let mismatch = |text: &str| Finding::new(codes::BIND_JOB_MISMATCH, text);
        if purpose == Purpose::KeyRelease {
            // Whoever releases must have drawn a nonce and judged itself (*verification.md* 5.8, row 17); here nobody does.
            let text = "the server asks for the release of a key, and its word is no evidence";
            return Err(Finding::new(codes::FL_KEYRELEASE_UNVERIFIED, text));
        }
        if purpose != Purpose::JobStart {
            return if job_id.is_empty() && open.job_file.is_empty() {
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
        Ok(Some(Job { file: open.job_file.to_vec(), parsed, asked: false, answer: None }))
    }

    /// The server asks again, after a reconnect: the same answers, and no second report.
    fn resend(&mut self, epoch: u64, out: &mut Vec<Output>) {
        let Some(round) = self.rounds.get(&epoch) else { return };
        let (job_id, server) = (round.job_id.clone(), round.server.name.clone());
        let contribution = Signed::from_bytes(&round.contribution, usize::MAX).map(|message| message.payload);
        let published = round.published.as_ref();
        let token = published.and_then(|published| published.token.clone());
        let verdict = published.and_then(|published| published.verdict_message.clone());
        let all = [
            (Kind::Contribution, Some(server), contribution),
            (Kind::Token, None, token),
            (Kind::Verdict, None, verdict),
        ];
        for (kind, to, payload) in all {
            let Some(payload) = payload else { continue };
            out.push(Output::Send(self.sign(kind, epoch, &job_id, to, payload)));
        }
    }

    /// How long until this machine may make another report.
    pub fn report_wait(&self, now: Now) -> std::time::Duration {
        self.reports.wait(now.mono)
    }

    /// How many reports this machine may make at once.
    pub(crate) fn reports_ready(&self, now: Now) -> u32 {
        self.reports.ready(now.mono)
    }

    /// Rounds whose nonce has died are forgotten once nobody's verdict on them can matter. Of a job that was not
    /// announced yet that is later: its gate says `fl.verdict.expired`.
    pub(super) fn forget_rounds(&mut self, now: Now) {
        let gate = self.floor.bundle.verdict_lifetime.saturating_add(NONCE_LIFETIME);
        let over = NONCE_LIFETIME.saturating_mul(2);
        self.rounds.retain(|_, round| {
            let announced = round.published.as_ref().map(|published| &published.announced);
            let waits = round.job.is_some() && !matches!(announced, Some(Announced::Done));
            let kept = if waits { gate.max(over) } else { over };
            now.mono.saturating_sub(round.drawn_at) <= kept
        });
        self.forget_keys();
    }

    /// Whoever restarts again and again uses up no memory: what was kept for instances that no round needs any longer
    /// goes when it becomes much.
    fn forget_keys(&mut self) {
        if self.received.is_crowded() || self.runtimes.len() >= MOST_RUNTIMES {
            let peers = self.rounds.values().filter_map(|round| round.published.as_ref());
            let peers = peers.flat_map(|published| published.peers.values().map(|member| &member.peer));
            let servers = self.rounds.values().map(|round| &round.server);
            let mut needed: BTreeSet<Digest> = peers.chain(servers).map(|peer| peer.key.digest()).collect();
            needed.extend(self.server_key.as_ref().map(PublicKey::digest));
            self.received.retain(|key| needed.contains(key));
            self.runtimes.retain(|key, _| needed.contains(key));
        }
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
