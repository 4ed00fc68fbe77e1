//! A member's challenge, and the digest of who takes part (*verification.md* 5.2, 5.5 step 2).

use crate::crypto::Digest;
use crate::name::Name;
use crate::role::Role;
use crate::tlv::{Malformed, Reader, Tlv};

const LEAF: &[u8] = b"MUSTER-LEAF\0";

/// What a verifier hangs under the root: its fresh nonce with who drew it, for which round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The federation.
    pub federation_id: Digest,
    /// The round.
    pub epoch: u64,
    /// The verifier.
    pub name: Name,
    /// Its role.
    pub role: Role,
    /// 32 random bytes, used once.
    pub nonce: [u8; 32],
    /// SHA-256 of its attestation key's SubjectPublicKeyInfo.
    pub key: Digest,
}

impl Leaf {
    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        Tlv::new(LEAF)
            .field(1, &self.federation_id.0)
            .field(2, &self.epoch.to_be_bytes())
            .field(3, self.name.as_str().as_bytes())
            .field(4, &[self.role.as_u8()])
            .field(5, &self.nonce)
            .field(6, &self.key.0)
            .finish()
    }

    /// Reads a leaf; it has exactly one form.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).ok()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::after(LEAF, bytes)?;
        let leaf = Self {
            federation_id: Digest(reader.array(1)?),
            epoch: u64::from_be_bytes(reader.array(2)?),
            name: text(reader.field(3)?)?,
            role: Role::try_from(u8::from_be_bytes(reader.array(4)?)).map_err(|_| Malformed)?,
            nonce: reader.array(5)?,
            key: Digest(reader.array(6)?),
        };
        reader.end()?;
        Ok(leaf)
    }
}

/// A name inside a field.
fn text(bytes: &[u8]) -> Result<Name, Malformed> {
    Name::new(std::str::from_utf8(bytes).map_err(|_| Malformed)?).map_err(|_| Malformed)
}

/// One entry of the member list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Who.
    pub name: Name,
    /// In which role.
    pub role: Role,
    /// SHA-256 of its attestation key's SubjectPublicKeyInfo.
    pub key: Digest,
}

/// Digest of the member list, which the caller holds in ascending order of names.
pub fn members_digest(members: &[Member]) -> Digest {
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let start = Tlv::new(b"MUSTER-MEMBERS\0").count(count);
    let all = members.iter().fold(start, |tlv, member| {
        tlv.field(1, member.name.as_str().as_bytes()).field(2, &[member.role.as_u8()]).field(3, &member.key.0)
    });
    all.sha256()
}
