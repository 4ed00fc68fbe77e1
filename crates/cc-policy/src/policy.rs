//! The policy as a whole: format version, production or development, and one section per technology.

use cc_core::{Code, Waivers, codes};

use crate::reader::{Placed, Table, number, text};
use crate::{PolicyError, aci, azcvm, gpu, maa, snp, tdx};

/// The version of the format that this code reads.
const FORMAT_VERSION: u64 = 1;

/// A policy that loaded: complete, free of contradictions, weaker than the locked values only if it says
/// `profile = "development"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub(crate) file: String,
    pub(crate) mode: Placed<Mode>,
    /// At least one of these is there, which are about what runs guests.
    pub(crate) snp: Option<snp::SnpPolicy>,
    pub(crate) tdx: Option<tdx::TdxPolicy>,
    pub(crate) aci: Option<aci::AciPolicy>,
    pub(crate) maa: Option<maa::MaaPolicy>,
    pub(crate) azcvm: Option<azcvm::CvmPolicy>,
    pub(crate) gpu: Option<gpu::GpuPolicy>,
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
        let (snp, tdx, gpu) = (table.section("snp")?, table.section("tdx")?, table.section("gpu")?);
        let (aci, maa, azcvm) = (table.section("aci")?, table.section("maa")?, table.section("azcvm")?);
        // What is left over is refused first: a misspelt key explains best what else is missing.
        table.finish()?;
        if [&snp, &tdx, &aci, &maa, &azcvm].into_iter().all(Option::is_none) {
            let (place, detail) = match &gpu {
                None => (
                    source_name,
                    "sections `snp`, `tdx`, `aci`, `maa` and `azcvm` are absent, a policy needs one of them",
                ),
                // A device cannot say which guest it belongs to; the guest's own evidence does.
                Some(section) => (
                    section.source(),
                    "sections `snp`, `tdx`, `aci`, `maa` and `azcvm` are absent, and GPU evidence is never accepted \
                     alone: a policy needs one of them for the guest that has the GPUs",
                ),
            };
            return Err(PolicyError::new(codes::POL_FORMAT_INVALID, place, detail));
        }
        let snp = snp.map(|section| snp::load(section, &mode)).transpose()?;
        let tdx = tdx.map(|section| tdx::load(section, &mode)).transpose()?;
        let aci = aci.map(|section| aci::load(section, &mode)).transpose()?;
        let maa = maa.map(|section| maa::load(section, &mode)).transpose()?;
        let azcvm = azcvm.map(|section| azcvm::load(section, &mode)).transpose()?;
        let gpu = gpu.map(|section| gpu::load(section, &mode)).transpose()?;
        Ok(Self { file: source_name.to_owned(), mode, snp, tdx, aci, maa, azcvm, gpu })
    }

    /// What the policy may be used for: `production`, or `development`, which may weaken locked knobs and affirm emulated
    /// hardware, and which therefore has to be stamped on every result.
    pub const fn profile(&self) -> &'static str {
        self.mode.value.name()
    }

    /// The missing collateral that the policy lets a verifier live with: nobody else may waive anything in a
    /// federation (*decisions.md* 3). Each section waives what is its technology's own.
    pub fn waivers(&self) -> Waivers {
        let snp = self.snp.iter().flat_map(snp::waivable);
        let tdx = self.tdx.iter().flat_map(tdx::waivable);
        let aci = self.aci.iter().flat_map(aci::waivable);
        let maa = self.maa.iter().flat_map(maa::waivable);
        let azcvm = self.azcvm.iter().flat_map(azcvm::waivable);
        let gpu = self.gpu.iter().flat_map(gpu::waivable);
        let all = snp.chain(tdx).chain(aci).chain(maa).chain(azcvm).chain(gpu);
        let waived = |(code, required): (Code, &Placed<bool>)| (!required.value).then_some(code);
        // Every code that stands in a policy's place can be waived; otherwise nothing is.
        Waivers::new(all.filter_map(waived)).unwrap_or(Waivers::none())
    }

    /// Whether launch data must commit to the init-data of the participant, whichever technology it shows: then a guest
    /// that was launched for one name cannot take another (*verification.md* 5.1, S28, T23, A7). One section that does not
    /// demand it is enough for "no", since its guests could take any name. GPUs are launched by nobody.
    pub fn needs_init_data(&self) -> bool {
        self.snp.iter().all(snp::needs_init_data)
            && self.tdx.iter().all(tdx::needs_init_data)
            && self.aci.iter().all(aci::needs_init_data)
            && self.maa.iter().all(maa::needs_init_data)
            && self.azcvm.iter().all(azcvm::needs_init_data)
    }

    /// What the policy permits, one line each, for people.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!("profile: {} ({})", self.mode.value.name(), self.mode.source)];
        lines.extend(self.snp.iter().flat_map(|section| snp::describe(section, "snp")));
        lines.extend(self.tdx.iter().flat_map(|section| tdx::describe(section, "tdx")));
        lines.extend(self.aci.iter().flat_map(aci::describe));
        lines.extend(self.maa.iter().flat_map(maa::describe));
        lines.extend(self.azcvm.iter().flat_map(azcvm::describe));
        lines.extend(self.gpu.iter().flat_map(gpu::describe));
        lines
    }
}

fn mode(value: &toml::de::DeValue<'_>) -> Option<Mode> {
    let name = text(value)?;
    [Mode::Production, Mode::Development].into_iter().find(|mode| mode.name() == name)
}
