//! Claims: what authentic evidence says, as names and plain values.
//!
//! Names and encodings are those of *decisions.md* 18: byte fields are lower-case hexadecimal text, flag words
//! are text such as `0x3001f`, decoded parts stand beside them. The order of names is fixed, so that equal
//! claims are written as equal bytes (a reader takes longer forms of numbers and lengths as well).

use std::fmt;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder, decode, encode};
use serde::{Serialize, Serializer};
use smol_str::SmolStr;

use crate::limits::{MAX_CLAIM_DEPTH, MAX_CLAIM_ENTRIES};
use crate::lower_hex;

/// One claim's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ClaimValue {
    /// A flag.
    Bool(bool),
    /// An unsigned number.
    Integer(u64),
    /// Text, or bytes in lower-case hexadecimal.
    Text(String),
    /// Values in order.
    List(Vec<Self>),
    /// Values by name.
    Map(Claims),
}

impl From<bool> for ClaimValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for ClaimValue {
    fn from(value: u64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for ClaimValue {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u8> for ClaimValue {
    fn from(value: u8) -> Self {
        Self::Integer(value.into())
    }
}

impl From<&str> for ClaimValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for ClaimValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<Claims> for ClaimValue {
    fn from(value: Claims) -> Self {
        Self::Map(value)
    }
}

impl<T: Into<Self>> From<Vec<T>> for ClaimValue {
    fn from(value: Vec<T>) -> Self {
        Self::List(value.into_iter().map(Into::into).collect())
    }
}

/// Claims by name, in the order of their names.
// A sorted vector, and names without an allocation of their own: there are few claims, and reading them from a plugin
// must be cheap beside one signature.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims(Vec<(SmolStr, ClaimValue)>);

impl Claims {
    /// No claims. Empty claims are never accepted as the result of a verification.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds or replaces a claim.
    pub fn insert(&mut self, name: &str, value: impl Into<ClaimValue>) {
        let value = value.into();
        match self.position(name) {
            Ok(at) => {
                if let Some(entry) = self.0.get_mut(at) {
                    entry.1 = value;
                }
            }
            Err(at) => self.0.insert(at, (SmolStr::new(name), value)),
        }
    }

    /// Adds or replaces a claim whose value is bytes, as lower-case hexadecimal text.
    pub fn insert_bytes(&mut self, name: &str, bytes: &[u8]) {
        self.insert(name, lower_hex::encode(bytes));
    }

    /// Where a claim is, or where it would be.
    fn position(&self, name: &str) -> Result<usize, usize> {
        // Those who care how long it takes make claims in the order of their names.
        if self.0.last().is_none_or(|(last, _)| last.as_str() < name) {
            return Err(self.0.len());
        }
        self.0.binary_search_by(|(other, _)| other.as_str().cmp(name))
    }

    /// The value of a claim.
    pub fn value(&self, name: &str) -> Option<&ClaimValue> {
        let at = self.position(name).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    /// A claim that must be there and be text.
    pub fn text(&self, name: &str) -> Result<&str, ClaimsError> {
        match self.value(name) {
            Some(ClaimValue::Text(text)) => Ok(text),
            other => Err(ClaimsError::of(name, "text", other)),
        }
    }

    /// A claim that must be there and be a number.
    pub fn integer(&self, name: &str) -> Result<u64, ClaimsError> {
        match self.value(name) {
            Some(ClaimValue::Integer(number)) => Ok(*number),
            other => Err(ClaimsError::of(name, "a number", other)),
        }
    }

    /// A claim that must be there and be a flag.
    pub fn flag(&self, name: &str) -> Result<bool, ClaimsError> {
        match self.value(name) {
            Some(ClaimValue::Bool(flag)) => Ok(*flag),
            other => Err(ClaimsError::of(name, "a flag", other)),
        }
    }

    /// A claim that must be there and be claims itself.
    pub fn map(&self, name: &str) -> Result<&Self, ClaimsError> {
        match self.value(name) {
            Some(ClaimValue::Map(map)) => Ok(map),
            other => Err(ClaimsError::of(name, "a map", other)),
        }
    }

    /// A claim that must be there and be exactly `N` bytes in lower-case hexadecimal.
    pub fn bytes<const N: usize>(&self, name: &str) -> Result<[u8; N], ClaimsError> {
        let other =
            || ClaimsError { name: name.to_owned(), expected: "bytes in hexadecimal", found: "other text" };
        lower_hex::decode(self.text(name)?).ok_or_else(other)
    }

    /// Whether there are no claims.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All claims in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ClaimValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Removes and returns a claim.
    pub(crate) fn take(&mut self, name: &str) -> Option<ClaimValue> {
        let at = self.position(name).ok()?;
        Some(self.0.remove(at).1)
    }
}

/// A claim that is absent or has another type than its reader needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimsError {
    name: String,
    expected: &'static str,
    found: &'static str,
}

impl ClaimsError {
    fn of(name: &str, expected: &'static str, found: Option<&ClaimValue>) -> Self {
        let found = match found {
            None => "nothing",
            Some(ClaimValue::Bool(_)) => "a flag",
            Some(ClaimValue::Integer(_)) => "a number",
            Some(ClaimValue::Text(_)) => "text",
            Some(ClaimValue::List(_)) => "a list",
            Some(ClaimValue::Map(_)) => "a map",
        };
        Self { name: name.to_owned(), expected, found }
    }
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim `{}` should be {}, found {}", self.name, self.expected, self.found)
    }
}

impl std::error::Error for ClaimsError {}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<C> minicbor::Encode<C> for Claims {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.map(u64::try_from(self.0.len()).unwrap_or(u64::MAX))?;
        for (name, value) in &self.0 {
            e.str(name)?;
            value.encode(e, ctx)?;
        }
        Ok(())
    }
}

impl<C> minicbor::Encode<C> for ClaimValue {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        ctx: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Bool(flag) => e.bool(*flag)?.ok(),
            Self::Integer(number) => e.u64(*number)?.ok(),
            Self::Text(text) => e.str(text)?.ok(),
            Self::List(list) => {
                e.array(u64::try_from(list.len()).unwrap_or(u64::MAX))?;
                list.iter().try_for_each(|value| value.encode(e, ctx))
            }
            Self::Map(map) => map.encode(e, ctx),
        }
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Claims {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        decode_map(d, MAX_CLAIM_DEPTH, &mut { MAX_CLAIM_ENTRIES })
    }
}

/// Reads a map of definite length, names strictly ascending in byte order, within the limits.
fn decode_map(d: &mut Decoder<'_>, depth: usize, budget: &mut usize) -> Result<Claims, decode::Error> {
    let Some(length) = d.map()? else {
        return Err(decode::Error::message("claims map of indefinite length"));
    };
    // The length is the sender's word: room is made for what can be there at most.
    let room = usize::try_from(length).unwrap_or(usize::MAX).min(*budget);
    let mut claims: Vec<(SmolStr, ClaimValue)> = Vec::with_capacity(room);
    for _ in 0..length {
        let name = d.str()?;
        if claims.last().is_some_and(|(last, _)| last.as_str() >= name) {
            return Err(decode::Error::message("claim names not in ascending order"));
        }
        let value = decode_value(d, depth, budget)?;
        claims.push((SmolStr::new(name), value));
    }
    Ok(Claims(claims))
}

fn decode_value(d: &mut Decoder<'_>, depth: usize, budget: &mut usize) -> Result<ClaimValue, decode::Error> {
    *budget = budget.checked_sub(1).ok_or_else(|| decode::Error::message("too many claims"))?;
    let depth = depth.checked_sub(1).ok_or_else(|| decode::Error::message("claims nested too deeply"))?;
    match d.datatype()? {
        Type::Bool => d.bool().map(ClaimValue::Bool),
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => d.u64().map(ClaimValue::Integer),
        Type::String => d.str().map(|text| ClaimValue::Text(text.to_owned())),
        Type::Array => {
            let length = d.array()?.ok_or_else(|| decode::Error::message("list of indefinite length"))?;
            let mut list = Vec::new();
            for _ in 0..length {
                list.push(decode_value(d, depth, budget)?);
            }
            Ok(ClaimValue::List(list))
        }
        Type::Map => decode_map(d, depth, budget).map(ClaimValue::Map),
        other => Err(decode::Error::message(format!("claim of type {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode_claims(bytes: &[u8]) -> Result<Claims, decode::Error> {
        decode(bytes)
    }

    fn named(map: std::collections::BTreeMap<String, ClaimValue>) -> Claims {
        let mut claims = Claims::new();
        map.into_iter().for_each(|(name, value)| claims.insert(&name, value));
        claims
    }

    fn any_value() -> impl Strategy<Value = ClaimValue> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(ClaimValue::Bool),
            any::<u64>().prop_map(ClaimValue::Integer),
            ".{0,12}".prop_map(ClaimValue::Text),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(ClaimValue::List),
                prop::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                    .prop_map(|map| ClaimValue::Map(named(map))),
            ]
        })
    }

    proptest! {
        #[test]
        fn claims_round_trip(map in prop::collection::btree_map("[a-z_]{1,8}", any_value(), 0..8)) {
            let claims = named(map);
            let bytes = minicbor::to_vec(&claims).unwrap();
            prop_assert_eq!(decode_claims(&bytes).unwrap(), claims);
        }

        #[test]
        fn any_bytes_decode_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(claims) = decode_claims(&bytes) {
                prop_assert!(minicbor::to_vec(&claims).is_ok());
            }
        }
    }

    #[test]
    fn limits_hold() {
        let mut wide = Claims::new();
        wide.insert("list", vec![0_u64; MAX_CLAIM_ENTRIES]);
        assert!(decode_claims(&minicbor::to_vec(&wide).unwrap()).is_err());
        let mut deep = ClaimValue::Bool(true);
        for _ in 0..MAX_CLAIM_DEPTH {
            deep = ClaimValue::List(vec![deep]);
        }
        let mut claims = Claims::new();
        claims.insert("deep", deep);
        assert!(decode_claims(&minicbor::to_vec(&claims).unwrap()).is_err());
        // A map header that promises 2^64 - 1 entries allocates nothing.
        assert!(decode_claims(&[0xbb, 255, 255, 255, 255, 255, 255, 255, 255]).is_err());
    }

    #[test]
    fn names_are_sorted_and_unique_however_they_come() {
        let mut claims = Claims::new();
        for (name, value) in [("b", 1_u64), ("a", 2), ("c", 3), ("a", 4)] {
            claims.insert(name, value);
        }
        assert_eq!(serde_json::to_string(&claims).unwrap(), r#"{"a":4,"b":1,"c":3}"#);
        assert_eq!(claims.take("b"), Some(ClaimValue::Integer(1)));
        assert_eq!((claims.take("b"), claims.value("d")), (None, None));
    }

    #[test]
    fn one_encoding_only() {
        for (what, bytes) in [
            ("duplicate name", &b"\xa2\x61a\x01\x61a\x02"[..]),
            ("descending names", b"\xa2\x61b\x01\x61a\x02"),
            ("indefinite map", b"\xbf\x61a\x01\xff"),
            ("negative number", b"\xa1\x61a\x20"),
            ("byte string", b"\xa1\x61a\x41\x00"),
            ("null", b"\xa1\x61a\xf6"),
        ] {
            assert!(decode_claims(bytes).is_err(), "{what}");
        }
    }

    #[test]
    fn readers_name_the_claim() {
        let mut claims = Claims::new();
        claims.insert("vmpl", 0_u64);
        claims.insert("chip_id", "AB");
        assert_eq!(
            claims.text("vmpl").unwrap_err().to_string(),
            "claim `vmpl` should be text, found a number"
        );
        assert_eq!(
            claims.flag("debug").unwrap_err().to_string(),
            "claim `debug` should be a flag, found nothing"
        );
        assert!(claims.bytes::<1>("chip_id").is_err(), "upper case is not the encoding");
    }
}
