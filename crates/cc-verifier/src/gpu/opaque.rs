//! The opaque data of a report: items of type, size and content (*verification.md* 3.1; steps G2 and G9).

use cc_core::gpu::DeviceClass;
use cc_core::{Finding, codes};

use super::reader::{Reader, malformed};

/// Length of a firmware identity, SHA-384.
pub(super) const FWID_LENGTH: usize = 48;
/// Most items; today's reports have 16.
const MAX_ITEMS: usize = 64;
/// The newest version of the opaque data that is known.
const NEWEST_VERSION: u16 = 1;
/// Length of the identifier of a device on NVLink.
const PDI_LENGTH: usize = 8;
/// GPUs that a switch names; its ports follow.
const GPUS_OF_A_SWITCH: usize = 8;

/// The type of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item(pub u16);

impl Item {
    /// Text, ends in a NUL.
    pub const DRIVER_VERSION: Self = Self(3);
    /// 8 bytes on GPUs, text on switches; see `Opaque::vbios_version`.
    pub const VBIOS_VERSION: Self = Self(6);
    /// 0xAA on, 0x55 off.
    pub const NVDEC0_STATUS: Self = Self(11);
    /// How often each measurement was extended.
    pub const MSR_COUNT: Self = Self(12);
    /// Text.
    pub const CHIP_SKU: Self = Self(15);
    /// Text.
    pub const PROJECT: Self = Self(17);
    /// Text.
    pub const PROJECT_SKU: Self = Self(18);
    /// Firmware identity.
    pub const FWID: Self = Self(20);
    /// 0xAA on, 0x55 off.
    pub const PROTECTED_PCIE_STATUS: Self = Self(21);
    /// On GPUs the switches at the links, one after the other, byte-reversed; on switches the own identifier.
    pub const PDI: Self = Self(22);
    /// On switches the GPUs, then the GPU at each port.
    pub const GPU_PDIS: Self = Self(26);
    /// Little-endian number of 16 bits.
    pub const VERSION: Self = Self(34);
    /// Text, the chip.
    pub const CHIP_INFO: Self = Self(35);
    /// Little-endian number of 16 bits: 0 SPT, 1 MPT, 2 PPCIE.
    pub const FEATURE_FLAG: Self = Self(36);

    /// Name in NVIDIA's spelling, and whether the content is text.
    pub(super) const fn name(self) -> Option<(&'static str, bool)> {
        Some(match self.0 {
            1 => ("CERT_ISSUER_NAME", false),
            2 => ("CERT_AUTHORITY_KEY_IDENTIFIER", false),
            3 => ("DRIVER_VERSION", true),
            4 => ("GPU_INFO", false),
            5 => ("SKU", false),
            6 => ("VBIOS_VERSION", false),
            7 => ("MANUFACTURER_ID", false),
            8 => ("TAMPER_DETECTION", false),
            9 => ("SMC", false),
            10 => ("VPR", false),
            11 => ("NVDEC0_STATUS", false),
            13 => ("CPRINFO", false),
            14 => ("BOARD_ID", false),
            15 => ("CHIP_SKU", true),
            16 => ("CHIP_SKU_MOD", true),
            17 => ("PROJECT", true),
            18 => ("PROJECT_SKU", true),
            19 => ("PROJECT_SKU_MOD", true),
            20 => ("FWID", false),
            21 => ("PROTECTED_PCIE_STATUS", false),
            23 => ("FLOORSWEPT_PORTS", false),
            24 => ("POSITION_ID", false),
            25 => ("LOCK_SWITCH_STATUS", false),
            32 => ("GPU_LINK_CONN", false),
            33 => ("SYS_ENABLE_STATUS", false),
            34 => ("OPAQUE_DATA_VERSION", false),
            35 => ("CHIP_INFO", true),
            36 => ("FEATURE_FLAG", false),
            _ => return None,
        })
    }
}

/// Whether an item that is switched on or off is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switched {
    On,
    Off,
    /// Neither of the two known values.
    Unknown,
}

/// Well-formed opaque data; borrows from the report.
#[derive(Debug)]
pub struct Opaque<'a>(Vec<(Item, &'a [u8])>);

impl<'a> Opaque<'a> {
    /// Reads items that fill `bytes`, each type at most once; otherwise `gpu.spdm.malformed`. Types that are not known are
    /// kept.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Finding> {
        let mut reader = Reader::new(bytes, "opaque data");
        let mut items: Vec<(Item, &[u8])> = Vec::with_capacity(16);
        while !reader.is_finished() {
            let kind = Item(reader.word()?);
            let content = reader.sized()?;
            if items.iter().any(|(other, _)| *other == kind) {
                return Err(malformed(format!("opaque item {} twice", kind.0)));
            }
            if items.len() == MAX_ITEMS {
                return Err(malformed(format!("more than {MAX_ITEMS} opaque items")));
            }
            items.push((kind, content));
        }
        Ok(Self(items))
    }

    /// The content of an item.
    pub fn item(&self, kind: Item) -> Option<&'a [u8]> {
        self.0.iter().find(|(other, _)| *other == kind).map(|(_, content)| *content)
    }

    /// All items in the order of the report.
    pub fn iter(&self) -> impl Iterator<Item = (Item, &'a [u8])> {
        self.0.iter().copied()
    }

    /// An item that is text, without the NULs that pad it. `None` if it is absent, or no printable ASCII.
    pub(super) fn text(&self, kind: Item) -> Option<&'a str> {
        self.item(kind).and_then(text)
    }

    /// The version of the VBIOS as it is printed, for example `96.00.9f.00.01`: on a GPU two groups of four bytes, each
    /// little-endian, of which one byte of the second one counts; on a switch text.
    pub(super) fn vbios_version(&self, class: DeviceClass) -> Option<String> {
        let content = self.item(Item::VBIOS_VERSION)?;
        match class {
            DeviceClass::Gpu => {
                let [d, c, b, a, e, _, _, _] = *<&[u8; 8]>::try_from(content).ok()?;
                Some(format!("{a:02x}.{b:02x}.{c:02x}.{d:02x}.{e:02x}"))
            }
            DeviceClass::Switch => text(content).map(str::to_ascii_lowercase),
        }
    }

    /// The firmware identity. `Err` when there is one of another length (`gpu.fwid.mismatch`: no certificate has such a one).
    pub(super) fn fwid(&self) -> Result<Option<&'a [u8; FWID_LENGTH]>, Finding> {
        let Some(content) = self.item(Item::FWID) else { return Ok(None) };
        let wrong = |_| {
            let detail = format!("a firmware identity of {} bytes in the report", content.len());
            Finding::new(codes::GPU_FWID_MISMATCH, detail)
        };
        content.try_into().map(Some).map_err(wrong)
    }

    /// An item that is on or off.
    pub(super) fn switched(&self, kind: Item) -> Option<Switched> {
        self.item(kind).map(|content| match content {
            [0xaa] => Switched::On,
            [0x55] => Switched::Off,
            _ => Switched::Unknown,
        })
    }

    /// An item that is a number of 16 bits.
    pub(super) fn number(&self, kind: Item) -> Option<u16> {
        self.item(kind)?.try_into().ok().map(u16::from_le_bytes)
    }

    /// The switches that a GPU sees, each once, in the byte order of the switch's own identifier.
    pub(super) fn switches_of_gpu(&self) -> Vec<[u8; PDI_LENGTH]> {
        let (all, _) = self.item(Item::PDI).unwrap_or_default().as_chunks::<PDI_LENGTH>();
        distinct(all.iter().map(|pdi| {
            let mut pdi = *pdi;
            pdi.reverse();
            pdi
        }))
    }

    /// The GPUs that a switch sees, each once, in the byte order of its report.
    pub(super) fn gpus_of_switch(&self) -> Vec<[u8; PDI_LENGTH]> {
        let (all, _) = self.item(Item::GPU_PDIS).unwrap_or_default().as_chunks::<PDI_LENGTH>();
        distinct(all.iter().take(GPUS_OF_A_SWITCH).copied())
    }

    /// G9: what every report must have is there (*decisions.md* 11), and the version is known.
    pub(super) fn judge(&self, class: DeviceClass) -> Result<(), Finding> {
        let required: &[Item] = match class {
            DeviceClass::Gpu => {
                &[Item::DRIVER_VERSION, Item::VBIOS_VERSION, Item::CHIP_SKU, Item::PROJECT, Item::PROJECT_SKU]
            }
            DeviceClass::Switch => &[Item::VBIOS_VERSION, Item::PDI],
        };
        if let Some(missing) = required.iter().find(|kind| self.item(**kind).is_none()) {
            let name = missing.name().map_or("DEVICE_PDI", |(name, _)| name);
            let detail = format!("no item {} ({name}) in the opaque data", missing.0);
            return Err(Finding::new(codes::GPU_OPAQUE_MISSING, detail));
        }
        match (self.item(Item::VERSION), self.number(Item::VERSION)) {
            (None, _) => Ok(()),
            (_, Some(version)) if version <= NEWEST_VERSION => Ok(()),
            (Some(content), _) => {
                let version = hex::encode(content);
                let detail =
                    format!("opaque data of version {version} (bytes), {NEWEST_VERSION} is the newest known");
                Err(Finding::new(codes::GPU_OPAQUE_VERSION, detail))
            }
        }
    }
}

fn distinct<T: PartialEq>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// Printable ASCII, without the NULs that pad it.
pub(super) fn text(content: &[u8]) -> Option<&str> {
    let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    let text = std::str::from_utf8(content.get(..end)?).ok()?;
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte)).then_some(text)
}
