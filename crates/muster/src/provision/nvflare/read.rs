//! The files of one NVFlare participant: `fed_server.json`, `fed_client.json` or `fed_admin.json`, and every
//! `*__p_resources.json`. Read strictly; how participants fit together is judged elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::disk;

/// Longest file, in bytes.
const MAX: usize = 4 * 1024 * 1024;
const MANAGER: &str = "nvflare.app_opt.confidential_computing.cc_manager.CCManager";
const PACKAGE: &str = "nvflare.app_opt.confidential_computing.";
const COMPONENTS: &str = "__p_resources.json";

/// What is wrong with a participant.
pub(super) type Problem = String;

/// What a folder is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Server,
    Client,
    Admin,
}

/// One participant as NVFlare provisioned it.
#[derive(Clone, Debug)]
pub(super) struct Participant {
    pub(super) kind: Kind,
    /// The federation, as `fed_*.json` has it.
    pub(super) federation: String,
    /// `host:port` of the server.
    pub(super) target: String,
    /// Whom a client expects the server to be.
    pub(super) server_identity: Option<String>,
    /// What a client says that it is.
    pub(super) own_identity: Option<String>,
    /// The CCManager's arguments.
    pub(super) manager: Manager,
    /// Authorizers by id.
    pub(super) authorizers: BTreeMap<String, Authorizer>,
}

/// `args` of the CCManager (*workflow.md* 1.1, 3).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manager {
    pub(super) cc_issuers_conf: Vec<Issuer>,
    pub(super) cc_verifier_ids: Vec<String>,
    #[serde(default)]
    pub(super) cc_enabled_sites: Vec<String>,
    pub(super) verify_frequency: Option<Value>,
    pub(super) critical_level: Option<Value>,
    /// How long to wait for answers; rounds here have their own deadlines.
    #[serde(rename = "get_site_request_timeout")]
    _site_timeout: Option<Value>,
    #[serde(rename = "get_token_request_timeout")]
    _token_timeout: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    pub(super) issuer_id: String,
    pub(super) token_expiration: Value,
}

/// A component that generates and verifies tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authorizer {
    pub(super) path: String,
    pub(super) args: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Components {
    components: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    id: String,
    path: String,
    #[serde(default)]
    args: Map<String, Value>,
}

/// `fed_*.json`: much more than this stands there.
#[derive(Deserialize)]
struct Startup {
    #[serde(default)]
    servers: Vec<Server>,
    client: Option<Client>,
}

#[derive(Deserialize)]
struct Server {
    name: String,
    service: Service,
    identity: Option<String>,
}

#[derive(Deserialize)]
struct Service {
    target: String,
}

#[derive(Deserialize)]
struct Client {
    fqsn: Option<String>,
}

/// Which kind of participant the folder is of; nothing if it is no participant's.
pub(super) fn kind(folder: &Path) -> Result<Option<Kind>, Problem> {
    let files = [
        ("fed_server.json", Kind::Server),
        ("fed_client.json", Kind::Client),
        ("fed_admin.json", Kind::Admin),
    ];
    let mut found = None;
    for (file, kind) in files {
        if places(folder).iter().any(|place| place.join(file).is_file()) && found.replace(kind).is_some() {
            return Err("has files of more than one kind of participant".to_owned());
        }
    }
    Ok(found)
}

/// Reads a server's or client's folder.
pub(super) fn participant(folder: &Path, kind: Kind) -> Result<Participant, Problem> {
    let file = if kind == Kind::Server { "fed_server.json" } else { "fed_client.json" };
    let startup: Startup = json(&one(folder, file)?)?;
    let [server] = <[Server; 1]>::try_from(startup.servers)
        .map_err(|servers| format!("{file}: names {} servers, expected one", servers.len()))?;
    let mut manager = None;
    let mut authorizers = BTreeMap::new();
    for path in component_files(folder)? {
        let Components { components } = json(&path)?;
        for Component { id, path: class, args } in components {
            let at = |problem: &str| format!("{}: {id}: {problem}", path.display());
            if class == MANAGER {
                let args = serde_json::from_value(Value::Object(args))
                    .map_err(|error| at(&format!("args: {error}")))?;
                if manager.replace(args).is_some() {
                    return Err(at("a second CCManager"));
                }
            } else if authorizers.insert(id.clone(), Authorizer { path: class, args }).is_some() {
                return Err(at("a second component of this id"));
            }
        }
    }
    let manager: Manager = manager.ok_or(
        "has no CCManager: confidential computing is not enabled for it. NVFlare goes on after printing the \
         reason; look for it in the output of `nvflare provision`",
    )?;
    // Other components are none of ours; those of the package must be used, or somebody believes that they are.
    let used = |id: &String| {
        manager.cc_verifier_ids.contains(id)
            || manager.cc_issuers_conf.iter().any(|issuer| issuer.issuer_id == *id)
    };
    if let Some((id, _)) = authorizers.iter().find(|(id, one)| one.path.starts_with(PACKAGE) && !used(id)) {
        return Err(format!("component {id} is neither an issuer nor a verifier of the CCManager"));
    }
    authorizers.retain(|id, _| used(id));
    Ok(Participant {
        kind,
        federation: server.name,
        target: server.service.target,
        server_identity: server.identity,
        own_identity: startup.client.and_then(|client| client.fqsn),
        manager,
        authorizers,
    })
}

/// Where a participant's files may be: as provisioned, or laid out flat.
fn places(folder: &Path) -> [PathBuf; 3] {
    [folder.join("startup"), folder.join("local"), folder.to_owned()]
}

/// The one file of this name.
fn one(folder: &Path, file: &str) -> Result<PathBuf, Problem> {
    let found: Vec<PathBuf> =
        places(folder).iter().map(|place| place.join(file)).filter(|path| path.is_file()).collect();
    match <[PathBuf; 1]>::try_from(found) {
        Ok([path]) => Ok(path),
        Err(found) if found.is_empty() => Err(format!("{file} is not there")),
        Err(_) => Err(twice(file)),
    }
}

fn twice(file: &str) -> Problem {
    format!("{file} is there more than once; NVFlare loads what is in startup/ before what is in local/")
}

/// All component files, ascending by name.
fn component_files(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    for place in places(folder) {
        let Ok(entries) = std::fs::read_dir(&place) else { continue };
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", place.display()))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.ends_with(COMPONENTS) && files.insert(name.clone(), path).is_some() {
                return Err(twice(&name));
            }
        }
    }
    Ok(files.into_values().collect())
}

fn json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Problem> {
    let bytes = disk::read(path, MAX)?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// The text of a file of the project.
pub(super) fn text(path: &Path) -> Result<String, Problem> {
    disk::read_text(path, MAX)
}
