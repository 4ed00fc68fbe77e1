//! The policy as a whole: format version, production or development, and one section per technology.

use cc_core::{Waivers, codes};

use crate::reader::{Placed, Table, number, text};
use crate::{PolicyError, snp};

/// The version of the format that this code reads.
const FORMAT_VERSION: u64 = 1;

/// A policy that loaded: complete, free of contradictions, weaker than the locked values only if it says
/// `profile = "development"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) file: String,
    pub(crate) mode: Placed<Mode>,
    pub(crate) snp: snp::SnpPolicy,
}

/// What the policy may be used for (*verification.md* 0.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Locked knobs have their locked values and emulated hardware is refused.
    Production,
    /// Locked knobs may be weakened; emulated hardware is acceptable.
    Development,
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Development => "development",
        }
    }
}

impl Policy {
    /// Reads a policy from TOML. `source_name` is what places in it are called by, usually the file's name.
    pub fn parse(text: &str, source_name: &str) -> Result<Self, PolicyError> {
        let mut table = Table::document(text, source_name)?;
        let wanted = format!("{FORMAT_VERSION}, the version of the format");
        if table
            .optional("version", &wanted, |v| number::<u64>(v).filter(|&n| n == FORMAT_VERSION))?
            .is_none()
        {
            let detail = format!("key `version` is absent, expected {wanted}");
            return Err(PolicyError::new(codes::POL_FORMAT_INVALID, source_name, detail));
        }
        let mode = table.knob("profile", "\"production\" or \"development\"", mode, Mode::Production)?;
        if !table.has("snp") {
            let detail = "section `snp` is absent, a policy needs a section for a technology";
            return Err(PolicyError::new(codes::POL_FORMAT_INVALID, source_name, detail));
        }
        let section = table.table("snp")?;
        // What is left over is refused first: a misspelt knob explains best what else is missing.
        table.finish()?;
        let snp = snp::load(section, &mode)?;
        Ok(Self { file: source_name.to_owned(), mode, snp })
    }

    /// What the policy may be used for: `production`, or `development`, which may weaken locked knobs and affirm emulated
    /// hardware, and which therefore has to be stamped on every result.
    pub const fn profile(&self) -> &'static str {
        self.mode.value.name()
    }

    /// The missing collateral that the policy lets a verifier live with: nobody else may waive anything in a
    /// federation (*decisions.md* 3).
    pub fn waivers(&self) -> Waivers {
        // Every code that stands in a policy's place can be waived; otherwise nothing is.
        Waivers::new(snp::waivers(&self.snp)).unwrap_or(Waivers::none())
    }

    /// Whether launch data must commit to the init-data of the participant: then a guest that was launched for one name
    /// cannot take another (*verification.md* 5.1, S28).
    pub const fn needs_init_data(&self) -> bool {
        snp::needs_init_data(&self.snp)
    }

    /// What the policy permits, one line each, for people.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!("profile: {} ({})", self.mode.value.name(), self.mode.source)];
        lines.extend(snp::describe(&self.snp));
        lines
    }
}

fn mode(value: &toml::de::DeValue<'_>) -> Option<Mode> {
    let name = text(value)?;
    [Mode::Production, Mode::Development].into_iter().find(|mode| mode.name() == name)
}
