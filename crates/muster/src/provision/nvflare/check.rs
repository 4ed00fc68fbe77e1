//! Where NVFlare goes on and would surprise (*workflow.md* 5 and 3.1), this stops: each trap is an error that says whom
//! it hits and why.

use std::collections::{BTreeMap, BTreeSet};

use fed_proto::name::Name;
use serde_json::Value;

use super::super::federation::OnFailure;
use super::Import;
use super::authorizer::Kind as Scheme;
use super::project::{Project, Site};
use super::read::{Authorizer, Kind, Manager, Participant, Problem};
use crate::cli::FederationProfile;

/// NVFlare's word for the server, whatever its host is called.
const SERVER: &str = "server";
/// `verify_frequency` where nothing is said, in seconds.
const DEFAULT_FREQUENCY: u64 = 600;
/// Bounds of a verdict's lifetime here, in seconds: twice the interval of periodic rounds.
const LIFETIMES: (u64, u64) = (10, 3600);

/// One participant as it is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Imported {
    pub(super) name: Name,
    /// The name in NVFlare.
    pub(super) original: String,
    pub(super) is_server: bool,
    pub(super) profile: &'static str,
    /// Whether its GPUs are attested beside the processor.
    pub(super) devices: bool,
    pub(super) organisation: Option<String>,
    pub(super) on_failure: OnFailure,
    pub(super) verify_frequency: u64,
}

/// Judges the participants of a provisioning, by their name in NVFlare.
pub(super) fn participants(
    found: &BTreeMap<String, Participant>,
    project: Option<&Project>,
    profile: FederationProfile,
) -> Result<Vec<Imported>, Problem> {
    let host = server(found)?;
    enrolled(found, &host)?;
    if let Some(project) = project {
        as_meant(found, project)?;
    }
    one_meaning(found, project)?;
    let mut imported = Vec::new();
    for (name, participant) in found {
        let one = participant_alone(name, participant, profile)
            .and_then(|one| match project.and_then(|project| project.members.get(name)) {
                Some(member) => compare(one, participant, member.organisation.as_ref(), member.site.as_ref()),
                None => Ok(one),
            })
            .map_err(|problem| format!("{name}: {problem}"))?;
        imported.push(one);
    }
    verifiable(found)?;
    Ok(imported)
}

/// The one server, whom all clients mean.
fn server(found: &BTreeMap<String, Participant>) -> Result<String, Problem> {
    let servers: Vec<_> = found.iter().filter(|(_, one)| one.kind == Kind::Server).collect();
    let [(host, server)] = servers.as_slice() else {
        return Err(format!("{} folders have fed_server.json, expected one", servers.len()));
    };
    for (name, one) in found {
        if one.target != server.target || one.federation != server.federation {
            return Err(format!(
                "{name}: is for server {} of {}, {host} is {} of {}",
                one.target, one.federation, server.target, server.federation
            ));
        }
        if one.server_identity.as_ref().is_some_and(|identity| identity != *host) {
            return Err(format!("{name}: expects the server {:?}, it is {host}", one.server_identity));
        }
        if one.own_identity.as_ref().is_some_and(|identity| identity != name) {
            return Err(format!("{name}: says that it is {:?}", one.own_identity));
        }
        if one.kind == Kind::Client && name == SERVER {
            return Err("a client is named \"server\", which is NVFlare's word for the server".to_owned());
        }
    }
    Ok((*host).clone())
}

/// `cc_enabled_sites` everywhere the same, and everybody on it.
fn enrolled(found: &BTreeMap<String, Participant>, host: &str) -> Result<(), Problem> {
    let everybody: BTreeSet<&str> = found
        .iter()
        .map(|(name, one)| if one.kind == Kind::Server { SERVER } else { name.as_str() })
        .collect();
    for (name, one) in found {
        let at = |problem: String| format!("{name}: `cc_enabled_sites`: {problem}");
        let listed = &one.manager.cc_enabled_sites;
        let enabled: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
        if enabled.is_empty() {
            return Err(at("is empty, which accepts everybody unseen".to_owned()));
        }
        if enabled.len() != listed.len() {
            return Err(at("names somebody twice".to_owned()));
        }
        if host != SERVER && enabled.contains(host) {
            let text = format!("has the server's host name {host:?}; NVFlare knows the server as \"server\"");
            return Err(at(format!("{text} only, and would accept it unseen")));
        }
        if let Some(unknown) = enabled.difference(&everybody).next() {
            return Err(at(format!("{unknown:?} was not provisioned")));
        }
        if let Some(missing) = everybody.difference(&enabled).next() {
            return Err(at(format!("{missing:?} is not on it, and would be accepted unseen")));
        }
    }
    Ok(())
}

/// Everybody whom the project names was provisioned, and nobody else.
fn as_meant(found: &BTreeMap<String, Participant>, project: &Project) -> Result<(), Problem> {
    for (name, member) in project.members.iter().filter(|(_, member)| member.kind != Kind::Admin) {
        match found.get(name) {
            None => return Err(format!("{name}: is in project.yml, and its folder is not there")),
            Some(one) if one.kind != member.kind => {
                return Err(format!(
                    "{name}: is a {:?} in project.yml, its folder is a {:?}'s",
                    member.kind, one.kind
                ));
            }
            Some(one) if one.federation != project.name => {
                return Err(format!("{name}: is of {}, project.yml is of {}", one.federation, project.name));
            }
            Some(_) => {}
        }
    }
    match found.keys().find(|name| !project.members.contains_key(*name)) {
        Some(name) => Err(format!("{name}: has a folder, and is not in project.yml")),
        None => Ok(()),
    }
}

/// An authorizer's id means one thing in the federation: NVFlare writes the settings of an id once, and the last site's
/// win at every site.
fn one_meaning(found: &BTreeMap<String, Participant>, project: Option<&Project>) -> Result<(), Problem> {
    let mut known: BTreeMap<String, (String, Authorizer)> = BTreeMap::new();
    let of_folders = found
        .iter()
        .flat_map(|(name, one)| one.authorizers.iter().map(move |(id, it)| (name, id, it.clone())));
    let sites = project.iter().flat_map(|project| &project.members);
    let issuers = sites.flat_map(|(name, member)| member.site.iter().map(move |site| (name, site)));
    let of_project = issuers.flat_map(|(name, site)| {
        site.issuers.iter().map(move |issuer| {
            (name, &issuer.id, Authorizer { path: issuer.path.clone(), args: issuer.args.clone() })
        })
    });
    // What was meant comes first: it explains best what the output says.
    for (name, id, authorizer) in of_project.chain(of_folders) {
        match known.get(id) {
            None => {
                known.insert(id.clone(), (name.clone(), authorizer));
            }
            Some((first, one)) if *one != authorizer => {
                return Err(format!(
                    "{name}: authorizer {id} has another path or other args than at {first}; NVFlare writes an id \
                     once, and the last one's settings win everywhere: give each its own id"
                ));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Everything that one participant's own files must say.
fn participant_alone(
    name: &str,
    participant: &Participant,
    profile: FederationProfile,
) -> Result<Imported, Problem> {
    let Manager { cc_issuers_conf, cc_verifier_ids, verify_frequency, critical_level, .. } =
        &participant.manager;
    let verifiers: BTreeSet<&String> = cc_verifier_ids.iter().collect();
    if verifiers.len() != cc_verifier_ids.len() {
        return Err("`cc_verifier_ids` names an authorizer twice".to_owned());
    }
    let mut namespaces: BTreeMap<String, &String> = BTreeMap::new();
    for (id, authorizer) in &participant.authorizers {
        let scheme = scheme(id, authorizer, profile)?;
        let namespace = match authorizer.args.get("namespace") {
            Some(Value::String(namespace)) => namespace.clone(),
            _ => scheme.namespace().to_owned(),
        };
        if let Some(other) = namespaces.insert(namespace.clone(), id) {
            return Err(format!(
                "authorizers {other} and {id} are both of namespace {namespace}, which fails at start"
            ));
        }
    }
    let unknown = |id: &String| format!("{id} is no component of this participant");
    if let Some(id) = cc_verifier_ids.iter().find(|id| !participant.authorizers.contains_key(*id)) {
        return Err(format!("`cc_verifier_ids`: {}", unknown(id)));
    }
    let mut shown = Vec::new();
    for issuer in cc_issuers_conf {
        let id = &issuer.issuer_id;
        let key = format!("`token_expiration` of issuer {id}");
        integer(&key, &issuer.token_expiration)?;
        let authorizer =
            participant.authorizers.get(id).ok_or_else(|| format!("`cc_issuers_conf`: {}", unknown(id)))?;
        shown.push(scheme(id, authorizer, profile)?);
    }
    let (devices, machines): (Vec<Scheme>, Vec<Scheme>) =
        shown.into_iter().partition(|scheme| scheme.is_device());
    let machine = match machines.as_slice() {
        [one] => *one,
        [] if devices.is_empty() => return Err("has no issuer, and nothing to show".to_owned()),
        [] => {
            return Err("shows its GPU only; that counts inside a processor's evidence, not alone".to_owned());
        }
        _ => return Err("has several issuers for its processor; a participant shows one".to_owned()),
    };
    let frequency = match verify_frequency {
        Some(value) => integer("`verify_frequency`", value)?,
        None => DEFAULT_FREQUENCY,
    };
    if frequency.saturating_mul(2) < LIFETIMES.0 {
        return Err(format!("`verify_frequency` is {frequency}, at least {} are needed", LIFETIMES.0 / 2));
    }
    let on_failure = match critical_level {
        None => OnFailure::StopJobs,
        Some(value) => match integer("`critical_level`", value)? {
            1 => OnFailure::Shutdown,
            2 => OnFailure::StopJobs,
            other => return Err(format!("`critical_level` is {other}, expected 1 or 2")),
        },
    };
    let is_server = participant.kind == Kind::Server;
    let ours = if is_server { SERVER } else { name };
    Ok(Imported {
        name: Name::new(ours).map_err(|error| error.to_string())?,
        original: name.to_owned(),
        is_server,
        profile: machine.profile(),
        devices: !devices.is_empty(),
        organisation: None,
        on_failure,
        verify_frequency: frequency,
    })
}

fn scheme(id: &str, authorizer: &Authorizer, profile: FederationProfile) -> Result<Scheme, Problem> {
    let scheme = Scheme::of(&authorizer.path)
        .ok_or_else(|| format!("authorizer {id}: unknown path {:?}", authorizer.path))?;
    if scheme == Scheme::Mock && profile == FederationProfile::Production {
        return Err(format!(
            "authorizer {id} is NVFlare's MockAuthorizer, which proves nothing; it can be imported as emulated \
             hardware with --profile development"
        ));
    }
    Ok(scheme)
}

/// An integer of at least 1: NVFlare refuses to start with anything else, or worse, compares it.
fn integer(key: &str, value: &Value) -> Result<u64, Problem> {
    value
        .as_u64()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{key} is {value}, an integer from 1 is needed"))
}

/// What was meant for a participant and what it got are the same.
fn compare(
    imported: Imported,
    participant: &Participant,
    organisation: Option<&String>,
    site: Option<&Site>,
) -> Result<Imported, Problem> {
    let Some(site) = site else { return Ok(imported) };
    let at = |problem: String| format!("{}: {problem}", site.file);
    let meant: BTreeMap<&String, &Value> =
        site.issuers.iter().map(|issuer| (&issuer.id, &issuer.token_expiration)).collect();
    let got: BTreeMap<&String, &Value> = participant
        .manager
        .cc_issuers_conf
        .iter()
        .map(|issuer| (&issuer.issuer_id, &issuer.token_expiration))
        .collect();
    if meant != got || meant.len() != site.issuers.len() {
        return Err(at("`cc_issuers` are not the issuers of the CCManager".to_owned()));
    }
    let frequency = site.check_frequency.as_ref().map(|value| integer("`check_frequency`", value));
    let frequency = frequency.transpose().map_err(at)?.unwrap_or(DEFAULT_FREQUENCY);
    if frequency != imported.verify_frequency {
        let got = imported.verify_frequency;
        return Err(at(format!("`check_frequency` is {frequency}, the CCManager's verify_frequency {got}")));
    }
    let kinds = || {
        participant
            .manager
            .cc_issuers_conf
            .iter()
            .filter_map(|issuer| Scheme::of(&participant.authorizers.get(&issuer.issuer_id)?.path))
    };
    let attested = kinds().find_map(Scheme::mechanism);
    if let (Some(meant), Some(attested)) = (site.cpu.as_deref(), attested)
        && meant != attested
    {
        return Err(at(format!("`cc_cpu_mechanism` is {meant}, its issuer attests {attested}")));
    }
    if (site.compute_env == "mock") != kinds().any(|kind| kind == Scheme::Mock) {
        return Err(at(format!("`compute_env` is {}, which its issuers are not for", site.compute_env)));
    }
    if site.gpu.is_some() != imported.devices {
        return Err(at("`cc_gpu_mechanism` and a GPU authorizer go together".to_owned()));
    }
    if site.failure_action.as_deref().is_some_and(|action| action != "stop_job") {
        return Err(at(format!("`failure_action` is {:?}, only stop_job is known", site.failure_action)));
    }
    Ok(Imported { organisation: organisation.cloned(), ..imported })
}

/// Everybody can verify what anybody shows.
fn verifiable(found: &BTreeMap<String, Participant>) -> Result<(), Problem> {
    let issuers = found.iter().flat_map(|(name, one)| {
        one.manager.cc_issuers_conf.iter().map(move |issuer| (name, &issuer.issuer_id))
    });
    for (issuer, id) in issuers {
        if let Some((name, _)) = found.iter().find(|(_, one)| !one.manager.cc_verifier_ids.contains(id)) {
            return Err(format!("{name}: `cc_verifier_ids` lacks {id}, which {issuer} shows"));
        }
    }
    Ok(())
}

/// How long verdicts live so that everybody is verified at least as often as the strictest participant wants.
pub(super) fn verdict_lifetime(import: &Import) -> u64 {
    let strictest =
        import.participants.iter().map(|one| one.verify_frequency).min().unwrap_or(DEFAULT_FREQUENCY);
    strictest.saturating_mul(2).clamp(LIFETIMES.0, LIFETIMES.1)
}
