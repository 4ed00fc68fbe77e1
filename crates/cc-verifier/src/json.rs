//! Strict JSON: no name twice in an object, limited depth (*verification.md* 0.11), and values of fixed form.
//!
//! Names that are not known are accepted, since those who sign JSON add some over time.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use cc_core::UnixTime;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

/// Deepest nesting of objects and lists.
const MAX_DEPTH: usize = 16;

/// Whether a text is one JSON value that is not too deep and whose objects have no name twice, whatever else they have.
pub(crate) fn check(text: &str) -> Result<(), serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    AnyValue { depth: MAX_DEPTH }.deserialize(&mut reader)?;
    reader.end()
}

/// The text of an object, checked like [`check`]. The readers that serde derives would take a list for an object.
pub(crate) fn object(bytes: &[u8]) -> Result<&str, serde_json::Error> {
    let text = std::str::from_utf8(bytes).map_err(serde_json::Error::custom)?;
    check(text)?;
    if is_object(text) { Ok(text) } else { Err(serde_json::Error::custom("not an object")) }
}

/// What is read of an object while it is checked.
pub(crate) trait Members<'de>: Default {
    /// Reads the value of `name`, which is the next one in `object`; `false` leaves it there.
    fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error>;
}

impl<'de> Members<'de> for () {
    fn member<A: MapAccess<'de>>(&mut self, _: &str, _: &mut A) -> Result<bool, A::Error> {
        Ok(false)
    }
}

/// What the first does not take is the second's to take.
impl<'de, A: Members<'de>, B: Members<'de>> Members<'de> for (A, B) {
    fn member<M: MapAccess<'de>>(&mut self, name: &str, object: &mut M) -> Result<bool, M::Error> {
        Ok(self.0.member(name, object)? || self.1.member(name, object)?)
    }
}

/// Reads members of the object that a text is, checked like [`check`], at once.
pub(crate) fn members<'de, T: Members<'de>>(text: &'de str) -> Result<T, serde_json::Error> {
    struct Object<T>(PhantomData<T>);

    impl<'de, T: Members<'de>> Visitor<'de> for Object<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<T, A::Error> {
            (AnyValue { depth: MAX_DEPTH }).object(object)
        }
    }

    let mut reader = serde_json::Deserializer::from_str(text);
    let members = reader.deserialize_map(Object(PhantomData))?;
    reader.end().map(|()| members)
}

/// Whether a text that is JSON is an object.
pub(crate) fn is_object(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

/// For a member that may be left out: unlike an `Option` of itself, this does not take `null` for nothing.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A member of the outermost object that is read and not kept.
pub(crate) const MEMBER: AnyValue = AnyValue { depth: MAX_DEPTH - 1 };

/// Reads any value and keeps nothing of it.
#[derive(Clone, Copy)]
pub(crate) struct AnyValue {
    /// How many containers it may have inside each other.
    depth: usize,
}

impl AnyValue {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let too_deep = || E::custom(format!("nested deeper than {MAX_DEPTH}"));
        Ok(Self { depth: self.depth.checked_sub(1).ok_or_else(too_deep)? })
    }

    /// Reads an object and keeps what `T` takes.
    fn object<'de, T: Members<'de>, A: MapAccess<'de>>(self, mut object: A) -> Result<T, A::Error> {
        let inner = self.inner()?;
        let (mut members, mut names) = (T::default(), Vec::new());
        while let Some(Name(name)) = object.next_key()? {
            if !members.member(&name, &mut object)? {
                object.next_value_seed(inner)?;
            }
            names.push(name);
        }
        // Sorting needs no hash, and is faster for the few names that there are; most differ in length.
        names.sort_unstable_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
        let twice = names.iter().zip(names.iter().skip(1)).find(|(name, next)| name == next);
        let twice = twice.map(|(name, _)| A::Error::custom(format!("{name:?} is there twice")));
        twice.map_or(Ok(members), Err)
    }
}

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        self.object(object)
    }
}

/// A name as it stands in the text, or without its escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// The first of `names` that is a name in the object which `text` begins with, as far as that can be read.
pub(crate) fn first_name(text: &str, names: &'static [&'static str]) -> Option<&'static str> {
    struct FirstName<'a>(&'static [&'static str], &'a mut Option<&'static str>);

    impl<'de> Visitor<'de> for FirstName<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
            while let Some(name) = object.next_key::<String>()? {
                *self.1 = self.0.iter().find(|known| **known == name).copied();
                if self.1.is_some() {
                    return Ok(());
                }
                object.next_value::<de::IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut found = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    // An error after the name is of no account here.
    let _ = reader.deserialize_map(FirstName(names, &mut found));
    found
}

/// Exactly `N` bytes in hexadecimal, of either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hex<const N: usize>(pub(crate) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; N];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| D::Error::custom(format!("{text:?} is not {N} bytes in hexadecimal")))?;
        Ok(Self(bytes))
    }
}

/// A time in text: RFC 3339 in UTC, whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) UnixTime);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let not_a_time = || D::Error::custom(format!("{text:?} is not a time in UTC"));
        UnixTime::parse(&text).map(Self).ok_or_else(not_a_time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_there_twice() {
        for good in ["{}", r#"{"a":1,"b":{"a":[{"a":1},{"a":-1.5e3,"c":null,"d":true,"e":""}]}} "#, "[[]]"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"b":[{"c":{"a":1,"x":2,"a":3}}]}"#,
            r#"{"a":1} x"#,
            r#"{"a":1}{}"#,
            r#"{"a":01}"#,
            r#"{"a":1,}"#,
            r#"{"a":"\ud800"}"#,
            "",
            "{",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[derive(Default)]
    struct One(Option<u8>);

    impl<'de> Members<'de> for One {
        fn member<A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
            if name == "a" {
                self.0 = Some(object.next_value()?);
            }
            Ok(name == "a")
        }
    }

    #[test]
    fn objects_are_not_lists_and_nothing_is_not_null() {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, deserialize_with = "present")]
            a: Option<u8>,
        }
        assert_eq!(object(br#" {"a":1}"#).unwrap(), r#" {"a":1}"#);
        for bad in
            [&b"[1]"[..], b"1", b"null", br#""{""#, b"{\"a\":1,\"a\":1}", b"{\"a\":\"\xff\"}", b"{}{}", b""]
        {
            assert!(object(bad).is_err(), "{bad:?}");
        }
        for bad in [
            "[1]",
            "1",
            "null",
            "{\"a\":1,\"a\":1}",
            "{}{}",
            "",
            "{\"b\":[{\"a\":1,\"a\":1}]}",
            "{\"a\":\"1\"}",
        ] {
            assert!(members::<One>(bad).is_err(), "{bad}");
        }
        for (good, a) in [("{}", None), (" {\"b\":[],\"a\":1} ", Some(1)), ("{\"\\u0061\":1}", Some(1))] {
            assert_eq!(members::<One>(good).unwrap().0, a, "{good}");
        }
        assert_eq!(serde_json::from_str::<Fields>("{}").unwrap().a, None);
        assert_eq!(serde_json::from_str::<Fields>(r#"{"a":1}"#).unwrap().a, Some(1));
        assert!(serde_json::from_str::<Fields>(r#"{"a":null}"#).is_err());
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(check(&nested(16)).is_ok());
        assert!(check(&nested(17)).is_err());
        assert!(check(&nested(100_000)).is_err());
        let objects = |depth: usize| [r#"{"a":"#.repeat(depth), "1".to_owned(), "}".repeat(depth)].concat();
        assert!(check(&objects(16)).is_ok());
        assert!(check(&objects(17)).is_err());
    }

    #[test]
    fn the_first_name_tells() {
        const NAMES: &[&str] = &["a", "b"];
        for (text, expected) in [
            (r#"{"a":1}"#, Some("a")),
            (r#" {"x":{"a":[1]},"b":1,"a":2}"#, Some("b")),
            (r#"{"a":"#, Some("a")),
            (r#"{"a"#, None),
            (r#"{"x":{"a":1}}"#, None),
            (r#"["a"]"#, None),
            ("", None),
        ] {
            assert_eq!(first_name(text, NAMES), expected, "{text}");
        }
    }

    #[test]
    fn values_have_one_form() {
        assert_eq!(serde_json::from_str::<Hex<2>>(r#""aB0c""#).unwrap(), Hex([0xab, 0x0c]));
        for bad in [r#""ab0""#, r#""ab0c0d""#, r#""0xab""#, r#""ab 0""#, "1"] {
            assert!(serde_json::from_str::<Hex<2>>(bad).is_err(), "{bad}");
        }
        let time = serde_json::from_str::<Time>(r#""2026-03-16T22:06:09Z""#).unwrap();
        assert_eq!(time.0.to_string(), "2026-03-16T22:06:09Z");
        assert!(serde_json::from_str::<Time>(r#""2026-03-16T22:06:09+00:00""#).is_err());
    }
}
