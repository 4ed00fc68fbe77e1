//! Claims whose type is judged, and not the reader's to refuse.

use std::fmt;
use std::marker::PhantomData;

use cc_core::lower_hex;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::json::MEMBER;

/// A claim as it stands there: of its type, or of another one.
#[derive(Debug)]
pub(super) struct Field<T>(pub(super) Option<T>);

/// A claim that may be absent.
pub(super) type Maybe<T> = Option<Field<T>>;

/// What a claim can be.
pub(super) trait Claim: Sized {
    /// What the type is called.
    const NAME: &'static str;

    fn of_text(_: &str) -> Option<Self> {
        None
    }

    fn of_flag(_: bool) -> Option<Self> {
        None
    }

    fn of_number(_: u64) -> Option<Self> {
        None
    }
}

impl Claim for String {
    const NAME: &'static str = "text";

    fn of_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

/// Lower-case hexadecimal digits, two for each byte.
impl<const N: usize> Claim for [u8; N] {
    const NAME: &'static str = "text of as many lower-case hexadecimal digits as the field has";

    fn of_text(text: &str) -> Option<Self> {
        lower_hex::decode(text)
    }
}

impl Claim for bool {
    const NAME: &'static str = "bool";

    fn of_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Claim for u32 {
    const NAME: &'static str = "u32";

    fn of_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Claim for u8 {
    const NAME: &'static str = "u8";

    fn of_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

/// The derived reader of "this type or anything" would keep a copy of each value.
impl<'de, T: Claim> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: Claim> Visitor<'de> for Any<T> {
            type Value = Field<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field(T::of_text(text)))
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Self::Value, E> {
                Ok(Field(T::of_flag(flag)))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
                Ok(Field(T::of_number(number)))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
                Ok(Field(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Field(None))
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Field(None))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                MEMBER.visit_seq(list).map(|()| Field(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
                MEMBER.visit_map(object).map(|()| Field(None))
            }
        }

        deserializer.deserialize_any(Any(PhantomData))
    }
}
