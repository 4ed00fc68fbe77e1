//! The round as its signed messages have it: the same checks that the verifier made, over the same bytes.
//!
//! Steps (names match the tests): 1 `bundle`: the owner signed it  2 `open`, `list`, `own leaf`, `entries`, `job`: see
//! [`super::list`]  3 `messages`: every signature, sequence and round; verdicts of others are of this round.
//!
//! Who wrote a message is judged as of the recorded instant, whatever instant the caller asks for: that instant is for
//! the peers, their enrolments and their evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cc_core::{Code, Finding, UnixTime, codes};
use fed_proto::binding::{Member, Purpose, leaf_hash, members_digest};
use fed_proto::bundle::{Bundle, SignedBundle};
use fed_proto::crypto::{Digest, Signature};
use fed_proto::descriptor::Descriptor;
use fed_proto::message::{Closed, Kind, MAX_DOWNWARD, Publish, VerdictMessage};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::signed::{Sequences, Signed};
use fed_proto::token::{Peer, RoundTerms};
use fed_proto::verdict::{SignedVerdict, Verdict};

use super::list::Scene;
use super::record::Transcript;
use super::report::Difference;

/// For which instants things are judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instants {
    /// When the round was.
    pub(super) recorded: UnixTime,
    /// The caller's choice, for peers.
    pub(super) chosen: Option<UnixTime>,
}

impl Instants {
    pub(super) fn of_peers(self) -> UnixTime {
        self.chosen.unwrap_or(self.recorded)
    }
}

/// A round, derived.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) terms: RoundTerms,
    pub(super) bundle: Arc<Bundle>,
    pub(super) server: Name,
    /// The verifier.
    pub(super) me: Peer,
    /// All other members whose entry is in order.
    pub(super) peers: BTreeMap<Name, Peer>,
    /// Those whose entry is not.
    pub(super) unknown: BTreeMap<Name, (Role, Finding)>,
    /// The own token.
    pub(super) own_token: Option<Vec<u8>>,
    /// Each peer's first token before the own verdict.
    pub(super) tokens: BTreeMap<Name, Vec<u8>>,
    /// Tokens that came later, which others may have judged.
    pub(super) later: BTreeMap<Name, Vec<u8>>,
    /// Whom the server declared absent before the own verdict.
    pub(super) absent: BTreeSet<Name>,
    pub(super) own_verdict: SignedVerdict,
    pub(super) verdicts: BTreeMap<Name, Verdict>,
}

impl Round {
    /// Whom a verifier judges (*verification.md* 5.6).
    pub(super) fn judges(&self, verifier: &Name, subject: &Name) -> bool {
        let register = self.terms.purpose == Purpose::Register;
        verifier != subject && (!register || *verifier == self.server || *subject == self.server)
    }

    /// What the bundle requires of a role.
    pub(super) fn required(&self, role: Role) -> &[cc_core::Profile] {
        self.bundle.roles.get(&role).map(|floor| floor.profiles.as_slice()).unwrap_or_default()
    }
}

pub(super) type Result<T> = std::result::Result<T, Difference>;

pub(super) fn wrong(place: &str, code: Code, text: impl Into<String>) -> Difference {
    Difference::refused(place, Finding::new(code, text))
}

/// Derives the round of a transcript in the federation of `descriptor`, which the caller trusts.
pub(super) fn derive(transcript: &Transcript, descriptor: &Descriptor, at: Instants) -> Result<Round> {
    let head = &transcript.head;
    let messages = read(transcript)?;
    let signed = SignedBundle::from_bytes(&transcript.bundle)
        .ok_or_else(|| wrong("bundle", codes::POL_SIGNATURE_INVALID, "it does not read"))?;
    let bundle = signed
        .open(descriptor, None, at.recorded)
        .map_err(|finding| Difference::refused("bundle", finding))?;

    let scene = Scene { transcript, descriptor, bundle: &bundle, at };
    let (open, server) = scene.open(&messages)?;
    let publish: Publish = payload(&messages, Kind::Publish)?.1;
    let leaves = scene.leaves(&publish)?;
    let hashes: Vec<Digest> = publish.contributions.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
    let root = scene.root(&publish, &hashes)?;
    let me = scene.own(&messages, &publish, &leaves, &root)?;
    let (peers, unknown) = scene.entries(&open, &publish, &leaves);
    if me.name != server.name && !peers.contains_key(&server.name) {
        return Err(wrong("Publish", codes::FL_MEMBER_MISSING, "the server is not in the list"));
    }
    let listed: Vec<Member> = leaves
        .iter()
        .map(|leaf| Member { name: leaf.name.clone(), role: leaf.role, key: leaf.key })
        .collect();
    let terms = RoundTerms {
        federation_id: descriptor.federation_id(),
        policy_digest: signed.digest(),
        purpose: head.purpose.0,
        job_id: head.job_id.clone(),
        epoch: head.epoch,
        members: members_digest(&listed),
        root,
        leaf_count: publish.leaf_count,
    };
    let mut round = Round {
        terms,
        server: server.name.clone(),
        me,
        peers,
        unknown,
        own_token: None,
        tokens: BTreeMap::new(),
        later: BTreeMap::new(),
        absent: BTreeSet::new(),
        own_verdict: SignedVerdict {
            bytes: Vec::new(),
            signature: Signature([0; 64]),
            lines: BTreeMap::new(),
        },
        verdicts: BTreeMap::new(),
        bundle: Arc::new(bundle.clone()),
    };
    scene.job(&open, &round)?;
    round.walk(&messages, &server, &scene.listed(&publish, &leaves))?;
    Ok(round)
}

/// Every message, each of this round.
fn read(transcript: &Transcript) -> Result<Vec<Signed>> {
    let head = &transcript.head;
    let mut messages = Vec::new();
    for (number, bytes) in (1..).zip(&transcript.messages) {
        let place = format!("message {number}");
        let message = Signed::from_bytes(bytes, MAX_DOWNWARD)
            .ok_or_else(|| wrong(&place, codes::TR_FORMAT_INVALID, "not a message"))?;
        if message.header.epoch != head.epoch || message.header.job_id != head.job_id {
            return Err(Difference {
                code: codes::TR_FORMAT_INVALID,
                place,
                recorded: format!("round {} of job {:?}", message.header.epoch, message.header.job_id),
                found: format!("a transcript of round {} of job {:?}", head.epoch, head.job_id),
            });
        }
        messages.push(message);
    }
    Ok(messages)
}

/// The first message of a kind, with its payload.
pub(super) fn payload<P: fed_proto::message::Payload>(
    messages: &[Signed],
    kind: Kind,
) -> Result<(&Signed, P)> {
    let message = messages.iter().find(|message| message.header.kind == kind.number());
    let found = message.and_then(|message| Some((message, message.read::<P>()?)));
    found.ok_or_else(|| {
        wrong("messages", codes::TR_FORMAT_INVALID, format!("there is no {kind:?} that reads"))
    })
}

impl Round {
    /// Every message in order: signed by whom it says, each once, and what it contributes to the round.
    fn walk(&mut self, messages: &[Signed], server: &Peer, listed: &BTreeMap<Name, Peer>) -> Result<()> {
        let (mut received, mut sent) = (Sequences::default(), Sequences::default());
        let mut own_verdict = None;
        for (number, message) in (1..).zip(messages) {
            let kind = Kind::from_number(message.header.kind);
            let sender = &message.header.sender;
            let shown = kind.map_or_else(|| "message".to_owned(), |kind| format!("{kind:?}"));
            let place = format!("message {number} ({shown} of {sender})");
            let refused = |finding| Difference::refused(place.clone(), finding);
            let own = *sender == self.me.name;
            let control = matches!(kind, Some(Kind::Open | Kind::Publish | Kind::Closed | Kind::Admission));
            let by_participant = matches!(kind, Some(Kind::Contribution | Kind::Token | Kind::Verdict));
            let signer = match kind {
                _ if control && *sender == server.name => Some(server),
                Some(Kind::Contribution) if !own => None,
                _ if by_participant => listed.get(sender),
                _ => None,
            };
            let Some(signer) = signer else {
                return Err(wrong(
                    &place,
                    codes::TR_FORMAT_INVALID,
                    "nothing that a verifier keeps of a round",
                ));
            };
            message.verify(&self.terms.federation_id, &signer.key).map_err(refused)?;
            // The server's own participant and its coordinator take turns with one key.
            let sequences = if own && by_participant { &mut sent } else { &mut received };
            sequences.admit(&signer.key.digest(), &message.header).map_err(refused)?;
            let before = own_verdict.is_none();
            match kind {
                Some(Kind::Token) if own => {
                    self.own_token.get_or_insert_with(|| message.payload.clone());
                }
                Some(Kind::Token) => {
                    let tokens = if before { &mut self.tokens } else { &mut self.later };
                    tokens.entry(sender.clone()).or_insert_with(|| message.payload.clone());
                }
                Some(Kind::Closed) if before => {
                    let closed: Option<Closed> = message.read();
                    let closed = closed.ok_or_else(|| {
                        wrong(&place, codes::TR_FORMAT_INVALID, "a Closed that does not read")
                    })?;
                    let names = closed.absent.iter().filter_map(|name| Name::new(name).ok());
                    self.absent.extend(names.filter(|name| !self.tokens.contains_key(name)));
                }
                Some(Kind::Verdict) => {
                    let (signed, verdict) = self.verdict(message, signer).map_err(refused)?;
                    if own {
                        own_verdict = own_verdict.or(Some(signed));
                    } else {
                        self.verdicts.entry(sender.clone()).or_insert(verdict);
                    }
                }
                _ => {}
            }
        }
        let missing = || wrong("messages", codes::TR_FORMAT_INVALID, "there is no verdict of the verifier");
        self.own_verdict = own_verdict.ok_or_else(missing)?;
        Ok(())
    }

    /// A verdict that its sender signed, of this round.
    fn verdict(
        &self,
        message: &Signed,
        signer: &Peer,
    ) -> std::result::Result<(SignedVerdict, Verdict), Finding> {
        let sender = &message.header.sender;
        let garbage = |text: &str| Finding::new(codes::TR_FORMAT_INVALID, text);
        let signed: VerdictMessage = message.read().ok_or_else(|| garbage("a verdict that does not read"))?;
        let signature = <[u8; 64]>::try_from(signed.signature.as_slice()).map(Signature);
        let signature = signature.map_err(|_| garbage("the signature of a verdict has another length"))?;
        signer.key.verify(&signed.bytes, &signature).map_err(|error| {
            Finding::new(codes::FL_MESSAGE_UNSIGNED, format!("verdict of {sender}: {error}"))
        })?;
        let verdict = Verdict::parse(&signed.bytes).ok_or_else(|| garbage("a verdict that is malformed"))?;
        let of_this_round = verdict.federation_id == self.terms.federation_id
            && verdict.epoch == self.terms.epoch
            && verdict.purpose == self.terms.purpose
            && verdict.job_id == self.terms.job_id
            && verdict.root == self.terms.root
            && verdict.verifier == *sender;
        if !of_this_round {
            let text = format!("{sender} signed a verdict of another round, root or verifier");
            return Err(Finding::new(codes::FL_VERDICT_MISMATCH, text));
        }
        Ok((SignedVerdict { bytes: signed.bytes.to_vec(), signature, lines: BTreeMap::new() }, verdict))
    }

    /// The transcript bytes of a member's token, as far as it is in the file.
    pub(super) fn transcript_of(&self, name: &Name) -> Option<Vec<u8>> {
        let payload = if *name == self.me.name {
            self.own_token.as_ref()
        } else {
            self.tokens.get(name).or_else(|| self.later.get(name))
        };
        let envelope = fed_proto::envelope::Envelope::parse(payload?).ok()?;
        Some(envelope.transcript)
    }
}
