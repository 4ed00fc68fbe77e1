//! A job's grant: what a site tells the program that it starts about who was admitted, under what.

use cc_core::UnixTime;

use crate::crypto::{AttKey, Digest, PublicKey, Signature};
use crate::name::Name;
use crate::role::Role;
use crate::tlv::{Malformed, Reader, Tlv};

const PREFIX: &[u8] = b"MUSTER-GRANT\0";

/// One admitted member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Who.
    pub name: Name,
    /// In which role.
    pub role: Role,
    /// Digest of its attestation key.
    pub key: Digest,
    /// Digest of the policy by which it judged the others.
    pub policy: Digest,
}

/// A statement of one site's agent, after its own count of the signed verdicts: these members accepted each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The federation.
    pub federation_id: Digest,
    /// The round.
    pub epoch: u64,
    /// The job.
    pub job_id: String,
    /// The root under which everybody's challenge lies.
    pub root: Digest,
    /// The owner's bundle.
    pub bundle: Digest,
    /// Whose agent says so.
    pub holder: Name,
    /// When it was issued.
    pub issued: UnixTime,
    /// When the verdicts behind it expire unless they are renewed; a program that outlives it asks its agent.
    pub expires: UnixTime,
    /// Everybody who takes part, ascending.
    pub members: Vec<Admitted>,
}

impl Grant {
    /// The signed bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let head = Tlv::new(PREFIX)
            .field(1, &self.federation_id.0)
            .field(2, &self.epoch.to_be_bytes())
            .field(3, self.job_id.as_bytes())
            .field(4, &self.root.0)
            .field(5, &self.bundle.0)
            .field(6, self.holder.as_str().as_bytes())
            .field(7, &self.issued.as_secs().to_be_bytes())
            .field(8, &self.expires.as_secs().to_be_bytes());
        let all = self.members.iter().fold(head, |tlv, member| {
            tlv.field(9, member.name.as_str().as_bytes())
                .field(10, &[member.role.as_u8()])
                .field(11, &member.key.0)
                .field(12, &member.policy.0)
        });
        all.finish()
    }

    /// The grant with the agent's signature: `bytes ‖ 64 bytes`, as it lies in the job's folder.
    pub fn sign(&self, key: &AttKey) -> Vec<u8> {
        let mut bytes = self.bytes();
        let signature = key.sign(&bytes);
        bytes.extend_from_slice(&signature.0);
        bytes
    }

    /// Reads a signed grant and verifies it with the agent's key. `None` for anything else.
    pub fn open(signed: &[u8], key: &PublicKey) -> Option<Self> {
        let (bytes, signature) = signed.split_last_chunk::<64>()?;
        key.verify(bytes, &Signature(*signature)).ok()?;
        Self::read(bytes).ok()
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let name = |bytes: &[u8]| {
            std::str::from_utf8(bytes).ok().and_then(|text| Name::new(text).ok()).ok_or(Malformed)
        };
        let mut reader = Reader::after(PREFIX, bytes)?;
        let mut grant = Self {
            federation_id: Digest(reader.array(1)?),
            epoch: u64::from_be_bytes(reader.array(2)?),
            job_id: String::from_utf8(reader.field(3)?.to_vec()).map_err(|_| Malformed)?,
            root: Digest(reader.array(4)?),
            bundle: Digest(reader.array(5)?),
            holder: name(reader.field(6)?)?,
            issued: UnixTime::from_secs(u64::from_be_bytes(reader.array(7)?)),
            expires: UnixTime::from_secs(u64::from_be_bytes(reader.array(8)?)),
            members: Vec::new(),
        };
        while reader.at(9) {
            let member = Admitted {
                name: name(reader.field(9)?)?,
                role: Role::try_from(u8::from_be_bytes(reader.array(10)?)).map_err(|_| Malformed)?,
                key: Digest(reader.array(11)?),
                policy: Digest(reader.array(12)?),
            };
            if grant.members.last().is_some_and(|last| last.name >= member.name) {
                return Err(Malformed);
            }
            grant.members.push(member);
        }
        reader.end()?;
        Ok(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_reads_back_only_as_signed() {
        let key = AttKey::from_seed(&[7; 32]).unwrap();
        let member = |name: &str| Admitted {
            name: Name::new(name).unwrap(),
            role: Role::Client,
            key: Digest([1; 32]),
            policy: Digest([2; 32]),
        };
        let grant = Grant {
            federation_id: Digest([3; 32]),
            epoch: 7,
            job_id: "a".repeat(64),
            root: Digest([4; 32]),
            bundle: Digest([5; 32]),
            holder: Name::new("site-1").unwrap(),
            issued: UnixTime::from_secs(1),
            expires: UnixTime::from_secs(601),
            members: vec![member("a"), member("b")],
        };
        let signed = grant.sign(&key);
        assert_eq!(Grant::open(&signed, &key.public()), Some(grant.clone()));
        let other = AttKey::from_seed(&[8; 32]).unwrap();
        assert_eq!(Grant::open(&signed, &other.public()), None);
        for at in 0..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            assert_eq!(Grant::open(&changed, &key.public()), None, "byte {at}");
        }
        for members in [["b", "a"], ["a", "a"]] {
            let unordered = Grant { members: members.map(member).to_vec(), ..grant.clone() };
            assert_eq!(Grant::open(&unordered.sign(&key), &key.public()), None, "{members:?}");
        }
        let mut longer = grant.bytes();
        longer.push(0);
        longer.extend_from_slice(&key.sign(&longer).0);
        assert_eq!(Grant::open(&longer, &key.public()), None, "one byte more, and signed");
    }
}
