//! What participants and coordinator say to each other. Every message is [`Signed`]; this module has the payloads.
//!
//! Payloads are CBOR arrays. They are signed as sent, so they need one meaning but not one form; nothing may follow.

use minicbor::{Decode, Encode};

use crate::crypto::{Digest, PublicKey, Signature, same};
use crate::name::Name;
use crate::signed::{Header, Signed};

/// Largest message from a participant to the coordinator, in bytes: an envelope with its frame.
pub const MAX_UPWARD: usize = 1_100_000;
/// Largest message from the coordinator, in bytes: the contributions of a round of [`MAX_MEMBERS`].
pub const MAX_DOWNWARD: usize = 24 * 1024 * 1024;
/// Most members of one round (*verification.md* 5.5 step 3).
pub const MAX_MEMBERS: usize = 4096;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What a message is (tlv 6 of *verification.md* 5.4).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Kind { $($(#[$doc])* $name = $number,)* }

        impl Kind {
            /// Its number on the wire.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The kind with this number.
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }
        }
    };
}
kinds! {
    /// Participant to coordinator, first on every connection: [`Hello`].
    Hello = 1,
    /// Participant to coordinator: [`ChannelProof`].
    ChannelProof = 2,
    /// Coordinator to one participant: [`Notice`].
    Notice = 3,
    /// Coordinator to one participant: a [`Challenge`] that a live instance answers.
    Challenge = 4,
    /// Participant to coordinator: the same [`Challenge`] back.
    Alive = 5,
    /// Coordinator to all: [`Open`].
    Open = 10,
    /// Participant to coordinator: [`Contribution`].
    Contribution = 11,
    /// Participant to coordinator: [`Busy`].
    Busy = 12,
    /// Coordinator to all: [`Publish`].
    Publish = 13,
    /// Participant to all: an envelope.
    Token = 14,
    /// Coordinator to all: [`Closed`].
    Closed = 15,
    /// Participant to all: [`VerdictMessage`].
    Verdict = 16,
    /// Coordinator to all: [`Admission`].
    Admission = 17,
    /// Coordinator to one participant: [`Reserve`].
    Reserve = 20,
    /// Participant to coordinator: [`Reserved`].
    Reserved = 21,
    /// Coordinator to one participant: [`JobOrder`]; stop the job, or give its reservation back.
    StopJob = 22,
    /// Participant to coordinator: [`JobUpdate`].
    JobUpdate = 23,
}

/// A payload.
pub trait Payload: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// The kind of message that carries it.
    const KIND: Kind;

    /// The bytes.
    fn to_bytes(&self) -> Vec<u8> {
        // Writing to a vector cannot fail; an empty answer, should it ever, is malformed for every reader.
        minicbor::to_vec(self).unwrap_or_default()
    }

    /// Reads exactly one payload.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut decoder = minicbor::Decoder::new(bytes);
        let payload = decoder.decode().ok()?;
        (decoder.position() == bytes.len()).then_some(payload)
    }
}

macro_rules! payloads {
    ($($name:ident),*) => {$(impl Payload for $name { const KIND: Kind = Kind::$name; })*};
}
payloads!(
    Hello,
    ChannelProof,
    Notice,
    Challenge,
    Open,
    Contribution,
    Busy,
    Publish,
    Closed,
    Admission,
    Reserve,
    Reserved,
    JobUpdate
);

impl Payload for VerdictMessage {
    const KIND: Kind = Kind::Verdict;
}

impl Payload for JobOrder {
    const KIND: Kind = Kind::StopJob;
}

/// Bytes with a bound that comes from the frame's own limit.
pub type Bytes = minicbor::bytes::ByteVec;

/// An instance of a participant: its keys, and the enrolment that authorises them (*verification.md* 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// SubjectPublicKeyInfo of the attestation key, DER.
    #[n(0)]
    pub spki: Bytes,
    /// The key-encapsulation key, 32 raw bytes, or empty.
    #[n(1)]
    pub kem: Bytes,
    /// 16 random bytes of the process.
    #[n(2)]
    pub instance_id: Bytes,
    /// The enrolment certificate and its intermediates, DER, leaf first.
    #[n(3)]
    pub chain: Vec<Bytes>,
    /// The enrolment key's signature over the enrolment statement.
    #[n(4)]
    pub enrolment: Bytes,
}

/// Who is at the other end of the connection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Hello {
    /// The instance.
    #[n(0)]
    pub identity: Identity,
}

/// *verification.md* 5.4 (a): the instance whose token was accepted is the one on this connection.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ChannelProof {
    /// The transcript of the last accepted token.
    #[n(0)]
    pub transcript: Bytes,
    /// What this connection exports, 32 bytes.
    #[n(1)]
    pub exporter: Bytes,
    /// The attestation key's signature.
    #[n(2)]
    pub pop: Bytes,
}

/// What the coordinator has to say about one participant.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Notice {
    /// `registered`, `welcome` (known instance, proof accepted), or the code of a refusal.
    #[n(0)]
    pub code: String,
    /// For people.
    #[n(1)]
    pub text: String,
}

/// 32 random bytes that a live instance signs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Challenge {
    /// The bytes.
    #[n(0)]
    pub nonce: Bytes,
}

/// A round begins (*verification.md* 5.5 step 1).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Open {
    /// What the round is for.
    #[n(0)]
    pub purpose: u8,
    /// In a job round: the submission's 16 random bytes.
    #[n(1)]
    pub job_nonce: Bytes,
    /// In a job round: the job file.
    #[n(2)]
    pub job_file: Bytes,
    /// The proposed members, ascending.
    #[n(3)]
    pub members: Vec<String>,
    /// The owner's signed bundle.
    #[n(4)]
    pub bundle: Bytes,
    /// The coordinator's instance.
    #[n(5)]
    pub identity: Identity,
}

/// A verifier's challenge (*verification.md* 5.5 step 2).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Contribution {
    /// The leaf.
    #[n(0)]
    pub leaf: Bytes,
    /// The instance.
    #[n(1)]
    pub identity: Identity,
    /// The attestation key's signature over the leaf.
    #[n(2)]
    pub signature: Bytes,
}

/// The participant sits this round out.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Busy {
    /// For people.
    #[n(0)]
    pub text: String,
}

/// All challenges, ascending by name: the member list (*verification.md* 5.5 step 3).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Publish {
    /// The contributions as received.
    #[n(0)]
    pub contributions: Vec<Contribution>,
    /// The root, which every member computes itself.
    #[n(1)]
    pub root: Bytes,
    /// The number of leaves, which every member counts itself.
    #[n(2)]
    pub leaf_count: u32,
}

/// Whoever has not been heard by now is absent from the round.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Closed {
    /// Their names, ascending.
    #[n(0)]
    pub absent: Vec<String>,
}

/// A verifier's verdict (*verification.md* 5.5 step 7).
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct VerdictMessage {
    /// The signed bytes.
    #[n(0)]
    pub bytes: Bytes,
    /// The verifier's signature over them.
    #[n(1)]
    pub signature: Bytes,
    /// For people: which line of its policies refused somebody, where one did. Names and lines; what counts is signed.
    #[n(2)]
    pub lines: Vec<(String, String)>,
}

/// Who takes part in the job; every member counts the verdicts itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Admission {
    /// Names, ascending, the server among them; empty when the job does not start.
    #[n(0)]
    pub admitted: Vec<String>,
    /// Why not, for people.
    #[n(1)]
    pub text: String,
}

/// Asks a site to set resources aside for a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reserve {
    /// In the round of this epoch.
    #[n(0)]
    pub epoch: u64,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Reserved {
    /// In the round of this epoch.
    #[n(0)]
    pub epoch: u64,
    /// Empty, or why not.
    #[n(1)]
    pub refusal: String,
}

/// Stop a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct JobOrder {
    /// The code of the reason, or a word.
    #[n(0)]
    pub code: String,
    /// For people.
    #[n(1)]
    pub text: String,
}

/// What became of the job on a site.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct JobUpdate {
    /// `started`, `completed`, `failed`, `stopped`, `refused`.
    #[n(0)]
    pub state: String,
    /// A code or an exit status, for people.
    #[n(1)]
    pub text: String,
}

#[derive(Encode, Decode)]
struct Frame {
    #[n(0)]
    epoch: u64,
    #[n(1)]
    job_id: String,
    #[n(2)]
    sender: String,
    #[n(3)]
    recipient: String,
    #[n(4)]
    kind: u16,
    #[n(5)]
    sequence: u64,
    #[n(6)]
    payload: Bytes,
    #[n(7)]
    signature: Bytes,
}

impl Signed {
    /// The message as it travels.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Header { epoch, job_id, sender, recipient, kind, sequence } = self.header.clone();
        let recipient = recipient.map(String::from).unwrap_or_default();
        let frame = Frame {
            epoch,
            job_id,
            sender: sender.into(),
            recipient,
            kind,
            sequence,
            payload: self.payload.clone().into(),
            signature: self.signature.0.to_vec().into(),
        };
        minicbor::to_vec(&frame).unwrap_or_default()
    }

    /// Reads a message of at most `limit` bytes, nothing following; the signature is not verified yet.
    pub fn from_bytes(bytes: &[u8], limit: usize) -> Option<Self> {
        if bytes.len() > limit {
            return None;
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let Frame { epoch, job_id, sender, recipient, kind, sequence, payload, signature } =
            decoder.decode().ok()?;
        if decoder.position() != bytes.len() || job_id.len() > 64 {
            return None;
        }
        let recipient = if recipient.is_empty() { None } else { Some(Name::new(&recipient).ok()?) };
        let header = Header { epoch, job_id, sender: Name::new(&sender).ok()?, recipient, kind, sequence };
        let signature = Signature(<[u8; 64]>::try_from(signature.as_slice()).ok()?);
        Some(Self { header, payload: payload.into(), signature })
    }

    /// The payload, if the message is of its kind and it reads.
    pub fn read<P: Payload>(&self) -> Option<P> {
        if self.header.kind == P::KIND.number() { P::from_bytes(&self.payload) } else { None }
    }
}

impl Identity {
    /// The attestation key.
    pub fn key(&self) -> Option<PublicKey> {
        PublicKey::from_spki(&self.spki).ok()
    }

    /// The instance.
    pub fn instance(&self) -> Option<[u8; 16]> {
        self.instance_id.as_slice().try_into().ok()
    }

    /// Digest of the key-encapsulation key; `Err` is its length when that is not 32 bytes.
    pub fn kem_digest(&self) -> Result<Option<Digest>, usize> {
        match self.kem.len() {
            0 => Ok(None),
            32 => Ok(Some(crate::crypto::sha256(&self.kem))),
            other => Err(other),
        }
    }

    /// Whether two identities are one instance.
    pub fn is(&self, other: &Self) -> bool {
        same(&self.spki, &other.spki)
            && same(&self.instance_id, &other.instance_id)
            && same(&self.kem, &other.kem)
    }
}
