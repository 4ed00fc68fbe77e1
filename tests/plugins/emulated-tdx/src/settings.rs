//! The `guest` table of the plugin's settings, and the state file that may change a part of it while the process runs.
//!
//! ```toml
//! [plugin.config.guest]           # every key may be left out
//! platform = 0                    # which platform: PPID and platform instance id are derived from the number
//! mr_td = "<96 digits>"           # and mr_config_id = "<96 digits>", zero by default
//! module_svn = 5                  # SVN of the TDX module; the test kit's platform by default
//! state = "/absolute/path.toml"   # re-read for every quote; may not be there
//! delay_ms = 0                    # how long a quote takes
//! fail = ""                       # a code: no quote is made, the code is the answer
//! ```
//!
//! RTMR0 to RTMR2 are b0b0…, b1b1… and b2b2…, RTMR3 is zero.
//!
//! The state file has `mr_td`, `mr_config_id`, `module_svn`, `delay_ms` and `fail`, each in place of the setting.

use std::path::PathBuf;

use cc_core::{Claims, Finding, Settings};
use cc_testkit::tdx::field;
use cc_testkit::tdx::mint::Form;
use cc_testkit::tdx::quote::QuoteBuilder;

use crate::shared::{Behaviour, document, flat, hex, number, state, state_file};

/// What the settings say of the machine.
pub(crate) struct Machine {
    pub(crate) platform: u64,
    /// What may change.
    initial: State,
    state: Option<PathBuf>,
}

/// What may change from quote to quote.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) mr_td: [u8; 48],
    pub(crate) mr_config_id: [u8; 48],
    /// The first byte of TEE_TCB_SVN: the SVN of the TDX module.
    pub(crate) module_svn: u8,
    pub(crate) behaviour: Behaviour,
}

impl Machine {
    /// Reads the `guest` table.
    pub(crate) fn read(table: &Claims) -> Result<Self, Finding> {
        const GUEST: &str = "guest.";
        let mut settings = flat(table, GUEST);
        let healthy = QuoteBuilder::healthy(Form::V5Td15);
        let mut defaults = State {
            mr_td: [0; 48],
            mr_config_id: [0; 48],
            module_svn: healthy.get(field::TEE_TCB_SVN).first().copied().unwrap_or_default(),
            behaviour: Behaviour::default(),
        };
        defaults.mr_td.copy_from_slice(healthy.get(field::MR_TD));
        let machine = Self {
            platform: settings.take_integer("guest.platform", 0)?,
            state: state_file(&mut settings)?,
            initial: State::read(&mut settings, GUEST, &defaults)?,
        };
        settings.finish()?;
        Ok(machine)
    }

    /// The state now.
    pub(crate) fn state(&self) -> Result<State, Finding> {
        let changed = state(self.state.as_deref(), |text| self.state_of(text))?;
        Ok(changed.unwrap_or_else(|| self.initial.clone()))
    }

    fn state_of(&self, text: &str) -> Result<State, String> {
        let mut settings = document(text)?;
        let state = State::read(&mut settings, "", &self.initial);
        let state = state.and_then(|state| settings.finish().map(|()| state));
        state.map_err(|finding| finding.detail)
    }
}

impl State {
    fn read(settings: &mut Settings, at: &str, or: &Self) -> Result<Self, Finding> {
        Ok(Self {
            mr_td: hex(settings, &format!("{at}mr_td"), or.mr_td)?,
            mr_config_id: hex(settings, &format!("{at}mr_config_id"), or.mr_config_id)?,
            module_svn: number(settings, &format!("{at}module_svn"), or.module_svn)?,
            behaviour: Behaviour::read(settings, at, &or.behaviour)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use cc_core::codes;

    use super::*;
    use crate::shared::claims;

    fn read(text: &str) -> Result<Machine, Finding> {
        Machine::read(&claims(text.parse().unwrap()).unwrap())
    }

    #[test]
    fn everything_has_a_default_and_misspellings_are_errors() {
        assert_eq!(read("").unwrap().platform, 0);
        assert_eq!(read("platform = 7").unwrap().platform, 7);
        for (text, what) in [
            ("platforms = 1", "config.guest.platforms"),
            ("module_svn = 256", "guest.module_svn"),
            ("mr_td = \"ab\"", "guest.mr_td"),
            ("fail = \"tdx.made.up\"", "guest.fail"),
        ] {
            let finding = read(text).err().unwrap();
            assert_eq!(finding.code, codes::PLUG_CONFIG_INVALID);
            assert!(finding.detail.contains(what), "{text}: {}", finding.detail);
        }
    }

    #[test]
    fn state_stands_in_place_of_settings() {
        let machine = read("module_svn = 3").unwrap();
        assert_eq!(machine.state().unwrap().module_svn, 3);
        assert_eq!(machine.state_of("module_svn = 1").unwrap().module_svn, 1);
        assert!(machine.state_of("platform = 1").is_err());
    }
}
