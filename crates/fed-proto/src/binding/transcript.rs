//! The transcript T and its sixteen fields (*verification.md* 5.2).

use std::fmt;

use cc_core::{Binding, Code, Finding, Profile, codes};

use crate::crypto::{Digest, same, sha256, sha512};
use crate::name::Name;
use crate::role::Role;
use crate::tlv::{Reader, Tlv};

const PREFIX: &[u8] = b"MUSTER-ATT-BIND\0\x00\x01";
const FIELDS: u8 = 16;

/// What a round is for (tag 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// 1: a site asks to be admitted to the roster.
    Register,
    /// 2: everybody shows again what it runs.
    Periodic,
    /// 3: a job is about to start.
    JobStart,
    /// 4: a key broker is about to release a key.
    KeyRelease,
}

impl Purpose {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Register => 1,
            Self::Periodic => 2,
            Self::JobStart => 3,
            Self::KeyRelease => 4,
        }
    }

    /// The purpose with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Register),
            2 => Some(Self::Periodic),
            3 => Some(Self::JobStart),
            4 => Some(Self::KeyRelease),
            _ => None,
        }
    }

    /// Whether rounds of this purpose are about one job.
    pub const fn names_job(self) -> bool {
        matches!(self, Self::JobStart | Self::KeyRelease)
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Register => "register",
            Self::Periodic => "periodic",
            Self::JobStart => "job start",
            Self::KeyRelease => "key release",
        })
    }
}

/// The sixteen fields, in the order of their tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// 1: the federation, from the descriptor in the participant's own kit.
    pub federation_id: Digest,
    /// 2: the owner's bundle named in the round's Open.
    pub policy_digest: Digest,
    /// 3: the participant.
    pub name: Name,
    /// 4: its role.
    pub role: Role,
    /// 5: the profile of the envelope.
    pub profile: Profile,
    /// 6: 16 random bytes of the process.
    pub instance_id: [u8; 16],
    /// 7: SHA-256 of the attestation key's SubjectPublicKeyInfo.
    pub key: Digest,
    /// 8: SHA-256 of the key-encapsulation key, if it has one.
    pub kem: Option<Digest>,
    /// 9: what the round is for.
    pub purpose: Purpose,
    /// 10: the job, empty unless the purpose names one; at most 64 bytes.
    pub job_id: String,
    /// 11: the round.
    pub epoch: u64,
    /// 12: digest of the member list.
    pub members: Digest,
    /// 13: root of the tree of all members' challenges.
    pub root: Digest,
    /// 14: number of its leaves.
    pub leaf_count: u32,
    /// 15: what the instance runs, if it says so.
    pub runtime: Option<Digest>,
    /// 16: the devices whose evidence comes with it, if any.
    pub devices: Option<Digest>,
}

impl Transcript {
    /// The bytes that are hashed.
    pub fn bytes(&self) -> Vec<u8> {
        let optional = |digest: &Option<Digest>| digest.map_or_else(Vec::new, |digest| digest.0.to_vec());
        Tlv::new(PREFIX)
            .field(1, &self.federation_id.0)
            .field(2, &self.policy_digest.0)
            .field(3, self.name.as_str().as_bytes())
            .field(4, &[self.role.as_u8()])
            .field(5, self.profile.as_str().as_bytes())
            .field(6, &self.instance_id)
            .field(7, &self.key.0)
            .field(8, &optional(&self.kem))
            .field(9, &[self.purpose.number()])
            .field(10, self.job_id.as_bytes())
            .field(11, &self.epoch.to_be_bytes())
            .field(12, &self.members.0)
            .field(13, &self.root.0)
            .field(14, &self.leaf_count.to_be_bytes())
            .field(15, &optional(&self.runtime))
            .field(16, &optional(&self.devices))
            .finish()
    }

    /// What evidence of the transcript's profile must be bound to: SHA-512 of the bytes, which the hardware signs as
    /// REPORT_DATA; for a machine with a virtual TPM, SHA-256 of them as the extra data of its quote, and SHA-512 as the
    /// user data of its report (*verification.md* 4.6).
    pub fn binding(&self) -> Binding {
        let bytes = self.bytes();
        let digest = sha512(&bytes);
        if self.profile == Profile::az_cvm_vtpm_1() {
            return Binding::machine(sha256(&bytes).0, &digest);
        }
        Binding::new(digest)
    }

    /// Compares the received bytes with this transcript, tag by tag in ascending order: the first that differs is
    /// returned with its code, so that a caller can place its other checks between the tags. Bytes that are not
    /// sixteen fields in their one form are `env.transcript.mismatch`, as tag 0.
    pub fn compare(&self, received: &[u8]) -> Result<(), (u8, Finding)> {
        let expected = self.bytes();
        let malformed = || (0, malformed("not the sixteen fields in their one form"));
        let ours = fields(&expected).ok_or_else(malformed)?;
        let theirs = fields(received).ok_or_else(malformed)?;
        for (tag, (want, got)) in (1_u8..).zip(ours.into_iter().zip(theirs)) {
            if !same(want, got) {
                let text = format!("tag {tag}: expected {}, got {}", shown(tag, want), shown(tag, got));
                return Err((tag, Finding::new(code_of(tag), text)));
            }
        }
        // Sixteen equal fields in one form are equal bytes; this is the statement itself.
        if same(&expected, received) { Ok(()) } else { Err(malformed()) }
    }

    /// The name (tag 3) that received bytes state.
    pub fn stated_name(received: &[u8]) -> Result<Name, Finding> {
        let name =
            fields(received).and_then(|fields| std::str::from_utf8(fields.get(2)?).ok().map(str::to_owned));
        name.and_then(|name| Name::new(&name).ok()).ok_or_else(|| malformed("tag 3 is no name"))
    }

    /// The peer-chosen part of received bytes: the runtime digest (tag 15), empty or 32 bytes.
    pub fn stated_runtime(received: &[u8]) -> Result<Option<Digest>, Finding> {
        let fields = fields(received).ok_or_else(|| malformed("not the sixteen fields in their one form"))?;
        match fields.get(14) {
            Some([]) => Ok(None),
            Some(bytes) => match <[u8; 32]>::try_from(*bytes) {
                Ok(digest) => Ok(Some(Digest(digest))),
                Err(_) => Err(malformed("tag 15 is neither empty nor 32 bytes")),
            },
            None => Err(malformed("no tag 15")),
        }
    }
}

fn malformed(text: &str) -> Finding {
    Finding::new(codes::ENV_TRANSCRIPT_MISMATCH, text)
}

/// Tag 15: what an instance runs, by the SHA-256 of its executable, its plugin manifest and its configuration.
pub fn runtime_digest(executable: &Digest, plugins: &Digest, configuration: &Digest) -> Digest {
    Tlv::new(b"MUSTER-RUNTIME\0")
        .field(1, &executable.0)
        .field(2, &plugins.0)
        .field(3, &configuration.0)
        .sha256()
}

/// The nonce for the evidence of GPUs and switches: of T with tag 16 empty (*verification.md* 5.3), whatever stands there.
pub fn gpu_nonce(transcript: &Transcript) -> Digest {
    let t0 = Transcript { devices: None, ..transcript.clone() };
    let mut tlv = b"MUSTER-GPU-NONCE\0".to_vec();
    tlv.extend_from_slice(&t0.bytes());
    sha256(&tlv)
}

/// The values of the sixteen tags, or nothing if the bytes have another form.
fn fields(bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut reader = Reader::after(PREFIX, bytes).ok()?;
    let fields = (1..=FIELDS).map(|tag| reader.field(tag)).collect::<Result<Vec<_>, _>>().ok()?;
    reader.end().ok()?;
    Some(fields)
}

/// Which code a difference in this tag has (*verification.md* 5.5 step 6).
const fn code_of(tag: u8) -> Code {
    match tag {
        1 => codes::BIND_FEDERATION_MISMATCH,
        2 => codes::BIND_POLICY_MISMATCH,
        3 => codes::BIND_NAME_MISMATCH,
        4 => codes::BIND_ROLE_MISMATCH,
        5 => codes::ENV_PROFILE_NOT_ALLOWED,
        6..=8 => codes::BIND_POP_INVALID,
        9 => codes::BIND_PURPOSE_MISMATCH,
        10 => codes::BIND_JOB_MISMATCH,
        11 => codes::BIND_NONCE_EXPIRED_OR_UNKNOWN,
        12..=14 => codes::BIND_ROOT_MISMATCH,
        15 => codes::FL_RUNTIME_CHANGED,
        16 => codes::BIND_GPU_DIGEST_MISMATCH,
        _ => codes::ENV_TRANSCRIPT_MISMATCH,
    }
}

/// A value for people: text where it is text, hexadecimal otherwise, and never long.
fn shown(tag: u8, value: &[u8]) -> String {
    let value = value.get(..64).unwrap_or(value);
    match (tag, std::str::from_utf8(value)) {
        (3 | 5 | 10, Ok(text)) => format!("{text:?}"),
        _ if value.is_empty() => "nothing".to_owned(),
        _ => hex::encode(value),
    }
}
