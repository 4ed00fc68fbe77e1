//! A participant: takes part in rounds, judges its peers, and counts the verdicts (*verification.md* 5.5).
//!
//! A state machine without I/O, clock or randomness. A shell hands it the messages that arrive ([`Participant::receive`]),
//! the evidence that it asked for ([`Participant::collected`]), what verification said about a peer's evidence
//! ([`Participant::judged`]) and the passing of time ([`Participant::tick`]); each call appends to a list of [`Output`]s
//! that the shell carries out in order. The server's own participant is the same code.
//!
//! One round: `open` → contribution → `publish` → [`Output::Collect`] → token → peers' tokens, each an [`Output::Judge`] →
//! verdict → peers' verdicts, counted in `ledger` → `jobs`: admission, by own count.

mod bucket;
mod jobs;
mod ledger;
mod open;
mod output;
mod publish;
mod session;
mod state;
mod tokens;
mod verdicts;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Finding, Profile, UnixTime, codes};

use crate::bundle::{Bundle, SignedBundle};
use crate::crypto::{AttKey, Digest, PublicKey};
use crate::descriptor::Descriptor;
use crate::enrol;
use crate::message::{Identity, Kind, MAX_DOWNWARD, Payload};
use crate::name::Name;
use crate::role::Role;
use crate::signed::{Header, Sequences, Signed};
use crate::sybil::Identifiers;
use crate::token::Peer;

use bucket::Bucket;
use ledger::Ledger;
use state::Round;

pub use jobs::Start;
pub use output::{Concluded, Event, Evidence, JudgeOrder, Output, ReportOrder};
pub use state::VerdictMap;
pub use verdicts::is_refutation;

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

/// The owner's bundle in force.
#[derive(Debug)]
struct Floor {
    signed: SignedBundle,
    bundle: Arc<Bundle>,
    digest: Digest,
}

/// A bundle that counts, with its digest.
pub(crate) type Under = (Arc<Bundle>, Digest);

/// The state machine.
#[derive(Debug)]
pub struct Participant {
    me: Me,
    floor: Floor,
    federation_id: Digest,
    rounds: BTreeMap<u64, Round>,
    /// Every epoch of the window that was opened here, with the digest of its Open.
    seen: BTreeMap<u64, Digest>,
    /// Rounds may be joined at this pace.
    reports: Bucket,
    /// Reports are made at the same pace, whenever the roots come.
    made: Bucket,
    /// Rounds whose report is due.
    due: VecDeque<u64>,
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
    /// Identities whose enrolment was verified under a bundle, and when: certificates end.
    enrolled: BTreeMap<(Digest, Digest), (Name, Role, Duration)>,
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
            made: Bucket::new(now.mono),
            due: VecDeque::new(),
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
        published.peers.get(name)?.transcript.as_ref().map(|(bytes, _)| bytes.clone())
    }

    /// The key of a member of a round.
    pub(crate) fn member_key(&self, epoch: u64, name: &Name) -> Option<Digest> {
        let published = self.rounds.get(&epoch)?.published.as_ref()?;
        Some(published.peers.get(name)?.peer.key.digest())
    }

    /// The Accepts in force, as counted here: verifier, subject, age.
    pub fn accepts(&self, now: Now) -> impl Iterator<Item = (&Name, &Name, Duration)> {
        self.ledger.entries(now.mono)
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
            Some(Kind::Admission) => self.admission(now, &message, out),
            Some(Kind::Reserve) => self.reserve(&message, out),
            Some(Kind::StopJob) => self.stop_job(&message, out),
            Some(Kind::Challenge) => self.challenge(&message, out),
            Some(Kind::Notice) => self.notice(&message, env, out),
            _ => Err(garbage("a message of a kind that participants do not receive")),
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.make_reports(now, out);
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

    /// The bundle under which a round runs, with its digest; of a round that is not known, the one in force.
    pub(crate) fn bundle_of(&self, epoch: u64) -> Under {
        let round = self.rounds.get(&epoch);
        round.map_or_else(|| (Arc::clone(&self.floor.bundle), self.floor.digest), Round::under)
    }

    /// Verifies that an identity is enrolled under the bundle in force.
    pub(crate) fn enrolled(
        &mut self,
        now: Now,
        name: &Name,
        role: Role,
        identity: &Identity,
    ) -> Result<Peer, Finding> {
        let under = (Arc::clone(&self.floor.bundle), self.floor.digest);
        self.enrolled_under(now, &under, name, role, identity)
    }

    /// Verifies that an identity is enrolled as `name` in `role` (5.1): under each bundle, and again after the lifetime of
    /// a verdict. In a round the round's own bundle counts, whatever was adopted meanwhile (0.13).
    pub(crate) fn enrolled_under(
        &mut self,
        now: Now,
        (bundle, digest): &Under,
        name: &Name,
        role: Role,
        identity: &Identity,
    ) -> Result<Peer, Finding> {
        let unknown = |text: &str| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{name}: {text}"));
        let key = identity.key().ok_or_else(|| unknown("its attestation key is no key"))?;
        let instance_id = identity.instance().ok_or_else(|| unknown("its instance id is not 16 bytes"))?;
        let kem = identity.kem_digest().map_err(|_| unknown("its key-encapsulation key is not 32 bytes"))?;
        let peer = Peer { name: name.clone(), role, key, instance_id, kem };
        let known = (*digest, crate::crypto::sha256(&minicbor::to_vec(identity).unwrap_or_default()));
        if let Some((known_name, known_role, at)) = self.enrolled.get(&known)
            && (known_name, *known_role) == (name, role)
            && now.mono.saturating_sub(*at) <= bundle.verdict_lifetime
        {
            return Ok(peer);
        }
        let claim = enrol::Claim { name: name.clone(), role, instance_id, key: peer.key.digest(), kem };
        let enrolment = enrol::Enrolment {
            chain: identity.chain.iter().map(|certificate| certificate.to_vec()).collect(),
            signature: identity.enrolment.to_vec(),
        };
        enrol::verify(&self.me.descriptor, bundle, &claim, &enrolment, now.wall)?;
        if self.enrolled.len() >= crate::message::MAX_MEMBERS.saturating_mul(2) {
            self.enrolled.clear();
        }
        self.enrolled.insert(known, (name.clone(), role, now.mono));
        Ok(peer)
    }
}

/// Bytes that no honest server sends.
fn garbage(text: &str) -> Finding {
    Finding::new(codes::FL_PEER_QUARANTINED, text)
}

/// What verification and appraisal found.
pub type Appraised = Result<Identifiers, Finding>;

#[cfg(test)]
mod tests;
