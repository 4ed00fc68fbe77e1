//! Rules J6 to J8: the claims that every token has.

use cc_core::{Code, Finding, UnixTime, codes};
use serde::Deserialize;
use serde::de::MapAccess;

use super::format::invalid;
use super::issuer::Issuer;
use crate::json::{self, Members};

/// How far the issuer's clock may be from the verifier's, in seconds (*verification.md* 0.8).
const SKEW: u64 = 60;

/// What a token says; `T` is what was read of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload<T = ()> {
    text: String,
    registered: Registered,
    /// Claims beyond those that every token has.
    pub(crate) more: T,
}

/// Times are seconds since 1970, whole ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Registered {
    iss: Option<String>,
    aud: Option<Audience>,
    exp: Option<u64>,
    nbf: Option<u64>,
    iat: Option<u64>,
}

impl<'de> Members<'de> for Registered {
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "iss" => self.iss = Some(object.next_value()?),
            "aud" => self.aud = Some(object.next_value()?),
            "exp" => self.exp = Some(object.next_value()?),
            "nbf" => self.nbf = Some(object.next_value()?),
            "iat" => self.iat = Some(object.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// RFC 7519, 4.1.3.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl<T> Payload<T> {
    /// Takes the text of an object in which no name is there twice.
    pub(super) fn new(text: String) -> Result<Self, Finding>
    where
        T: for<'de> Members<'de>,
    {
        let (registered, more) =
            json::members(&text).map_err(|error| invalid(format!("payload: {error}")))?;
        Ok(Self { text, registered, more })
    }

    /// Reads claims; those that `C` does not have are ignored. No name is there twice.
    pub fn read<'a, C: Deserialize<'a>>(&'a self) -> Result<C, serde_json::Error> {
        serde_json::from_str(&self.text)
    }

    /// Who it says that it is of.
    pub(crate) fn iss(&self) -> Option<&str> {
        self.registered.iss.as_deref()
    }

    /// `iat`, `nbf` and `exp`, if all of them are there.
    pub(crate) fn times(&self) -> Option<[u64; 3]> {
        let Registered { iat, nbf, exp, .. } = self.registered;
        Some([iat?, nbf?, exp?])
    }

    /// J6, J7, J8.
    pub(super) fn judge(&self, issuer: &Issuer<'_>, now: UnixTime) -> Result<(), Finding> {
        let registered = &self.registered;
        if registered.iss.as_deref() != Some(issuer.iss) {
            let detail = format!("`iss` is {:?}, not {:?}", registered.iss, issuer.iss);
            return Err(Finding::new(codes::JWT_ISS_MISMATCH, detail));
        }
        registered.judge_times(issuer.max_age, now)?;
        match (&registered.aud, issuer.audience) {
            (None, None) => Ok(()),
            (Some(audience), Some(expected)) if audience.has(expected) => Ok(()),
            (audience, expected) => {
                let detail =
                    format!("`aud` is {:?}, not {expected:?}", audience.as_ref().map(Audience::names));
                Err(Finding::new(codes::JWT_AUD_MISMATCH, detail))
            }
        }
    }
}

impl Registered {
    fn judge_times(&self, max_age: u64, now: UnixTime) -> Result<(), Finding> {
        let time = |name, value: Option<u64>| {
            let missing = || Finding::new(codes::JWT_EXP_MISSING, format!("there is no `{name}`"));
            value.map(UnixTime::from_secs).ok_or_else(missing)
        };
        let (exp, nbf, iat) = (time("exp", self.exp)?, time("nbf", self.nbf)?, time("iat", self.iat)?);
        let fail = |code: Code, what: &str, than: UnixTime| {
            Err(Finding::new(code, format!("{what} {than}, now is {now}")))
        };
        if now.as_secs() >= exp.as_secs().saturating_add(SKEW) {
            return fail(codes::JWT_EXPIRED, "`exp` is", exp);
        }
        for (name, time) in [("`nbf` is", nbf), ("`iat` is", iat)] {
            if time.seconds_since(now) > SKEW {
                return fail(codes::JWT_NOT_YET_VALID, name, time);
            }
        }
        if now.seconds_since(iat) > max_age {
            return fail(codes::JWT_TOO_OLD, &format!("at most {max_age} s old, and `iat` is"), iat);
        }
        Ok(())
    }
}

impl Audience {
    fn names(&self) -> &[String] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Many(names) => names,
        }
    }

    fn has(&self, expected: &str) -> bool {
        self.names().iter().any(|name| name == expected)
    }
}
