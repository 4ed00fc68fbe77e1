//! The values that policy and claims both speak of: architectures, modes, versions, names of devices.

use std::cmp::Ordering;
use std::fmt;

/// A family of devices. LS10 is the switch of Hopper systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arch {
    Hopper,
    Blackwell,
    Ls10,
}

impl Arch {
    pub(crate) const ALL: [Self; 3] = [Self::Hopper, Self::Blackwell, Self::Ls10];

    /// In NVIDIA's spelling.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hopper => "HOPPER",
            Self::Blackwell => "BLACKWELL",
            Self::Ls10 => "LS10",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|arch| arch.name() == name)
    }

    pub(crate) fn parse_gpu(name: &str) -> Option<Self> {
        Self::parse(name).filter(|arch| *arch != Self::Ls10)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the GPUs of a guest work together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GpuMode {
    /// Each for itself.
    Spt,
    /// Over encrypted NVLink; switches are not trusted.
    Mpt,
    /// Over plain NVLink: all GPUs and switches of a system are the guest's.
    Ppcie,
}

impl GpuMode {
    const ALL: [Self; 3] = [Self::Spt, Self::Mpt, Self::Ppcie];

    /// In the spelling of the report's feature flag.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Spt => "SPT",
            Self::Mpt => "MPT",
            Self::Ppcie => "PPCIE",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// NVML's number for what the driver is set to (`NVML_CC_SYSTEM_MULTIGPU_NONE`, `_NVLE`, `_PROTECTED_PCIE`).
    pub(crate) const fn multi_gpu_mode(self) -> u64 {
        match self {
            Self::Spt => 0,
            Self::Ppcie => 1,
            Self::Mpt => 2,
        }
    }

    /// Switches that belong to the guest.
    pub(crate) const fn switches(self) -> usize {
        match self {
            Self::Spt | Self::Mpt => 0,
            Self::Ppcie => 4,
        }
    }
}

impl fmt::Display for GpuMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// GPUs of a system in protected-PCIe mode.
pub(crate) const PPCIE_GPUS: usize = 8;

/// A driver's version, compared number by number; numbers that are not there are zero. It is shown as it was written.
#[derive(Clone, Debug)]
pub(crate) struct DriverVersion {
    parts: [u16; 4],
    text: String,
}

impl DriverVersion {
    /// Reads two to four decimal numbers of 16 bits, for example `550.90.07`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = [0; 4];
        let mut count = 0_usize;
        for part in text.split('.') {
            let decimal = (1..=5).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            *parts.get_mut(count)? = decimal.then(|| part.parse().ok())??;
            count = count.saturating_add(1);
        }
        (count >= 2).then(|| Self { parts, text: text.to_owned() })
    }
}

impl PartialEq for DriverVersion {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for DriverVersion {}

impl PartialOrd for DriverVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DriverVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl fmt::Display for DriverVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The version of a GPU's VBIOS or of a switch's BIOS, compared byte by byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VbiosVersion([u8; 5]);

impl VbiosVersion {
    /// Reads five bytes of two hexadecimal digits, for example `96.00.9f.00.01`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 5];
        let mut parts = text.split('.');
        for byte in &mut bytes {
            hex::decode_to_slice(parts.next()?, std::slice::from_mut(byte)).ok()?;
        }
        parts.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for VbiosVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e] = self.0;
        write!(f, "{a:02x}.{b:02x}.{c:02x}.{d:02x}.{e:02x}")
    }
}

/// Names a device: the serial number in its leaf certificate, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ueid(String);

impl Ueid {
    /// Reads 1 to 20 bytes in hexadecimal, either case; zero names no device.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = hex::decode(text).ok()?;
        let names = (1..=20).contains(&bytes.len()) && bytes.iter().any(|byte| *byte != 0);
        names.then(|| Self(text.to_ascii_lowercase()))
    }
}

impl fmt::Display for Ueid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a device on NVLink.
pub(crate) type Pdi = [u8; 8];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_are_compared_by_number() {
        let version = |text| DriverVersion::parse(text).unwrap();
        for (lower, higher) in [
            ("550.90", "550.90.07"),
            ("550.90.07", "550.127.05"),
            ("99.1", "550.1"),
            ("550.90.7.1", "550.90.07.2"),
            ("9.65535", "10.0"),
        ] {
            assert!(version(lower) < version(higher), "{lower} {higher}");
        }
        assert_eq!(version("550.90.07"), version("550.90.7.0"));
        assert_eq!(version("550.90.07").to_string(), "550.90.07");
        for bad in
            ["", "550", "550.", ".90", "550..7", "550.90.07.1.1", "550.9a", "+5.1", "550.65536", "550.90 "]
        {
            assert_eq!(DriverVersion::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn vbioses_are_compared_by_byte() {
        let version = |text| VbiosVersion::parse(text).unwrap();
        for (lower, higher) in [
            ("96.00.9f.00.01", "96.00.a5.00.01"),
            ("96.00.9f.00.01", "96.00.9f.00.02"),
            ("96.00.99.00.00", "96.00.9a.00.00"),
            ("96.ff.ff.ff.ff", "97.00.00.00.00"),
        ] {
            assert!(version(lower) < version(higher), "{lower} {higher}");
        }
        assert_eq!(version("96.00.9F.00.01").to_string(), "96.00.9f.00.01");
        for bad in ["", "96.00.9f.00", "96.00.9f.00.01.00", "96.0.9f.00.01", "96.00.9g.00.01", "96009f0001"] {
            assert_eq!(VbiosVersion::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn devices_are_named_by_what_is_not_zero() {
        assert_eq!(Ueid::parse("53C2"), Ueid::parse("53c2"));
        let too_long = "1".repeat(42);
        for bad in ["", "0", "00", "0000", "53c", "xy", &too_long] {
            assert_eq!(Ueid::parse(bad), None, "{bad:?}");
        }
    }
}
