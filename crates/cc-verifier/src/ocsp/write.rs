//! The few kinds of DER element that a request has.

use der::oid::ObjectIdentifier;

pub(super) const OCTET_STRING: u8 = 0x04;
const INTEGER: u8 = 0x02;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const CONTEXT: u8 = 0xa0;

/// One element with this tag octet, its length in the shortest form.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let octets = content.len().to_be_bytes();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => bytes.push(length),
        _ => {
            let significant =
                octets.iter().position(|octet| *octet != 0).and_then(|start| octets.get(start..));
            let significant = significant.unwrap_or_default();
            bytes.push(0x80 | u8::try_from(significant.len()).unwrap_or(0x7f));
            bytes.extend_from_slice(significant);
        }
    }
    bytes.extend_from_slice(content);
    bytes
}

pub(super) fn sequence(elements: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, &elements.concat())
}

/// The tag `[number]`, constructed, around one element; numbers up to 30.
pub(super) fn context(number: u8, inner: &[u8]) -> Vec<u8> {
    element(CONTEXT | number, inner)
}

/// An INTEGER with this content.
pub(super) fn integer(content: &[u8]) -> Vec<u8> {
    element(INTEGER, content)
}

pub(super) fn null() -> Vec<u8> {
    element(NULL, &[])
}

pub(super) fn oid(id: ObjectIdentifier) -> Vec<u8> {
    element(OBJECT_IDENTIFIER, id.as_bytes())
}
