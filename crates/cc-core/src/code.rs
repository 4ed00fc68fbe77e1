//! Stable error codes: `domain.object.condition` (*verification.md* 0.1 and Appendix A).

mod registry;

pub use registry::{codes, registry};

use std::borrow::Cow;
use std::fmt;

/// A stable code. Codes of a domain in the [`registry()`] must be registered; a vendor's plugin may use other
/// domains for its own conditions, which are always [`Class::Reject`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// Longest code, in characters.
    pub const MAX_LENGTH: usize = 64;

    const fn registered(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// Reads a code: two or more parts joined by dots, each of lower-case letters, digits and underscores.
    pub fn parse(text: &str) -> Result<Self, InvalidCode> {
        if let Some(info) = registry().find(|info| info.code == text) {
            return Ok(Self::registered(info.code));
        }
        let part = |p: &str| {
            !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        let domain = text.split('.').next().unwrap_or_default();
        if text.len() > Self::MAX_LENGTH || !text.contains('.') || !text.split('.').all(part) {
            return Err(InvalidCode::Malformed);
        }
        if registry().any(|info| info.code.split('.').next() == Some(domain)) {
            return Err(InvalidCode::Unregistered);
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the registry says of it; `None` for a vendor's own code.
    pub fn info(&self) -> Option<&'static CodeInfo> {
        registry().find(|info| info.code == self.0)
    }

    /// Which kind of denial the code stands for.
    pub fn class(&self) -> Class {
        self.info().map_or(Class::Reject, |info| info.class)
    }

    /// Whether the finding can be turned into a recorded waiver (*decisions.md* 3).
    pub fn is_waivable(&self) -> bool {
        self.info().is_some_and(|info| info.waivable)
    }

    /// The waivable codes, comma-separated, for messages.
    pub fn waivable_list() -> String {
        let names: Vec<_> = registry().filter(|i| i.waivable).map(|i| i.code).collect();
        names.join(", ")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidCode {
    /// It does not have the form of a code.
    Malformed,
    /// It lies in a domain of the registry, which does not have it.
    Unregistered,
}

impl fmt::Display for InvalidCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "not of the form `domain.object.condition`",
            Self::Unregistered => "not in the registry of its domain",
        })
    }
}

impl std::error::Error for InvalidCode {}

/// Which kind of denial a code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Refuted, or wrong in a way that asking again does not mend.
    Reject,
    /// Could not be decided; still a denial.
    Indeterminate,
}

/// One entry of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CodeInfo {
    /// The code.
    pub code: &'static str,
    /// Its kind of denial.
    pub class: Class,
    /// Whether it can be waived by name.
    pub waivable: bool,
    /// What it means, one sentence.
    pub meaning: &'static str,
    /// What the reader can do about it, one sentence.
    pub hint: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_codes_are_unique_and_well_formed() {
        for (i, info) in registry().enumerate() {
            assert_eq!(Code::parse(info.code).map(|c| c.as_str().to_owned()), Ok(info.code.to_owned()));
            assert!(registry().take(i).all(|other| other.code != info.code), "{} twice", info.code);
            assert!(info.code.len() <= Code::MAX_LENGTH);
            assert!(!info.meaning.is_empty() && !info.hint.is_empty());
            assert!(!info.waivable || info.class == Class::Indeterminate);
        }
    }

    #[test]
    fn vendors_have_their_own_domains() {
        let code = Code::parse("acme.chain.expired").unwrap();
        assert_eq!((code.class(), code.is_waivable(), code.info()), (Class::Reject, false, None));
        assert_eq!(Code::parse("snp.made.up"), Err(InvalidCode::Unregistered));
        let long = format!("a.{}", "b".repeat(63));
        for bad in ["", "snp", ".", "a..b", "A.b", "a.b ", "a.b\n", "a.ü", &long] {
            assert_eq!(Code::parse(bad), Err(InvalidCode::Malformed), "{bad:?}");
        }
    }
}
