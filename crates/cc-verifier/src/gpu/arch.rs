//! Architectures, and the names that certificates of their devices have.

use cc_core::gpu::DeviceClass;

/// A family of devices whose reports and reference manifests have one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arch {
    Blackwell,
    Hopper,
    Ls10,
}

/// The chip of the one Hopper.
const HOPPER_CHIP: &str = "GH100";
/// The switch, as its certificates call it.
const LS10_CHIP: &str = "LS_10";

impl Arch {
    /// The name that NVIDIA's tools and policies use.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Blackwell => "BLACKWELL",
            Self::Hopper => "HOPPER",
            Self::Ls10 => "LS10",
        }
    }

    /// What kind of device.
    pub(crate) const fn class(self) -> DeviceClass {
        match self {
            Self::Blackwell | Self::Hopper => DeviceClass::Gpu,
            Self::Ls10 => DeviceClass::Switch,
        }
    }

    /// The architecture of a chip, by its name in certificates: Blackwells are GB and three digits.
    pub(crate) fn of_chip(chip: &str) -> Option<Self> {
        match chip {
            HOPPER_CHIP => Some(Self::Hopper),
            LS10_CHIP => Some(Self::Ls10),
            _ => {
                let digits = chip.strip_prefix("GB")?;
                let known = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
                known.then_some(Self::Blackwell)
            }
        }
    }
}

/// The place of a certificate in a device's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Attestation key.
    Leaf,
    /// Identity of the device, fused.
    Device,
    /// Authority of a production line.
    Provisioner,
    /// Authority of a model.
    Model,
}

impl Place {
    /// Leaf first.
    pub(super) const ALL: [Self; 4] = [Self::Leaf, Self::Device, Self::Provisioner, Self::Model];

    /// For messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Device => "device identity",
            Self::Provisioner => "provisioner's",
            Self::Model => "model identity",
        }
    }

    /// Whether a certificate with this common name can be at this place of a chain of that chip. The authority of LS10
    /// is that of Hopper.
    pub(super) fn fits(self, common_name: &str, chip: &str) -> bool {
        let of_chip = |name: &str, chip: &str, ending: &str| {
            name.strip_prefix(chip).is_some_and(|rest| rest.starts_with(' ') && rest.ends_with(ending))
        };
        let of_nvidia = |chip: &str, ending: &str| {
            common_name.strip_prefix("NVIDIA ").is_some_and(|name| of_chip(name, chip, ending))
        };
        match self {
            Self::Leaf => of_chip(common_name, chip, " FMC LF"),
            Self::Device => of_chip(common_name, chip, " BROM"),
            Self::Provisioner => common_name.contains(" Provisioner ICA ") && of_nvidia(chip, ""),
            Self::Model => {
                let of = if chip == LS10_CHIP { HOPPER_CHIP } else { chip };
                of_nvidia(of, " Identity")
            }
        }
    }
}

/// The chip that the name of a provisioner's certificate says, `NVIDIA <chip> Provisioner ICA <number>`, and its
/// architecture.
pub(super) fn of_provisioner(common_name: &str) -> Option<(Arch, &str)> {
    let chip = common_name.strip_prefix("NVIDIA ")?.split(' ').next()?;
    Some((Arch::of_chip(chip)?, chip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_the_chip() {
        let arch = |name| of_provisioner(name).map(|(arch, chip)| (arch.name(), chip.to_owned()));
        let some = |name, chip: &str| Some((name, chip.to_owned()));
        assert_eq!(arch("NVIDIA GH100 Provisioner ICA 1"), some("HOPPER", "GH100"));
        assert_eq!(arch("NVIDIA GB100 Provisioner ICA 00000"), some("BLACKWELL", "GB100"));
        assert_eq!(arch("NVIDIA LS_10 Provisioner ICA 1"), some("LS10", "LS_10"));
        for other in ["NVIDIA GR100 Provisioner ICA 1", "NVIDIA GB10 Provisioner ICA 1", "GH100", ""] {
            assert_eq!(arch(other), None, "{other}");
        }
    }

    #[test]
    fn names_have_their_place() {
        for (place, chip, name) in [
            (Place::Leaf, "GH100", "GH100 A01 GSP FMC LF"),
            (Place::Leaf, "LS_10", "LS_10 A01 FSP FMC LF"),
            (Place::Device, "GB100", "GB100 A01 GSP BROM"),
            (Place::Provisioner, "GH100", "NVIDIA GH100 Provisioner ICA 1"),
            (Place::Model, "GH100", "NVIDIA GH100 Identity"),
            (Place::Model, "LS_10", "NVIDIA GH100 Identity"),
        ] {
            for other in Place::ALL {
                assert_eq!(other.fits(name, chip), other == place, "{name} as {}", other.name());
                assert!(!other.fits(name, "GB102"), "{name}");
            }
        }
    }
}
