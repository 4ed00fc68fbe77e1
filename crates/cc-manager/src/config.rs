//! The manager's configuration: which plugins to load, from where endorsements may come (*decisions.md* 16).
//!
//! A TOML file with `version = 1`. Unknown keys are errors. Nothing is searched for: a plugin is the one file
//! whose path and digest stand here.

use std::ops::RangeInclusive;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use cc_core::{ClaimValue, Claims, Code, Profile, codes};
use serde::Deserialize;

use crate::{LoadError, Sha256, disk, fetch};

/// Largest configuration file, in bytes.
const MAX_CONFIG: usize = 1024 * 1024;

/// A loaded configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The plugins, at least one in a configuration that was read from a file.
    pub plugins: Vec<PluginConfig>,
    /// How endorsements are fetched.
    pub fetch: FetchConfig,
    /// What weakens the host.
    pub danger: Danger,
}

/// One `[[plugin]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginConfig {
    /// The library, absolute.
    pub path: PathBuf,
    /// Digest of the whole file.
    pub sha256: Sha256,
    /// The profiles that it may serve: exactly those that it must claim.
    pub profiles: Vec<Profile>,
    /// Where it runs.
    pub isolation: Isolation,
    /// Its own settings.
    pub config: Claims,
}

/// Where a plugin runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// In the host's own process: for a plugin that is trusted like the host itself.
    InProcess,
    /// In processes of its own, which can reach next to nothing and can be ended. What a configuration means that does
    /// not say.
    Worker(WorkerLimits),
}

/// `[plugin.worker]`: what a plugin's processes are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerLimits {
    /// How long `identify`, `plan` or `verify` may take.
    pub deadline: Duration,
    /// How long `collect` may take.
    pub collect_deadline: Duration,
    /// Most memory (address space) of each process, in MiB.
    pub memory_mib: u64,
}

impl Default for WorkerLimits {
    /// 10 s, 120 s, 1 GiB.
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            collect_deadline: Duration::from_secs(120),
            memory_mib: 1024,
        }
    }
}

/// The `[fetch]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchConfig {
    /// Folder of the cache and of the rollback floors; without one, nothing is kept.
    pub cache_dir: Option<PathBuf>,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// Hosts that may be asked beside the compiled-in ones.
    pub allow: Vec<String>,
    /// Mirrors that are asked instead of the published hosts.
    pub endpoints: Vec<Endpoint>,
}

/// One `[[fetch.endpoint]]`: requests for `host` go to `url` instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The published host.
    pub host: String,
    /// `https` address that takes the place of `https://host`.
    pub url: String,
    /// PEM file with the only authorities that may have issued the mirror's certificate; without one, those
    /// of the system.
    pub ca_file: Option<PathBuf>,
}

/// The `[danger]` table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Danger {
    /// Whether plugins with synthetic trust anchors may be loaded. What they accept proves nothing.
    pub allow_emulated: bool,
}

impl Config {
    /// Reads a configuration whose plugin paths are absolute.
    pub fn load_file(file: &Path) -> Result<Self, LoadError> {
        parse(&read(file)?, file, None)
    }

    /// Reads `plugins.toml` of a plugin folder; its plugin paths lead to files within the folder.
    pub fn load_dir(folder: &Path) -> Result<Self, LoadError> {
        let file = folder.join("plugins.toml");
        let text = read(&file)?;
        let folder = std::path::absolute(folder)
            .map_err(|error| LoadError::new(codes::PLUG_CONFIG_MISSING, folder, error.to_string()))?;
        parse(&text, &file, Some(&folder))
    }

    /// [`load_dir`](Self::load_dir) for a folder, [`load_file`](Self::load_file) for anything else.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        if path.is_dir() { Self::load_dir(path) } else { Self::load_file(path) }
    }
}

fn read(file: &Path) -> Result<String, LoadError> {
    let fail = |code: Code, detail: String| LoadError::new(code, file, detail);
    let bytes = disk::read(file, MAX_CONFIG).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => fail(codes::PLUG_CONFIG_INVALID, error.to_string()),
        _ => fail(codes::PLUG_CONFIG_MISSING, error.to_string()),
    })?;
    String::from_utf8(bytes).map_err(|_| fail(codes::PLUG_CONFIG_INVALID, "not UTF-8".to_owned()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    version: u32,
    #[serde(default)]
    plugin: Vec<RawPlugin>,
    #[serde(default)]
    fetch: RawFetch,
    #[serde(default)]
    danger: RawDanger,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPlugin {
    path: PathBuf,
    sha256: String,
    profiles: Vec<String>,
    isolation: Option<String>,
    worker: Option<RawWorker>,
    #[serde(default)]
    config: toml::Table,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWorker {
    deadline_seconds: Option<u64>,
    collect_deadline_seconds: Option<u64>,
    memory_mib: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFetch {
    cache_dir: Option<PathBuf>,
    #[serde(default)]
    offline: bool,
    #[serde(default)]
    allow: Vec<String>,
    #[serde(default)]
    endpoint: Vec<RawEndpoint>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    host: String,
    url: String,
    ca_file: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDanger {
    #[serde(default)]
    allow_emulated: bool,
}

/// A key path and what is wrong with its value.
struct Wrong(String, String);

fn parse(text: &str, file: &Path, folder: Option<&Path>) -> Result<Config, LoadError> {
    let invalid = |detail: String| LoadError::new(codes::PLUG_CONFIG_INVALID, file, detail);
    let document = toml::Deserializer::parse(text).map_err(|error| invalid(syntax(&error)))?;
    let raw: RawConfig = serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        invalid(format!("`{path}`: {}", error.inner().message()))
    })?;
    if raw.version != 1 {
        return Err(invalid(format!("`version` is {}, expected 1", raw.version)));
    }
    if raw.plugin.is_empty() {
        return Err(invalid("there is no [[plugin]]".to_owned()));
    }
    let mut plugins = Vec::new();
    for (index, plugin) in raw.plugin.into_iter().enumerate() {
        if folder.is_some() && !below(&plugin.path) {
            let path = plugin.path.display();
            return Err(invalid(format!("`plugin[{index}].path`: {path} is not a path within the folder")));
        }
        let path = folder.map_or_else(|| plugin.path.clone(), |folder| folder.join(&plugin.path));
        if !path.is_absolute() {
            let detail = format!("`plugin[{index}].path` is not absolute in {}", file.display());
            return Err(LoadError::new(codes::PLUG_FILE_NOT_ABSOLUTE, &path, detail));
        }
        let plugin = convert(plugin, path)
            .map_err(|Wrong(key, what)| invalid(format!("`plugin[{index}].{key}`: {what}")))?;
        plugins.push(plugin);
    }
    let RawFetch { cache_dir, offline, allow, endpoint } = raw.fetch;
    let endpoints =
        endpoint.into_iter().map(|RawEndpoint { host, url, ca_file }| Endpoint { host, url, ca_file });
    let fetch = FetchConfig { cache_dir, offline, allow, endpoints: endpoints.collect() };
    fetch::check_config(&fetch).map_err(|(key, what)| invalid(format!("`{key}`: {what}")))?;
    Ok(Config { plugins, fetch, danger: Danger { allow_emulated: raw.danger.allow_emulated } })
}

/// Whether a path leads nowhere but down, by its spelling.
fn below(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The first line of a syntax error and the words, without the excerpt.
fn syntax(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let place = text.lines().next().unwrap_or_default();
    format!("{place}: {}", error.message())
}

fn convert(raw: RawPlugin, path: PathBuf) -> Result<PluginConfig, Wrong> {
    let sha256 = Sha256::parse(&raw.sha256).ok_or_else(|| {
        Wrong("sha256".to_owned(), format!("not 64 lower-case hexadecimal digits: {:?}", raw.sha256))
    })?;
    let mut profiles = Vec::new();
    for (i, name) in raw.profiles.iter().enumerate() {
        let key = || format!("profiles[{i}]");
        let profile = Profile::parse(name)
            .ok_or_else(|| Wrong(key(), format!("not the name of a profile: {name:?}")))?;
        if profiles.contains(&profile) {
            return Err(Wrong(key(), format!("{profile} stands there twice")));
        }
        profiles.push(profile);
    }
    if profiles.is_empty() {
        return Err(Wrong("profiles".to_owned(), "no profile is listed".to_owned()));
    }
    let isolation = match (raw.isolation.as_deref(), raw.worker) {
        (None | Some("worker"), limits) => Isolation::Worker(worker(&limits.unwrap_or_default())?),
        (Some("in-process"), None) => Isolation::InProcess,
        (Some("in-process"), Some(_)) => {
            let what = "stands there, and isolation is \"in-process\"".to_owned();
            return Err(Wrong("worker".to_owned(), what));
        }
        (Some(other), _) => {
            let what = format!("{other:?}, expected \"worker\" or \"in-process\"");
            return Err(Wrong("isolation".to_owned(), what));
        }
    };
    let config = settings(raw.config, "config")?;
    // Depth and number of entries have limits, which reading enforces.
    minicbor_limits(&config).map_err(|what| Wrong("config".to_owned(), what))?;
    Ok(PluginConfig { path, sha256, profiles, isolation, config })
}

fn worker(raw: &RawWorker) -> Result<WorkerLimits, Wrong> {
    let default = WorkerLimits::default();
    let within = |key: &str, value: Option<u64>, default: u64, range: RangeInclusive<u64>| match value {
        Some(value) if !range.contains(&value) => {
            let what = format!("{value}, expected {} to {}", range.start(), range.end());
            Err(Wrong(format!("worker.{key}"), what))
        }
        value => Ok(value.unwrap_or(default)),
    };
    let seconds = |key, value, default: Duration| {
        within(key, value, default.as_secs(), 1..=600).map(Duration::from_secs)
    };
    Ok(WorkerLimits {
        deadline: seconds("deadline_seconds", raw.deadline_seconds, default.deadline)?,
        collect_deadline: seconds(
            "collect_deadline_seconds",
            raw.collect_deadline_seconds,
            default.collect_deadline,
        )?,
        memory_mib: within("memory_mib", raw.memory_mib, default.memory_mib, 256..=65_536)?,
    })
}

fn minicbor_limits(config: &Claims) -> Result<(), String> {
    let bytes = minicbor::to_vec(config).map_err(|error| error.to_string())?;
    minicbor::decode::<Claims>(&bytes).map(drop).map_err(|error| error.to_string())
}

fn settings(table: toml::Table, key: &str) -> Result<Claims, Wrong> {
    let mut claims = Claims::new();
    for (name, value) in table {
        let key = format!("{key}.{name}");
        claims.insert(&name, setting(value, &key)?);
    }
    Ok(claims)
}

fn setting(value: toml::Value, key: &str) -> Result<ClaimValue, Wrong> {
    let wrong = |what: &str| Err(Wrong(key.to_owned(), what.to_owned()));
    match value {
        toml::Value::Boolean(flag) => Ok(ClaimValue::Bool(flag)),
        toml::Value::Integer(number) => match u64::try_from(number) {
            Ok(number) => Ok(ClaimValue::Integer(number)),
            Err(_) => wrong("a plugin setting cannot be negative"),
        },
        toml::Value::String(text) => Ok(ClaimValue::Text(text)),
        toml::Value::Array(list) => {
            let items = list.into_iter().enumerate().map(|(i, item)| setting(item, &format!("{key}[{i}]")));
            items.collect::<Result<_, _>>().map(ClaimValue::List)
        }
        toml::Value::Table(table) => settings(table, key).map(ClaimValue::Map),
        toml::Value::Float(_) => wrong("a plugin setting cannot be a fraction"),
        toml::Value::Datetime(_) => wrong("a plugin setting cannot be a date; write it as a string"),
    }
}
