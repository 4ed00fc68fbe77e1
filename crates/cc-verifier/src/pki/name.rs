//! Distinguished names: the common name as the sign of a role, the serial number of a device, and a printed form.

use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Element, Elements, Malformed};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
/// Attributes that have a short name (RFC 4514, section 3).
const SHORT_NAMES: [(ObjectIdentifier, &str); 6] = [
    (COMMON_NAME, "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
];
const WHAT: &str = "name";
/// Most attributes of a name that is printed.
const MAX_ATTRIBUTES: usize = 16;

/// The one common name of a `Name` (all its bytes). A name with none or several, or with one that is neither
/// UTF8String nor PrintableString, is malformed here: it could stand for no role.
pub(crate) fn common_name(name: &[u8]) -> Result<&str, Malformed> {
    only(name, COMMON_NAME)
}

/// The one serialNumber attribute of a `Name`, under the rules of [`common_name`].
pub(crate) fn serial_number(name: &[u8]) -> Result<&str, Malformed> {
    only(name, SERIAL_NUMBER)
}

/// A `Name` as RFC 4514 prints it: last attribute first, identifiers without a short name in dots. A name that cannot be
/// printed unambiguously without quoting is malformed here; no vendor has one.
pub(crate) fn printed(name: &[u8]) -> Result<String, Malformed> {
    let mut parts = Vec::new();
    each_attribute(name, |kind, value| {
        let kind = ObjectIdentifier::from_bytes(kind).map_err(|_| Malformed(WHAT))?;
        let short = SHORT_NAMES.iter().find(|(id, _)| *id == kind);
        let value = text(value)?;
        if parts.len() == MAX_ATTRIBUTES || value.contains(['"', '+', ',', ';', '<', '=', '>', '\\', '\0']) {
            return Err(Malformed(WHAT));
        }
        let kind = short.map_or_else(|| kind.to_string(), |(_, short)| (*short).to_owned());
        parts.push(format!("{kind}={value}"));
        Ok(())
    })?;
    parts.reverse();
    Ok(parts.join(","))
}

fn only(name: &[u8], wanted: ObjectIdentifier) -> Result<&str, Malformed> {
    let mut found = None;
    each_attribute(name, |kind, value| {
        if kind != wanted.as_bytes() {
            return Ok(());
        }
        if found.is_some() {
            return Err(Malformed(WHAT));
        }
        found = Some(text(value)?);
        Ok(())
    })?;
    found.ok_or(Malformed(WHAT))
}

fn text(value: Element<'_>) -> Result<&str, Malformed> {
    if !matches!(value.tag, Tag::Utf8String | Tag::PrintableString) {
        return Err(Malformed(WHAT));
    }
    std::str::from_utf8(value.content).map_err(|_| Malformed(WHAT))
}

/// Calls `see` with identifier (content) and value of each attribute, in order.
fn each_attribute<'a>(
    name: &'a [u8],
    mut see: impl FnMut(&'a [u8], Element<'a>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut rdns = Elements::of(Element::of(name, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
    while !rdns.is_finished() {
        let mut attributes = Elements::of(rdns.expect(Tag::Set)?.content, WHAT)?;
        while !attributes.is_finished() {
            let mut attribute = Elements::of(attributes.expect(Tag::Sequence)?.content, WHAT)?;
            let kind = attribute.expect(Tag::ObjectIdentifier)?;
            let value = attribute.next()?;
            attribute.finish()?;
            see(kind.content, value)?;
        }
    }
    Ok(())
}
