//! `muster status`, `muster job` and `muster bundle`: an administrator's requests to the server.

use std::path::Path;

use bytes::Bytes;
use fed_node::kit::Kit;
use fed_node::rpc::{self, ConnectError};
use fed_server::api::{JobDetail, JobSummary, Request, Response, Status};
use serde::Serialize;

use crate::cli::{self, Administrator, Format};
use crate::exit::{Exit, Failure, Result};
use crate::output::{self, BAD, DIM, GOOD, HEADING, UNSURE, visible};

/// Longest job file or bundle that is read, in bytes.
const MAX_FILE: u64 = 1024 * 1024;

#[derive(Serialize)]
struct Reply<'a> {
    schema: &'static str,
    #[serde(flatten)]
    response: &'a Response,
}

/// `muster status`.
pub(crate) fn status(command: &Administrator) -> Result {
    let response = ask(&command.kit, &Request::Status)?;
    answer(command.format, "muster.status/1", &response)
}

/// `muster bundle publish`.
pub(crate) fn publish(kit: &Administrator, file: &Path) -> Result {
    let bytes = read(file)?;
    let response = ask(&kit.kit, &Request::BundlePublish { bundle: hex::encode(bytes) })?;
    answer(kit.format, "muster.bundle.publish/1", &response)
}

/// `muster job`.
pub(crate) fn job(command: cli::Job) -> Result {
    match command {
        cli::Job::Submit { file, admin } => {
            let text = String::from_utf8(read(&file)?)
                .map_err(|_| Failure::new(format!("{}: not UTF-8", file.display())))?;
            // A mistake in the file is said here, with its place, before anything travels.
            fed_proto::job::JobFile::parse(&text)
                .map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
            let response = ask(&admin.kit, &Request::JobSubmit { file: text })?;
            answer(admin.format, "muster.job.submit/1", &response)
        }
        cli::Job::List { admin } => {
            let response = ask(&admin.kit, &Request::JobList)?;
            answer(admin.format, "muster.job.list/1", &response)
        }
        cli::Job::Show { job, admin } => {
            let response = ask(&admin.kit, &Request::JobShow { job })?;
            answer(admin.format, "muster.job.show/1", &response)
        }
        cli::Job::Abort { job, reason, admin } => {
            let response = ask(&admin.kit, &Request::JobAbort { job, reason })?;
            answer(admin.format, "muster.job.abort/1", &response)
        }
        cli::Job::Watch { job, admin } => watch(&job, &admin),
    }
}

/// Shows each new state of a job until it has ended.
fn watch(job: &str, admin: &Administrator) -> Result {
    let mut shown = None;
    loop {
        let response = ask(&admin.kit, &Request::JobShow { job: job.to_owned() })?;
        let Response::Job(detail) = &response else {
            return answer(admin.format, "muster.job.watch/1", &response);
        };
        let state = (detail.summary.status.clone(), detail.summary.attempts);
        let over = state.0.starts_with("FINISHED:");
        if shown.as_ref() != Some(&state) && !over && admin.format == Format::Human {
            let last = detail.history.last().cloned().unwrap_or_default();
            output::text(&format!("{} {} {DIM}{}{DIM:#}\n", detail.summary.name, state.0, visible(&last)))?;
        }
        shown = Some(state);
        if over {
            let completed = detail.summary.status == "FINISHED:COMPLETED";
            answer(admin.format, "muster.job.watch/1", &response)?;
            return Ok(if completed { Exit::Accepted } else { Exit::Rejected });
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

fn read(file: &Path) -> std::result::Result<Vec<u8>, Failure> {
    let fail = |error: std::io::Error| Failure::new(format!("{}: {error}", file.display()));
    let length = std::fs::metadata(file).map_err(fail)?.len();
    if length > MAX_FILE {
        return Err(Failure::new(format!("{}: {length} bytes, at most {MAX_FILE} are read", file.display())));
    }
    std::fs::read(file).map_err(fail)
}

fn ask(kit: &Path, request: &Request) -> std::result::Result<Response, Failure> {
    let kit = Kit::load(kit).map_err(Failure::new)?;
    let tls = kit.client_tls().map_err(Failure::new)?;
    let bytes = serde_json::to_vec(request).map_err(Failure::new)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::new)?;
    let called = runtime.block_on(rpc::admin_call(&tls, &kit.config.server, Bytes::from(bytes)));
    let bytes = called.map_err(|error| match &error {
        ConnectError::Unreachable { .. } => Failure::new(&error)
            .hint("is the server running, and is `server` in the kit's muster.toml its address?"),
        ConnectError::Refused { .. } => {
            Failure::new(&error).hint("requests need the kit of an administrator")
        }
        _ => Failure::new(&error),
    })?;
    serde_json::from_slice(&bytes).map_err(|error| Failure::new(format!("the server's answer: {error}")))
}

fn answer(format: Format, schema: &'static str, response: &Response) -> Result {
    let refused = matches!(response, Response::Refused { .. });
    match format {
        Format::Json => output::json(&Reply { schema, response })?,
        Format::Human => output::text(&human(response))?,
    }
    Ok(if refused { Exit::Rejected } else { Exit::Accepted })
}

fn human(response: &Response) -> String {
    match response {
        Response::Status(status) => sites(status),
        Response::Submitted { id, name } => format!("{GOOD}submitted{GOOD:#} {name} {id}\n"),
        Response::Jobs { jobs } if jobs.is_empty() => "no jobs\n".to_owned(),
        Response::Jobs { jobs } => {
            let head = format!(
                "{HEADING}{:<10}{:<20}{:<28}{:>8}  SITES{HEADING:#}\n",
                "ID", "NAME", "STATUS", "ATTEMPTS"
            );
            jobs.iter().fold(head, |text, job| text + &row(job))
        }
        Response::Job(job) => detail(job),
        Response::Aborted { id } => format!("aborted {id}\n"),
        Response::Published { version } => format!("bundle version {version} is in force\n"),
        Response::Refused { code, text } => {
            let code = code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
            format!("{BAD}refused{BAD:#}{code}: {}\n", visible(text))
        }
    }
}

fn sites(status: &Status) -> String {
    let mut text = format!(
        "{HEADING}federation{HEADING:#} {} ({}), bundle version {}, server {}\n",
        status.federation_id, status.profile, status.bundle_version, status.server
    );
    if status.profile == "development" {
        text.push_str(&format!(
            "{UNSURE}development: emulated hardware may take part, verdicts prove nothing{UNSURE:#}\n"
        ));
    }
    text.push_str(&format!(
        "{HEADING}{:<24}{:<14}{:<12}{:>10}  WHY{HEADING:#}\n",
        "SITE", "CONNECTION", "STANDING", "EXPIRES"
    ));
    for site in &status.sites {
        let colour = if site.standing == "trusted" { GOOD } else { BAD };
        let connection = if site.connected { "connected" } else { "gone" };
        let why = match (&site.code, &site.reason) {
            (Some(code), Some(reason)) => format!("{code}: {}", visible(reason)),
            _ => String::new(),
        };
        text.push_str(&format!(
            "{:<24}{connection:<14}{colour}{:<12}{colour:#}{:>9}s  {why}\n",
            site.name, site.standing, site.expires_in_s
        ));
    }
    text
}

fn row(job: &JobSummary) -> String {
    let id: String = job.id.chars().take(8).collect();
    let colour = colour(&job.status);
    format!(
        "{id:<10}{:<20}{colour}{:<28}{colour:#}{:>8}  {}\n",
        job.name,
        job.status,
        job.attempts,
        job.sites.join(", ")
    )
}

fn colour(status: &str) -> anstyle::Style {
    match status {
        "FINISHED:COMPLETED" | "RUNNING" => GOOD,
        "SUBMITTED" | "DISPATCHED" => UNSURE,
        _ => BAD,
    }
}

fn detail(job: &JobDetail) -> String {
    let colour = colour(&job.summary.status);
    let mut text = format!(
        "{HEADING}{}{HEADING:#} {}\nstatus     {colour}{}{colour:#}\nsubmitted  {}\nattempts   {}\n",
        job.summary.name, job.summary.id, job.summary.status, job.summary.submitted, job.summary.attempts
    );
    if let Some(reason) = &job.reason {
        text.push_str(&format!("reason     {}\n", visible(reason)));
    }
    for process in &job.processes {
        text.push_str(&format!("process    {:<20} {}\n", process.name, process.state));
    }
    for line in &job.history {
        text.push_str(&format!("history    {}\n", visible(line)));
    }
    if !job.verdicts.is_empty() {
        text.push_str(&format!("{HEADING}verdicts{HEADING:#} of the latest round\n"));
    }
    for verdict in &job.verdicts {
        let word = match &verdict.code {
            None => format!("{GOOD}accepted{GOOD:#}"),
            Some(code) => format!("{BAD}{code}{BAD:#} {}", visible(&verdict.detail)),
        };
        let line = if verdict.policy_line.is_empty() {
            String::new()
        } else {
            format!(" [{}]", verdict.policy_line)
        };
        text.push_str(&format!("  {:<20} about {:<20} {word}{line}\n", verdict.verifier, verdict.subject));
    }
    text
}
