//! The values that policy and claims both speak of: product lines, TCB layouts, versions, chips.

use std::fmt;

/// A product line. The order is that of release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Product {
    Milan,
    Genoa,
    Turin,
}

impl Product {
    pub(crate) const ALL: [Self; 3] = [Self::Milan, Self::Genoa, Self::Turin];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }

    /// The components of a TCB and the byte of each in report order (*verification.md* 1.1).
    pub(crate) const fn tcb_layout(self) -> &'static [(&'static str, usize)] {
        match self {
            Self::Milan | Self::Genoa => &[("bootloader", 0), ("tee", 1), ("snp", 6), ("microcode", 7)],
            Self::Turin => &[("fmc", 0), ("bootloader", 1), ("tee", 2), ("snp", 3), ("microcode", 7)],
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A firmware version; ordered as versions are, the build last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FwVersion {
    pub(crate) major: u8,
    pub(crate) minor: u8,
    pub(crate) build: u8,
}

impl fmt::Display for FwVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} build {}", self.major, self.minor, self.build)
    }
}

/// The firmware ABI that a guest policy demands; ordered as versions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Abi {
    pub(crate) major: u8,
    pub(crate) minor: u8,
}

impl Abi {
    /// Reads `major.minor`, both decimal without leading zeros.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        let abi = Self { major: major.parse().ok()?, minor: minor.parse().ok()? };
        (abi.to_string() == text).then_some(abi)
    }
}

impl fmt::Display for Abi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A chip by its HWID: 64 bytes, of which Turin's certificates carry the first 8 and the rest are zero, as in
/// the report's CHIP_ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChipId([u8; 64]);

impl ChipId {
    /// Reads 128 hexadecimal digits, or 16 for Turin.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 64];
        let filled = match text.len() {
            128 => bytes.as_mut_slice(),
            16 => bytes.first_chunk_mut::<8>()?.as_mut_slice(),
            _ => return None,
        };
        hex::decode_to_slice(text, filled).ok()?;
        Some(Self(bytes))
    }

    /// Whether it names no chip: the host masks chip ids, or the key is a VLEK.
    pub(crate) fn is_masked(&self) -> bool {
        self.0 == [0; 64]
    }
}

impl fmt::Display for ChipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Which kind of key signed the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SigningKey {
    Vcek,
    Vlek,
}

/// Reads a flag word: `0x` and 1 to 16 lower-case hexadecimal digits.
pub(crate) fn parse_word(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("0x").filter(|digits| (1..=16).contains(&digits.len()))?;
    let canonical = digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    canonical.then(|| u64::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_strict() {
        assert_eq!(parse_word("0x3001f"), Some(0x3001f));
        assert_eq!(parse_word("0xffffffffffffffff"), Some(u64::MAX));
        for bad in ["", "0x", "3001f", "0x+1", "0xFF", "0x 1", "0x10000000000000000", "0X1"] {
            assert_eq!(parse_word(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn versions_are_strict_and_ordered() {
        assert_eq!(Abi::parse("0.31"), Some(Abi { major: 0, minor: 31 }));
        assert!(Abi::parse("1.0") > Abi::parse("0.255"));
        for bad in ["", "0", "0.", ".1", "0.01", "+0.1", "0.256", "0.1.2"] {
            assert_eq!(Abi::parse(bad), None, "{bad:?}");
        }
        let build = |major, minor, build| FwVersion { major, minor, build };
        assert!(build(1, 55, 0) > build(1, 54, 255));
    }

    #[test]
    fn chips_of_both_lengths_compare() {
        let short = "59790fb1c39f35c1";
        assert_eq!(ChipId::parse(short), ChipId::parse(&format!("{short}{}", "0".repeat(112))));
        for length in [0, 14, 18, 126, 130] {
            assert_eq!(ChipId::parse(&"a".repeat(length)), None, "{length} digits");
        }
    }
}
