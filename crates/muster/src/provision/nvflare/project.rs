//! `project.yml` and the site files that it names: who was meant to take part, and what was meant for each. NVFlare's
//! output alone cannot say this, since whoever it could not configure is left out of it, and of two settings for one
//! authorizer it keeps the last.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::read::{self, Kind, Problem};
use super::yaml;

/// What is read of `project.yml`.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) members: BTreeMap<String, Member>,
}

/// One entry of `participants`.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) organisation: Option<String>,
    /// What its `cc_config` says; administrators have none.
    pub(super) site: Option<Site>,
}

/// A site file (*workflow.md* 5).
#[derive(Debug)]
pub(super) struct Site {
    pub(super) file: String,
    pub(super) compute_env: String,
    pub(super) cpu: Option<String>,
    pub(super) gpu: Option<String>,
    pub(super) issuers: Vec<Issuer>,
    pub(super) check_frequency: Option<Value>,
    pub(super) failure_action: Option<String>,
}

/// One entry of `cc_issuers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issuer {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) token_expiration: Value,
    pub(super) args: Map<String, Value>,
}

const COMPUTE_ENVS: &[&str] = &["onprem_cvm", "azure_cvm", "azure_confidential_container", "mock"];

/// What only the packager of images reads.
const PACKAGER: &[&str] = &[
    "allowed_out_ports",
    "allowed_ports",
    "applog_drive_size",
    "class_allow_list",
    "cvm_image_name",
    "docker_archive",
    "hosts_entries",
    "root_drive_size",
    "user_config",
    "user_config_drive_size",
    "user_data_drive_size",
];

/// Reads the project of a folder, if it has one.
pub(super) fn load(folder: &Path) -> Result<Option<Project>, Problem> {
    let path = folder.join("project.yml");
    if !path.exists() {
        return Ok(None);
    }
    let at = |problem: String| format!("{}: {problem}", path.display());
    let mut root = yaml::parse(&read::text(&path)?).map_err(|wrong| at(wrong.to_string()))?;
    let name = word(&mut root, "name").map_err(at)?.ok_or_else(|| at("`name` is absent".to_owned()))?;
    let Some(Value::Array(entries)) = root.remove("participants") else {
        return Err(at("`participants` is not a list".to_owned()));
    };
    let mut members = BTreeMap::new();
    for entry in entries {
        let Value::Object(mut entry) = entry else {
            return Err(at("an entry of `participants` is not a mapping".to_owned()));
        };
        let name = word(&mut entry, "name").map_err(at)?;
        let name = name.ok_or_else(|| at("a participant without `name`".to_owned()))?;
        let member = member(folder, &name, entry).map_err(|problem| at(format!("{name}: {problem}")))?;
        if members.insert(name.clone(), member).is_some() {
            return Err(at(format!("{name} stands there twice")));
        }
    }
    Ok(Some(Project { name, members }))
}

fn member(folder: &Path, name: &str, mut entry: Map<String, Value>) -> Result<Member, Problem> {
    let kind = match word(&mut entry, "type")?.as_deref() {
        Some("server") => Kind::Server,
        Some("client") => Kind::Client,
        Some("admin") => Kind::Admin,
        other => return Err(format!("`type` is {other:?}, expected server, client or admin")),
    };
    let site = match (kind, word(&mut entry, "cc_config")?) {
        (Kind::Admin, None) => None,
        (Kind::Admin, Some(_)) => return Err("`cc_config` of an administrator".to_owned()),
        (_, None) => return Err("has no `cc_config`: it would be accepted unseen".to_owned()),
        (_, Some(file)) => Some(site(folder, name, kind, file)?),
    };
    Ok(Member { kind, organisation: word(&mut entry, "org")?, site })
}

fn site(folder: &Path, name: &str, kind: Kind, file: String) -> Result<Site, Problem> {
    let at = |problem: &dyn std::fmt::Display| format!("{file}: {problem}");
    let mut root = yaml::parse(&read::text(&folder.join(&file))?).map_err(|wrong| at(&wrong))?;
    let mut text = |key: &str| word(&mut root, key).map_err(|problem| at(&problem));
    let compute_env = text("compute_env")?.unwrap_or_default();
    let (cpu, gpu, role) = (text("cc_cpu_mechanism")?, text("cc_gpu_mechanism")?, text("role")?);
    if !COMPUTE_ENVS.contains(&compute_env.as_str()) {
        return Err(at(&format_args!(
            "`compute_env` is {compute_env:?}, expected one of {}; NVFlare disables confidential computing for \
             {name} and goes on",
            COMPUTE_ENVS.join(", ")
        )));
    }
    let word_of = if kind == Kind::Server { "server" } else { "client" };
    if role.as_deref().is_some_and(|role| role != word_of) {
        return Err(at(&format_args!("`role` is {role:?}, the project has {name} as {word_of}")));
    }
    if gpu.as_deref().is_some_and(|gpu| gpu != "nvidia_cc") {
        return Err(at(&format_args!("`cc_gpu_mechanism` is {gpu:?}, expected nvidia_cc")));
    }
    let issuers = match root.remove("cc_issuers") {
        Some(Value::Array(list)) if !list.is_empty() => {
            list.into_iter().map(issuer).collect::<Result<Vec<_>, _>>().map_err(|problem| at(&problem))?
        }
        _ => return Err(at(&"`cc_issuers` has no issuer")),
    };
    let mut attestation = match root.remove("cc_attestation") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map,
        Some(_) => return Err(at(&"`cc_attestation` is not a mapping")),
    };
    let check_frequency = attestation.remove("check_frequency");
    let failure_action = word(&mut attestation, "failure_action").map_err(|problem| at(&problem))?;
    let left_over =
        root.keys().find(|key| !PACKAGER.contains(&key.as_str())).or_else(|| attestation.keys().next());
    if let Some(key) = left_over {
        return Err(at(&format_args!("`{key}` is not a key that is known here")));
    }
    Ok(Site { file, compute_env, cpu, gpu, issuers, check_frequency, failure_action })
}

fn issuer(value: Value) -> Result<Issuer, Problem> {
    let Value::Object(mut entry) = value else {
        return Err("an entry of `cc_issuers` is not a mapping".to_owned());
    };
    let mut need = |key: &str| word(&mut entry, key)?.ok_or_else(|| format!("an issuer has no `{key}`"));
    let (id, path) = (need("id")?, need("path")?);
    let args = match entry.remove("args") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(args)) => args,
        Some(_) => return Err(format!("`args` of issuer {id} is not a mapping")),
    };
    let token_expiration = entry.remove("token_expiration").unwrap_or(Value::Null);
    match entry.keys().next() {
        None => Ok(Issuer { id, path, token_expiration, args }),
        Some(key) => Err(format!("`{key}` of issuer {id} is not a key that is known here")),
    }
}

/// Takes a text.
fn word(map: &mut Map<String, Value>, key: &str) -> Result<Option<String>, Problem> {
    match map.remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("`{key}` is {other}, a text is needed")),
    }
}
