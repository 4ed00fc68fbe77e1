//! Messages that travel through the server: each signed by its sender (*verification.md* 5.4, form b).

use std::collections::BTreeMap;

use cc_core::{Finding, codes};

use crate::crypto::{AttKey, Digest, PublicKey, Signature, sha256};
use crate::name::Name;
use crate::tlv::Tlv;

/// What a signature covers besides the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The round, zero for messages outside rounds.
    pub epoch: u64,
    /// The job, or empty.
    pub job_id: String,
    /// Who sends.
    pub sender: Name,
    /// To whom; nothing means all members.
    pub recipient: Option<Name>,
    /// The message type.
    pub kind: u16,
    /// Strictly increasing per sender key and recipient.
    pub sequence: u64,
}

/// A message as it travels: the payload's bytes are what is hashed, and are never encoded anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What the signature covers besides the payload.
    pub header: Header,
    /// The payload as sent.
    pub payload: Vec<u8>,
    /// The sender's signature.
    pub signature: Signature,
}

fn signed_bytes(federation_id: &Digest, header: &Header, payload: &[u8]) -> Vec<u8> {
    Tlv::new(b"MUSTER-MSG\0")
        .field(1, &federation_id.0)
        .field(2, &header.epoch.to_be_bytes())
        .field(3, header.job_id.as_bytes())
        .field(4, header.sender.as_str().as_bytes())
        .field(5, header.recipient.as_ref().map_or(b"", |name| name.as_str().as_bytes()))
        .field(6, &header.kind.to_be_bytes())
        .field(7, &header.sequence.to_be_bytes())
        .field(8, &sha256(payload).0)
        .finish()
}

impl Signed {
    /// Signs a payload.
    pub fn new(federation_id: &Digest, header: Header, payload: Vec<u8>, key: &AttKey) -> Self {
        let signature = key.sign(&signed_bytes(federation_id, &header, &payload));
        Self { header, payload, signature }
    }

    /// Verifies the signature; `fl.message.unsigned`.
    pub fn verify(&self, federation_id: &Digest, key: &PublicKey) -> Result<(), Finding> {
        let bytes = signed_bytes(federation_id, &self.header, &self.payload);
        key.verify(&bytes, &self.signature).map_err(|error| {
            let text = format!("message {} of {}: {error}", self.header.kind, self.header.sender);
            Finding::new(codes::FL_MESSAGE_UNSIGNED, text)
        })
    }
}

/// The highest sequence number seen from each key to each recipient.
#[derive(Clone, Debug, Default)]
pub struct Sequences(BTreeMap<(Digest, Option<Name>), u64>);

impl Sequences {
    /// How many keys are remembered at most; a federation has at most 4,096 members, each with few instances.
    const MOST: usize = 16_384;

    /// Admits a sequence number that is higher than every earlier one; `fl.message.replayed`. To be asked after the
    /// signature was verified, so that nobody else can use numbers up.
    pub fn admit(&mut self, key: &Digest, header: &Header) -> Result<(), Finding> {
        let place = (*key, header.recipient.clone());
        let last = self.0.get(&place).copied();
        if last.is_some_and(|last| header.sequence <= last) {
            let text =
                format!("sequence {} of {} after {}", header.sequence, header.sender, last.unwrap_or(0));
            return Err(Finding::new(codes::FL_MESSAGE_REPLAYED, text));
        }
        if last.is_none() && self.0.len() >= Self::MOST {
            return Err(Finding::new(codes::FL_PEER_QUARANTINED, "too many keys"));
        }
        self.0.insert(place, header.sequence);
        Ok(())
    }

    /// Whether so many keys are remembered that some should be forgotten.
    pub fn is_crowded(&self) -> bool {
        self.0.len() >= Self::MOST / 2
    }

    /// Forgets all keys but these. Of a key that was forgotten messages may be admitted again: none of its rounds may
    /// be under way any longer.
    pub fn retain(&mut self, keep: impl Fn(&Digest) -> bool) {
        self.0.retain(|(key, _), _| keep(key));
    }

    /// Forgets a key that no longer takes part.
    pub fn forget(&mut self, key: &Digest) {
        self.0.retain(|(known, _), _| known != key);
    }
}
