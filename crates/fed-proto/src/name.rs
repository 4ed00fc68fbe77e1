//! Names of participants (*verification.md* 5.2, tag 3).

use std::fmt;

use smol_str::SmolStr;

/// A participant's name: `[a-z0-9][a-z0-9._-]*`, 1 to 128 bytes, so that it needs no normalisation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(SmolStr);

/// A text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name: 1 to 128 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit")]
pub struct InvalidName(String);

impl Name {
    /// The longest name, in bytes.
    pub const MAX: usize = 128;

    /// Checks a text.
    pub fn new(text: &str) -> Result<Self, InvalidName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let first = text.bytes().next().is_some_and(plain);
        let rest = text.bytes().all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-'));
        if first && rest && text.len() <= Self::MAX {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName(text.chars().take(Self::MAX).collect()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for Name {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for good in ["a", "0", "site-1", "a.b_c-d", &"x".repeat(128)] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", ".a", "_a", "A", "site 1", "ä", "a\0", "a/b", &"x".repeat(129)] {
            assert!(Name::new(bad).is_err(), "{bad:?}");
        }
    }
}
