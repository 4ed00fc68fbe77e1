//! Claims whose type is judged, and not the reader's to refuse.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A claim as it stands there: of its type, or of another one.
pub(super) struct Field<T>(pub(super) Option<T>);

/// A claim that may be absent.
pub(super) type Maybe<T> = Option<Field<T>>;
/// A text that may be absent.
pub(super) type Text<'a> = Maybe<Cow<'a, str>>;

/// What a claim can be.
pub(super) trait Claim<'de>: Sized {
    /// What the type is called.
    const NAME: &'static str;

    fn of_text(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn of_flag(_: bool) -> Option<Self> {
        None
    }

    fn of_number(_: u64) -> Option<Self> {
        None
    }
}

impl<'de> Claim<'de> for Cow<'de, str> {
    const NAME: &'static str = "text";

    fn of_text(text: Self) -> Option<Self> {
        Some(text)
    }
}

impl Claim<'_> for bool {
    const NAME: &'static str = "bool";

    fn of_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Claim<'_> for u32 {
    const NAME: &'static str = "u32";

    fn of_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl Claim<'_> for u8 {
    const NAME: &'static str = "u8";

    fn of_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

/// The derived reader of "this type or anything" would keep a copy of each value.
impl<'de, T: Claim<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: Claim<'de>> Visitor<'de> for Any<T> {
            type Value = Field<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Field(T::of_text(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Field(T::of_text(Cow::Owned(text.to_owned()))))
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
                IgnoredAny.visit_seq(list).map(|_| Field(None))
            }

            fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
                IgnoredAny.visit_map(object).map(|_| Field(None))
            }
        }

        deserializer.deserialize_any(Any(PhantomData))
    }
}
