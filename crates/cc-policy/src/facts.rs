//! Reading claims: once, strictly, and so that a claim which is not there is a value like others.
//!
//! Names and encodings are those of *decisions.md* 18. Each technology has its own list of facts.

use std::fmt::{self, Display};

use cc_core::{Claims, ClaimsError};

/// Why a claim is not there to be judged. Whatever a step wanted of it, this is not it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Absent,
    Malformed,
}

impl Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "absent",
            Self::Malformed => "malformed",
        })
    }
}

/// A claim's value.
pub(crate) type Fact<T> = Result<T, Missing>;

/// Reads a claim of any type.
pub(crate) fn read<T>(
    claims: &Claims,
    name: &str,
    value: impl Fn(&Claims, &str) -> Result<Option<T>, ClaimsError>,
) -> Fact<T> {
    if claims.value(name).is_none() {
        return Err(Missing::Absent);
    }
    value(claims, name).ok().flatten().ok_or(Missing::Malformed)
}

/// Reads what a text says.
pub(crate) fn read_text<T>(claims: &Claims, name: &str, value: impl Fn(&str) -> Option<T>) -> Fact<T> {
    read(claims, name, |claims, name| claims.text(name).map(&value))
}

/// Reads a number.
pub(crate) fn integer(claims: &Claims, name: &str) -> Fact<u64> {
    read(claims, name, |claims, name| claims.integer(name).map(Some))
}

/// Reads a flag.
pub(crate) fn flag(claims: &Claims, name: &str) -> Fact<bool> {
    read(claims, name, |claims, name| claims.flag(name).map(Some))
}

/// Reads exactly `N` bytes.
pub(crate) fn bytes<const N: usize>(claims: &Claims, name: &str) -> Fact<[u8; N]> {
    read(claims, name, |claims, name| claims.bytes(name).map(Some))
}

/// A text that may be shown as it stands: short, and nothing in it that would disturb a terminal.
pub(crate) fn printable(text: &str) -> Option<String> {
    let fine = text.len() <= 256 && text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    fine.then(|| text.to_owned())
}

/// The fact as text; `absent` or `malformed` when it is missing.
pub(crate) fn show<T: Clone, D: Display>(fact: &Fact<T>, text: impl FnOnce(T) -> D) -> String {
    match fact.clone() {
        Ok(value) => text(value).to_string(),
        Err(missing) => missing.to_string(),
    }
}

/// The fact as hexadecimal text.
pub(crate) fn show_hex<T: Clone + AsRef<[u8]>>(fact: &Fact<T>) -> String {
    show(fact, hex::encode)
}

/// Whether a bit of a flag word is set.
pub(crate) fn bit(word: &Fact<u64>, bit: u64) -> Fact<bool> {
    word.map(|word| word & bit != 0)
}

/// A flag as it stands in evidence.
pub(crate) fn show_bit(set: &Fact<bool>, name: &str) -> String {
    format!("{name} = {}", show(set, u8::from))
}
