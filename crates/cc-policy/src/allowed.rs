//! Which values a policy allows, said expressly: nothing means "do not check" by being absent.

use std::fmt::Display;

use toml::de::DeValue;

use crate::facts::{Fact, show_hex};
use crate::reader::{bytes, some_of};

/// Which values are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed<T> {
    /// The policy does not restrict the value.
    Any,
    /// Only these.
    Only(Vec<T>),
}

impl<T> Allowed<T> {
    /// The allowed values in words; `list` writes several.
    pub(crate) fn describe(&self, list: impl FnOnce(&[T]) -> String) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Only(values) => list(values),
        }
    }
}

/// What a field of the launch must be that the host or its operator fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LaunchData<const N: usize> {
    /// All zero: the policy expects none.
    Zero,
    /// One of these.
    Only(Vec<[u8; N]>),
    /// The digest of the init-data that came with the evidence.
    InitData,
}

impl<const N: usize> LaunchData<N> {
    pub(crate) fn read(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str() {
            Some("zero") => Some(Self::Zero),
            Some("init-data") => Some(Self::InitData),
            Some(_) => None,
            None => some_of(bytes)(value).map(Self::Only),
        }
    }

    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Zero => "zero".to_owned(),
            Self::InitData => "the digest of the init-data".to_owned(),
            Self::Only(list) => hex_list(list),
        }
    }

    /// What was found and what was wanted, if they differ. `digest` is that of the init-data that came, if any: the
    /// field must be equal to it, also where the policy names a value.
    pub(crate) fn difference(
        &self,
        found: &Fact<[u8; N]>,
        digest: Option<&[u8; N]>,
    ) -> Option<(String, String)> {
        let listed = match self {
            Self::Zero => *found == Ok([0; N]),
            Self::Only(list) => found.is_ok_and(|value| list.contains(&value)),
            Self::InitData => found.is_ok_and(|value| digest == Some(&value)),
        };
        let committed = found.is_ok_and(|value| digest.is_none_or(|digest| *digest == value));
        if listed && committed {
            return None;
        }
        let want = match (self, digest) {
            (Self::Zero, _) if !listed => "zero".to_owned(),
            (Self::Only(list), _) if !listed => format!("one of {}", hex_list(list)),
            (_, Some(digest)) => format!("{}, the digest of the init-data that came", hex::encode(digest)),
            (_, None) => "the digest of the init-data, of which none came".to_owned(),
        };
        Some((show_hex(found), want))
    }
}

/// Hexadecimal values, comma-separated.
pub(crate) fn hex_list<T: AsRef<[u8]>>(values: &[T]) -> String {
    values.iter().map(hex::encode).collect::<Vec<_>>().join(", ")
}

/// Values, comma-separated.
pub(crate) fn text_list<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}
