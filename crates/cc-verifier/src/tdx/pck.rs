//! Intel's extension of a PCK certificate (*verification.md* 2.1; Intel SGX PCK Certificate and CRL Profile
//! Specification, 1.3.5).

use der::Tag;
use der::oid::ObjectIdentifier;

use crate::pki::{Element, Elements, Extensions, Malformed};

const SGX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");
const TCB: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1.2");
const CONFIGURATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1.7");
const WHAT: &str = "SGX extension";
/// Most fields in one list; the TCB has 18. Bounds the search for duplicates, which looks at all pairs.
const MAX_FIELDS: usize = 32;
/// Newest type of platform that is known: 2, scalable with integrity.
const MAX_SGX_TYPE: u8 = 2;

/// What the extension says of the platform. Byte fields are as they stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PckExtension {
    /// The platform's provisioning id.
    pub(super) ppid: [u8; 16],
    /// Security versions of the components, as Intel compares them.
    pub(super) components: [u8; 16],
    /// Security version of the provisioning certification enclave.
    pub(super) pcesvn: u16,
    /// Identity of the provisioning certification enclave.
    pub(super) pceid: [u8; 2],
    /// Family, model, stepping, platform and custom SKU: which TCB info applies.
    pub(super) fmspc: [u8; 6],
    /// 0 standard, 1 scalable, 2 scalable with integrity.
    pub(super) sgx_type: u8,
    /// Of platforms that are registered as a whole only, like the fields after it.
    pub(super) platform_instance_id: Option<[u8; 16]>,
    /// Whether packages can be added at run time.
    pub(super) dynamic_platform: Option<bool>,
    /// Whether Intel's registration service keeps the platform's keys.
    pub(super) cached_keys: Option<bool>,
    /// Whether simultaneous multithreading is enabled.
    pub(super) smt_enabled: Option<bool>,
}

impl PckExtension {
    /// Reads the first such extension; that there is no second one was judged before. Fields that are not known are
    /// skipped; none may be there twice.
    pub(super) fn read(extensions: &Extensions<'_>) -> Result<Self, Malformed> {
        let extension = extensions.all(SGX).next().ok_or(Malformed(WHAT))?;
        let fields = Fields::read(Element::of(extension.value, WHAT)?, SGX)?;
        let tcb = Fields::read(fields.required(2)?, TCB)?;
        let mut components = [0; 16];
        for (component, arc) in components.iter_mut().zip(1..) {
            *component = u8::try_from(number(tcb.required(arc)?)?).map_err(|_| Malformed(WHAT))?;
        }
        // CPUSVN is the same in the processor's encoding; Intel compares components.
        bytes::<16>(tcb.required(18)?)?;
        let configuration =
            fields.optional(7).map(|element| Fields::read(element, CONFIGURATION)).transpose()?;
        let flag = |arc| {
            let element = configuration.as_ref().and_then(|configuration| configuration.optional(arc));
            element.map(boolean).transpose()
        };
        Ok(Self {
            ppid: bytes(fields.required(1)?)?,
            components,
            pcesvn: number(tcb.required(17)?)?,
            pceid: bytes(fields.required(3)?)?,
            fmspc: bytes(fields.required(4)?)?,
            sgx_type: sgx_type(fields.required(5)?)?,
            platform_instance_id: fields.optional(6).map(bytes).transpose()?,
            dynamic_platform: flag(1)?,
            cached_keys: flag(2)?,
            smt_enabled: flag(3)?,
        })
    }
}

/// A list of pairs of identifier and value, by the last arc of the identifier.
struct Fields<'a>(Vec<(u8, Element<'a>)>);

impl<'a> Fields<'a> {
    /// Reads a list whose identifiers are one arc below `parent`.
    fn read(sequence: Element<'a>, parent: ObjectIdentifier) -> Result<Self, Malformed> {
        let mut list = Elements::of(sequence.content_of(Tag::Sequence, WHAT)?, WHAT)?;
        let mut fields: Vec<(u8, Element<'_>)> = Vec::new();
        while !list.is_finished() {
            let mut pair = Elements::of(list.expect(Tag::Sequence)?.content, WHAT)?;
            let id = pair.expect(Tag::ObjectIdentifier)?.content;
            let value = pair.next()?;
            pair.finish()?;
            match id.strip_prefix(parent.as_bytes()) {
                Some([arc @ 0..0x80])
                    if fields.len() < MAX_FIELDS && fields.iter().all(|(other, _)| other != arc) =>
                {
                    fields.push((*arc, value));
                }
                _ => return Err(Malformed(WHAT)),
            }
        }
        Ok(Self(fields))
    }

    fn optional(&self, arc: u8) -> Option<Element<'a>> {
        self.0.iter().find(|(other, _)| *other == arc).map(|(_, value)| *value)
    }

    fn required(&self, arc: u8) -> Result<Element<'a>, Malformed> {
        self.optional(arc).ok_or(Malformed(WHAT))
    }
}

fn bytes<const N: usize>(element: Element<'_>) -> Result<[u8; N], Malformed> {
    element.content_of(Tag::OctetString, WHAT)?.try_into().map_err(|_| Malformed(WHAT))
}

/// A strict INTEGER of 0 to 65535.
fn number(element: Element<'_>) -> Result<u16, Malformed> {
    match element.content_of(Tag::Integer, WHAT)? {
        [low @ 0..0x80] => Ok((*low).into()),
        [high @ 0..0x80, low] if *high != 0 || *low >= 0x80 => Ok(u16::from_be_bytes([*high, *low])),
        [0, high @ 0x80..=0xff, low] => Ok(u16::from_be_bytes([*high, *low])),
        _ => Err(Malformed(WHAT)),
    }
}

fn sgx_type(element: Element<'_>) -> Result<u8, Malformed> {
    match element.content_of(Tag::Enumerated, WHAT)? {
        [kind @ 0..=MAX_SGX_TYPE] => Ok(*kind),
        _ => Err(Malformed(WHAT)),
    }
}

fn boolean(element: Element<'_>) -> Result<bool, Malformed> {
    match element.content_of(Tag::Boolean, WHAT)? {
        [0] => Ok(false),
        [0xff] => Ok(true),
        _ => Err(Malformed(WHAT)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_minimal_and_of_16_bits() {
        let read = |content: &[u8]| {
            let length = u8::try_from(content.len()).unwrap();
            let tlv = [&[2, length], content].concat();
            number(Element::of(&tlv, "test").unwrap())
        };
        for (content, expected) in [
            (&[0][..], Some(0)),
            (&[0x7f], Some(127)),
            (&[0, 0x80], Some(128)),
            (&[1, 0], Some(256)),
            (&[0x7f, 0xff], Some(0x7fff)),
            (&[0, 0x80, 0], Some(0x8000)),
            (&[0, 0xff, 0xff], Some(0xffff)),
            (&[0x80], None),
            (&[0, 1], None),
            (&[0xff, 0xff], None),
            (&[0, 0x7f, 0xff], None),
            (&[1, 0, 0], None),
            (&[], None),
        ] {
            assert_eq!(read(content).ok(), expected, "{content:02x?}");
        }
    }
}
