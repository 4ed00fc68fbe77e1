//! The owner's policy bundle: what every role must show at least, who is on the roster, and whom the owner revoked
//! (*verification.md* 0.13). Signed by the owner, versioned, and in every transcript by its digest.
//!
//! It knows nothing of the policies inside: those are `cc-policy`'s texts, opaque here.

mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cc_core::{Finding, Profile, UnixTime, codes};
use minicbor::bytes::{ByteArray, ByteVec};
use serde::Deserialize;

pub use text::BundleError;

use crate::crypto::{Digest, Signature, sha256};
use crate::descriptor::Descriptor;
use crate::name::Name;
use crate::role::Role;

/// What precedes the signed bytes in what the owner signs.
const DOMAIN: &[u8] = b"MUSTER-BUNDLE\0";

/// What ties a name to what was measured (*verification.md* 5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameBinding {
    /// Launch data that the hardware reports.
    Measured,
    /// The enrolment certificate alone, where an operator cannot set launch data.
    Enrolment,
    /// Both.
    #[default]
    Both,
}

impl NameBinding {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Enrolment => "enrolment",
            Self::Both => "both",
        }
    }

    /// Whether launch data must name the participant.
    pub const fn needs_launch_data(self) -> bool {
        matches!(self, Self::Measured | Self::Both)
    }
}

/// The least that a participant in a role must show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleFloor {
    /// The evidence profiles it may show; never empty.
    pub profiles: Vec<Profile>,
    /// The policy that its evidence must satisfy, as `cc-policy` reads it.
    pub policy: String,
    /// What ties its name to what was measured.
    pub name_binding: NameBinding,
}

/// What the owner says about one participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The role in which it is enrolled.
    pub role: Role,
    /// Who operates it: chip quotas are per organisation.
    pub organisation: String,
    /// Whether a second live instance replaces the first instead of being refused.
    pub replaceable: bool,
}

/// A bundle that was read, and, if it came from [`SignedBundle::open`], is the owner's and in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The federation it is for.
    pub federation_id: Digest,
    /// Its number, counting up from 1.
    pub version: u64,
    /// From then on nothing is admitted under it.
    pub not_after: UnixTime,
    /// Names that are nobody's any more.
    pub revoked_names: BTreeSet<Name>,
    /// SHA-256 of the DER of certificates that prove nothing any more.
    pub revoked_certificates: BTreeSet<Digest>,
    /// The floor of each role that the federation has.
    pub roles: BTreeMap<Role, RoleFloor>,
    /// The roster. A member that is not on it is its own organisation, and not replaceable.
    pub members: BTreeMap<Name, RosterEntry>,
    /// How many guests an organisation may have on one chip; at least 1.
    pub chip_quota: u32,
    /// How long a verdict stands; 10 to 3600 s.
    pub verdict_lifetime: Duration,
}

impl Bundle {
    /// Who operates a participant: itself, unless the roster says otherwise.
    pub fn organisation<'a>(&'a self, name: &'a Name) -> &'a str {
        self.members.get(name).map_or(name.as_str(), |entry| &entry.organisation)
    }

    /// Whether a second live instance of the name replaces the first.
    pub fn replaceable(&self, name: &Name) -> bool {
        self.members.get(name).is_some_and(|entry| entry.replaceable)
    }
}

/// A bundle as it travels and is kept: the owner's text and signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBundle {
    text: Vec<u8>,
    signature: Signature,
}

/// The stored and transmitted form.
#[derive(minicbor::Encode, minicbor::Decode)]
#[cbor(map)]
struct Wire {
    #[n(1)]
    version: u32,
    #[n(2)]
    text: ByteVec,
    #[n(3)]
    signature: ByteArray<64>,
}

impl SignedBundle {
    /// The longest text, in bytes.
    pub const MAX: usize = 1024 * 1024;
    /// The version of the stored and transmitted form.
    const VERSION: u32 = 1;

    /// Has a text signed; `key` gets the bytes to sign with the owner's Ed25519 key. Does not read the text: whoever
    /// opens the bundle does.
    pub fn sign(text: &str, key: impl FnOnce(&[u8]) -> Signature) -> Self {
        let text = text.as_bytes().to_vec();
        Self { signature: key(&[DOMAIN, &text].concat()), text }
    }

    /// Reads the one encoding that each signed bundle has.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > Self::MAX.saturating_add(256) {
            return None;
        }
        let wire: Wire = minicbor::decode(bytes).ok()?;
        let bundle = Self { text: wire.text.into(), signature: Signature(wire.signature.into()) };
        let known = wire.version == Self::VERSION && bundle.text.len() <= Self::MAX;
        // Covers unknown keys, their order, lengths of other forms and trailing bytes.
        (known && bundle.to_bytes() == bytes).then_some(bundle)
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = ByteArray::from(self.signature.0);
        let wire = Wire { version: Self::VERSION, text: self.text.clone().into(), signature };
        // Writing to a vector cannot fail; an empty answer, should it ever, is refused by every reader.
        minicbor::to_vec(wire).unwrap_or_default()
    }

    /// SHA-256 of the text: tag 2 of every transcript.
    pub fn digest(&self) -> Digest {
        sha256(&self.text)
    }

    /// Opens the bundle in a federation at an instant: `pol.signature.invalid` when the owner did not sign it,
    /// `pol.format.invalid` when it cannot be read, `bind.federation.mismatch` when it is for another federation, and
    /// `pol.rollback` when its version is below `lowest`, the highest that the caller ever had, or `now` is not before
    /// its end.
    pub fn open(
        &self,
        descriptor: &Descriptor,
        lowest: Option<u64>,
        now: UnixTime,
    ) -> Result<Bundle, Finding> {
        let signed = [DOMAIN, &self.text].concat();
        if let Err(error) = descriptor.owner_key().verify(&signed, &self.signature) {
            let text = format!("bundle {}, owner {}: {error}", self.digest(), hex::encode(descriptor.owner));
            return Err(Finding::new(codes::POL_SIGNATURE_INVALID, text));
        }
        let invalid = |text: String| Finding::new(codes::POL_FORMAT_INVALID, format!("bundle: {text}"));
        let text = std::str::from_utf8(&self.text).map_err(|error| invalid(error.to_string()))?;
        let bundle = Bundle::parse(text).map_err(|error| invalid(error.to_string()))?;
        let federation_id = descriptor.federation_id();
        if bundle.federation_id != federation_id {
            let text =
                format!("the bundle is for federation {}, this is {federation_id}", bundle.federation_id);
            return Err(Finding::new(codes::BIND_FEDERATION_MISMATCH, text));
        }
        if let Some(lowest) = lowest.filter(|lowest| bundle.version < *lowest) {
            let text = format!("bundle version {}, version {lowest} was in force already", bundle.version);
            return Err(Finding::new(codes::POL_ROLLBACK, text));
        }
        if now >= bundle.not_after {
            let text = format!("bundle version {} ended {}, it is {now}", bundle.version, bundle.not_after);
            return Err(Finding::new(codes::POL_ROLLBACK, text));
        }
        Ok(bundle)
    }
}

#[cfg(test)]
mod tests;
