//! The algebra of TCB statuses (*verification.md* 2.3).

/// A TCB status, the better before the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TcbStatus {
    /// Nothing is missing.
    UpToDate,
    /// Software inside must work around something.
    SwHardeningNeeded,
    /// The firmware's configuration must change.
    ConfigurationNeeded,
    /// Both.
    ConfigurationAndSwHardeningNeeded,
    /// The platform was updated, the domain still has what it was launched with.
    TdRelaunchAdvised,
    /// And the firmware's configuration must change.
    TdRelaunchAdvisedConfigurationNeeded,
    /// Updates are missing.
    OutOfDate,
    /// And the firmware's configuration must change.
    OutOfDateConfigurationNeeded,
    /// Not to be trusted at all.
    Revoked,
}

impl TcbStatus {
    /// Every status, in order.
    pub(super) const ALL: [Self; 9] = [
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

    /// The name in Intel's spelling.
    pub(super) const fn name(self) -> &'static str {
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

    /// The status of a level in Intel's documents. Relaunch is never there, it follows from comparing levels.
    pub(super) fn of_level(name: &str) -> Option<Self> {
        let relaunch = [Self::TdRelaunchAdvised, Self::TdRelaunchAdvisedConfigurationNeeded];
        Self::ALL.into_iter().find(|status| status.name() == name && !relaunch.contains(status))
    }

    /// Of two parts of a platform: the worse one, and where one is out of date and the other one must be configured,
    /// both.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        let worse = self.max(other);
        let configure = self.needs_configuration() || other.needs_configuration();
        if worse == Self::OutOfDate && configure { Self::OutOfDateConfigurationNeeded } else { worse }
    }

    /// Whether updates are missing, or worse.
    pub(super) fn is_at_least_out_of_date(self) -> bool {
        self >= Self::OutOfDate
    }

    /// Whether the firmware's configuration must change.
    pub(super) const fn needs_configuration(self) -> bool {
        matches!(
            self,
            Self::ConfigurationNeeded
                | Self::ConfigurationAndSwHardeningNeeded
                | Self::TdRelaunchAdvisedConfigurationNeeded
                | Self::OutOfDateConfigurationNeeded
        )
    }
}

impl std::fmt::Display for TcbStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_have_seven_statuses() {
        let known = TcbStatus::ALL.into_iter().filter(|s| TcbStatus::of_level(s.name()) == Some(*s));
        assert_eq!(known.count(), 7);
        for name in ["", "Fine", "uptodate", "UpToDate ", "TDRelaunchAdvised"] {
            assert_eq!(TcbStatus::of_level(name), None, "{name:?}");
        }
    }

    #[test]
    fn the_worse_wins_and_nothing_is_lost() {
        use TcbStatus::*;
        for (platform, part, expected) in [
            (UpToDate, OutOfDate, OutOfDate),
            (SwHardeningNeeded, OutOfDate, OutOfDate),
            (ConfigurationNeeded, OutOfDate, OutOfDateConfigurationNeeded),
            (ConfigurationAndSwHardeningNeeded, OutOfDate, OutOfDateConfigurationNeeded),
            (OutOfDateConfigurationNeeded, OutOfDate, OutOfDateConfigurationNeeded),
            (ConfigurationNeeded, Revoked, Revoked),
            (UpToDate, ConfigurationNeeded, ConfigurationNeeded),
            (UpToDate, OutOfDateConfigurationNeeded, OutOfDateConfigurationNeeded),
            (SwHardeningNeeded, UpToDate, SwHardeningNeeded),
        ] {
            assert_eq!(platform.and(part), expected, "{platform} and {part}");
        }
        for a in TcbStatus::ALL {
            assert!(a.and(a) == a);
            for b in TcbStatus::ALL {
                let both = a.and(b);
                assert_eq!(both, b.and(a), "{a} and {b}");
                assert!(both >= a && both >= b, "{a} and {b}");
            }
        }
    }
}
