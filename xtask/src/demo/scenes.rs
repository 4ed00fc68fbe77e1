//! The scenes, in order, and the summary.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::federation::{Federation, GROUP, SITES, TOKEN};
use super::processes::{Event, Processes};
use super::story;
use crate::run::{Result, read, write};

const SOON: Duration = Duration::from_secs(40);

/// A job file: sites, demands, and how long its program takes.
fn job(name: &str, sites: &[&str], demands: &str, command: &str) -> String {
    let sites: Vec<String> = sites.iter().map(|site| format!("\"{site}\"")).collect();
    format!(
        "version = 1\nname = \"{name}\"\n{demands}\n[deploy]\nmain = [{}]\n\n[app.main]\ncommand = [\"/bin/sh\", \"-c\", {command:?}]\n",
        sites.join(", ")
    )
}

fn submit(federation: &Federation, name: &str, text: &str) -> Result<String> {
    let path = federation.folder.join(format!("{name}.job.toml"));
    write(&path, text)?;
    story::note(&format!("muster job submit {name}.job.toml"));
    let answer = federation.admin(&["job", "submit", &path.to_string_lossy()])?;
    let id =
        answer.get("id").and_then(Value::as_str).ok_or_else(|| format!("{name} was not taken: {answer}"))?;
    Ok(id.to_owned())
}

fn reached(said: &[Event], job: &str, states: &[&str]) -> bool {
    said.iter().any(|event| {
        event.is("server", "job") && event.text("job") == job && states.contains(&event.text("state"))
    })
}

fn ended(said: &[Event], job: &str) -> bool {
    said.iter().any(|event| {
        event.is("server", "job") && event.text("job") == job && event.text("state").starts_with("FINISHED:")
    })
}

/// Plays everything; the returned object is the summary.
pub(super) fn play(federation: &Federation) -> Result<Value> {
    let mut all = Processes::new();
    let log = |name: &str| federation.folder.join(format!("logs/{name}.log"));
    story::scene("1. One server, six sites: each attests, each is registered");
    let start = |all: &mut Processes, what: &str, name: &str| -> Result<()> {
        let mut command = Command::new(&federation.muster);
        command.arg(what).arg("--kit").arg(federation.kit(name)).args(["--format", "json"]);
        all.start(name, &mut command, &log(name))
    };
    start(&mut all, "server", "server")?;
    all.until("the server listens", SOON, |said| said.iter().any(|event| event.is("server", "listening")))?;
    let sites = SITES.get(..SITES.len().saturating_sub(1)).unwrap_or_default();
    for site in sites {
        start(&mut all, "agent", site)?;
    }
    let registered = |said: &[Event]| {
        let names: BTreeSet<&str> = said
            .iter()
            .filter(|event| event.is("server", "site") && event.text("state") == "connected")
            .map(|event| event.text("name"))
            .collect();
        names.len()
    };
    all.until("all sites are registered", SOON, |said| registered(said) == sites.len())?;

    story::scene(
        "2. Four jobs: one runs, one is declined by a site, one cannot meet its minimum, one is long",
    );
    let finish = federation.folder.join("finish");
    let wait = format!("while [ ! -e {} ]; do sleep 0.1; done", finish.display());
    let mut ids: BTreeMap<&str, String> = BTreeMap::new();
    let three = &["site-1", "site-2", "site-3"];
    for (name, sites, demands, command) in [
        ("runs", &["site-2", "site-3", GROUP, TOKEN][..], "min_sites = 4", wait.as_str()),
        ("declined", &three[..], "min_sites = 2", "true"),
        ("too-few", &three[..], "min_sites = 3", "true"),
        ("long", &["site-3", "site-4"][..], "min_sites = 2", "sleep 600"),
    ] {
        ids.insert(name, submit(federation, name, &job(name, sites, demands, command))?);
    }
    all.until("the jobs reach their states", Duration::from_secs(60), |said| {
        reached(said, "runs", &["RUNNING"])
            && ended(said, "declined")
            && reached(said, "long", &["RUNNING"])
            && ended(said, "too-few")
    })?;

    story::scene("3. An impostor with the stolen kit of site-5 relays the token of site-2");
    let mut impostor = Command::new(&federation.impostor);
    impostor.arg("--kit").arg(federation.kit("site-5")).args(["--victim", "site-2"]);
    impostor.arg("--transcripts").arg(federation.kit("site-3").join("data/transcripts"));
    all.start("impostor", &mut impostor, &log("impostor"))?;
    all.until("the impostor is refused", SOON, |said| {
        said.iter().any(|event| event.is("server", "refused") && event.text("name") == "site-5")
    })?;

    story::scene(
        "4. Firmware of site-4 falls below the owner's new minimum: its long job stops, the other goes on",
    );
    let init: BTreeMap<String, String> =
        serde_json::from_str(&read(&federation.folder.join("init_data.json"))?)
            .map_err(|error| error.to_string())?;
    federation.machine("site-4", init.get("site-4").map_or("", String::as_str), 82)?;
    federation.provision(83)?;
    let bundle = federation.folder.join("kits/owner/bundle.cbor");
    story::note("muster provision federation.toml --out kits/; muster bundle publish kits/owner/bundle.cbor");
    federation.admin(&["bundle", "publish", &bundle.to_string_lossy()])?;
    all.until("the long job stops", SOON, |said| ended(said, "long"))?;
    all.until("both sites stop their part", SOON, |said| {
        said.iter()
            .filter(|event| event.text("event") == "stopped")
            .map(|event| &event.who)
            .collect::<BTreeSet<_>>()
            .len()
            >= 2
    })?;
    write(&finish, "")?;
    all.until("the other job completes", SOON, |said| ended(said, "runs"))?;
    summary(federation, &all.said, &ids)
}

fn summary(federation: &Federation, said: &[Event], ids: &BTreeMap<&str, String>) -> Result<Value> {
    let reporters: Vec<&String> =
        said.iter().filter(|event| event.text("event") == "report").map(|event| &event.who).collect();
    let reports = reporters.len();
    let participants = reporters.into_iter().collect::<BTreeSet<_>>().len();
    let mut jobs = Vec::new();
    for name in ["runs", "declined", "too-few", "long"] {
        let id = ids.get(name).map_or("", String::as_str);
        let shown = federation.admin(&["job", "show", id])?;
        let declined: BTreeSet<(String, String, String)> = said
            .iter()
            .filter(|event| event.is("server", "declined") && event.text("job_id") == id)
            .map(|event| {
                (
                    event.text("verifier").to_owned(),
                    event.text("name").to_owned(),
                    event.text("code").to_owned(),
                )
            })
            .collect();
        let declined: Vec<Value> = declined
            .into_iter()
            .map(|(site, subject, code)| json!({ "site": site, "subject": subject, "code": code }))
            .collect();
        jobs.push(json!({
            "name": name,
            "status": shown.get("status"),
            "sites": shown.get("sites"),
            "declined": declined,
            "attempts": shown.get("attempts"),
        }));
    }
    let refused: Vec<Value> = said
        .iter()
        .filter(|event| event.is("server", "refused"))
        .map(|event| json!({ "name": event.text("name"), "code": event.text("code") }))
        .collect();
    let revoked: Vec<Value> = said
        .iter()
        .filter(|event| event.is("server", "standing") && event.text("state") == "suspended")
        .map(|event| {
            let stopped: Vec<&str> = said
                .iter()
                .filter(|other| other.is("server", "revoked") && other.text("code") == event.text("code"))
                .map(|other| other.text("job"))
                .collect();
            json!({ "site": event.text("name"), "code": event.text("code"), "jobs_stopped": stopped })
        })
        .collect();
    Ok(json!({
        "participants": participants,
        "hardware_reports": reports,
        "jobs": jobs,
        "refused": refused,
        "revoked": revoked,
    }))
}
