//! Distinguished names: only the common name is looked at, as the sign of a role.

use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Element, Elements, Malformed};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const WHAT: &str = "name";

/// The one common name of a `Name` (all its bytes). A name with none or several, or with one that is neither
/// UTF8String nor PrintableString, is malformed here: it could stand for no role.
pub(crate) fn common_name(name: &[u8]) -> Result<&str, Malformed> {
    let mut found = None;
    let mut rdns = Elements::of(Element::of(name, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
    while !rdns.is_finished() {
        let mut attributes = Elements::of(rdns.expect(Tag::Set)?.content, WHAT)?;
        while !attributes.is_finished() {
            let mut attribute = Elements::of(attributes.expect(Tag::Sequence)?.content, WHAT)?;
            let kind = attribute.expect(Tag::ObjectIdentifier)?;
            let value = attribute.next()?;
            attribute.finish()?;
            if kind.content != COMMON_NAME.as_bytes() {
                continue;
            }
            if found.is_some() || !matches!(value.tag, Tag::Utf8String | Tag::PrintableString) {
                return Err(Malformed(WHAT));
            }
            found = Some(std::str::from_utf8(value.content).map_err(|_| Malformed(WHAT))?);
        }
    }
    found.ok_or(Malformed(WHAT))
}
