//! A coordinator that holds the server's key, and peers that hold theirs, against one honest participant: whatever an
//! honest coordinator or site would never send can be sent here.

use std::collections::BTreeMap;
use std::time::Duration;

use cc_core::{Binding, Code, Finding, Profile, UnixTime};
use cc_testkit::federation::{Owner, Random, WALL, name, site};
use fed_proto::binding::{Leaf, Member, Purpose, leaf_hash, members_digest, pop, root};
use fed_proto::crypto::{AttKey, Digest, sha256, sha512};
use fed_proto::envelope::Envelope;
use fed_proto::job::job_id;
use fed_proto::message::{
    Admission, Bytes, Contribution, Identity, Kind, Open, Payload, Publish, VerdictMessage,
};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Env, Event, Evidence, JudgeOrder, Me, Now, Output, Participant, ReportOrder, Start};
use fed_proto::signed::{Header, Signed};
use fed_proto::sybil::Identifiers;
use fed_proto::token::{Peer, RoundTerms};
use fed_proto::verdict::{Verdict, accepted_digest};

/// A participant whose key the test holds.
pub(crate) struct Actor {
    pub(crate) name: Name,
    pub(crate) role: Role,
    pub(crate) key: AttKey,
    pub(crate) identity: Identity,
    federation_id: Digest,
    sequences: BTreeMap<Option<Name>, u64>,
}

impl Actor {
    pub(crate) fn new(owner: &Owner, name: &Name, role: Role, seed: u8) -> Self {
        let key = AttKey::from_seed(&[seed; 32]).unwrap();
        let federation_id = owner.descriptor.federation_id();
        let identity = owner.enrol(name, role).identity(&federation_id, &key, [seed; 16]);
        Self { name: name.clone(), role, key, identity, federation_id, sequences: BTreeMap::new() }
    }

    /// Signs a message, whatever it says.
    pub(crate) fn sends(
        &mut self,
        kind: Kind,
        payload: Vec<u8>,
        round: (u64, &str),
        to: Option<&Name>,
    ) -> Vec<u8> {
        let sequence = self.sequences.entry(to.cloned()).or_default();
        *sequence += 1;
        let header = Header {
            epoch: round.0,
            job_id: round.1.to_owned(),
            sender: self.name.clone(),
            recipient: to.cloned(),
            kind: kind.number(),
            sequence: *sequence,
        };
        Signed::new(&self.federation_id, header, payload, &self.key).to_bytes()
    }

    pub(crate) fn leaf(&self, epoch: u64) -> Leaf {
        let nonce = sha256(&[self.identity.spki.as_slice(), &epoch.to_be_bytes()].concat()).0;
        Leaf {
            federation_id: self.federation_id,
            epoch,
            name: self.name.clone(),
            role: self.role,
            nonce,
            key: self.key.public().digest(),
        }
    }

    pub(crate) fn contributes(&self, leaf: &Leaf) -> Contribution {
        let leaf = leaf.bytes();
        Contribution {
            identity: self.identity.clone(),
            signature: self.key.sign(&leaf).0.to_vec().into(),
            leaf: leaf.into(),
        }
    }

    pub(crate) fn peer(&self) -> Peer {
        Peer {
            name: self.name.clone(),
            role: self.role,
            key: self.key.public(),
            instance_id: self.identity.instance().unwrap(),
            kem: None,
        }
    }

    /// The envelope that it has to show in a round.
    pub(crate) fn envelope(&self, terms: &RoundTerms) -> Envelope {
        self.envelope_over(terms.transcript(&self.peer(), Profile::snp_raw_1(), None, None).bytes(), terms)
    }

    /// An envelope over any transcript.
    pub(crate) fn envelope_over(&self, transcript: Vec<u8>, terms: &RoundTerms) -> Envelope {
        let report_data = Binding::new(sha512(&transcript));
        Envelope {
            profile: Profile::snp_raw_1(),
            evidence: b"evidence".to_vec(),
            aux: Vec::new(),
            devices: Vec::new(),
            endorsements: Vec::new(),
            root: terms.root,
            leaf_count: terms.leaf_count,
            pop: pop::sign_token(&self.key, &report_data),
            transcript,
        }
    }
}

/// What the participant did.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) sent: Vec<Signed>,
    pub(crate) collects: Vec<(u64, ReportOrder)>,
    pub(crate) judges: Vec<JudgeOrder>,
    pub(crate) events: Vec<Event>,
}

impl Seen {
    /// The code for which a message was refused, if one was.
    pub(crate) fn refused(&self) -> Option<Code> {
        self.events.iter().find_map(|event| match event {
            Event::Refused(finding) => Some(finding.code.clone()),
            _ => None,
        })
    }

    /// The code for which it left a round.
    pub(crate) fn abstained(&self) -> Option<Code> {
        self.events.iter().find_map(|event| match event {
            Event::Abstained { finding, .. } => Some(finding.code.clone()),
            _ => None,
        })
    }

    /// How a peer was judged.
    pub(crate) fn judged(&self, who: &Name) -> Option<Result<(), Code>> {
        self.events.iter().find_map(|event| match event {
            Event::Judged { peer, result, .. } if peer == who => {
                Some(result.clone().map_err(|finding| finding.code))
            }
            _ => None,
        })
    }

    pub(crate) fn started(&self) -> Option<&Start> {
        self.events.iter().find_map(|event| match event {
            Event::Start(start) => Some(&**start),
            _ => None,
        })
    }

    pub(crate) fn not_admitted(&self) -> Option<&str> {
        self.events.iter().find_map(|event| match event {
            Event::NotAdmitted { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
    }

    /// Jobs that it stopped, with the codes.
    pub(crate) fn stopped(&self) -> Vec<(String, Code)> {
        let stop = |event: &Event| match event {
            Event::Stop { job_id, finding } => Some((job_id.clone(), finding.code.clone())),
            _ => None,
        };
        self.events.iter().filter_map(stop).collect()
    }

    /// The first message of a kind that it sent.
    pub(crate) fn message(&self, kind: Kind) -> Option<&Signed> {
        self.sent.iter().find(|message| message.header.kind == kind.number())
    }
}

/// A round as the evil coordinator runs it.
#[derive(Clone)]
pub(crate) struct Round {
    pub(crate) epoch: u64,
    pub(crate) purpose: Purpose,
    pub(crate) job: String,
    pub(crate) job_id: String,
    pub(crate) members: Vec<Name>,
    pub(crate) list: Vec<Contribution>,
    /// `SHA-512(T)` of the honest participant's token, once it was sent.
    pub(crate) honest: Option<Binding>,
}

impl Round {
    pub(crate) fn header(&self) -> (u64, &str) {
        (self.epoch, &self.job_id)
    }
}

struct World(Random);

impl Env for World {
    fn nonce(&mut self) -> [u8; 32] {
        self.0.bytes()
    }

    fn exporter(&mut self, _: &[u8; 32]) -> Option<[u8; 32]> {
        Some([9; 32])
    }
}

/// The honest participant `site-001`, a coordinator without honour, and two sites that do what the test says.
pub(crate) struct Stage {
    pub(crate) owner: Owner,
    pub(crate) agent: Participant,
    pub(crate) actors: BTreeMap<Name, Actor>,
    pub(crate) bundle: Vec<u8>,
    pub(crate) mono: Duration,
    world: World,
}

pub(crate) const NONCE: [u8; 16] = [4; 16];

impl Stage {
    pub(crate) fn new() -> Self {
        let owner = Owner::new();
        let bundle = owner.sign(&owner.bundle(2));
        let key = AttKey::from_seed(&[77; 32]).unwrap();
        let federation_id = owner.descriptor.federation_id();
        let me = Me {
            descriptor: owner.descriptor.clone(),
            name: site(1),
            role: Role::Client,
            profile: Profile::snp_raw_1(),
            identity: owner.enrol(&site(1), Role::Client).identity(&federation_id, &key, [77; 16]),
            key,
            runtime: None,
            policy: sha256(b"policy of site-001"),
        };
        let mono = Duration::from_secs(1000);
        let now = Now { mono, wall: WALL };
        let agent = Participant::new(me, bundle.clone(), None, now).unwrap();
        let actors = [(name("server"), Role::Server), (site(2), Role::Client), (site(3), Role::Client)];
        let actors = (1_u8..)
            .zip(actors)
            .map(|(seed, (name, role))| (name.clone(), Actor::new(&owner, &name, role, seed)))
            .collect();
        let world = World(Random::new(7));
        Self { owner, agent, actors, bundle: bundle.to_bytes(), mono, world }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = UnixTime::from_secs(WALL.as_secs() + self.mono.as_secs() - 1000);
        Now { mono: self.mono, wall }
    }

    pub(crate) fn actor(&mut self, who: &Name) -> &mut Actor {
        self.actors.get_mut(who).unwrap()
    }

    pub(crate) fn server(&mut self) -> &mut Actor {
        self.actor(&name("server"))
    }

    fn see(outputs: Vec<Output>) -> Seen {
        let mut seen = Seen::default();
        for output in outputs {
            match output {
                Output::Send(bytes) => seen.sent.push(Signed::from_bytes(&bytes, usize::MAX).unwrap()),
                Output::Collect { epoch, order } => seen.collects.push((epoch, *order)),
                Output::Judge(order) => seen.judges.push(*order),
                Output::Event(event) => seen.events.push(event),
            }
        }
        seen
    }

    /// Hands a message to the participant.
    pub(crate) fn hand(&mut self, bytes: &[u8]) -> Seen {
        let (now, mut out) = (self.now(), Vec::new());
        self.agent.receive(now, bytes, &mut self.world, &mut out);
        Self::see(out)
    }

    pub(crate) fn connect(&mut self) -> Seen {
        let mut out = Vec::new();
        self.agent.connected(&mut self.world, &mut out);
        Self::see(out)
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, time: Duration) -> Seen {
        self.mono += time;
        let (now, mut out) = (self.now(), Vec::new());
        self.agent.tick(now, &mut out);
        Self::see(out)
    }

    /// A round for all, not opened yet.
    pub(crate) fn round(&self, epoch: u64, purpose: Purpose, job: &str) -> Round {
        let mut members: Vec<Name> = self.actors.keys().cloned().chain([site(1)]).collect();
        members.sort();
        let federation_id = self.owner.descriptor.federation_id();
        let id = job_id(&federation_id, &NONCE, job.as_bytes()).to_string();
        let job_id = if purpose == Purpose::JobStart { id } else { String::new() };
        Round { epoch, purpose, job: job.to_owned(), job_id, members, list: Vec::new(), honest: None }
    }

    pub(crate) fn open_of(&self, round: &Round) -> Open {
        let is_job = round.purpose == Purpose::JobStart;
        Open {
            purpose: round.purpose.number(),
            job_nonce: Bytes::from(if is_job { NONCE.to_vec() } else { Vec::new() }),
            job_file: Bytes::from(round.job.clone().into_bytes()),
            members: round.members.iter().map(ToString::to_string).collect(),
            bundle: self.bundle.clone().into(),
            identity: self.actors[&name("server")].identity.clone(),
        }
    }

    /// Opens a round; the list then has everybody's contribution.
    pub(crate) fn open(&mut self, round: &mut Round) -> Seen {
        let payload = self.open_of(round).to_bytes();
        let bytes = self.server().sends(Kind::Open, payload, round.header(), None);
        let seen = self.hand(&bytes);
        if let Some(message) = seen.message(Kind::Contribution) {
            let honest: Contribution = message.read().unwrap();
            let others = self.actors.values().filter(|actor| round.members.contains(&actor.name));
            round.list = others.map(|actor| actor.contributes(&actor.leaf(round.epoch))).collect();
            round.list.push(honest);
            round.list.sort_by_key(|entry| Leaf::parse(&entry.leaf).unwrap().name);
        }
        seen
    }

    pub(crate) fn publish_of(&self, round: &Round) -> Publish {
        let hashes: Vec<Digest> = round.list.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
        Publish {
            contributions: round.list.clone(),
            root: root(&hashes).0.to_vec().into(),
            leaf_count: u32::try_from(hashes.len()).unwrap(),
        }
    }

    /// Publishes any list.
    pub(crate) fn publish_as(&mut self, round: &Round, publish: &Publish) -> Seen {
        let bytes = self.server().sends(Kind::Publish, publish.to_bytes(), round.header(), None);
        self.hand(&bytes)
    }

    pub(crate) fn publish(&mut self, round: &Round) -> Seen {
        let publish = self.publish_of(round);
        self.publish_as(round, &publish)
    }

    /// What tokens of the round have in common.
    pub(crate) fn terms(&self, round: &Round) -> RoundTerms {
        let leaves: Vec<Leaf> = round.list.iter().map(|entry| Leaf::parse(&entry.leaf).unwrap()).collect();
        let members: Vec<Member> = leaves
            .iter()
            .map(|leaf| Member { name: leaf.name.clone(), role: leaf.role, key: leaf.key })
            .collect();
        let hashes: Vec<Digest> = round.list.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
        RoundTerms {
            federation_id: self.owner.descriptor.federation_id(),
            policy_digest: fed_proto::bundle::SignedBundle::from_bytes(&self.bundle).unwrap().digest(),
            purpose: round.purpose,
            job_id: round.job_id.clone(),
            epoch: round.epoch,
            members: members_digest(&members),
            root: root(&hashes),
            leaf_count: u32::try_from(leaves.len()).unwrap(),
        }
    }

    /// The participant's hardware answers with any evidence.
    pub(crate) fn collected(&mut self, round: &Round, evidence: Evidence) -> Seen {
        let (now, mut out) = (self.now(), Vec::new());
        self.agent.collected(now, round.epoch, Ok(evidence), &mut out);
        Self::see(out)
    }

    /// The participant's hardware answers.
    pub(crate) fn attest(&mut self, round: &mut Round) -> Seen {
        let evidence = Evidence {
            evidence: b"evidence".to_vec(),
            aux: Vec::new(),
            devices: Vec::new(),
            endorsements: Vec::new(),
        };
        let seen = self.collected(round, evidence);
        if let Some(message) = seen.message(Kind::Token) {
            let envelope = Envelope::parse(&message.payload).unwrap();
            round.honest = Some(Binding::new(sha512(&envelope.transcript)));
        }
        seen
    }

    /// A peer sends an envelope as its token.
    pub(crate) fn token_as(&mut self, who: &Name, round: &Round, envelope: &Envelope) -> Seen {
        let bytes = self.actor(who).sends(Kind::Token, envelope.to_bytes(), round.header(), None);
        self.hand(&bytes)
    }

    /// A peer sends the token that it should.
    pub(crate) fn token(&mut self, who: &Name, round: &Round) -> Seen {
        let envelope = self.actors[who].envelope(&self.terms(round));
        self.token_as(who, round, &envelope)
    }

    /// What the participant's judge says about a peer.
    pub(crate) fn judged(&mut self, who: &Name, round: &Round, result: Result<(), Finding>) -> Seen {
        let (now, mut out) = (self.now(), Vec::new());
        let hardware = Identifiers { guest: Some(who.as_str().into()), ..Identifiers::default() };
        let result = result.map(|()| hardware);
        self.agent.judged(now, round.epoch, who, result, &mut self.world, &mut out);
        Self::see(out)
    }

    /// A peer's verdict: everybody but these is accepted.
    pub(crate) fn verdict(&mut self, who: &Name, round: &Round, refused: &[(&Name, Code)]) -> Vec<u8> {
        let terms = self.terms(round);
        let binding = |member: &Name| match self.actors.get(member) {
            Some(actor) => Binding::new(sha512(&actor.envelope(&terms).transcript)),
            None => round.honest.clone().unwrap(),
        };
        let in_round = |name: &Name| round.list.iter().any(|e| Leaf::parse(&e.leaf).unwrap().name == *name);
        let accepted: Vec<(Name, Binding)> = round
            .members
            .iter()
            .filter(|member| *member != who && in_round(member))
            .filter(|member| refused.iter().all(|(other, _)| other != member))
            .map(|member| (member.clone(), binding(member)))
            .collect();
        let verdict = Verdict {
            federation_id: terms.federation_id,
            epoch: round.epoch,
            purpose: round.purpose,
            job_id: round.job_id.clone(),
            root: terms.root,
            verifier: who.clone(),
            policy: sha256(who.as_str().as_bytes()),
            accepted: accepted_digest(accepted.iter().map(|(name, binding)| (name, binding))),
            refused: refused.iter().map(|(name, code)| ((*name).clone(), code.clone())).collect(),
        };
        self.verdict_as(who, round, &verdict)
    }

    /// Any verdict, signed by its verifier.
    pub(crate) fn verdict_as(&mut self, who: &Name, round: &Round, verdict: &Verdict) -> Vec<u8> {
        let actor = self.actor(who);
        let bytes = verdict.bytes();
        let signature = actor.key.sign(&bytes).0.to_vec();
        let lines =
            verdict.refused.iter().map(|(name, _)| (name.to_string(), format!("policy.toml:1 of {who}")));
        let message =
            VerdictMessage { bytes: bytes.into(), signature: signature.into(), lines: lines.collect() };
        actor.sends(Kind::Verdict, message.to_bytes(), round.header(), None)
    }

    /// The coordinator says who takes part.
    pub(crate) fn admit(&mut self, round: &Round, names: &[Name]) -> Seen {
        let admitted = names.iter().map(ToString::to_string).collect();
        let admission = Admission { admitted, text: String::new() };
        let bytes = self.server().sends(Kind::Admission, admission.to_bytes(), round.header(), None);
        self.hand(&bytes)
    }

    /// Plays a round up to the participant's own verdict; it accepts everybody.
    pub(crate) fn play(&mut self, epoch: u64, purpose: Purpose, job: &str) -> Round {
        let mut round = self.round(epoch, purpose, job);
        self.open(&mut round);
        assert_eq!(self.publish(&round).collects.len(), 1);
        self.attest(&mut round);
        for who in self.peers() {
            assert_eq!(self.token(&who, &round).judges.len(), 1);
            self.judged(&who, &round, Ok(()));
        }
        round
    }

    /// Everybody else's verdict, all accepting.
    pub(crate) fn all_accept(&mut self, round: &Round) {
        for who in self.peers() {
            let bytes = self.verdict(&who, round, &[]);
            assert_eq!(self.hand(&bytes).refused(), None);
        }
    }

    /// A job that runs at the participant.
    pub(crate) fn running(&mut self, epoch: u64) -> Round {
        let round = self.play(epoch, Purpose::JobStart, &super::support::job("one", "min_sites = 2"));
        self.all_accept(&round);
        assert!(self.admit(&round, &round.members).started().is_some());
        round
    }

    pub(crate) fn peers(&self) -> Vec<Name> {
        self.actors.keys().cloned().collect()
    }
}
