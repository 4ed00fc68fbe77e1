//! Participants of a federation on a machine without trusted hardware: emulated guests, and the policy that affirms
//! them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cc_core::{Finding, UnixTime};
use cc_manager::clock::Clock;

use crate::place::{entry, test_plugin};

/// The clock by which emulated guests sign; release dates do not matter to it.
pub struct Wall;

impl Clock for Wall {
    fn now(&self) -> Result<UnixTime, Finding> {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Ok(UnixTime::from_secs(since.as_secs()))
    }
}

/// The evidence of emulated guests.
pub const PROFILE: &str = "snp-raw-1";
/// The measurement of the one image that the policy permits.
pub const MEASUREMENT: [u8; 48] = [0xa5; 48];

/// An emulated guest, as its plugin's settings describe it.
#[derive(Clone, Debug)]
pub struct Guest {
    /// The product line of the processor.
    pub product: &'static str,
    /// Which processor.
    pub chip: u64,
    /// Which guest; each has a REPORT_ID of its own.
    pub report_id: u64,
    /// MEASUREMENT.
    pub measurement: [u8; 48],
    /// HOST_DATA: SHA-256 of the init bytes of name and role.
    pub host_data: [u8; 32],
    /// A file that may change TCB, measurement and faults while the guest runs; absolute.
    pub state: Option<PathBuf>,
    /// More entries of the `guest` table, for example `vmpl = 1, delay_ms = 5`.
    pub more: String,
}

impl Guest {
    /// A guest alone on its processor, a Genoa, that runs the permitted image.
    pub fn new(number: u64, host_data: [u8; 32]) -> Self {
        Self {
            product: "Genoa",
            chip: number,
            report_id: number,
            measurement: MEASUREMENT,
            host_data,
            state: None,
            more: String::new(),
        }
    }

    /// The settings of the emulated plugin: lines of its `config` table.
    pub fn settings(&self) -> String {
        let Self { product, chip, report_id, measurement, host_data, state, more } = self;
        let (measurement, host_data) = (hex::encode(measurement), hex::encode(host_data));
        let mut text = format!(
            "guest = {{ product = {product:?}, chip = {chip}, report_id = {report_id}, \
             measurement = \"{measurement}\", host_data = \"{host_data}\""
        );
        if let Some(state) = state {
            let _ = write!(text, ", state = {state:?}");
        }
        if !more.is_empty() {
            let _ = write!(text, ", {more}");
        }
        text + " }"
    }

    /// The text of a `plugins.toml` with the emulated plugin alone, which fetches nothing.
    pub fn plugins(&self) -> String {
        self.plugins_with(&test_plugin("libemulated_snp.so"))
    }

    /// The same with the plugin's library at another place.
    pub fn plugins_with(&self, library: &Path) -> String {
        let plugin = entry(library, &[PROFILE], &self.settings());
        format!("version = 1\n[danger]\nallow_emulated = true\n[fetch]\noffline = true\n{plugin}")
    }

    /// Writes `plugins.toml` into a folder and returns its path.
    pub fn write_plugins(&self, folder: &Path) -> PathBuf {
        let file = folder.join("plugins.toml");
        std::fs::write(&file, self.plugins()).unwrap();
        file
    }
}

/// A policy for development that permits emulated Genoa guests with [`MEASUREMENT`] whose HOST_DATA commits to the
/// name that is expected. `knobs` are more lines of its `[snp]` section.
pub fn policy(knobs: &str) -> String {
    format!(
        "version = 1\nprofile = \"development\"\n\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = [\"{}\"]\n\
         host_data = \"init-data\"\ncrl_required = true\n{knobs}\n\n\
         [snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n",
        hex::encode(MEASUREMENT)
    )
}
