//! A transcript from a round's record, and its bytes.

use std::collections::BTreeMap;

use cc_core::UnixTime;
use cc_manager::attest::PolicyFile;
use fed_proto::binding::{InclusionPath, leaf_hash};
use fed_proto::crypto::{Digest, Signature, sha256};
use fed_proto::descriptor::Descriptor;
use fed_proto::message::{Kind, MAX_DOWNWARD, Open, Publish, VerdictMessage};
use fed_proto::name::Name;
use fed_proto::round::Concluded;
use fed_proto::signed::Signed;

use super::line::{Body, Bundle, Head, Judging, Line, Message, Object, Path, Policy, Refused, Seal, Verdict};
use super::value::{Blob, Hex, Time, What};
use super::{MAX_FILE, MAX_LINE, SEAL, TranscriptError, VERSION};
use crate::record::RoundRecord;

/// What a transcript says, without chain and seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Transcript {
    pub(super) head: Head,
    pub(super) bundle: Vec<u8>,
    pub(super) policy: Policy,
    pub(super) path: Path,
    pub(super) objects: BTreeMap<Digest, Vec<u8>>,
    pub(super) messages: Vec<Vec<u8>>,
    pub(super) judgements: Vec<Judging>,
    pub(super) verdict: Verdict,
}

/// A round as it was judged.
pub(super) struct Parts<'a> {
    pub(super) verifier: &'a str,
    pub(super) concluded: &'a Concluded,
    pub(super) descriptor: &'a Descriptor,
    pub(super) site_policy: &'a PolicyFile,
    pub(super) at: UnixTime,
    pub(super) judgements: Vec<Judging>,
    pub(super) objects: BTreeMap<Digest, Vec<u8>>,
}

impl Transcript {
    /// What is kept of a round.
    pub(super) fn of(record: &RoundRecord) -> Result<Self, TranscriptError> {
        let RoundRecord { verifier, concluded, judged, descriptor, site_policy, at, .. } = record;
        let site = *site_policy.sha256().as_bytes();
        let mut objects = BTreeMap::new();
        let mut judgements = Vec::new();
        for peer in judged {
            let mut keep = |bytes: &Vec<u8>| {
                objects.entry(sha256(bytes)).or_insert_with(|| bytes.clone());
            };
            keep(&peer.subject.evidence);
            peer.judgement.endorsements.iter().for_each(|used| keep(&used.bytes));
            peer.subject.devices.iter().for_each(|shown| keep(&shown.evidence));
            let judged = peer.judgement.devices.iter();
            judged.flat_map(|judged| &judged.endorsements).for_each(|used| keep(&used.bytes));
            judgements.push(Judging::of(&peer.subject, &peer.judgement, site));
        }
        Self::new(Parts { verifier, concluded, descriptor, site_policy, at: *at, judgements, objects })
    }

    /// The same of what was judged, in the form of the file.
    pub(super) fn new(parts: Parts<'_>) -> Result<Self, TranscriptError> {
        let Parts { verifier, concluded, descriptor, site_policy, at, mut judgements, objects } = parts;
        judgements.sort_by(|a, b| a.subject.cmp(&b.subject));
        let refused = concluded.refused.iter().map(|(name, finding)| Refused {
            name: name.clone(),
            code: finding.code.to_string(),
            detail: finding.detail.clone(),
        });
        let verifier =
            Name::new(verifier).map_err(|_| TranscriptError::Incomplete("name of the verifier"))?;
        let messages = Messages::read(&concluded.messages, &verifier)?;
        Ok(Self {
            head: Head {
                version: VERSION,
                verifier,
                descriptor: descriptor.to_text(),
                epoch: concluded.epoch,
                purpose: What(concluded.purpose),
                job_id: concluded.job_id.clone(),
                root: Hex(concluded.root.0),
                at: Time(at),
            },
            bundle: messages.bundle,
            policy: Policy {
                name: site_policy.source_name().to_owned(),
                text: site_policy.text().to_owned(),
            },
            path: messages.path,
            objects,
            messages: concluded.messages.clone(),
            judgements,
            verdict: Verdict {
                bytes: Blob(messages.verdict.bytes.to_vec()),
                signature: Hex(<[u8; 64]>::try_from(messages.verdict.signature.as_slice())
                    .map_err(|_| TranscriptError::Incomplete("verdict"))?),
                refused: refused.collect(),
            },
        })
    }

    /// The file. `key` gets the bytes to sign with the verifier's attestation key.
    pub(super) fn to_bytes(&self, key: impl FnOnce(&[u8]) -> Signature) -> Result<Vec<u8>, TranscriptError> {
        let mut lines = Lines::default();
        lines.push(&self.head)?;
        lines.push(&Bundle { signed: Blob(self.bundle.clone()) })?;
        lines.push(&self.policy)?;
        lines.push(&self.path)?;
        for (sha256, bytes) in &self.objects {
            lines.push(&Object { sha256: Hex(sha256.0), bytes: Blob(bytes.clone()) })?;
        }
        for bytes in &self.messages {
            lines.push(&Message { bytes: Blob(bytes.clone()) })?;
        }
        for judgement in &self.judgements {
            lines.push(judgement)?;
        }
        lines.push(&self.verdict)?;
        let digest = sha256(&lines.bytes);
        let signature = key(&seal_message(&digest));
        lines.push(&Seal { lines: lines.count, sha256: Hex(digest.0), signature: Hex(signature.0) })?;
        Ok(lines.bytes)
    }
}

/// What the seal signs.
pub(super) fn seal_message(digest: &Digest) -> Vec<u8> {
    [SEAL, &digest.0].concat()
}

/// What a transcript repeats of the messages.
struct Messages {
    bundle: Vec<u8>,
    path: Path,
    verdict: VerdictMessage,
}

impl Messages {
    fn read(messages: &[Vec<u8>], verifier: &Name) -> Result<Self, TranscriptError> {
        let (mut bundle, mut path, mut verdict) = (None, None, None);
        for bytes in messages {
            let Some(message) = Signed::from_bytes(bytes, MAX_DOWNWARD) else { continue };
            match Kind::from_number(message.header.kind) {
                Some(Kind::Open) => bundle = message.read::<Open>().map(|open| open.bundle.to_vec()),
                Some(Kind::Publish) => path = own_path(&message, verifier),
                Some(Kind::Verdict) if message.header.sender == *verifier => verdict = message.read(),
                _ => {}
            }
        }
        Ok(Self {
            bundle: bundle.ok_or(TranscriptError::Incomplete("Open"))?,
            path: path.ok_or(TranscriptError::Incomplete("Publish"))?,
            verdict: verdict.ok_or(TranscriptError::Incomplete("verdict"))?,
        })
    }
}

fn own_path(message: &Signed, verifier: &Name) -> Option<Path> {
    let entries = message.read::<Publish>()?.contributions;
    let own = |leaf: &[u8]| fed_proto::binding::Leaf::parse(leaf).is_some_and(|leaf| leaf.name == *verifier);
    let index = u32::try_from(entries.iter().position(|entry| own(&entry.leaf))?).ok()?;
    let hashes: Vec<Digest> = entries.iter().map(|entry| leaf_hash(&entry.leaf)).collect();
    let InclusionPath { index, count, siblings } = InclusionPath::of(&hashes, index)?;
    Some(Path { index, count, siblings: siblings.into_iter().map(|sibling| Hex(sibling.0)).collect() })
}

/// Lines as they are chained.
#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// Where the last line begins.
    last: usize,
    count: u64,
}

impl Lines {
    fn push<B: Body>(&mut self, body: &B) -> Result<(), TranscriptError> {
        let line = line_of(body, self.prev())?;
        let size = self.bytes.len().saturating_add(line.len()).saturating_add(1);
        for (size, limit) in [(line.len(), MAX_LINE), (size, MAX_FILE)] {
            if size > limit {
                return Err(TranscriptError::TooLarge { size, limit });
            }
        }
        self.last = self.bytes.len();
        self.bytes.extend_from_slice(&line);
        self.bytes.push(b'\n');
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    fn prev(&self) -> Hex<32> {
        let last = self.bytes.get(self.last..).unwrap_or_default();
        match last.strip_suffix(b"\n") {
            Some(line) => Hex(sha256(line).0),
            None => Hex([0; 32]),
        }
    }
}

/// The one form of a line.
pub(super) fn line_of<B: Body>(body: &B, prev: Hex<32>) -> Result<Vec<u8>, TranscriptError> {
    #[derive(serde::Serialize)]
    struct Borrowed<'a, B> {
        kind: &'static str,
        prev: Hex<32>,
        body: &'a B,
    }
    // The same fields in the same order as [`Line`].
    let line = Borrowed { kind: B::KIND, prev, body };
    serde_json::to_vec(&line).map_err(|_| TranscriptError::Incomplete(B::KIND))
}

/// The body of a line, if the line is the one form of it.
pub(super) fn body_of<B: Body>(line: &[u8]) -> Result<B, String> {
    let Line { kind, prev, body } =
        serde_json::from_slice::<Line<B>>(line).map_err(|error| error.to_string())?;
    let same = kind == B::KIND && line_of(&body, prev).is_ok_and(|written| written == line);
    if same { Ok(body) } else { Err("not in the one form of such a line".to_owned()) }
}
