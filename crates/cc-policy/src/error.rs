//! Why a policy does not load.

use cc_core::Code;

/// A policy that is refused, and the place in it that is to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{code}: {place}: {detail}")]
pub struct PolicyError {
    /// The stable code, one of `pol.*`.
    pub code: Code,
    /// File, line and key path, for example `policy.toml:12 snp.min_tcb.Genoa.microcode`.
    pub place: String,
    /// What stands there and what was expected; lower-case, never parsed.
    pub detail: String,
}

impl PolicyError {
    pub(crate) fn new(code: Code, place: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, place: place.into(), detail: detail.into() }
    }
}
