//! What a manifest is about.

/// The part of a device that a manifest has reference values for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The driver of a GPU.
    Driver,
    /// The VBIOS of a GPU.
    Vbios,
    /// The BIOS of a switch.
    SwitchBios,
}

impl Kind {
    /// Told by the edition and by the form of the version: nothing else in a manifest says it.
    pub(super) fn of(edition: &str, version: &str) -> Option<Self> {
        match edition {
            "GPU" if is_bios_version(version) => Some(Self::Vbios),
            "GPU" if is_driver_version(version) => Some(Self::Driver),
            "SWITCH" if is_bios_version(version) => Some(Self::SwitchBios),
            _ => None,
        }
    }
}

/// Five groups of two hexadecimal digits, as in 96.00.9F.00.01.
fn is_bios_version(version: &str) -> bool {
    let is_group = |group: &str| group.len() == 2 && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    version.split('.').count() == 5 && version.split('.').all(is_group)
}

/// Two or three groups of decimal digits, as in 550.90.07.
fn is_driver_version(version: &str) -> bool {
    let is_group =
        |group: &str| (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_digit());
    (2..=3).contains(&version.split('.').count()) && version.split('.').all(is_group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edition_and_version_tell() {
        for (edition, version, kind) in [
            ("GPU", "550.90.07", Some(Kind::Driver)),
            ("GPU", "545.00", Some(Kind::Driver)),
            ("GPU", "96.00.9F.00.01", Some(Kind::Vbios)),
            ("GPU", "97.00.83.00.09", Some(Kind::Vbios)),
            ("SWITCH", "96.10.55.00.01", Some(Kind::SwitchBios)),
            ("SWITCH", "550.90.07", None),
            ("gpu", "550.90.07", None),
            ("NIC", "550.90.07", None),
            ("GPU", "550", None),
            ("GPU", "550.90.07.", None),
            ("GPU", "550..07", None),
            ("GPU", "550.90.0a", None),
            ("GPU", "96.00.9F.00", None),
            ("GPU", "96.00.9F.00.001", None),
            ("GPU", "96.00.9G.00.01", None),
            ("GPU", "+1.2", None),
            ("GPU", "", None),
        ] {
            assert_eq!(Kind::of(edition, version), kind, "{edition} {version}");
        }
    }
}
