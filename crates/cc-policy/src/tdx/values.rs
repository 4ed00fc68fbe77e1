//! The values that policy and claims both speak of: TCB statuses and the registers of an image.

use std::fmt;

/// A TCB status in Intel's spelling. The order is that of severity (*verification.md* 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TcbStatus {
    UpToDate,
    SwHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSwHardeningNeeded,
    TdRelaunchAdvised,
    TdRelaunchAdvisedConfigurationNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
}

impl TcbStatus {
    const ALL: [Self; 9] = [
        Self::UpToDate,
        Self::SwHardeningNeeded,
        Self::ConfigurationNeeded,
        Self::ConfigurationAndSwHardeningNeeded,
        Self::TdRelaunchAdvised,
        Self::TdRelaunchAdvisedConfigurationNeeded,
        Self::OutOfDate,
        Self::OutOfDateConfigurationNeeded,
        Self::Revoked,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::UpToDate => "UpToDate",
            Self::SwHardeningNeeded => "SWHardeningNeeded",
            Self::ConfigurationNeeded => "ConfigurationNeeded",
            Self::ConfigurationAndSwHardeningNeeded => "ConfigurationAndSWHardeningNeeded",
            Self::TdRelaunchAdvised => "TDRelaunchAdvised",
            Self::TdRelaunchAdvisedConfigurationNeeded => "TDRelaunchAdvisedConfigurationNeeded",
            Self::OutOfDate => "OutOfDate",
            Self::OutOfDateConfigurationNeeded => "OutOfDateConfigurationNeeded",
            Self::Revoked => "Revoked",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for TcbStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A register of a trust domain's measurement.
pub(crate) type Register = [u8; 48];

/// The registers that identify an image, in the order of their values: MRTD is the firmware's, RTMR0 to RTMR3 are
/// extended at boot and at run time.
pub(crate) const REGISTERS: [&str; 5] = ["mr_td", "rtmr0", "rtmr1", "rtmr2", "rtmr3"];

/// Names a platform: PPID or platform instance id.
pub(crate) type PlatformId = [u8; 16];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_spelled_as_intel_does_and_ordered_by_severity() {
        for status in TcbStatus::ALL {
            assert_eq!(TcbStatus::parse(status.name()), Some(status));
        }
        assert!(TcbStatus::ALL.is_sorted_by(|a, b| a < b));
        for bad in ["", "uptodate", "UpToDate ", "Fine", "SwHardeningNeeded"] {
            assert_eq!(TcbStatus::parse(bad), None, "{bad:?}");
        }
    }
}
