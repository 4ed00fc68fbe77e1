//! `federation.toml`: what the owner writes. Read strictly, key by key; what it means together is the plan's matter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fed_proto::bundle::NameBinding;
use fed_proto::descriptor::FederationProfile;
use fed_proto::job::Resources;
use fed_proto::name::Name;
use fed_proto::role::Role;
use serde::Deserialize;

use super::Fallible;
use crate::exit::Failure;

const VERSION: u32 = 1;
/// Longest `federation.toml`, in bytes.
const MAX: usize = 4 * 1024 * 1024;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Federation {
    version: u32,
    pub(super) name: String,
    pub(super) profile: FederationProfile,
    /// A plugin manifest, or a folder that has one as `plugins.toml`.
    pub(super) plugins: PathBuf,
    pub(super) server: Addresses,
    pub(super) bundle: BundleSettings,
    #[serde(default)]
    pub(super) scheduler: Scheduler,
    #[serde(default)]
    pub(super) participant: BTreeMap<Name, Participant>,
    #[serde(default)]
    pub(super) admins: Vec<Name>,
}

/// `[server]`: where the server listens, and where everybody else dials it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Addresses {
    pub(super) listen: String,
    pub(super) dial: String,
}

/// `[bundle]`: what the owner signs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleSettings {
    pub(super) not_after: Option<String>,
    pub(super) not_after_days: Option<u32>,
    pub(super) chip_quota: Option<u32>,
    pub(super) verdict_lifetime_s: Option<u32>,
    #[serde(default)]
    pub(super) revoked_names: BTreeSet<Name>,
    #[serde(default)]
    pub(super) revoked_certificates: Vec<String>,
    #[serde(default)]
    pub(super) role: BTreeMap<Role, Floor>,
}

/// `[bundle.role.ROLE]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Floor {
    pub(super) profiles: Vec<String>,
    pub(super) policy: PathBuf,
    #[serde(default)]
    pub(super) name_binding: NameBinding,
}

/// `[scheduler]`: the server's limits; what is left out has the server's own default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scheduler {
    pub(super) max_jobs: Option<u32>,
    pub(super) max_schedule_count: Option<u32>,
    pub(super) min_schedule_interval_s: Option<u32>,
    pub(super) max_schedule_interval_s: Option<u32>,
}

/// `[participant.NAME]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Participant {
    pub(super) role: Role,
    pub(super) organisation: Option<String>,
    #[serde(default)]
    pub(super) replaceable: bool,
    pub(super) profile: Option<String>,
    pub(super) devices: Option<String>,
    pub(super) policy: Option<PathBuf>,
    pub(super) plugins: Option<PathBuf>,
    #[serde(default)]
    pub(super) on_failure: OnFailure,
    pub(super) resources: Option<Resources>,
    #[serde(default)]
    pub(super) allow_code: Vec<String>,
}

/// What a participant does when its own attestation fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnFailure {
    /// It stops the jobs that it takes part in.
    #[default]
    StopJobs,
    /// It stops itself.
    Shutdown,
}

impl OnFailure {
    /// Its word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::StopJobs => "stop-jobs",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What is wrong with a value of a file.
pub(super) fn wrong(file: &Path, key: &str, problem: impl std::fmt::Display) -> Failure {
    match key {
        // What is wrong with the file as a whole.
        "." => Failure::new(format!("{}: {problem}", file.display())),
        key => Failure::new(format!("{}: `{key}`: {problem}", file.display())),
    }
}

/// Reads the file.
pub(super) fn read(file: &Path) -> Fallible<Federation> {
    let bytes = crate::evidence::read(file, MAX)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::new(format!("{} is not UTF-8", file.display())))?;
    parse(&text, file)
}

pub(super) fn parse(text: &str, file: &Path) -> Fallible<Federation> {
    let document = toml::Deserializer::parse(text).map_err(|error| {
        let place = error.to_string().lines().next().unwrap_or_default().to_owned();
        Failure::new(format!("{}: {place}: {}", file.display(), error.message()))
    })?;
    let federation: Federation = serde_path_to_error::deserialize(document)
        .map_err(|error| wrong(file, &error.path().to_string(), error.inner().message()))?;
    if federation.version != VERSION {
        return Err(wrong(file, "version", format!("{}, only {VERSION} is supported", federation.version)));
    }
    Ok(federation)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(text, Path::new("f.toml")).unwrap_err().to_string()
    }

    #[test]
    fn errors_name_participant_and_key() {
        let good = super::super::EXAMPLE;
        parse(good, Path::new("f.toml")).unwrap();
        for (from, to, wanted) in [
            ("role = \"client\"", "role = \"clerk\"", "`participant.site-1.role`: unknown variant"),
            ("gpu = 2", "gpu = -2", "`participant.site-1.resources.gpu`"),
            ("[participant.site-1]", "[participant.Site-1]", "is not a name"),
            ("name_binding = \"both\"", "name_binding = \"none\"", "name_binding"),
            ("replaceable = true", "replacable = true", "replacable"),
            ("version = 1", "version = 2", "`version`: 2, only 1 is supported"),
            ("dial = ", "dail = ", "dail"),
            ("[bundle]", "[bundle", "TOML parse error at line"),
        ] {
            let text = good.replacen(from, to, 1);
            assert_ne!(text, good, "{from}");
            let error = error(&text);
            assert!(error.starts_with("f.toml: ") && error.contains(wanted), "{error}");
        }
    }
}
