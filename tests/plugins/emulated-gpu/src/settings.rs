//! The `guest` table of the plugin's settings, and the state file that may change a part of it while the process runs.
//!
//! ```toml
//! [plugin.config.guest]           # every key may be left out
//! gpus = 1                        # how many Hopper GPUs, 1 to 16
//! first = 1                       # the number of the first one, from which serial numbers are derived
//! fwid = "<96 digits>"            # the firmware identity in reports; the certificates keep theirs
//! modified = 0                    # 1: a measurement is not that of its manifest
//! responder_nonce = 195           # every byte of the nonce that the devices choose
//! mode = 0                        # feature flag: 0 SPT, 1 MPT, 2 PPCIE
//! cc_feature = 1                  # NVML's values: whether confidential computing is on
//! dev_tools = 0                   # whether it is in developer mode
//! state = "/absolute/path.toml"   # re-read for every report; may not be there
//! delay_ms = 0                    # how long a report takes
//! fail = ""                       # a code: no report is made, the code is the answer
//! ```
//!
//! The state file has `fwid`, `modified`, `mode`, `cc_feature`, `dev_tools`, `delay_ms` and `fail`, each in place of the setting.

use std::path::PathBuf;

use cc_core::{Claims, Finding, Settings};
use cc_testkit::gpu::mint::FWID;

use crate::shared::{Behaviour, document, flat, hex, invalid, number, state, state_file};

/// What the settings say of the machine.
pub(crate) struct Machine {
    pub(crate) gpus: u8,
    pub(crate) first: u8,
    pub(crate) responder_nonce: u8,
    /// What may change.
    initial: State,
    state: Option<PathBuf>,
}

/// What may change from report to report.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) fwid: [u8; 48],
    pub(crate) modified: u8,
    pub(crate) mode: u8,
    pub(crate) cc_feature: u8,
    pub(crate) dev_tools: u8,
    pub(crate) behaviour: Behaviour,
}

impl Machine {
    /// Reads the `guest` table.
    pub(crate) fn read(table: &Claims) -> Result<Self, Finding> {
        const GUEST: &str = "guest.";
        let mut settings = flat(table, GUEST);
        let defaults = State {
            fwid: FWID,
            modified: 0,
            mode: 0,
            cc_feature: 1,
            dev_tools: 0,
            behaviour: Behaviour::default(),
        };
        let machine = Self {
            gpus: number(&mut settings, "guest.gpus", 1)?,
            first: number(&mut settings, "guest.first", 1)?,
            responder_nonce: number(&mut settings, "guest.responder_nonce", 0xc3)?,
            state: state_file(&mut settings)?,
            initial: State::read(&mut settings, GUEST, &defaults)?,
        };
        settings.finish()?;
        if !(1..=16).contains(&machine.gpus) || machine.first.checked_add(machine.gpus).is_none() {
            return Err(invalid("`config.guest.gpus` is from 1 to 16, and their numbers below 256"));
        }
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
            fwid: hex(settings, &format!("{at}fwid"), or.fwid)?,
            modified: number(settings, &format!("{at}modified"), or.modified)?,
            mode: number(settings, &format!("{at}mode"), or.mode)?,
            cc_feature: number(settings, &format!("{at}cc_feature"), or.cc_feature)?,
            dev_tools: number(settings, &format!("{at}dev_tools"), or.dev_tools)?,
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
        assert_eq!(read("").unwrap().gpus, 1);
        assert_eq!(read("gpus = 7").unwrap().gpus, 7);
        for (text, what) in [
            ("gpu = 1", "config.guest.gpu"),
            ("gpus = 0", "guest.gpus"),
            ("gpus = 17", "guest.gpus"),
            ("first = 255", "guest.gpus"),
            ("mode = 256", "guest.mode"),
            ("fail = \"gpu.made.up\"", "guest.fail"),
        ] {
            let finding = read(text).err().unwrap();
            assert_eq!(finding.code, codes::PLUG_CONFIG_INVALID);
            assert!(finding.detail.contains(what), "{text}: {}", finding.detail);
        }
    }

    #[test]
    fn state_stands_in_place_of_settings() {
        let machine = read("cc_feature = 1").unwrap();
        assert_eq!(machine.state().unwrap().modified, 0);
        assert_eq!(machine.state_of("modified = 1").unwrap().modified, 1);
        assert_eq!(machine.state_of("cc_feature = 0").unwrap().cc_feature, 0);
        assert!(machine.state_of("gpus = 1").is_err());
    }
}
