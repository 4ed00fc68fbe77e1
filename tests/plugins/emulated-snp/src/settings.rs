//! The `guest` table of the plugin's settings, and the state file that may change a part of it while the process runs.
//!
//! ```toml
//! [plugin.config.guest]           # every key may be left out
//! product = "Genoa"               # "Milan", "Genoa" or "Turin"
//! chip = 0                        # which processor: CHIP_ID and HWID are derived from the number
//! report_id = 0                   # which guest: REPORT_ID is derived from the number; `chip` by default
//! measurement = "<96 digits>"     # and host_data = "<64 digits>", zero by default
//! tcb = { bootloader = 10, tee = 0, snp = 23, microcode = 84 }    # the product's own by default; Turin also fmc
//! guest_svn = 0
//! vmpl = 0
//! policy = 0x30000                # the POLICY word, and platform_info; a healthy machine's by default
//! state = "/absolute/path.toml"   # re-read for every report; may not be there
//! delay_ms = 0                    # how long a report takes
//! fail = ""                       # a code: no report is made, the code is the answer
//! ```
//!
//! The state file has `measurement`, `host_data`, `tcb`, `delay_ms` and `fail`, each in place of the setting. Its TCB is what the host
//! *reports*: the guest was launched under the TCB of the settings, and firmware that was committed stays.

use std::path::PathBuf;

use cc_core::{Claims, Finding, Settings};
use cc_testkit::snp::{LeafKind, Product, ReportBuilder, Tcb};

use crate::shared::{Behaviour, document, flat, hex, invalid, number, state, state_file};

/// What the settings say of the machine.
pub(crate) struct Machine {
    pub(crate) product: Product,
    pub(crate) chip: u64,
    pub(crate) report_id: u64,
    pub(crate) guest_svn: u32,
    pub(crate) vmpl: u32,
    pub(crate) policy: u64,
    pub(crate) platform_info: u64,
    /// What may change.
    pub(crate) initial: State,
    state: Option<PathBuf>,
}

/// What may change from report to report.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) measurement: [u8; 48],
    pub(crate) host_data: [u8; 32],
    /// The TCB that the host reports.
    pub(crate) tcb: Tcb,
    pub(crate) behaviour: Behaviour,
}

impl Machine {
    /// Reads the `guest` table.
    pub(crate) fn read(table: &Claims) -> Result<Self, Finding> {
        const GUEST: &str = "guest.";
        let mut settings = flat(table, GUEST);
        let product = match settings.take_text("guest.product", Product::Genoa.name())?.as_str() {
            "Milan" => Product::Milan,
            "Genoa" => Product::Genoa,
            "Turin" => Product::Turin,
            other => return Err(invalid(format!("`config.guest.product` is {other:?}"))),
        };
        let healthy = ReportBuilder::healthy(product, LeafKind::Vcek);
        let chip = settings.take_integer("guest.chip", 0)?;
        let defaults = State {
            measurement: healthy.measurement(),
            host_data: [0; 32],
            tcb: product.tcb(),
            behaviour: Behaviour::default(),
        };
        let machine = Self {
            product,
            chip,
            report_id: settings.take_integer("guest.report_id", chip)?,
            guest_svn: number(&mut settings, "guest.guest_svn", 0)?,
            vmpl: number(&mut settings, "guest.vmpl", 0)?,
            policy: settings.take_integer("guest.policy", healthy.policy())?,
            platform_info: settings.take_integer("guest.platform_info", healthy.platform_info())?,
            state: state_file(&mut settings)?,
            initial: State::read(&mut settings, GUEST, product, &defaults)?,
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
        let state = State::read(&mut settings, "", self.product, &self.initial);
        let state = state.and_then(|state| settings.finish().map(|()| state));
        state.map_err(|finding| finding.detail)
    }
}

impl State {
    fn read(settings: &mut Settings, at: &str, product: Product, or: &Self) -> Result<Self, Finding> {
        let tcb = Tcb {
            // Only Turin has this component; elsewhere the key is left over, and so an error.
            fmc: match product {
                Product::Turin => number(settings, &format!("{at}tcb.fmc"), or.tcb.fmc)?,
                Product::Milan | Product::Genoa => 0,
            },
            bootloader: number(settings, &format!("{at}tcb.bootloader"), or.tcb.bootloader)?,
            tee: number(settings, &format!("{at}tcb.tee"), or.tcb.tee)?,
            snp: number(settings, &format!("{at}tcb.snp"), or.tcb.snp)?,
            microcode: number(settings, &format!("{at}tcb.microcode"), or.tcb.microcode)?,
        };
        Ok(Self {
            measurement: hex(settings, &format!("{at}measurement"), or.measurement)?,
            host_data: hex(settings, &format!("{at}host_data"), or.host_data)?,
            tcb,
            behaviour: Behaviour::read(settings, at, &or.behaviour)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cc_core::codes;

    use super::*;
    use crate::shared::claims;

    fn read(text: &str) -> Result<Machine, Finding> {
        Machine::read(&claims(text.parse().unwrap()).unwrap())
    }

    #[test]
    fn everything_has_a_default_and_misspellings_are_errors() {
        let machine = read("").unwrap();
        assert_eq!((machine.product, machine.chip, machine.report_id), (Product::Genoa, 0, 0));
        assert_eq!(machine.initial.tcb, Product::Genoa.tcb());
        assert_eq!(read("chip = 7").unwrap().report_id, 7);
        assert_eq!(read("product = \"Turin\"\ntcb = { fmc = 9 }").unwrap().initial.tcb.fmc, 9);
        for (text, what) in [
            ("chips = 1", "config.guest.chips"),
            ("tcb = { fmc = 1 }", "config.guest.tcb.fmc"),
            ("tcb = { snp = 256 }", "guest.tcb.snp"),
            ("product = \"Rome\"", "guest.product"),
            ("measurement = \"ab\"", "guest.measurement"),
            ("state = \"relative.toml\"", "guest.state"),
            ("fail = \"snp.made.up\"", "guest.fail"),
        ] {
            let finding = read(text).err().unwrap();
            assert_eq!(finding.code, codes::PLUG_CONFIG_INVALID);
            assert!(finding.detail.contains(what), "{text}: {}", finding.detail);
        }
    }

    #[test]
    fn state_stands_in_place_of_settings() {
        let machine = read("tcb = { snp = 20 }\nfail = \"snp.collect.throttled\"").unwrap();
        let state = machine.state_of("delay_ms = 5\n[tcb]\nmicrocode = 1").unwrap();
        assert_eq!(
            (state.tcb.snp, state.tcb.microcode, state.behaviour.delay),
            (20, 1, Duration::from_millis(5))
        );
        assert_eq!(state.behaviour.fail, Some(codes::SNP_COLLECT_THROTTLED));
        assert!(machine.state_of("fail = \"\"").unwrap().behaviour.fail.is_none());
        for bad in ["chip = 1", "delay_ms = -1", "tcb = 1", "[tcb", "measurement = true"] {
            assert!(machine.state_of(bad).is_err(), "{bad}");
        }
    }
}
