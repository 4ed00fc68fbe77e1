//! Product lines and the facts that differ between them.

use aws_lc_rs::digest;

/// An AMD product line with its own root, identified by CPUID family and model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Product {
    /// Zen 3 (family 0x19, model 0x01).
    Milan,
    /// Zen 4 (family 0x19, model 0x11).
    Genoa,
    /// Zen 5 (family 0x1A, model 0x02): other TCB layout, 8-byte hardware id.
    Turin,
}

/// Which endorsement key signs the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeafKind {
    /// Versioned chip endorsement key: names one chip, issued by the ASK.
    Vcek,
    /// Versioned loaded endorsement key: names a cloud provider, issued by the ASVK.
    Vlek,
}

impl Product {
    /// Every product line.
    pub const ALL: [Self; 3] = [Self::Milan, Self::Genoa, Self::Turin];

    /// The name as it stands in certificate subjects and key service addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        }
    }

    /// CPUID family, model and stepping of the reports made here.
    pub fn cpuid(self) -> [u8; 3] {
        match self {
            Self::Milan => [0x19, 0x01, 0x01],
            Self::Genoa => [0x19, 0x11, 0x01],
            Self::Turin => [0x1A, 0x02, 0x01],
        }
    }

    /// The report version that current firmware of this line produces.
    pub fn report_version(self) -> u32 {
        match self {
            Self::Milan | Self::Genoa => 3,
            Self::Turin => 5,
        }
    }

    /// The TCB of the leaf certificates and reports made here; the numbers are plausible for the line.
    pub fn tcb(self) -> Tcb {
        match self {
            Self::Milan => Tcb { fmc: 0, bootloader: 4, tee: 0, snp: 0x18, microcode: 0xDB },
            Self::Genoa => Tcb { fmc: 0, bootloader: 10, tee: 0, snp: 0x17, microcode: 0x54 },
            Self::Turin => Tcb { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 0x51 },
        }
    }

    /// The hardware id of the one test chip of this line: 64 bytes, 8 on Turin.
    pub fn hwid(self) -> Vec<u8> {
        let seed = format!("muster test chip {}", self.name());
        let id = digest::digest(&digest::SHA512, seed.as_bytes());
        id.as_ref()[..self.hwid_length()].to_vec()
    }

    /// The CHIP_ID report field of the test chip: the hardware id, zero-padded to 64 bytes.
    pub fn chip_id(self) -> [u8; 64] {
        let mut chip_id = [0; 64];
        chip_id[..self.hwid_length()].copy_from_slice(&self.hwid());
        chip_id
    }

    fn hwid_length(self) -> usize {
        if self == Self::Turin { 8 } else { 64 }
    }
}

/// Security patch levels of the firmware components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcb {
    /// Firmware management controller; exists on Turin only.
    pub fmc: u8,
    /// Boot loader.
    pub bootloader: u8,
    /// Trusted execution environment (secure processor OS).
    pub tee: u8,
    /// SNP firmware.
    pub snp: u8,
    /// Microcode.
    pub microcode: u8,
}

impl Tcb {
    /// The 8-byte TCB_VERSION field of a report, in the layout of the product line.
    pub fn encode(self, product: Product) -> [u8; 8] {
        match product {
            Product::Milan | Product::Genoa => {
                [self.bootloader, self.tee, 0, 0, 0, 0, self.snp, self.microcode]
            }
            Product::Turin => [self.fmc, self.bootloader, self.tee, self.snp, 0, 0, 0, self.microcode],
        }
    }
}
