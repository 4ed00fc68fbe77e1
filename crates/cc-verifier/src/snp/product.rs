//! Product lines, kinds of signing key, and the layout of TCB versions (*verification.md* 1.1).

use std::fmt;

/// An AMD product line: processors that share a root key, a certificate form and a TCB layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// EPYC 7003 (family 0x19, models 0x00 to 0x0f).
    Milan,
    /// EPYC 9004 and 8004, so also Bergamo and Siena (family 0x19, models 0x10 to 0x1f and 0xa0 to 0xaf).
    Genoa,
    /// EPYC 9005 (family 0x1a, models 0x00 to 0x11).
    Turin,
}

impl Product {
    /// Every product line.
    pub const ALL: [Self; 3] = [Self::Milan, Self::Genoa, Self::Turin];

    /// The name as it stands in certificates and in addresses of the key distribution service.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        }
    }

    /// The product line of that exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }

    /// The product line of a processor, from the combined family and model of its CPUID.
    pub const fn from_cpuid(family: u8, model: u8) -> Option<Self> {
        match (family, model) {
            (0x19, 0x00..=0x0f) => Some(Self::Milan),
            (0x19, 0x10..=0x1f | 0xa0..=0xaf) => Some(Self::Genoa),
            (0x1a, 0x00..=0x11) => Some(Self::Turin),
            _ => None,
        }
    }

    /// How many bytes of CHIP_ID identify a processor; the rest are zero.
    pub const fn hwid_length(self) -> usize {
        match self {
            Self::Milan | Self::Genoa => 64,
            Self::Turin => 8,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which of the two endorsement keys signed a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The versioned chip endorsement key: of one processor.
    Vcek,
    /// The versioned loaded endorsement key: of a cloud provider, on any of its processors.
    Vlek,
}

impl Kind {
    /// The name, as in the claim `signing_key`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vcek => "VCEK",
            Self::Vlek => "VLEK",
        }
    }

    /// The name of the authority that issues leaves of this kind.
    pub(super) const fn issuer_name(self) -> &'static str {
        match self {
            Self::Vcek => "ASK",
            Self::Vlek => "ASVK",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A decoded TCB_VERSION: the security patch level of each firmware component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcb {
    /// Firmware management controller; only Turin has it.
    pub fmc: Option<u8>,
    /// Boot loader of the secure processor.
    pub bootloader: u8,
    /// Operating system of the secure processor.
    pub tee: u8,
    /// SNP firmware.
    pub snp: u8,
    /// Microcode.
    pub microcode: u8,
}

impl Tcb {
    /// Decodes the eight bytes as they stand in a report of the product line. `Err` has the reserved bytes when
    /// they are not zero.
    pub const fn decode(bytes: [u8; 8], product: Product) -> Result<Self, [u8; 4]> {
        let [a, b, c, d, e, f, g, microcode] = bytes;
        let (tcb, reserved) = match product {
            Product::Milan | Product::Genoa => {
                (Self { fmc: None, bootloader: a, tee: b, snp: g, microcode }, [c, d, e, f])
            }
            Product::Turin => (Self { fmc: Some(a), bootloader: b, tee: c, snp: d, microcode }, [e, f, g, 0]),
        };
        if matches!(reserved, [0, 0, 0, 0]) { Ok(tcb) } else { Err(reserved) }
    }

    /// The components by name, in the order of the report.
    pub fn components(&self) -> impl Iterator<Item = (&'static str, u8)> {
        let fmc = self.fmc.map(|level| ("fmc", level));
        fmc.into_iter().chain([
            ("bootloader", self.bootloader),
            ("tee", self.tee),
            ("snp", self.snp),
            ("microcode", self.microcode),
        ])
    }

    /// The first component that is above that of `other`: its name and both levels. Components are compared one by
    /// one; the order of whole TCBs is partial.
    pub fn above(&self, other: &Self) -> Option<(&'static str, u8, u8)> {
        self.components()
            .zip(other.components())
            .find(|((_, level), (_, limit))| level > limit)
            .map(|((name, level), (_, limit))| (name, level, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpuid_decides_the_product_line() {
        for (family, model, product) in [
            (0x19, 0x00, Some(Product::Milan)),
            (0x19, 0x0f, Some(Product::Milan)),
            (0x19, 0x10, Some(Product::Genoa)),
            (0x19, 0x1f, Some(Product::Genoa)),
            (0x19, 0x20, None),
            (0x19, 0x9f, None),
            (0x19, 0xa0, Some(Product::Genoa)),
            (0x19, 0xaf, Some(Product::Genoa)),
            (0x19, 0xb0, None),
            (0x1a, 0x00, Some(Product::Turin)),
            (0x1a, 0x11, Some(Product::Turin)),
            (0x1a, 0x12, None),
            (0x17, 0x01, None),
            (0x1b, 0x00, None),
        ] {
            assert_eq!(Product::from_cpuid(family, model), product, "{family:#x} {model:#x}");
        }
    }

    #[test]
    fn layouts_differ() {
        let bytes = [1, 2, 0, 0, 0, 0, 7, 8];
        let legacy = Tcb { fmc: None, bootloader: 1, tee: 2, snp: 7, microcode: 8 };
        assert_eq!(Tcb::decode(bytes, Product::Milan), Ok(legacy));
        assert_eq!(Tcb::decode(bytes, Product::Genoa), Ok(legacy));
        assert_eq!(Tcb::decode(bytes, Product::Turin), Err([0, 0, 7, 0]));
        let turin = Tcb { fmc: Some(1), bootloader: 2, tee: 3, snp: 4, microcode: 8 };
        assert_eq!(Tcb::decode([1, 2, 3, 4, 0, 0, 0, 8], Product::Turin), Ok(turin));
        for (product, reserved) in [(Product::Milan, 2..6), (Product::Genoa, 2..6), (Product::Turin, 4..7)] {
            for byte in 0..8 {
                let mut bytes = [0; 8];
                bytes[byte] = 1;
                assert_eq!(
                    Tcb::decode(bytes, product).is_err(),
                    reserved.contains(&byte),
                    "{product} {byte}"
                );
            }
        }
    }

    #[test]
    fn every_component_is_compared() {
        let low = Tcb { fmc: Some(1), bootloader: 1, tee: 1, snp: 1, microcode: 1 };
        assert_eq!(low.above(&low), None);
        for (name, high) in [
            ("fmc", Tcb { fmc: Some(2), ..low }),
            ("bootloader", Tcb { bootloader: 2, ..low }),
            ("tee", Tcb { tee: 2, ..low }),
            ("snp", Tcb { snp: 2, ..low }),
            ("microcode", Tcb { microcode: 2, ..low }),
        ] {
            assert_eq!(high.above(&low), Some((name, 2, 1)));
            assert_eq!(low.above(&high), None);
        }
    }
}
