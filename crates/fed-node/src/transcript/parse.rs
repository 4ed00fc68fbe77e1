//! Reading a transcript: size, chain, forms and the seal's digest. Signatures are not verified here.
//!
//! Steps (names match the tests): 1 `size`  2 `chain`  3 `forms`, in their order  4 `seal`: count and digest.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Code, Finding, codes};
use fed_proto::crypto::{Digest, Signature, sha256};
use fed_proto::message::MAX_MEMBERS;

use super::line::{Body, Bundle, Head, Judging, Message, Object, Path, Policy, Seal, Verdict};
use super::record::{Transcript, body_of};
use super::{MAX_FILE, MAX_LINE, VERSION};

/// Most messages of a round: a token, a verdict and an absence of each member, and the coordinator's own.
const MAX_MESSAGES: usize = 4 * MAX_MEMBERS;

/// What the seal signs, and its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sealed {
    /// SHA-256 of everything before the seal, as computed.
    pub(super) digest: Digest,
    pub(super) signature: Signature,
}

fn invalid(text: impl Into<String>) -> Finding {
    Finding::new(codes::TR_FORMAT_INVALID, text)
}

impl Transcript {
    /// Reads a file whose lines follow each other and are as many and the ones that the seal counts.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, Sealed), Finding> {
        within("the transcript", bytes.len(), MAX_FILE)?;
        let lines = chained(bytes)?;
        let mut reader = Reader { lines: &lines, at: 0 };
        let head: Head = reader.take()?;
        if head.version != VERSION {
            return Err(invalid(format!("version {}, this program reads {VERSION}", head.version)));
        }
        let Bundle { signed } = reader.take()?;
        let policy: Policy = reader.take()?;
        let path: Path = reader.take()?;
        let mut objects = BTreeMap::new();
        while let Some(Object { sha256: name, bytes }) = reader.take_if()? {
            if sha256(&bytes.0).0 != name.0 {
                return Err(invalid(format!("object {} has another digest", hex::encode(name.0))));
            }
            if objects.last_key_value().is_some_and(|(last, _): (&Digest, _)| last.0 >= name.0) {
                return Err(invalid("objects are not strictly ascending"));
            }
            objects.insert(Digest(name.0), bytes.0);
        }
        let mut messages = Vec::new();
        while let Some(Message { bytes }) = reader.take_if()? {
            messages.push(bytes.0);
            at_most("messages", messages.len(), MAX_MESSAGES)?;
        }
        let mut judgements: Vec<Judging> = Vec::new();
        while let Some(judgement) = reader.take_if::<Judging>()? {
            if judgements.last().is_some_and(|last| last.subject >= judgement.subject) {
                return Err(invalid("judgements are not strictly ascending by subject"));
            }
            judgements.push(judgement);
            at_most("judgements", judgements.len(), MAX_MEMBERS)?;
        }
        let verdict: Verdict = reader.take()?;
        let sealed = reader.sealed(bytes)?;
        let transcript =
            Self { head, bundle: signed.0, policy, path, objects, messages, judgements, verdict };
        transcript.objects_used()?;
        Ok((transcript, sealed))
    }

    /// Exactly the objects that judgements name.
    fn objects_used(&self) -> Result<(), Finding> {
        let mut named = BTreeSet::new();
        for judgement in &self.judgements {
            named.insert(Digest(judgement.evidence.0));
            named.extend(judgement.endorsements.iter().map(|used| Digest(used.sha256.0)));
            if let Some(devices) = &judgement.devices {
                named.insert(Digest(devices.evidence.0));
                named.extend(devices.endorsements.iter().map(|used| Digest(used.sha256.0)));
            }
        }
        let different = named.iter().find(|name| !self.objects.contains_key(name));
        let different = different.or_else(|| self.objects.keys().find(|name| !named.contains(name)));
        match different {
            None => Ok(()),
            Some(name) => Err(invalid(format!("object {name} is missing, or no judgement names it"))),
        }
    }
}

fn within(what: &str, size: usize, limit: usize) -> Result<(), Finding> {
    if size <= limit {
        return Ok(());
    }
    Err(Finding::new(codes::ENV_SIZE_EXCEEDED, format!("{what} has {size} bytes, the limit is {limit}")))
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), Finding> {
    if count <= limit {
        return Ok(());
    }
    Err(Finding::new(codes::ENV_SIZE_EXCEEDED, format!("more than {limit} {what}")))
}

/// The lines without their line feeds, each of which names the one before it.
fn chained(bytes: &[u8]) -> Result<Vec<&[u8]>, Finding> {
    let broken = |code: Code, number: usize, text: &str| Finding::new(code, format!("line {number}: {text}"));
    let Some(all) = bytes.strip_suffix(b"\n") else {
        return Err(Finding::new(codes::TR_SEAL_INVALID, "the file does not end with a whole line"));
    };
    let mut expected = [0; 32];
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(all.split(|byte| *byte == b'\n')) {
        within(&format!("line {number}"), line.len(), MAX_LINE)?;
        let (_, prev) =
            start(line).ok_or_else(|| broken(codes::TR_FORMAT_INVALID, number, "not the form of a line"))?;
        if prev != hex::encode(expected).as_bytes() {
            return Err(broken(codes::TR_CHAIN_BROKEN, number, "it does not name the line before it"));
        }
        expected = sha256(line).0;
        lines.push(line);
    }
    Ok(lines)
}

/// Kind and `prev` of a line, which stand at its beginning.
fn start(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_prefix(b"{\"kind\":\"")?;
    let (kind, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b'"')?)?;
    let (prev, rest) = rest.strip_prefix(b"\",\"prev\":\"")?.split_at_checked(64)?;
    rest.starts_with(b"\",\"body\":").then_some((kind, prev))
}

struct Reader<'a> {
    lines: &'a [&'a [u8]],
    at: usize,
}

impl Reader<'_> {
    fn here(&self) -> Option<&[u8]> {
        self.lines.get(self.at).copied()
    }

    /// The next line, which must be of this kind.
    fn take<B: Body>(&mut self) -> Result<B, Finding> {
        let number = self.at.saturating_add(1);
        let Some(line) = self.here() else {
            let text = format!("the file ends after {} lines, without a seal", self.at);
            return Err(Finding::new(codes::TR_SEAL_INVALID, text));
        };
        let body = body_of(line)
            .map_err(|error| invalid(format!("line {number}, {} expected: {error}", B::KIND)))?;
        self.at = number;
        Ok(body)
    }

    /// The next line, if it is of this kind.
    fn take_if<B: Body>(&mut self) -> Result<Option<B>, Finding> {
        match self.here().and_then(start) {
            Some((kind, _)) if kind == B::KIND.as_bytes() => self.take().map(Some),
            _ => Ok(None),
        }
    }

    /// The seal, with which the file ends.
    fn sealed(&mut self, bytes: &[u8]) -> Result<Sealed, Finding> {
        let seal: Seal = self.take()?;
        let wrong = |text: &str| Err(Finding::new(codes::TR_SEAL_INVALID, text));
        if self.here().is_some() {
            return wrong("lines after the seal");
        }
        let last = self.lines.last().map_or(0, |line| line.len().saturating_add(1));
        let before = bytes.get(..bytes.len().saturating_sub(last)).unwrap_or_default();
        let digest = sha256(before);
        let count = u64::try_from(self.lines.len()).unwrap_or(u64::MAX);
        if seal.lines.saturating_add(1) != count || seal.sha256.0 != digest.0 {
            return wrong("it counts other lines than those before it");
        }
        Ok(Sealed { digest, signature: Signature(seal.signature.0) })
    }
}
