//! The records, as plain data. Their meaning is that of the protocol (*verification.md* 5), which this crate does not
//! know.

use std::fmt;

use cc_core::UnixTime;

/// The newest policy bundle of the federation's owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its version, which is also the lowest that is accepted from now on.
    pub version: u64,
    /// SHA-256 of its signed bytes.
    pub digest: [u8; 32],
    /// The bundle with its signature.
    pub bytes: Vec<u8>,
    /// When it was taken over.
    pub at: UnixTime,
}

/// A participant that was admitted to the roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its role: 1 server, 2 client, 3 relay, 4 key broker.
    pub role: u8,
    /// Its process: random per start.
    pub instance_id: [u8; 16],
    /// SHA-256 of `key`.
    pub key_digest: [u8; 32],
    /// The attestation key (SPKI, DER) of that process.
    pub key: Vec<u8>,
    /// When this instance was admitted.
    pub registered: UnixTime,
    /// The last binding transcript of it that was accepted.
    pub transcript: Vec<u8>,
}

/// Evidence, found by its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The bytes as they came.
    pub bytes: Vec<u8>,
    /// When they last came.
    pub at: UnixTime,
}

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Rows.
    pub rows: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// A signed statement of one verifier about a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The round.
    pub epoch: u64,
    /// What the round was for: 1 register, 2 periodic, 3 job start, 4 key release.
    pub purpose: u8,
    /// The job, if the round was for one.
    pub job: Option<String>,
    /// Who judged.
    pub verifier: String,
    /// Digest of the verifier's own policy.
    pub policy_digest: [u8; 32],
    /// When it was made or received.
    pub at: UnixTime,
    /// The signed verdict as sent.
    pub signed: Vec<u8>,
}

/// What a statement says of one subject, and what the verifier knows beyond what it signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Who was judged.
    pub subject: String,
    /// Why not; `None` means accepted.
    pub code: Option<String>,
    /// Explanation for people; empty if there is none.
    pub detail: String,
    /// The line of the policy that decided; empty if none did or it is not known.
    pub policy_line: String,
    /// SHA-256 of the evidence that was judged, if it is known. It may have been pruned since.
    pub evidence: Option<[u8; 32]>,
}

/// One verifier's last word on one subject in one round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The round.
    pub epoch: u64,
    /// What the round was for.
    pub purpose: u8,
    /// The job, if the round was for one.
    pub job: Option<String>,
    /// Who judged.
    pub verifier: String,
    /// Digest of the verifier's own policy.
    pub policy_digest: [u8; 32],
    /// When the statement was made or received.
    pub at: UnixTime,
    /// About whom, and what.
    pub judgement: Judgement,
}

/// How far a job has come. It never goes back, which is what keeps a job from running twice over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Not given out yet.
    Waiting,
    /// A grant may have left: it must not be given out again.
    Dispatched,
    /// Nothing will happen to it any more.
    Ended,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Waiting => "waiting",
            Self::Dispatched => "dispatched",
            Self::Ended => "ended",
        })
    }
}

/// A job that was submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its identity: 64 lower-case hex digits.
    pub id: String,
    /// Order of submission: jobs are listed by it.
    pub sequence: u64,
    /// The random bytes of the submission.
    pub nonce: [u8; 16],
    /// The job file as submitted.
    pub file: Vec<u8>,
    /// How far it has come.
    pub stage: Stage,
    /// Everything else about it, its history included, in the caller's encoding.
    pub record: Vec<u8>,
}

/// Something that was fetched to verify evidence with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collateral {
    /// The object as fetched.
    pub bytes: Vec<u8>,
    /// When it was fetched.
    pub fetched: UnixTime,
}

/// A number that protects from rollback: 20 bytes, big-endian, since the numbers of revocation lists are that long
/// (RFC 5280 5.2.3; [`cc_core::message::Floor`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FloorNumber(pub [u8; 20]);

impl From<u64> for FloorNumber {
    fn from(number: u64) -> Self {
        let mut bytes = [0; 20];
        let (_, low) = bytes.split_at_mut(12);
        low.copy_from_slice(&number.to_be_bytes());
        Self(bytes)
    }
}

impl fmt::Display for FloorNumber {
    /// Hexadecimal without leading zeros, for example `0x1f`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let digits = digits.trim_start_matches('0');
        f.pad(&format!("0x{}", if digits.is_empty() { "0" } else { digits }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_numbers_order_like_numbers() {
        let numbers = [0, 1, 255, 256, u64::MAX].map(FloorNumber::from);
        assert!(numbers.is_sorted());
        assert_eq!(
            numbers.map(|number| number.to_string()),
            ["0x0", "0x1", "0xff", "0x100", "0xffffffffffffffff"]
        );
        let mut larger = [0; 20];
        larger[11] = 1;
        assert!(FloorNumber(larger) > FloorNumber::from(u64::MAX));
    }
}
