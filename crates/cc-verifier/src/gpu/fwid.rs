//! Step G5: the firmware identity that the leaf certificate names.

use der::Tag;
use der::oid::ObjectIdentifier;

use super::arch::Arch;
use super::opaque::FWID_LENGTH;
use crate::pki::{Element, Elements, Extensions, Malformed, context};

/// CompositeDeviceID of TCG's *Implicit Identity Based Device Attestation*: version, key, FWID.
const COMPOSITE_DEVICE_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.5.4.1");
/// TcbInfo of TCG's *DICE Attestation Architecture*: among others, as `[6]`, a list of FWIDs.
const TCB_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.23.133.5.4.1.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
/// The field of TcbInfo that is the list of FWIDs.
const FWIDS: u32 = 6;
const WHAT: &str = "firmware identity";

/// The firmware identity in the extension that leaves of that architecture have: its only one on Hopper and LS10, the
/// first of the list on Blackwell.
pub(super) fn of_leaf(extensions: &Extensions<'_>, arch: Arch) -> Result<[u8; FWID_LENGTH], Malformed> {
    let value = |id| extensions.only(id).ok_or(Malformed(WHAT));
    match arch {
        Arch::Hopper | Arch::Ls10 => composite_device_id(value(COMPOSITE_DEVICE_ID)?),
        Arch::Blackwell => tcb_info(value(TCB_INFO)?),
    }
}

fn composite_device_id(value: &[u8]) -> Result<[u8; FWID_LENGTH], Malformed> {
    let mut fields = Elements::of(Element::of(value, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
    fields.expect(Tag::Integer)?;
    fields.expect(Tag::Sequence)?;
    let fwid = fields.expect(Tag::Sequence)?;
    fields.finish()?;
    digest(fwid)
}

fn tcb_info(value: &[u8]) -> Result<[u8; FWID_LENGTH], Malformed> {
    let mut fields = Elements::of(Element::of(value, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
    let mut found = None;
    while !fields.is_finished() {
        let field = fields.next()?;
        if field.tag == context(FWIDS) {
            let first = Elements::of(field.content, WHAT)?.expect(Tag::Sequence)?;
            if found.replace(digest(first)?).is_some() {
                return Err(Malformed(WHAT));
            }
        }
    }
    found.ok_or(Malformed(WHAT))
}

/// FWID ::= SEQUENCE { hashAlg OBJECT IDENTIFIER, digest OCTET STRING }, SHA-384.
fn digest(fwid: Element<'_>) -> Result<[u8; FWID_LENGTH], Malformed> {
    let mut fields = Elements::of(fwid.content, WHAT)?;
    let algorithm = fields.expect(Tag::ObjectIdentifier)?.content;
    let digest = fields.expect(Tag::OctetString)?.content;
    fields.finish()?;
    if algorithm != SHA384.as_bytes() {
        return Err(Malformed(WHAT));
    }
    digest.try_into().map_err(|_| Malformed(WHAT))
}
