//! Reports: an SPDM 1.1 request with its response, every field of which can be changed before it is signed.

use super::device_chain::{Arch, pdi};
use crate::snp::SignKey;

/// Types of opaque items.
pub mod item {
    /// Driver version, text.
    pub const DRIVER_VERSION: u16 = 3;
    /// VBIOS version.
    pub const VBIOS_VERSION: u16 = 6;
    /// Status of the video decoder.
    pub const NVDEC0_STATUS: u16 = 11;
    /// SKU of the chip, text.
    pub const CHIP_SKU: u16 = 15;
    /// Project, text.
    pub const PROJECT: u16 = 17;
    /// SKU of the project, text.
    pub const PROJECT_SKU: u16 = 18;
    /// Firmware identity.
    pub const FWID: u16 = 20;
    /// Status of protected PCIe.
    pub const PROTECTED_PCIE_STATUS: u16 = 21;
    /// On GPUs the switches, on switches the own identifier.
    pub const PDI: u16 = 22;
    /// On switches the GPUs and ports.
    pub const GPU_PDIS: u16 = 26;
    /// Version of the opaque data.
    pub const VERSION: u16 = 34;
    /// Chip, text.
    pub const CHIP_INFO: u16 = 35;
    /// Mode.
    pub const FEATURE_FLAG: u16 = 36;
}

/// A measurement block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// SPDM's index, from 1.
    pub index: u8,
    /// MeasurementSpecification; 1 is DMTF.
    pub specification: u8,
    /// MeasurementSize, if not what it is.
    pub size: Option<u16>,
    /// DMTFSpecMeasurementValueType.
    pub kind: u8,
    /// DMTFSpecMeasurementValueSize, if not what it is.
    pub value_size: Option<u16>,
    /// The value.
    pub value: Vec<u8>,
}

impl Block {
    fn bytes(&self) -> Vec<u8> {
        let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap();
        let mut inner = vec![self.kind];
        inner.extend(self.value_size.unwrap_or(length(&self.value)).to_le_bytes());
        inner.extend(&self.value);
        let mut out = vec![self.index, self.specification];
        out.extend(self.size.unwrap_or(length(&inner)).to_le_bytes());
        out.extend(inner);
        out
    }
}

/// A report before and after it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Version, code, Param1, Param2 of the request.
    pub request: [u8; 4],
    /// The bound field.
    pub nonce: [u8; 32],
    /// Slot in the request.
    pub slot: u8,
    /// Version, code, Param1, Param2 of the response.
    pub response: [u8; 4],
    /// NumberOfBlocks, if not what it is.
    pub count: Option<u8>,
    /// MeasurementRecordLength, if not what it is.
    pub record_length: Option<u32>,
    /// The measurements.
    pub blocks: Vec<Block>,
    /// The responder's nonce.
    pub responder_nonce: [u8; 32],
    /// Length of the opaque data, if not what it is.
    pub opaque_length: Option<u16>,
    /// Opaque items.
    pub opaque: Vec<(u16, Vec<u8>)>,
    /// What follows the items within the opaque data.
    pub opaque_tail: Vec<u8>,
    /// r and s.
    pub signature: [u8; 96],
}

/// The version of the driver in reports of GPUs.
pub const DRIVER: &str = "550.90.07";
/// The version of the VBIOS in reports of Hopper.
pub const HOPPER_VBIOS: &str = "96.00.9F.00.01";
/// The version of the VBIOS in reports of Blackwell.
pub const BLACKWELL_VBIOS: &str = "97.00.88.00.0F";
/// The version of the BIOS in reports of switches.
pub const LS10_BIOS: &str = "96.10.55.00.01";

impl Report {
    /// The report of a device with that number and firmware, not signed: 64 measurements on GPUs, 31 on switches, each with
    /// the value of [`measurement`].
    pub fn new(arch: Arch, number: u8, fwid: &[u8; 48]) -> Self {
        let count = if arch == Arch::Ls10 { 31 } else { 64 };
        let block = |place: u8| Block {
            index: place + 1,
            specification: 1,
            size: None,
            kind: 1,
            value_size: None,
            value: measurement(place).to_vec(),
        };
        Self {
            request: [0x11, 0xE0, 1, 0xFF],
            nonce: [0x5A; 32],
            slot: 0,
            response: [0x11, 0x60, 0, 0],
            count: None,
            record_length: None,
            blocks: (0..count).map(block).collect(),
            responder_nonce: [0xC3; 32],
            opaque_length: None,
            opaque: opaque(arch, number, fwid),
            opaque_tail: Vec::new(),
            signature: [0; 96],
        }
    }

    /// What is signed.
    pub fn signed(&self) -> Vec<u8> {
        let mut out = self.request.to_vec();
        out.extend(self.nonce);
        out.push(self.slot);
        out.extend(self.response);
        out.push(self.count.unwrap_or(self.blocks.len() as u8));
        let record: Vec<u8> = self.blocks.iter().flat_map(Block::bytes).collect();
        out.extend(&self.record_length.unwrap_or(record.len() as u32).to_le_bytes()[..3]);
        out.extend(record);
        out.extend(self.responder_nonce);
        let mut items = Vec::new();
        for (kind, content) in &self.opaque {
            items.extend(kind.to_le_bytes());
            items.extend(u16::try_from(content.len()).unwrap().to_le_bytes());
            items.extend(content);
        }
        items.extend(&self.opaque_tail);
        out.extend(self.opaque_length.unwrap_or(u16::try_from(items.len()).unwrap()).to_le_bytes());
        out.extend(items);
        out
    }

    /// Signs what is there.
    pub fn sign(&mut self, key: &SignKey) -> &mut Self {
        self.signature = key.sign_fixed(&self.signed()).try_into().expect("a P-384 signature");
        self
    }

    /// The report.
    pub fn bytes(&self) -> Vec<u8> {
        [self.signed(), self.signature.to_vec()].concat()
    }

    /// The content of an opaque item. Panics if there is none.
    pub fn item_mut(&mut self, kind: u16) -> &mut Vec<u8> {
        let found = self.opaque.iter_mut().find(|(other, _)| *other == kind);
        &mut found.unwrap_or_else(|| panic!("no opaque item {kind}")).1
    }

    /// Replaces or adds an opaque item.
    pub fn set_item(&mut self, kind: u16, content: &[u8]) {
        match self.opaque.iter_mut().find(|(other, _)| *other == kind) {
            Some((_, old)) => *old = content.to_vec(),
            None => self.opaque.push((kind, content.to_vec())),
        }
    }

    /// Removes an opaque item. Panics if there is none.
    pub fn remove_item(&mut self, kind: u16) {
        let before = self.opaque.len();
        self.opaque.retain(|(other, _)| *other != kind);
        assert!(self.opaque.len() < before, "no opaque item {kind}");
    }
}

/// The value of the measurement at a place, counted from 0 as manifests do: one byte, 48 times.
pub fn measurement(place: u8) -> [u8; 48] {
    [measured(place); 48]
}

/// The byte that [`measurement`] repeats.
pub const fn measured(place: u8) -> u8 {
    place ^ 0x80
}

fn opaque(arch: Arch, number: u8, fwid: &[u8; 48]) -> Vec<(u16, Vec<u8>)> {
    if arch == Arch::Ls10 {
        let own = (0..8).map(|at| u8::from_str_radix(&pdi(number)[2 * at..2 * at + 2], 16).unwrap());
        return vec![
            (item::VBIOS_VERSION, LS10_BIOS.into()),
            (item::PDI, own.collect()),
            (12, vec![1; 104]),
            (item::GPU_PDIS, (0..8_u8).flat_map(|gpu| [gpu; 8]).chain([0xFF; 64]).collect()),
            (23, vec![0xEC, 0]),
            (24, vec![2, 0]),
            (25, vec![1, 0]),
        ];
    }
    let (vbios, project, sku, chip) = match arch {
        Arch::Blackwell => ([0, 0x88, 0, 0x97, 0x0F, 0, 0, 0], "G525", "0220", "886"),
        Arch::Hopper | Arch::Ls10 => ([0, 0x9F, 0, 0x96, 1, 0, 0, 0], "1010", "0200", "882"),
    };
    let text = |text: &str| [text.as_bytes(), &[0]].concat();
    let mut items = vec![
        (item::VBIOS_VERSION, vbios.to_vec()),
        (14, vec![0xB1, 3, 0, 0]),
        (item::CHIP_SKU, text(chip)),
        (16, text("0")),
        (item::PROJECT, text(project)),
        (item::PROJECT_SKU, text(sku)),
        (19, vec![0, 0]),
        (item::DRIVER_VERSION, text(DRIVER)),
        (4, vec![0x80, 1, 0, 0, 0, 0, 0, 0]),
        (12, vec![1; 256]),
        (13, vec![0, 0xC0, 1, 0]),
        (item::NVDEC0_STATUS, vec![0x55]),
        (item::FWID, fwid.to_vec()),
        (item::PROTECTED_PCIE_STATUS, vec![0x55]),
        (item::VERSION, vec![1, 0]),
        (item::FEATURE_FLAG, vec![0, 0]),
    ];
    if arch == Arch::Blackwell {
        items.push((item::CHIP_INFO, text("GB100")));
    }
    items
}
