//! Claims by name, each read when it is asked for.

use std::collections::BTreeMap;

use cc_core::{Finding, codes};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::jwt::Payload;

/// The claims of a token, or those within one of its claims.
pub(super) struct Said<'a> {
    token: &'a str,
    claims: BTreeMap<String, &'a RawValue>,
}

impl<'a> Said<'a> {
    /// The claims of the token with that name.
    pub(super) fn of(token: &'a str, payload: &'a Payload) -> Result<Self, Finding> {
        let claims = payload.read().map_err(|error| malformed(token, &error))?;
        Ok(Self { token, claims })
    }

    /// The claims within a claim.
    pub(super) fn within(&self, name: &str) -> Result<Self, Finding> {
        let claims = self.value(name)?;
        Ok(Self { token: self.token, claims })
    }

    /// A claim that must be there.
    pub(super) fn value<T: Deserialize<'a>>(&self, name: &str) -> Result<T, Finding> {
        let missing = || malformed(self.token, &format_args!("there is no `{name}`"));
        let raw: &'a RawValue = self.claims.get(name).copied().ok_or_else(missing)?;
        serde_json::from_str(raw.get())
            .map_err(|error| malformed(self.token, &format_args!("`{name}`: {error}")))
    }

    /// A claim that may be left out or null.
    pub(super) fn optional<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Finding> {
        if self.claims.contains_key(name) { self.value(name) } else { Ok(None) }
    }
}

pub(super) fn malformed(token: &str, what: &dyn std::fmt::Display) -> Finding {
    Finding::new(codes::NRAS_CLAIMS_MALFORMED, format!("{token}: {what}"))
}
