//! A verifier's signed verdict on all members of a round (*verification.md* 5.5 step 7).

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Binding, Code};

use crate::binding::Purpose;
use crate::crypto::{Digest, Signature};
use crate::name::Name;
use crate::tlv::{Malformed, Reader, Tlv};

const PREFIX: &[u8] = b"MUSTER-VERDICT\0";

/// What one verifier says about the other members of a round.
///
/// Members that it accepted are stated by one digest which whoever saw the same tokens can recompute, so the size
/// grows with refusals only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The federation.
    pub federation_id: Digest,
    /// The round.
    pub epoch: u64,
    /// What the round was for.
    pub purpose: Purpose,
    /// The job, or empty.
    pub job_id: String,
    /// The root that contains the verifier's challenge.
    pub root: Digest,
    /// The verifier.
    pub verifier: Name,
    /// Digest of the verifier's own policy.
    pub policy: Digest,
    /// [`accepted_digest`] over the members that it accepted.
    pub accepted: Digest,
    /// The other members, in ascending order, each with the code; at least one way to refuse for everybody who is
    /// not in `accepted`.
    pub refused: Vec<(Name, Code)>,
}

/// Digest of the accepted members, given in ascending order of names, each with `SHA-512(T)` of its token.
pub fn accepted_digest<'a>(accepted: impl IntoIterator<Item = (&'a Name, &'a Binding)>) -> Digest {
    let all = accepted.into_iter().fold(Tlv::new(b""), |tlv, (name, report_data)| {
        tlv.field(1, name.as_str().as_bytes()).field(2, report_data.as_bytes())
    });
    all.sha256()
}

impl Verdict {
    /// The signed bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let head = Tlv::new(PREFIX)
            .field(1, &self.federation_id.0)
            .field(2, &self.epoch.to_be_bytes())
            .field(3, &[self.purpose.number()])
            .field(4, self.job_id.as_bytes())
            .field(5, &self.root.0)
            .field(6, self.verifier.as_str().as_bytes())
            .field(7, &self.policy.0)
            .field(8, &self.accepted.0);
        let all = self.refused.iter().fold(head, |tlv, (name, code)| {
            tlv.field(9, name.as_str().as_bytes()).field(10, code.as_str().as_bytes())
        });
        all.finish()
    }

    /// Reads a verdict; it has exactly one form, refusals strictly ascending.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::after(PREFIX, bytes)?;
        let mut verdict = Self {
            federation_id: Digest(reader.array(1)?),
            epoch: u64::from_be_bytes(reader.array(2)?),
            purpose: Purpose::from_number(u8::from_be_bytes(reader.array(3)?)).ok_or(Malformed)?,
            job_id: text(reader.field(4)?)?.to_owned(),
            root: Digest(reader.array(5)?),
            verifier: name(reader.field(6)?)?,
            policy: Digest(reader.array(7)?),
            accepted: Digest(reader.array(8)?),
            refused: Vec::new(),
        };
        while reader.at(9) {
            let refused =
                (name(reader.field(9)?)?, Code::parse(text(reader.field(10)?)?).map_err(|_| Malformed)?);
            if verdict.refused.last().is_some_and(|(last, _)| *last >= refused.0) {
                return Err(Malformed);
            }
            verdict.refused.push(refused);
        }
        reader.end()?;
        Ok(verdict)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

fn name(bytes: &[u8]) -> Result<Name, Malformed> {
    Name::new(text(bytes)?).map_err(|_| Malformed)
}

/// A verdict with its verifier's signature over its bytes, kept as received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedVerdict {
    /// The signed bytes.
    pub bytes: Vec<u8>,
    /// The verifier's signature.
    pub signature: Signature,
    /// For people: the line of the verifier's policies that refused a member, where one did. It came with the verdict and
    /// is no part of what is signed.
    pub lines: BTreeMap<Name, String>,
}

/// Longest line of a policy that is kept, in bytes.
const MAX_LINE: usize = 200;

/// What is kept of lines that came with a verdict: those of members that it refuses, without control characters, and only
/// so much of each.
pub(crate) fn lines(verdict: &Verdict, said: &[(String, String)]) -> BTreeMap<Name, String> {
    let refused: BTreeSet<&str> = verdict.refused.iter().map(|(name, _)| name.as_str()).collect();
    let said = said.iter().filter(|(name, line)| refused.contains(name.as_str()) && !line.is_empty());
    said.filter_map(|(name, line)| {
        let end = (0..=MAX_LINE.min(line.len())).rev().find(|end| line.is_char_boundary(*end))?;
        let line = line.get(..end)?.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        Some((Name::new(name).ok()?, line))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use cc_core::codes;

    use super::*;

    fn named(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn refusing(names: &[&str]) -> Verdict {
        Verdict {
            federation_id: Digest([1; 32]),
            epoch: 7,
            purpose: Purpose::JobStart,
            job_id: "a".repeat(64),
            root: Digest([2; 32]),
            verifier: named("site-1"),
            policy: Digest([3; 32]),
            accepted: accepted_digest([]),
            refused: names.iter().map(|name| (named(name), codes::SNP_TCB_BELOW_MINIMUM)).collect(),
        }
    }

    #[test]
    fn lines_are_those_of_members_that_are_refused() {
        let verdict = refusing(&["a", "b", "c"]);
        let said = [
            ("a", "policy.toml:1 snp.vmpl"),
            ("b", ""),
            ("d", "x"),
            ("not a name", "x"),
            ("c", "\u{1b}[2J\n"),
        ];
        let said = said.map(|(name, line)| (name.to_owned(), line.to_owned()));
        let kept = lines(&verdict, &said);
        let expected = [("a", "policy.toml:1 snp.vmpl"), ("c", "\u{fffd}[2J\u{fffd}")];
        assert_eq!(kept, expected.map(|(name, line)| (named(name), line.to_owned())).into());
        let long = [("a".to_owned(), "é".repeat(MAX_LINE))];
        assert_eq!(lines(&verdict, &long)[&named("a")].len(), MAX_LINE);
    }

    #[test]
    fn a_verdict_has_one_form() {
        for names in [&[][..], &["a"], &["a", "b", "c"]] {
            let verdict = refusing(names);
            assert_eq!(Verdict::parse(&verdict.bytes()), Some(verdict));
        }
        for names in [&["b", "a"][..], &["a", "a"], &["a", "c", "b"]] {
            assert_eq!(Verdict::parse(&refusing(names).bytes()), None, "{names:?}");
        }
        let bytes = refusing(&["a", "b"]).bytes();
        for end in 0..bytes.len() {
            // What ends after the first refusal is a verdict with one refusal.
            let whole =
                [refusing(&[]), refusing(&["a"])].iter().any(|verdict| verdict.bytes() == bytes[..end]);
            assert_eq!(Verdict::parse(&bytes[..end]).is_some(), whole, "{end} bytes");
        }
        for tail in [&b"\0"[..], &[9], &[11, 0, 0, 0, 0]] {
            assert_eq!(Verdict::parse(&[bytes.as_slice(), tail].concat()), None, "{tail:?} follows");
        }
    }

    #[test]
    fn who_is_accepted_with_which_token_is_told_apart() {
        let (one, two) = (Binding::new([1; 64]), Binding::new([2; 64]));
        let (a, b) = (named("a"), named("b"));
        let digests = [
            accepted_digest([]),
            accepted_digest([(&a, &one)]),
            accepted_digest([(&a, &two)]),
            accepted_digest([(&b, &one)]),
            accepted_digest([(&a, &one), (&b, &two)]),
            accepted_digest([(&a, &two), (&b, &one)]),
        ];
        let different: BTreeSet<_> = digests.iter().collect();
        assert_eq!(different.len(), digests.len());
    }
}
