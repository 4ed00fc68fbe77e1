//! A policy together with the digest of the bytes that it was read from.

use std::sync::Arc;

use cc_policy::{Policy, PolicyError};

use crate::Sha256;

/// A policy and the name of its content. Both come from the same bytes, so that a verdict which names the digest
/// names what was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    policy: Policy,
    text: Arc<str>,
    source_name: Arc<str>,
    sha256: Sha256,
}

impl PolicyFile {
    /// Reads a policy. `source_name` is what places in it are called by.
    pub fn parse(text: &str, source_name: &str) -> Result<Self, PolicyError> {
        Ok(Self {
            policy: Policy::parse(text, source_name)?,
            text: text.into(),
            source_name: source_name.into(),
            sha256: Sha256::of(text.as_bytes()),
        })
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The file's text, for whoever applies it again.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What places in it are called by.
    pub fn source_name(&self) -> &str {
        &self.source_name
    }

    /// SHA-256 of the file.
    pub const fn sha256(&self) -> Sha256 {
        self.sha256
    }
}
