//! Values inside lines: bytes as text, each with one spelling.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cc_core::UnixTime;
use fed_proto::binding::Purpose;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes in standard base64 with padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blob(pub(super) Vec<u8>);

/// `N` bytes as lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

/// An instant like `2026-06-01T00:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) UnixTime);

/// What a round was for, as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct What(pub(super) Purpose);

impl What {
    /// The word, fit for file names.
    pub(super) const fn word(self) -> &'static str {
        match self.0 {
            Purpose::Register => "register",
            Purpose::Periodic => "periodic",
            Purpose::JobStart => "job-start",
            Purpose::KeyRelease => "key-release",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        let all = [Purpose::Register, Purpose::Periodic, Purpose::JobStart, Purpose::KeyRelease];
        all.into_iter().map(Self).find(|what| what.word() == word)
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "standard base64", |text| BASE64_STANDARD.decode(text).ok().map(Self))
    }
}

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "hexadecimal digits of the right number", |text| {
            let mut bytes = [0; N];
            hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
        })
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "an instant like 2026-06-01T00:00:00Z", |text| UnixTime::parse(text).map(Self))
    }
}

impl Serialize for What {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for What {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "register, periodic, job-start or key-release", Self::parse)
    }
}

/// Reads a text without copying it where the input has it in one piece.
fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    wanted: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<T, D::Error> {
    struct Text<F>(&'static str, F);

    impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for Text<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            (self.1)(text).ok_or_else(|| E::custom(format!("not {}", self.0)))
        }
    }

    deserializer.deserialize_str(Text(wanted, read))
}
