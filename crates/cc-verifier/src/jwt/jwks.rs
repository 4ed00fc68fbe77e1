//! Sets of keys (RFC 7517), as issuers publish them.

use std::collections::HashSet;
use std::sync::OnceLock;

use cc_core::limits::MAX_ENDORSEMENT;
use cc_core::{Finding, codes};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::issuer::Algorithm;
use super::key::Key;
use crate::json::{self, present};

/// The keys of one issuer. Whoever hands it over answers for it being that issuer's: it is not signed. A key is judged
/// when it is used, so that one that no token names does no harm.
#[derive(Debug)]
pub struct Jwks(Vec<Member>);

#[derive(Debug)]
struct Member {
    kid: Option<String>,
    text: Box<RawValue>,
    /// What it is as a key of either algorithm, once it was asked for.
    es384: OnceLock<Result<Key, String>>,
    rs256: OnceLock<Result<Key, String>>,
}

impl AsRef<Self> for Jwks {
    fn as_ref(&self) -> &Self {
        self
    }
}

#[derive(Deserialize)]
struct Fields {
    keys: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default, deserialize_with = "present")]
    kid: Option<String>,
}

impl Jwks {
    /// Reads a set.
    ///
    /// # Errors
    ///
    /// `jwt.jwks.unavailable` for what is no set of keys (who serves such a thing may serve a better one later), and
    /// `jwt.key.duplicate` if two keys have one name.
    pub fn parse(bytes: &[u8]) -> Result<Self, Finding> {
        if bytes.len() > MAX_ENDORSEMENT {
            return Err(unavailable(&format_args!("{} bytes, the limit is {MAX_ENDORSEMENT}", bytes.len())));
        }
        let text = json::object(bytes).map_err(|error| unavailable(&error))?;
        let Fields { keys } = serde_json::from_str(text).map_err(|error| unavailable(&error))?;
        let mut names = HashSet::new();
        let mut named = Vec::with_capacity(keys.len());
        for key in keys {
            if !json::is_object(key.get()) {
                return Err(unavailable(&"a key that is not an object"));
            }
            let Name { kid } = serde_json::from_str(key.get()).map_err(|error| unavailable(&error))?;
            if let Some(kid) = &kid
                && !names.insert(kid.clone())
            {
                let detail = format!("the issuer has two keys called {kid:?}");
                return Err(Finding::new(codes::JWT_KEY_DUPLICATE, detail));
            }
            named.push(Member { kid, text: key, es384: OnceLock::new(), rs256: OnceLock::new() });
        }
        Ok(Self(named))
    }

    /// The key with that name, which must be one for that algorithm (J3, J4).
    pub(super) fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Finding> {
        let unknown = |what| Finding::new(codes::JWT_KID_UNKNOWN, what);
        let kid = kid.ok_or_else(|| unknown("the token does not name its key".to_owned()))?;
        let member = self.0.iter().find(|member| member.kid.as_deref() == Some(kid)).ok_or_else(|| {
            unknown(format!(
                "the token names the key {kid:?}, which is none of the issuer's {}",
                self.0.len()
            ))
        })?;
        let read = match algorithm {
            Algorithm::Es384 => &member.es384,
            Algorithm::Rs256 => &member.rs256,
        };
        read.get_or_init(|| Key::parse(member.text.get(), algorithm)).as_ref().map_err(|what| {
            let detail = format!("the key {kid:?} for {}: {what}", algorithm.name());
            Finding::new(codes::JWT_KEY_WEAK, detail)
        })
    }
}

fn unavailable(what: &dyn std::fmt::Display) -> Finding {
    Finding::new(codes::JWT_JWKS_UNAVAILABLE, format!("the issuer's keys cannot be read: {what}"))
}
