//! A participant: takes part in rounds, judges its peers, and counts the verdicts (*verification.md* 5.5).
//!
//! A state machine without I/O, clock or randomness. A shell hands it the messages that arrive ([`Participant::receive`]),
//! the evidence that it asked for ([`Participant::collected`]), what verification said about a peer's evidence
//! ([`Participant::judged`]) and the passing of time ([`Participant::tick`]); each call appends to a list of [`Output`]s
//! that the shell carries out in order. The server's own participant is the same code.
//!
//! One round: `open` → contribution → `publish` → [`Output::Collect`] → token → peers' tokens, each an [`Output::Judge`] →
//! verdict → peers' verdicts, counted in [`ledger`] → `jobs`: admission, by own count.

mod bucket;
mod jobs;
mod ledger;
mod open;
mod publish;
mod state;
mod tokens;
mod verdicts;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Finding, Profile, UnixTime, codes};

use crate::binding::{Purpose, pop};
use crate::bundle::{Bundle, SignedBundle};
use crate::crypto::{AttKey, Digest, PublicKey, sha512};
use crate::descriptor::Descriptor;
use crate::enrol;
use crate::envelope::Envelope;
use crate::message::{
    Challenge, ChannelProof, Hello, Identity, Kind, MAX_DOWNWARD, Notice, Payload, Reserve,
};
use crate::name::Name;
use crate::role::Role;
use crate::signed::{Header, Sequences, Signed};
use crate::sybil::Identifiers;
use crate::token::Peer;
use crate::verdict::SignedVerdict;

use bucket::Bucket;
use ledger::Ledger;
use state::Round;

pub use jobs::Start;
pub use state::VerdictMap;
pub(crate) use verdicts::is_refutation;

/// A verifier's nonce, and with it every token of its round, dies after this time (*verification.md* 5.5 step 8).
pub const NONCE_LIFETIME: Duration = Duration::from_secs(180);
/// Epochs that lie this far below the highest one are refused unseen (5.5 step 1).
const EPOCH_WINDOW: u64 = 600_000;

/// The two clocks of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time since any fixed point, suspended time included. Ages and deadlines are counted on it.
    pub mono: Duration,
    /// The time of day, for certificates and bundles.
    pub wall: UnixTime,
}

/// What a state machine cannot make itself.
pub trait Env {
    /// 32 bytes of a cryptographic random source, new on every call.
    fn nonce(&mut self) -> [u8; 32];

    /// What this participant's connection to the server exports for a context; nothing where there is none.
    fn exporter(&mut self, context: &[u8; 32]) -> Option<[u8; 32]>;
}

/// Who this participant is.
#[derive(Debug)]
pub struct Me {
    /// The federation, from this participant's own kit.
    pub descriptor: Descriptor,
    /// Its name.
    pub name: Name,
    /// Its role.
    pub role: Role,
    /// The profile of its evidence.
    pub profile: Profile,
    /// Its attestation key, made in this process.
    pub key: AttKey,
    /// The public half with the enrolment that authorises it.
    pub identity: Identity,
    /// What it runs (tag 15).
    pub runtime: Option<Digest>,
    /// Digest of its own policy.
    pub policy: Digest,
}

/// Evidence as collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Raw evidence.
    pub evidence: Vec<u8>,
    /// What comes with it.
    pub aux: Vec<Vec<u8>>,
    /// Hints for the verifiers.
    pub endorsements: Vec<Vec<u8>>,
}

/// A peer's evidence to verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgeOrder {
    /// The round.
    pub epoch: u64,
    /// Whose evidence it is.
    pub peer: Name,
    /// In which role.
    pub role: Role,
    /// The envelope; its transcript and proof were checked.
    pub envelope: Envelope,
    /// What the evidence must be bound to.
    pub binding: Binding,
    /// Digest of the bundle under which the round runs.
    pub policy_digest: Digest,
    /// That bundle.
    pub bundle: Arc<Bundle>,
}

/// What the shell has to do.
#[derive(Debug)]
pub enum Output {
    /// Send a message to the coordinator.
    Send(Vec<u8>),
    /// Make one hardware report over `binding`, then call [`Participant::collected`].
    Collect {
        /// The round.
        epoch: u64,
        /// The 64 bytes to bind.
        binding: Binding,
    },
    /// Verify a peer's evidence and appraise it by the owner's floor and the own policy, then call
    /// [`Participant::judged`].
    Judge(Box<JudgeOrder>),
    /// Something happened that is worth recording.
    Event(Event),
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A newer bundle of the owner is in force.
    Adopted {
        /// Its version.
        version: u64,
        /// Digest of its signed bytes.
        digest: Digest,
        /// The bundle, for keeping.
        bundle: Vec<u8>,
    },
    /// A message was refused; it is charged to the connection that brought it.
    Refused(Finding),
    /// This participant took no part in a round, or left it.
    Abstained {
        /// The round.
        epoch: u64,
        /// Why.
        finding: Finding,
    },
    /// One peer of a round was judged.
    Judged {
        /// The round.
        epoch: u64,
        /// What for.
        purpose: Purpose,
        /// Who.
        peer: Name,
        /// How.
        result: Result<(), Finding>,
    },
    /// A verdict was counted: the own one, or a signed one of a peer whose tokens were all seen here.
    Verdict {
        /// The round.
        epoch: u64,
        /// What for.
        purpose: Purpose,
        /// The job, or empty.
        job_id: String,
        /// Whose verdict it is.
        verifier: Name,
        /// Digest of the policy by which it judged.
        policy: Digest,
        /// What it says of every other member.
        verdict: VerdictMap,
        /// It, as signed.
        signed: SignedVerdict,
    },
    /// A round is over for this participant: its verdict is out.
    Concluded(Box<Concluded>),
    /// The server admitted this instance to the roster.
    Registered,
    /// The server knows this instance, and accepted the proof for this connection.
    Welcome,
    /// The server refused this participant.
    TurnedAway(Finding),
    /// The server asks to set resources aside for a job; answer with [`Participant::reserved`].
    Reserve {
        /// The round.
        epoch: u64,
        /// The job.
        job_id: String,
        /// The job file.
        file: Vec<u8>,
    },
    /// The job starts here.
    Start(Box<Start>),
    /// The job does not start here, and a reservation is to be given back.
    NotAdmitted {
        /// The job.
        job_id: String,
        /// Why.
        reason: String,
    },
    /// The job must stop here at once.
    Stop {
        /// The job.
        job_id: String,
        /// Why.
        finding: Finding,
    },
}

/// A verdict with what led to it.
#[derive(Clone, Debug)]
pub struct Concluded {
    /// The round.
    pub epoch: u64,
    /// What for.
    pub purpose: Purpose,
    /// The job, or empty.
    pub job_id: String,
    /// The root.
    pub root: Digest,
    /// The members that were accepted.
    pub accepted: Vec<Name>,
    /// The others, each with the reason.
    pub refused: Vec<(Name, Finding)>,
    /// The bytes of every message of the round so far, in the order of arrival, own ones included.
    pub messages: Vec<Vec<u8>>,
}

/// The owner's bundle in force.
#[derive(Debug)]
struct Floor {
    signed: SignedBundle,
    bundle: Arc<Bundle>,
    digest: Digest,
}

/// The state machine.
#[derive(Debug)]
pub struct Participant {
    me: Me,
    floor: Floor,
    federation_id: Digest,
    rounds: BTreeMap<u64, Round>,
    /// Every epoch of the window that was opened here, with the digest of its Open.
    seen: BTreeMap<u64, Digest>,
    reports: Bucket,
    sent: BTreeMap<Option<Name>, u64>,
    received: Sequences,
    /// What each instance said that it runs.
    runtimes: BTreeMap<Digest, Option<Digest>>,
    ledger: Ledger,
    running: BTreeMap<String, jobs::Running>,
    /// The transcript that the server accepted last.
    shown: Option<Vec<u8>>,
    /// The key of the server's instance that opened the latest round.
    server_key: Option<PublicKey>,
    /// Identities whose enrolment was verified under the bundle in force.
    enrolled: BTreeMap<Digest, (Name, Role)>,
}

impl Participant {
    /// A participant under a bundle, which must be the owner's and in force; `pol.signature.invalid`, `pol.rollback`.
    pub fn new(me: Me, bundle: SignedBundle, lowest_version: Option<u64>, now: Now) -> Result<Self, Finding> {
        let opened = bundle.open(&me.descriptor, lowest_version, now.wall)?;
        let floor = Floor { digest: bundle.digest(), signed: bundle, bundle: Arc::new(opened) };
        let federation_id = me.descriptor.federation_id();
        Ok(Self {
            me,
            floor,
            federation_id,
            rounds: BTreeMap::new(),
            seen: BTreeMap::new(),
            reports: Bucket::new(now.mono),
            sent: BTreeMap::new(),
            received: Sequences::default(),
            runtimes: BTreeMap::new(),
            ledger: Ledger::default(),
            running: BTreeMap::new(),
            shown: None,
            server_key: None,
            enrolled: BTreeMap::new(),
        })
    }

    /// Who this is.
    pub const fn me(&self) -> &Me {
        &self.me
    }

    /// The owner's bundle in force.
    pub fn bundle(&self) -> &Bundle {
        &self.floor.bundle
    }

    /// It, as signed.
    pub const fn signed_bundle(&self) -> &SignedBundle {
        &self.floor.signed
    }

    /// The federation.
    pub(crate) const fn federation_id(&self) -> &Digest {
        &self.federation_id
    }

    /// The transcript of a member's token in a round, or the own one.
    pub(crate) fn transcript_of(&self, epoch: u64, name: &Name) -> Option<Vec<u8>> {
        let published = self.rounds.get(&epoch)?.published.as_ref()?;
        if *name == self.me.name {
            return Some(published.transcript.clone());
        }
        published.peers.get(name)?.transcript.clone()
    }

    /// The Accepts in force, as counted here: verifier, subject, age.
    pub fn accepts(&self, now: Now) -> impl Iterator<Item = (&Name, &Name, Duration)> {
        self.ledger.entries(now.mono)
    }

    /// A connection to the server stands: who I am, and, if the server knows this instance, the proof that it is the one
    /// on this connection.
    pub fn connected(&mut self, env: &mut dyn Env, out: &mut Vec<Output>) {
        let hello = Hello { identity: self.me.identity.clone() };
        self.send(&hello, 0, "", Some(self.server()), out);
        self.prove_channel(env, out);
    }

    /// *verification.md* 5.4 (a).
    fn prove_channel(&mut self, env: &mut dyn Env, out: &mut Vec<Output>) {
        let Some(transcript) = self.shown.clone() else { return };
        let Some(exporter) = env.exporter(&crate::crypto::sha256(&transcript).0) else { return };
        let report_data = Binding::new(sha512(&transcript));
        let pop = pop::sign_channel(&self.me.key, &report_data, &exporter);
        let proof = ChannelProof {
            transcript: transcript.into(),
            exporter: exporter.to_vec().into(),
            pop: pop.0.to_vec().into(),
        };
        self.send(&proof, 0, "", Some(self.server()), out);
    }

    /// A message arrived from the server. Whatever is wrong with it is an [`Event::Refused`] and changes nothing.
    pub fn receive(&mut self, now: Now, bytes: &[u8], env: &mut dyn Env, out: &mut Vec<Output>) {
        if let Err(finding) = self.dispatch(now, bytes, env, out) {
            out.push(Output::Event(Event::Refused(finding)));
        }
    }

    fn dispatch(
        &mut self,
        now: Now,
        bytes: &[u8],
        env: &mut dyn Env,
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        let message = Signed::from_bytes(bytes, MAX_DOWNWARD).ok_or_else(|| garbage("not a message"))?;
        if message.header.recipient.as_ref().is_some_and(|name| *name != self.me.name) {
            return Err(garbage("a message for somebody else"));
        }
        match Kind::from_number(message.header.kind) {
            Some(Kind::Open) => self.open(now, &message, bytes, env, out),
            Some(Kind::Publish) => self.publish(now, &message, bytes, out),
            Some(Kind::Token) => self.token(now, &message, bytes, out),
            Some(Kind::Closed) => self.closed(now, &message, bytes, out),
            Some(Kind::Verdict) => self.verdict(now, &message, bytes, out),
            Some(Kind::Admission) => self.admission(now, &message, bytes, out),
            Some(Kind::Reserve) => self.reserve(&message, out),
            Some(Kind::StopJob) => self.stop_job(&message, out),
            Some(Kind::Challenge) => self.challenge(&message, out),
            Some(Kind::Notice) => self.notice(&message, env, out),
            _ => Err(garbage("a message of a kind that participants do not receive")),
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.deadlines(now, out);
        self.expire(now, out);
    }

    fn server(&self) -> Name {
        self.me.descriptor.server.clone()
    }

    /// Signs and sends.
    fn send<P: Payload>(
        &mut self,
        payload: &P,
        epoch: u64,
        job_id: &str,
        to: Option<Name>,
        out: &mut Vec<Output>,
    ) -> Vec<u8> {
        let bytes = self.sign(P::KIND, epoch, job_id, to, payload.to_bytes());
        out.push(Output::Send(bytes.clone()));
        bytes
    }

    /// Signs a message of this instance; the coordinator of the same process signs with the same counters.
    pub(crate) fn sign(
        &mut self,
        kind: Kind,
        epoch: u64,
        job_id: &str,
        to: Option<Name>,
        payload: Vec<u8>,
    ) -> Vec<u8> {
        let next = self.sent.entry(to.clone()).or_insert(0);
        *next = next.saturating_add(1);
        let header = Header {
            epoch,
            job_id: job_id.to_owned(),
            sender: self.me.name.clone(),
            recipient: to,
            kind: kind.number(),
            sequence: *next,
        };
        Signed::new(&self.federation_id, header, payload, &self.me.key).to_bytes()
    }

    /// Verifies that an identity is enrolled as `name` in `role` (5.1), once under each bundle.
    pub(crate) fn enrolled(
        &mut self,
        now: Now,
        name: &Name,
        role: Role,
        identity: &Identity,
    ) -> Result<Peer, Finding> {
        let unknown = |text: &str| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{name}: {text}"));
        let key = identity.key().ok_or_else(|| unknown("its attestation key is no key"))?;
        let instance_id = identity.instance().ok_or_else(|| unknown("its instance id is not 16 bytes"))?;
        let kem = identity.kem_digest().map_err(|()| unknown("its key-encapsulation key is not 32 bytes"))?;
        let peer = Peer { name: name.clone(), role, key, instance_id, kem };
        let known = crate::crypto::sha256(&minicbor::to_vec(identity).unwrap_or_default());
        if self.enrolled.get(&known) == Some(&(name.clone(), role)) {
            return Ok(peer);
        }
        let claim = enrol::Claim { name: name.clone(), role, instance_id, key: peer.key.digest(), kem };
        let enrolment = enrol::Enrolment {
            chain: identity.chain.iter().map(|certificate| certificate.to_vec()).collect(),
            signature: identity.enrolment.to_vec(),
        };
        enrol::verify(&self.me.descriptor, &self.floor.bundle, &claim, &enrolment, now.wall)?;
        if self.enrolled.len() >= crate::message::MAX_MEMBERS.saturating_mul(2) {
            self.enrolled.clear();
        }
        self.enrolled.insert(known, (name.clone(), role));
        Ok(peer)
    }

    /// A message from the server outside of any round: it must be signed by the instance of the last round.
    fn from_server<P: Payload>(&mut self, message: &Signed) -> Result<P, Finding> {
        if message.header.sender != self.me.descriptor.server {
            return Err(garbage("an order from somebody who is not the server"));
        }
        let key = self
            .server_key
            .clone()
            .ok_or_else(|| garbage("an order from a server that opened no round yet"))?;
        message.verify(&self.federation_id, &key)?;
        self.received.admit(&key.digest(), &message.header)?;
        message.read().ok_or_else(|| garbage("an order that does not read"))
    }

    fn challenge(&mut self, message: &Signed, out: &mut Vec<Output>) -> Result<(), Finding> {
        let challenge: Challenge = self.from_server(message)?;
        let server = self.server();
        let payload = challenge.to_bytes();
        let bytes = self.sign(Kind::Alive, 0, "", Some(server), payload);
        out.push(Output::Send(bytes));
        Ok(())
    }

    /// A notice may come before any round, from a server that cannot be verified yet: a refusal is believed, since who
    /// carries the connection can end it anyway, an admission is not.
    fn notice(&mut self, message: &Signed, env: &mut dyn Env, out: &mut Vec<Output>) -> Result<(), Finding> {
        let unverified: Notice = message.read().ok_or_else(|| garbage("a notice that does not read"))?;
        match cc_core::Code::parse(&unverified.code) {
            Ok(code) => {
                out.push(Output::Event(Event::TurnedAway(Finding::new(code, unverified.text))));
                Ok(())
            }
            Err(_) => match self.from_server::<Notice>(message)?.code.as_str() {
                "registered" => {
                    let shown = self.rounds.values().rev().find(|round| round.purpose == Purpose::Register);
                    let shown = shown.and_then(|round| round.published.as_ref());
                    self.shown = shown.map(|published| published.transcript.clone()).or(self.shown.take());
                    self.prove_channel(env, out);
                    out.push(Output::Event(Event::Registered));
                    Ok(())
                }
                // The instance is known; the proof for this connection was accepted.
                "welcome" => {
                    out.push(Output::Event(Event::Welcome));
                    Ok(())
                }
                _ => Err(garbage("a notice with an unknown word")),
            },
        }
    }

    fn reserve(&mut self, message: &Signed, out: &mut Vec<Output>) -> Result<(), Finding> {
        let Reserve { epoch } = self.from_server(message)?;
        let round = self.rounds.get(&epoch).ok_or_else(|| garbage("a reservation for an unknown round"))?;
        let job = round.job.as_ref().ok_or_else(|| garbage("a reservation for a round without job"))?;
        let (job_id, file) = (round.job_id.clone(), job.file.clone());
        out.push(Output::Event(Event::Reserve { epoch, job_id, file }));
        Ok(())
    }
}

/// Bytes that no honest server sends.
fn garbage(text: &str) -> Finding {
    Finding::new(codes::FL_PEER_QUARANTINED, text)
}

/// What verification and appraisal found.
pub type Appraised = Result<Identifiers, Finding>;
