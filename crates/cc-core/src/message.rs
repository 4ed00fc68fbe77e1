//! The messages that cross the plugin ABI: CBOR maps with small integer keys (`docs/ABI.md`, "Messages").
//!
//! Rules of growth: a new optional key may be added at any time and is skipped by readers that do not know it;
//! a key is never re-used or given another meaning; a change that old readers must not miss raises
//! [`MESSAGE_VERSION`], and comes with a new root module.

use minicbor::{Decode, Encode};

use crate::limits::{MAX_MESSAGE, MAX_PLAN_REQUESTS};
use crate::{
    Accepted, BoundField, Claims, Code, Finding, Outcome, Profile, ProfileInfo, TrustClass, UnixTime,
};

/// The version which every message carries under key 0.
pub const MESSAGE_VERSION: u16 = 1;

/// Room for a report with its chain, so that writing rarely moves what is written.
const TYPICAL_MESSAGE: usize = 8 * 1024;

/// Who a plugin is and what it can do: its answer to `identify`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Identity {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// Short name, for example `cc-snp`.
    #[n(1)]
    pub name: String,
    /// Who ships it.
    #[n(2)]
    pub vendor: String,
    /// The plugin's own version.
    #[n(3)]
    pub plugin_version: String,
    /// Version of cc-core that it was built with.
    #[n(4)]
    pub sdk_version: String,
    /// What stands behind the evidence that it accepts.
    #[n(5)]
    pub trust_class: TrustClass,
    /// The profiles it serves.
    #[n(6)]
    pub profiles: Vec<ProfileInfo>,
}

/// Asks for fresh evidence of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CollectRequest {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// Which kind of evidence.
    #[n(1)]
    pub profile: Profile,
    /// The 64 bytes to bind into it.
    #[n(2)]
    pub binding: crate::Binding,
}

/// Evidence as the hardware gave it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Collected {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// Raw evidence, exactly as the kernel, driver or service returned it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub evidence: Vec<u8>,
    /// Endorsements that came with it; hints, verified like any other.
    #[n(2)]
    pub endorsements: Vec<Blob>,
}

/// An endorsement object: one DER object, one table or one document, never PEM.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Blob(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

/// Asks which endorsements are missing for evidence, and what it says unverified.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PlanRequest {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The profile of the evidence.
    #[n(1)]
    pub profile: Profile,
    /// The raw evidence.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub evidence: Vec<u8>,
    /// The endorsements already at hand.
    #[n(3)]
    pub endorsements: Vec<Blob>,
}

/// What is missing, and the unverified claims.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Plan {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// Endorsements that verification will need and that are not at hand.
    #[n(1)]
    pub requests: Vec<EndorsementRequest>,
    /// What the evidence says, unauthenticated.
    #[n(2)]
    pub claims: Claims,
}

/// One endorsement to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndorsementRequest {
    /// What it is, for people and logs, for example `snp.vcek`.
    #[n(0)]
    pub kind: String,
    /// Where it is published: `https`, a host of the compiled-in allow-list, no user, port or fragment. Built
    /// from checked values, never copied out of evidence.
    #[n(1)]
    pub url: String,
    /// For how many seconds after fetching it may be served from the cache.
    #[n(2)]
    pub max_age: u64,
    /// What to post there; nothing to get it. What is handed back is then not the answer alone but the
    /// [exchange](crate::exchange).
    #[n(3)]
    pub post: Option<Post>,
}

/// A question for a service.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Post {
    /// Its media type, one of those that the host knows.
    #[n(0)]
    pub media_type: String,
    /// The question.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub body: Vec<u8>,
    /// What it is about: a kept exchange with the same address and key answers it, too, although the question may have
    /// had another nonce.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub key: Vec<u8>,
}

/// Asks whether evidence is authentic, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifyRequest {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The profile of the evidence.
    #[n(1)]
    pub profile: Profile,
    /// The raw evidence.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub evidence: Vec<u8>,
    /// The endorsements, in the order in which candidates are tried.
    #[n(3)]
    pub endorsements: Vec<Blob>,
    /// Codes that may be waived.
    #[n(4)]
    pub waivers: Vec<String>,
    /// The instant for which to judge.
    #[n(5)]
    pub now: UnixTime,
    /// Positions of the endorsements for whose origin the host answers, ascending: it fetched them itself, or the
    /// administrator supplied them. What carries no signature of its own, a set of keys, is trusted from nowhere else.
    #[n(6)]
    #[cbor(default)]
    pub vouched: Vec<u32>,
}

/// The answer to a [`VerifyRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifyReply {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The profile that was verified: the one asked for.
    #[n(1)]
    pub profile: Profile,
    /// The outcome.
    #[n(2)]
    pub outcome: WireOutcome,
    /// What each endorsement turned out to be, one name for each in the order of the request, for example
    /// `snp.vcek`; `unknown` for one that the plugin cannot use.
    #[n(3)]
    pub recognised: Vec<String>,
    /// Sequence numbers of authenticated collateral, for the host's protection against rollback. Only with
    /// an accepted outcome.
    #[n(4)]
    pub floors: Vec<Floor>,
}

/// The sequence number of a piece of collateral that is replaced over time.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Floor {
    /// Which collateral, for example `snp.crl.Milan`.
    #[n(0)]
    pub name: String,
    /// Its number, big-endian, left-padded with zeros to 20 bytes (the longest CRL number of RFC 5280).
    #[cbor(n(1), with = "minicbor::bytes")]
    pub number: [u8; 20],
    /// Position in the request of the endorsement that has this number.
    #[n(2)]
    pub endorsement: u32,
}

/// [`Outcome`] on the wire; codes are text there and are checked when read.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum WireOutcome {
    /// Authentic.
    #[n(0)]
    Accept {
        /// What the evidence says.
        #[n(0)]
        claims: Claims,
        /// The raw bound field.
        #[n(1)]
        bound: BoundField,
        /// The waivers that were used.
        #[n(2)]
        waived: Vec<String>,
    },
    /// Refuted.
    #[n(1)]
    Reject(#[n(0)] Denial),
    /// Undecided.
    #[n(2)]
    Indeterminate(#[n(0)] Denial),
}

/// [`Finding`] on the wire: the reason for a denial, and the error answer of every call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Denial {
    /// [`MESSAGE_VERSION`].
    #[n(0)]
    pub version: u16,
    /// The code.
    #[n(1)]
    pub code: String,
    /// The text.
    #[n(2)]
    pub detail: String,
}

/// Why bytes are not a message of this contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageError {
    /// Larger than [`MAX_MESSAGE`]; the size in bytes.
    Size(usize),
    /// Not the CBOR of the message; the decoder's words.
    Malformed(String),
    /// Bytes after the message; how many.
    Trailing(usize),
    /// Another message version; which.
    Version(u16),
}

impl std::fmt::Display for MessageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Size(got) => write!(f, "message of {got} bytes, the limit is {MAX_MESSAGE}"),
            Self::Malformed(reason) => write!(f, "malformed message: {reason}"),
            Self::Trailing(count) => write!(f, "{count} bytes after the message"),
            Self::Version(got) => write!(f, "message version {got}, expected {MESSAGE_VERSION}"),
        }
    }
}

impl std::error::Error for MessageError {}

/// A message of the contract: has a version under key 0.
pub trait Message: Sized + Encode<()> + for<'b> Decode<'b, ()> {
    /// The version that the message carries.
    fn version(&self) -> u16;

    /// The bytes of the message.
    fn to_bytes(&self) -> Vec<u8> {
        // Writing to a vector cannot fail, and no message has an encoder that refuses a value; an empty
        // answer, should that ever change, is malformed for every reader.
        let mut bytes = Vec::with_capacity(TYPICAL_MESSAGE);
        match minicbor::encode(self, &mut bytes) {
            Ok(()) => bytes,
            Err(_) => Vec::new(),
        }
    }

    /// Reads exactly one message of the current version.
    fn from_bytes(bytes: &[u8]) -> Result<Self, MessageError> {
        if bytes.len() > MAX_MESSAGE {
            return Err(MessageError::Size(bytes.len()));
        }
        one_map(bytes)?;
        let mut decoder = minicbor::Decoder::new(bytes);
        let message: Self = decoder.decode().map_err(|e| MessageError::Malformed(e.to_string()))?;
        let trailing = bytes.len().saturating_sub(decoder.position());
        if trailing != 0 {
            return Err(MessageError::Trailing(trailing));
        }
        match message.version() {
            MESSAGE_VERSION => Ok(message),
            other => Err(MessageError::Version(other)),
        }
    }
}

/// Demands one map of definite length whose keys ascend, so that every reader finds the same values in it.
fn one_map(bytes: &[u8]) -> Result<(), MessageError> {
    let malformed = |what: &str| MessageError::Malformed(what.to_owned());
    let wrong = |error: minicbor::decode::Error| MessageError::Malformed(error.to_string());
    let mut decoder = minicbor::Decoder::new(bytes);
    let length = decoder.map().map_err(wrong)?.ok_or_else(|| malformed("map of indefinite length"))?;
    let mut last = None;
    for _ in 0..length {
        let key = decoder.u64().map_err(wrong)?;
        if last.is_some_and(|last| key <= last) {
            return Err(malformed("keys of the map do not ascend"));
        }
        last = Some(key);
        decoder.skip().map_err(wrong)?;
    }
    Ok(())
}

macro_rules! messages {
    ($($name:ty),*) => {$(impl Message for $name {
        fn version(&self) -> u16 {
            self.version
        }
    })*};
}
messages!(Identity, CollectRequest, Collected, PlanRequest, Plan, VerifyRequest, VerifyReply, Denial);

impl From<Finding> for Denial {
    fn from(finding: Finding) -> Self {
        Self { version: MESSAGE_VERSION, code: finding.code.as_str().to_owned(), detail: finding.detail }
    }
}

impl Denial {
    /// The finding; `Err` says why the code is not one.
    pub fn into_finding(self) -> Result<Finding, String> {
        match Code::parse(&self.code) {
            Ok(code) => Ok(Finding::new(code, self.detail)),
            Err(error) => Err(format!("code {:?} is {error}", self.code)),
        }
    }
}

impl From<Outcome> for WireOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accept(Accepted { claims, bound, waived }) => Self::Accept {
                claims,
                bound,
                waived: waived.iter().map(|code| code.as_str().to_owned()).collect(),
            },
            Outcome::Reject(finding) => Self::Reject(finding.into()),
            Outcome::Indeterminate(finding) => Self::Indeterminate(finding.into()),
        }
    }
}

impl Plan {
    /// A plan; at most [`MAX_PLAN_REQUESTS`] requests.
    pub fn new(requests: Vec<EndorsementRequest>, claims: Claims) -> Self {
        debug_assert!(requests.len() <= MAX_PLAN_REQUESTS);
        Self { version: MESSAGE_VERSION, requests, claims }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Denial, MessageError> {
        Denial::from_bytes(bytes)
    }

    #[test]
    fn one_reading_only() {
        let good = b"\xa3\x00\x01\x01\x63a.b\x02\x61x";
        assert_eq!(read(good).unwrap().to_bytes(), good);
        // A key that this version does not know is skipped.
        assert!(read(b"\xa4\x00\x01\x01\x63a.b\x02\x61x\x18\x63\x01").is_ok());
        for (what, bytes) in [
            ("empty", &b""[..]),
            ("indefinite map", b"\xbf\x00\x01\x01\x63a.b\x02\x61x\xff"),
            ("key twice", b"\xa4\x00\x01\x01\x63a.b\x01\x63c.d\x02\x61x"),
            ("keys out of order", b"\xa3\x01\x63a.b\x00\x01\x02\x61x"),
            ("key missing", b"\xa2\x00\x01\x01\x63a.b"),
            ("text key", b"\xa1\x61a\x01"),
            ("no map", b"\x83\x01\x61a\x61b"),
            ("cut", b"\xa3\x00\x01\x01\x63a.b\x02\x61"),
            ("huge map", b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff"),
        ] {
            assert!(matches!(read(bytes), Err(MessageError::Malformed(_))), "{what}");
        }
        assert_eq!(read(&[&good[..], &[0]].concat()), Err(MessageError::Trailing(1)));
        assert_eq!(read(b"\xa3\x00\x02\x01\x63a.b\x02\x61x"), Err(MessageError::Version(2)));
        assert_eq!(read(&vec![0; MAX_MESSAGE + 1]), Err(MessageError::Size(MAX_MESSAGE + 1)));
    }
}
