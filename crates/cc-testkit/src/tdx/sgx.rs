//! The SGX extension of PCK certificates as a tree of identifiers and values.

use aws_lc_rs::digest;

use super::ca::Ca;
use crate::der;

/// Identifiers inside the extension (prefix 1.2.840.113741.1.13.1).
pub mod oids {
    /// PPID, OCTET STRING of 16 bytes.
    pub const PPID: &str = "1.2.840.113741.1.13.1.1";
    /// TCB: the component SVNs, PCESVN and CPUSVN.
    pub const TCB: &str = "1.2.840.113741.1.13.1.2";
    /// PCESVN, INTEGER, inside TCB.
    pub const PCESVN: &str = "1.2.840.113741.1.13.1.2.17";
    /// CPUSVN, OCTET STRING of 16 bytes, inside TCB.
    pub const CPUSVN: &str = "1.2.840.113741.1.13.1.2.18";
    /// PCEID, OCTET STRING of 2 bytes.
    pub const PCEID: &str = "1.2.840.113741.1.13.1.3";
    /// FMSPC, OCTET STRING of 6 bytes.
    pub const FMSPC: &str = "1.2.840.113741.1.13.1.4";
    /// SGX type, ENUMERATED.
    pub const SGX_TYPE: &str = "1.2.840.113741.1.13.1.5";
    /// Platform instance id, OCTET STRING of 16 bytes; platform CA only.
    pub const PLATFORM_INSTANCE_ID: &str = "1.2.840.113741.1.13.1.6";
    /// Configuration; platform CA only.
    pub const CONFIGURATION: &str = "1.2.840.113741.1.13.1.7";
    /// Whether the platform may change its packages, BOOLEAN, inside the configuration.
    pub const DYNAMIC_PLATFORM: &str = "1.2.840.113741.1.13.1.7.1";
    /// Whether Intel keeps the platform's root keys, BOOLEAN, inside the configuration.
    pub const CACHED_KEYS: &str = "1.2.840.113741.1.13.1.7.2";
    /// Whether SMT is enabled, BOOLEAN, inside the configuration.
    pub const SMT_ENABLED: &str = "1.2.840.113741.1.13.1.7.3";

    /// The SVN of component `number`, 1 to 16, INTEGER, inside TCB.
    pub fn component(number: usize) -> String {
        format!("{TCB}.{number}")
    }
}

/// Family, model, stepping, platform and custom SKU of the test platform.
pub const FMSPC: [u8; 6] = [0x70, 0xC0, 0x6F, 0, 0, 0];
/// The SVNs of the test platform's TCB components.
pub const COMPONENTS: [u8; 16] = [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0];
/// The SVN of the test platform's provisioning certification enclave.
pub const PCESVN: u16 = 13;

/// ASN.1 tag of ENUMERATED.
const ENUMERATED: u8 = 0x0A;

/// The content of the extension, each item once, in Intel's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SgxExtension {
    /// The items of the outer SEQUENCE.
    pub items: Vec<Item>,
}

/// One `SEQUENCE { identifier, value }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The identifier, dotted.
    pub oid: String,
    /// What it names.
    pub value: Value,
}

/// The value of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Any DER element.
    Der(Vec<u8>),
    /// A SEQUENCE of items.
    Items(Vec<Item>),
}

impl Item {
    fn new(oid: impl Into<String>, der: Vec<u8>) -> Self {
        Self { oid: oid.into(), value: Value::Der(der) }
    }

    fn encode(&self) -> Vec<u8> {
        let value = match &self.value {
            Value::Der(der) => der.clone(),
            Value::Items(items) => encode(items),
        };
        der::seq(&[der::oid(&self.oid), value])
    }
}

impl SgxExtension {
    /// The extension of the test platform. A leaf of the processor CA has neither instance id nor configuration.
    pub fn test_platform(ca: Ca) -> Self {
        let mut tcb: Vec<Item> = (1..)
            .zip(COMPONENTS)
            .map(|(number, svn)| Item::new(oids::component(number), der::integer(svn.into())))
            .collect();
        tcb.push(Item::new(oids::PCESVN, der::integer(PCESVN.into())));
        tcb.push(Item::new(oids::CPUSVN, der::octet_string(&COMPONENTS)));
        let mut items = vec![
            Item::new(oids::PPID, der::octet_string(&ppid())),
            Item { oid: oids::TCB.to_owned(), value: Value::Items(tcb) },
            Item::new(oids::PCEID, der::octet_string(&[0, 0])),
            Item::new(oids::FMSPC, der::octet_string(&FMSPC)),
            Item::new(oids::SGX_TYPE, der::tlv(ENUMERATED, &[u8::from(ca == Ca::Platform)])),
        ];
        if ca == Ca::Platform {
            let flags = [oids::DYNAMIC_PLATFORM, oids::CACHED_KEYS, oids::SMT_ENABLED];
            let flags = flags.map(|oid| Item::new(oid, der::boolean(true))).to_vec();
            items.push(Item::new(oids::PLATFORM_INSTANCE_ID, der::octet_string(&platform_instance_id())));
            items.push(Item { oid: oids::CONFIGURATION.to_owned(), value: Value::Items(flags) });
        }
        Self { items }
    }

    /// Replaces the value of the item with this identifier, at any depth, by a DER element. Panics if there is none.
    pub fn set(&mut self, oid: &str, der: Vec<u8>) {
        let (items, at) = self.find(oid);
        items[at].value = Value::Der(der);
    }

    /// Sets the SVN of component `number`, 1 to 16; CPUSVN stays as it is.
    pub fn set_component(&mut self, number: usize, svn: u64) {
        self.set(&oids::component(number), der::integer(svn));
    }

    /// Removes the item with this identifier, at any depth. Panics if there is none.
    pub fn remove(&mut self, oid: &str) {
        let (items, at) = self.find(oid);
        items.remove(at);
    }

    /// Writes the item with this identifier a second time, after the first. Panics if there is none.
    pub fn duplicate(&mut self, oid: &str) {
        let (items, at) = self.find(oid);
        items.insert(at, items[at].clone());
    }

    /// The extension's content, DER.
    pub fn encode(&self) -> Vec<u8> {
        encode(&self.items)
    }

    /// The list that holds the item with this identifier, and its place.
    fn find(&mut self, oid: &str) -> (&mut Vec<Item>, usize) {
        let holds = |items: &[Item]| items.iter().any(|item| item.oid == oid);
        let inside =
            self.items.iter().position(|item| matches!(&item.value, Value::Items(items) if holds(items)));
        let items = match inside {
            Some(at) => match &mut self.items[at].value {
                Value::Items(items) => items,
                Value::Der(_) => unreachable!("it holds items"),
            },
            None => &mut self.items,
        };
        let at = items.iter().position(|item| item.oid == oid);
        let at = at.unwrap_or_else(|| panic!("no item {oid}"));
        (items, at)
    }
}

fn encode(items: &[Item]) -> Vec<u8> {
    der::seq(&items.iter().map(Item::encode).collect::<Vec<_>>())
}

/// The PPID of the test platform.
pub fn ppid() -> [u8; 16] {
    id(b"muster test PPID")
}

/// The instance id of the test platform.
pub fn platform_instance_id() -> [u8; 16] {
    id(b"muster test platform instance")
}

fn id(seed: &[u8]) -> [u8; 16] {
    digest::digest(&digest::SHA256, seed).as_ref()[..16].try_into().expect("16 bytes")
}
