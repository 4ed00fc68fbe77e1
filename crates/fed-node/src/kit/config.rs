//! `muster.toml`: this node's configuration, version 1. Unknown keys, and keys that mean nothing for the role, are
//! errors.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cc_core::Profile;
use fed_proto::crypto::Digest;
use fed_proto::enrol::Subject;
use fed_proto::job::Resources;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::scheduler;
use serde::Deserialize;

/// Longest address, in bytes: a host name and a port.
const MAX_ADDRESS: usize = 262;

/// A node's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Who this is.
    pub name: Name,
    /// `host:port` where the server listens, or where to dial it.
    pub server: String,
    /// What this is in the federation.
    pub part: Part,
}

/// What a node is in the federation, with what only that role has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Submits and watches jobs, takes part in none.
    Admin,
    /// A site.
    Client {
        /// What every participant has.
        participant: Participant,
        /// What jobs may reserve.
        resources: Resources,
    },
    /// The server.
    Server {
        /// What every participant has.
        participant: Participant,
        /// How jobs are scheduled.
        scheduler: scheduler::Limits,
    },
}

/// What a participant has that an administrator has not. Paths are absolute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The evidence of its processor.
    pub profile: Profile,
    /// The evidence of its devices, if it shows any.
    pub devices: Option<Profile>,
    /// Folder of store, transcripts and jobs.
    pub data: PathBuf,
    /// What a failure of its own attestation ends.
    pub on_failure: OnFailure,
    /// Folder of input and code files, each named by its SHA-256.
    pub inputs: PathBuf,
    /// Code that may run here although it came with a job.
    pub allow_code: BTreeSet<Digest>,
    /// The site's own policy.
    pub policy_path: PathBuf,
    /// The plugins.
    pub plugins_path: PathBuf,
}

/// What a failure of a participant's own attestation ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The jobs that it takes part in.
    #[default]
    StopJobs,
    /// The participant.
    Shutdown,
}

impl NodeConfig {
    /// What every participant has; `None` for administrators.
    pub const fn participant(&self) -> Option<&Participant> {
        match &self.part {
            Part::Admin => None,
            Part::Client { participant, .. } | Part::Server { participant, .. } => Some(participant),
        }
    }

    /// Whom the enrolment certificate has to name.
    pub fn subject(&self) -> Subject {
        let name = self.name.clone();
        match &self.part {
            Part::Admin => Subject::Admin { name },
            Part::Client { .. } => Subject::Participant { role: Role::Client, name },
            Part::Server { .. } => Subject::Participant { role: Role::Server, name },
        }
    }
}

/// A key's path and what is wrong with its value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) key: String,
    pub(super) problem: String,
}

fn wrong<T>(key: &str, problem: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { key: key.to_owned(), problem: problem.into() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    name: Name,
    role: RawRole,
    server: String,
    profile: Option<String>,
    devices: Option<String>,
    data: Option<PathBuf>,
    attestation: Option<RawAttestation>,
    resources: Option<Resources>,
    jobs: Option<RawJobs>,
    scheduler: Option<RawScheduler>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawRole {
    Admin,
    Client,
    Server,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAttestation {
    #[serde(default)]
    on_failure: OnFailure,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJobs {
    inputs: Option<PathBuf>,
    #[serde(default)]
    allow_code: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScheduler {
    max_jobs: Option<u32>,
    max_schedule_count: Option<u32>,
    min_schedule_interval_s: Option<u32>,
    max_schedule_interval_s: Option<u32>,
    attempt_timeout_s: Option<u32>,
}

/// Reads a configuration whose paths are relative to `dir`.
pub(super) fn parse(text: &str, dir: &Path) -> Result<NodeConfig, Wrong> {
    let document = toml::Deserializer::parse(text).map_err(|error| Wrong {
        key: "(syntax)".to_owned(),
        problem: error.to_string().lines().next().unwrap_or_default().to_owned(),
    })?;
    let raw: Raw = serde_path_to_error::deserialize(document).map_err(|error| Wrong {
        key: error.path().to_string(),
        problem: error.inner().message().to_owned(),
    })?;
    if raw.version != 1 {
        return wrong("version", format!("{}, only 1 is supported", raw.version));
    }
    if !is_address(&raw.server) {
        return wrong("server", format!("{:?} is not host:port", raw.server));
    }
    let admin = raw.role == RawRole::Admin;
    let foreign = [
        ("profile", admin && raw.profile.is_some()),
        ("devices", admin && raw.devices.is_some()),
        ("data", admin && raw.data.is_some()),
        ("attestation", admin && raw.attestation.is_some()),
        ("jobs", admin && raw.jobs.is_some()),
        ("resources", raw.role != RawRole::Client && raw.resources.is_some()),
        ("scheduler", raw.role != RawRole::Server && raw.scheduler.is_some()),
    ];
    if let Some((key, _)) = foreign.into_iter().find(|(_, there)| *there) {
        return wrong(key, "has no meaning in this role");
    }
    let part = match raw.role {
        RawRole::Admin => Part::Admin,
        RawRole::Client => Part::Client {
            resources: raw.resources.unwrap_or_default(),
            participant: participant((raw.profile, raw.devices), raw.data, raw.attestation, raw.jobs, dir)?,
        },
        RawRole::Server => Part::Server {
            scheduler: limits(raw.scheduler.unwrap_or_default())?,
            participant: participant((raw.profile, raw.devices), raw.data, raw.attestation, raw.jobs, dir)?,
        },
    };
    Ok(NodeConfig { name: raw.name, server: raw.server, part })
}

fn participant(
    (profile, devices): (Option<String>, Option<String>),
    data: Option<PathBuf>,
    attestation: Option<RawAttestation>,
    jobs: Option<RawJobs>,
    dir: &Path,
) -> Result<Participant, Wrong> {
    let Some(profile) = profile else { return wrong("profile", "missing") };
    let Some(profile) = Profile::parse(&profile) else {
        return wrong("profile", format!("{profile:?} is not the name of a profile"));
    };
    if profile.is_device() {
        return wrong(
            "profile",
            format!("{profile} comes with a processor's evidence: name it in `devices`"),
        );
    }
    let devices = match devices.map(|name| (Profile::parse(&name), name)) {
        None => None,
        Some((Some(profile), _)) if profile.is_device() => Some(profile),
        Some((_, name)) => {
            return wrong("devices", format!("{name:?} is not the name of a profile of devices"));
        }
    };
    let Some(data) = data else { return wrong("data", "missing") };
    let RawJobs { inputs, allow_code } = jobs.unwrap_or_default();
    let mut allowed = BTreeSet::new();
    for (index, text) in allow_code.iter().enumerate() {
        match Digest::parse(text) {
            Some(sha256) => allowed.insert(sha256),
            None => {
                return wrong(&format!("jobs.allow_code[{index}]"), "not 64 lower-case hexadecimal digits");
            }
        };
    }
    Ok(Participant {
        profile,
        devices,
        data: dir.join(data),
        on_failure: attestation.unwrap_or_default().on_failure,
        inputs: dir.join(inputs.unwrap_or_else(|| PathBuf::from("inputs"))),
        allow_code: allowed,
        policy_path: dir.join("policy.toml"),
        plugins_path: dir.join("plugins.toml"),
    })
}

fn limits(raw: RawScheduler) -> Result<scheduler::Limits, Wrong> {
    let default = scheduler::Limits::default();
    let zero = [
        ("max_jobs", raw.max_jobs),
        ("max_schedule_count", raw.max_schedule_count),
        ("min_schedule_interval_s", raw.min_schedule_interval_s),
        ("max_schedule_interval_s", raw.max_schedule_interval_s),
        ("attempt_timeout_s", raw.attempt_timeout_s),
    ];
    if let Some((key, _)) = zero.into_iter().find(|(_, value)| *value == Some(0)) {
        return wrong(&format!("scheduler.{key}"), "must be at least 1");
    }
    let seconds =
        |value: Option<u32>, default| value.map_or(default, |value| Duration::from_secs(value.into()));
    let limits = scheduler::Limits {
        max_jobs: raw.max_jobs.map_or(default.max_jobs, |value| usize::try_from(value).unwrap_or(usize::MAX)),
        max_schedule_count: raw.max_schedule_count.unwrap_or(default.max_schedule_count),
        min_schedule_interval: seconds(raw.min_schedule_interval_s, default.min_schedule_interval),
        max_schedule_interval: seconds(raw.max_schedule_interval_s, default.max_schedule_interval),
        attempt_timeout: seconds(raw.attempt_timeout_s, default.attempt_timeout),
    };
    if limits.min_schedule_interval > limits.max_schedule_interval {
        return wrong("scheduler.min_schedule_interval_s", "longer than the longest interval");
    }
    Ok(limits)
}

/// `host:port`; whether the host exists is found out when it is dialled.
fn is_address(text: &str) -> bool {
    text.len() <= MAX_ADDRESS
        && text.rsplit_once(':').is_some_and(|(host, port)| {
            let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_graphic())
                && digits
                && port.parse::<u16>().is_ok()
        })
}
