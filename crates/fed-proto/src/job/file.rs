//! The text form of a job: what is read, and why it is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use super::{App, Deploy, FileRef, JobFile, Retry};
use crate::admission::Mode;
use crate::crypto::Digest;
use crate::name::Name;

const VERSION: u32 = 1;
const ALL: &str = "@ALL";
const MIN_SITES: std::ops::RangeInclusive<u32> = 1..=1_000_000;
/// Prefix of the variables in which a site tells a job's program about its grant.
const RESERVED_ENV: &str = "MUSTER_";

/// Why a text is not a job file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Longer than [`JobFile::MAX`].
    #[error("{length} bytes, at most {} are allowed", JobFile::MAX)]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// Not TOML of the expected form.
    #[error(transparent)]
    Syntax(#[from] toml::de::Error),
    /// Another version of the format.
    #[error("version {found} is not supported, only {VERSION}")]
    Version {
        /// What it states.
        found: u32,
    },
    /// The deploy map names no site at all.
    #[error("deploy: no app is deployed anywhere")]
    DeployEmpty,
    /// An app of the deploy map goes nowhere.
    #[error("deploy.{app}: names no site")]
    DeployNowhere {
        /// The app.
        app: Name,
    },
    /// `@ALL` beside something else.
    #[error("deploy: {ALL} cannot be combined with other sites or apps")]
    DeployAllCombined,
    /// A target is neither `@ALL` nor a name.
    #[error("deploy.{app}: {target:?} is neither {ALL} nor a site's name")]
    DeployTarget {
        /// The app.
        app: Name,
        /// The target.
        target: String,
    },
    /// A site with two apps, or twice with one.
    #[error("deploy: {site} is named by {first} and by {second}, only one app per site")]
    DeployTwice {
        /// The site.
        site: Name,
        /// The app in whose list it came first.
        first: Name,
        /// The app in whose list it came again.
        second: Name,
    },
    /// The deploy map names an app that is not described.
    #[error("deploy.{app}: there is no [app.{app}]")]
    AppMissing {
        /// The app.
        app: Name,
    },
    /// An app that is deployed nowhere.
    #[error("app.{app}: is not in the deploy map")]
    AppUnused {
        /// The app.
        app: Name,
    },
    /// An app without program.
    #[error("app.{app}.command: empty")]
    CommandEmpty {
        /// The app.
        app: Name,
    },
    /// A NUL byte in an argument or in the value of a variable.
    #[error("app.{app}: an argument or variable contains a NUL byte")]
    Nul {
        /// The app.
        app: Name,
    },
    /// The name of a variable that cannot be set.
    #[error("app.{app}.env: {variable:?} cannot be set by a job")]
    Variable {
        /// The app.
        app: Name,
        /// The variable.
        variable: String,
    },
    /// The name of a file that cannot be used.
    #[error("app.{app}: {file:?} is not a file name: 1 to 128 letters, digits, '.', '_', '-'")]
    FileName {
        /// The app.
        app: Name,
        /// The file.
        file: String,
    },
    /// Two files of one name.
    #[error("app.{app}: two files are named {file:?}")]
    FileTwice {
        /// The app.
        app: Name,
        /// The file.
        file: String,
    },
    /// Not a SHA-256 in 64 lower-case hex digits.
    #[error("app.{app}: the sha256 of {file:?} is not 64 lower-case hex digits")]
    FileDigest {
        /// The app.
        app: Name,
        /// The file.
        file: String,
    },
    /// `min_sites` out of range.
    #[error("min_sites: {found} is not in 1..=1000000")]
    MinSites {
        /// What it states.
        found: u32,
    },
    /// A site is required or has resources, but the deploy map does not name it.
    #[error("{key}: {site} is not in the deploy map")]
    NotDeployed {
        /// Where it is named.
        key: &'static str,
        /// The site.
        site: Name,
    },
    /// A resource without a proper name.
    #[error("resources.{site}: {resource:?} is not the name of a resource")]
    Resource {
        /// The site.
        site: Name,
        /// The resource.
        resource: String,
    },
    /// A retry value of zero, or a minimum above the maximum.
    #[error("retry: values must be at least 1, and the minimum interval at most the maximum")]
    Retry,
}

/// Read first, so that a file of a later version is refused for its version.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJob {
    #[expect(dead_code, reason = "judged by `Versioned`; named here because unknown keys are refused")]
    version: u32,
    name: Name,
    deploy: BTreeMap<Name, Vec<String>>,
    #[serde(default = "one")]
    min_sites: u32,
    #[serde(default)]
    required_sites: BTreeSet<Name>,
    #[serde(default)]
    admission: Mode,
    #[serde(default)]
    resources: BTreeMap<Name, BTreeMap<String, u64>>,
    #[serde(default)]
    retry: RawRetry,
    app: BTreeMap<Name, RawApp>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetry {
    max_schedule_count: Option<u32>,
    min_schedule_interval_s: Option<u32>,
    max_schedule_interval_s: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApp {
    command: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    inputs: Vec<RawFile>,
    #[serde(default)]
    code: Vec<RawFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    name: String,
    sha256: String,
}

fn one() -> u32 {
    1
}

pub(super) fn parse(text: &str) -> Result<JobFile, JobError> {
    if text.len() > JobFile::MAX {
        return Err(JobError::TooLong { length: text.len() });
    }
    let Versioned { version } = toml::from_str(text)?;
    if version != VERSION {
        return Err(JobError::Version { found: version });
    }
    let raw: RawJob = toml::from_str(text)?;
    if !MIN_SITES.contains(&raw.min_sites) {
        return Err(JobError::MinSites { found: raw.min_sites });
    }
    let deploy = deploy(raw.deploy, &raw.app)?;
    let deployed = |key: &'static str, site: &Name| match &deploy {
        Deploy::Sites(sites) if !sites.contains_key(site) => {
            Err(JobError::NotDeployed { key, site: site.clone() })
        }
        Deploy::All { .. } | Deploy::Sites(_) => Ok(()),
    };
    for site in &raw.required_sites {
        deployed("required_sites", site)?;
    }
    for (site, resources) in &raw.resources {
        deployed("resources", site)?;
        if let Some(resource) = resources.keys().find(|name| !is_plain(name)) {
            return Err(JobError::Resource { site: site.clone(), resource: resource.clone() });
        }
    }
    let apps = raw
        .app
        .into_iter()
        .map(|(name, raw)| app(&name, raw).map(|app| (name, app)))
        .collect::<Result<BTreeMap<_, _>, _>>()?;
    Ok(JobFile {
        name: raw.name,
        min_sites: raw.min_sites,
        required_sites: raw.required_sites,
        resources: raw.resources,
        retry: retry(&raw.retry)?,
        admission: raw.admission,
        deploy,
        apps,
    })
}

fn deploy(raw: BTreeMap<Name, Vec<String>>, apps: &BTreeMap<Name, RawApp>) -> Result<Deploy, JobError> {
    if raw.is_empty() {
        return Err(JobError::DeployEmpty);
    }
    if let Some(app) = raw.keys().find(|app| !apps.contains_key(app)) {
        return Err(JobError::AppMissing { app: app.clone() });
    }
    if let Some(app) = apps.keys().find(|app| !raw.contains_key(app)) {
        return Err(JobError::AppUnused { app: app.clone() });
    }
    let targets: usize = raw.values().map(Vec::len).sum();
    let all = |target: &String| target.eq_ignore_ascii_case(ALL);
    if let Some((app, _)) = raw.iter().find(|(_, targets)| targets.iter().any(all)) {
        let alone = targets == 1 && raw.len() == 1;
        return if alone { Ok(Deploy::All { app: app.clone() }) } else { Err(JobError::DeployAllCombined) };
    }
    let mut sites: BTreeMap<Name, Name> = BTreeMap::new();
    for (app, targets) in raw {
        if targets.is_empty() {
            return Err(JobError::DeployNowhere { app });
        }
        for target in targets {
            let Ok(site) = Name::new(&target) else {
                return Err(JobError::DeployTarget { app, target });
            };
            if let Some(first) = sites.insert(site.clone(), app.clone()) {
                return Err(JobError::DeployTwice { site, first, second: app });
            }
        }
    }
    Ok(Deploy::Sites(sites))
}

fn app(app: &Name, raw: RawApp) -> Result<App, JobError> {
    if raw.command.first().is_none_or(String::is_empty) {
        return Err(JobError::CommandEmpty { app: app.clone() });
    }
    if raw.command.iter().chain(raw.env.values()).any(|text| text.contains('\0')) {
        return Err(JobError::Nul { app: app.clone() });
    }
    if let Some(variable) = raw.env.keys().find(|name| !is_variable(name)) {
        return Err(JobError::Variable { app: app.clone(), variable: variable.clone() });
    }
    let mut seen = BTreeSet::new();
    let mut files = |raw: Vec<RawFile>| {
        raw.into_iter().map(|raw| file(app, raw, &mut seen)).collect::<Result<Vec<_>, _>>()
    };
    let inputs = files(raw.inputs)?;
    let code = files(raw.code)?;
    Ok(App { command: raw.command, env: raw.env, inputs, code })
}

fn file(app: &Name, raw: RawFile, seen: &mut BTreeSet<String>) -> Result<FileRef, JobError> {
    if !is_plain(&raw.name) {
        return Err(JobError::FileName { app: app.clone(), file: raw.name });
    }
    if !seen.insert(raw.name.clone()) {
        return Err(JobError::FileTwice { app: app.clone(), file: raw.name });
    }
    match Digest::parse(&raw.sha256) {
        Some(sha256) => Ok(FileRef { name: raw.name, sha256 }),
        None => Err(JobError::FileDigest { app: app.clone(), file: raw.name }),
    }
}

fn retry(raw: &RawRetry) -> Result<Retry, JobError> {
    let (count, min, max) =
        (raw.max_schedule_count, raw.min_schedule_interval_s, raw.max_schedule_interval_s);
    let zero = [count, min, max].contains(&Some(0));
    let crossed = min.zip(max).is_some_and(|(min, max)| min > max);
    if zero || crossed {
        return Err(JobError::Retry);
    }
    let seconds = |value: u32| Duration::from_secs(value.into());
    Ok(Retry {
        max_schedule_count: count,
        min_schedule_interval: min.map(seconds),
        max_schedule_interval: max.map(seconds),
    })
}

/// Letters, digits, `.`, `_` and `-`, starting with a letter or digit: no path, no option, nothing hidden.
fn is_plain(text: &str) -> bool {
    text.len() <= Name::MAX
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn is_variable(text: &str) -> bool {
    !text.starts_with(RESERVED_ENV)
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
