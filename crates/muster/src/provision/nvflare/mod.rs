//! `muster provision --import-nvflare`: from what NVFlare provisioned to a `federation.toml` that the owner completes.
//!
//! NVFlare's files say who takes part, what each attests with and how often; they have no place for policies, plugins
//! and validity, which are left open and not guessed. Private keys and certificates of NVFlare are not taken over.

mod authorizer;
mod check;
mod project;
mod read;
mod write;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use fed_proto::name::Name;
use serde::Serialize;

use super::disk;
use crate::cli::{FederationProfile, Format};
use crate::exit::{Exit, Failure, Result};
use crate::output;
use check::Imported;
use read::{Kind, Problem};

const FILE: &str = "federation.toml";

/// A provisioning that can be imported.
#[derive(Debug)]
struct Import {
    federation: String,
    profile: FederationProfile,
    /// `host:port` of the server.
    target: String,
    participants: Vec<Imported>,
    admins: Vec<Admin>,
}

/// An administrator.
#[derive(Debug)]
struct Admin {
    name: Name,
    /// The name in NVFlare, usually an address of electronic mail.
    original: String,
}

/// `muster.provision.import/1`.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    file: String,
    created: bool,
    participants: Vec<ParticipantReport<'a>>,
    admins: Vec<&'a str>,
    /// The keys that the owner has to write.
    to_complete: Vec<String>,
}

#[derive(Serialize)]
struct ParticipantReport<'a> {
    name: &'a str,
    nvflare: &'a str,
    role: &'static str,
    profile: &'static str,
    verify_frequency_s: u64,
}

/// Imports `folder` and writes `federation.toml` to `out`.
pub(super) fn run(folder: &Path, out: &Path, profile: FederationProfile, format: Format) -> Result {
    let import =
        load(folder, profile).map_err(|problem| Failure::new(format!("{}: {problem}", folder.display())))?;
    let text = write::federation(&import);
    let file = out.join(FILE);
    let is_new = !disk::exists(&file).map_err(Failure::new)?;
    if is_new {
        disk::prepare(out).and_then(|()| disk::replace(&file, text.as_bytes())).map_err(Failure::new)?;
    } else if disk::read_text(&file, text.len()).ok().as_ref() != Some(&text) {
        let failure = Failure::new(format!("{} is there and is another one", file.display()));
        return Err(failure.hint("move it away, or import to another folder"));
    }
    let report = report(&import, &file, is_new);
    match format {
        Format::Json => output::json(&report)?,
        Format::Human => output::text(&human(&report))?,
    }
    Ok(Exit::Accepted)
}

fn load(folder: &Path, profile: FederationProfile) -> std::result::Result<Import, Problem> {
    let project = project::load(folder)?;
    let mut found = BTreeMap::new();
    let mut originals = Vec::new();
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let at = |problem| format!("{name}: {problem}");
        match read::kind(&path).map_err(at)? {
            None => {}
            Some(Kind::Admin) => originals.push(name),
            Some(kind) => {
                let participant = read::participant(&path, kind).map_err(at)?;
                found.insert(name, participant);
            }
        }
    }
    if let Some(project) = &project {
        let admins = project.members.iter().filter(|(_, member)| member.kind == Kind::Admin);
        originals.extend(admins.map(|(name, _)| name.clone()));
    }
    originals.sort_unstable();
    originals.dedup();
    let participants = check::participants(&found, project.as_ref(), profile)?;
    // There is a server, or the check would have failed.
    let server = found.into_values().find(|one| one.kind == Kind::Server).ok_or("no server")?;
    Ok(Import {
        federation: server.federation,
        profile,
        target: server.target,
        admins: admins(originals, &participants)?,
        participants,
    })
}

/// Administrators under names that are names here: `@` cannot stand in one.
fn admins(originals: Vec<String>, participants: &[Imported]) -> std::result::Result<Vec<Admin>, Problem> {
    let mut admins: Vec<Admin> = Vec::new();
    for original in originals {
        let name = Name::new(&original.to_ascii_lowercase().replace('@', "-at-"))
            .map_err(|error| format!("administrator {original:?}: {error}"))?;
        let taken = admins.iter().map(|admin| &admin.name).chain(participants.iter().map(|one| &one.name));
        if taken.into_iter().any(|taken| *taken == name) {
            return Err(format!("administrator {original:?}: {name} is taken"));
        }
        admins.push(Admin { name, original });
    }
    Ok(admins)
}

fn report<'a>(import: &'a Import, file: &Path, created: bool) -> Report<'a> {
    let participants = import.participants.iter().map(|one| ParticipantReport {
        name: one.name.as_str(),
        nvflare: &one.original,
        role: if one.is_server { "server" } else { "client" },
        profile: one.profile,
        verify_frequency_s: one.verify_frequency,
    });
    Report {
        schema: "muster.provision.import/1",
        file: file.display().to_string(),
        created,
        participants: participants.collect(),
        admins: import.admins.iter().map(|admin| admin.name.as_str()).collect(),
        to_complete: write::missing(import),
    }
}

fn human(report: &Report<'_>) -> String {
    use std::fmt::Write as _;
    let (good, bold) = (output::GOOD, output::HEADING);
    let mut text = format!("{good}IMPORTED{good:#} {}\n\n", output::visible(&report.file));
    let width = report.participants.iter().map(|one| one.name.len()).max().unwrap_or(0).max("name".len());
    let _ = writeln!(text, "{bold}{:width$}  {:6}  {:12}  every{bold:#}", "name", "role", "evidence");
    for one in &report.participants {
        let every = one.verify_frequency_s;
        let _ = writeln!(text, "{:width$}  {:6}  {:12}  {every} s", one.name, one.role, one.profile);
    }
    let _ = writeln!(text, "\nTo complete before `muster provision {}`:", output::visible(&report.file));
    for key in &report.to_complete {
        let _ = writeln!(text, "  {key}");
    }
    text
}

#[cfg(test)]
mod tests;
