//! A policy together with the digest of the bytes that it was read from.

use cc_policy::{Policy, PolicyError};

use crate::Sha256;

/// A policy and the name of its content. Both come from the same bytes, so that a verdict which names the digest
/// names what was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    policy: Policy,
    sha256: Sha256,
}

impl PolicyFile {
    /// Reads a policy. `source_name` is what places in it are called by.
    pub fn parse(text: &str, source_name: &str) -> Result<Self, PolicyError> {
        Ok(Self { policy: Policy::parse(text, source_name)?, sha256: Sha256::of(text.as_bytes()) })
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// SHA-256 of the file.
    pub const fn sha256(&self) -> Sha256 {
        self.sha256
    }
}
