//! `muster server` and `muster agent`: run a participant from its kit until asked to end.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use fed_agent::{Agent, AgentError};
use fed_node::log::{Line, Sink};
use fed_node::node::{BootError, Node};
use fed_server::{Server, ServerError};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::{Format, Run};
use crate::exit::{Exit, Failure, Result};
use crate::output::{self, BAD, DIM, GOOD, UNSURE};

/// The hidden subcommand under which a process becomes a job's program.
pub(crate) const STARTER: &str = "job-starter";

/// `muster job-starter`.
pub(crate) fn become_job() -> ExitCode {
    fed_node::launch::become_job()
}

fn starter() -> Vec<std::ffi::OsString> {
    vec!["/proc/self/exe".into(), STARTER.into()]
}

/// `muster server`.
pub(crate) fn server(command: &Run) -> Result {
    let sink = sink(command.format);
    runtime()?.block_on(async {
        let node = match start(&command.kit, &sink).await {
            Ok(node) => node,
            Err(error) => return refused(&error),
        };
        let server = match Server::new(node, starter(), Arc::clone(&sink)).await {
            Ok(server) => server,
            Err(ServerError::Boot(error)) => return refused(&error),
            Err(error) => return Err(Failure::new(error)),
        };
        let address = server.address().map_err(Failure::new)?;
        sink(Line::new(now(), "listening").text(address));
        server.run(ended()?).await.map_err(Failure::new)?;
        Ok(Exit::Accepted)
    })
}

/// `muster agent`.
pub(crate) fn agent(command: &Run) -> Result {
    let sink = sink(command.format);
    runtime()?.block_on(async {
        let node = match start(&command.kit, &sink).await {
            Ok(node) => node,
            Err(error) => return refused(&error),
        };
        let agent = match Agent::new(node, starter(), Arc::clone(&sink)) {
            Ok(agent) => agent,
            Err(AgentError::Boot(error)) => return refused(&error),
            Err(error) => return Err(Failure::new(error)),
        };
        match agent.run(ended()?).await {
            Ok(()) => Ok(Exit::Accepted),
            Err(error @ AgentError::Attestation(_)) => {
                Failure::new(error).print();
                Ok(Exit::Rejected)
            }
            Err(error) => Err(Failure::new(error)),
        }
    })
}

/// Every step of a participant's start may refuse; then it does not run.
async fn start(kit: &Path, sink: &Sink) -> std::result::Result<Node, BootError> {
    let node = Node::start(kit, &crate::plugin::worker()).await?;
    for test in &node.self_tests {
        let text = format!(
            "{} shown by {} {}; its own policy says: {}",
            test.profile, test.plugin.name, test.plugin.version, test.appraisal.status
        );
        sink(Line::new(now(), "self-test").name(&node.kit.config.name).text(text));
    }
    sink(Line::new(now(), "started").name(&node.kit.config.name).text(node.kit.dir.display()));
    Ok(node)
}

/// Attestation and plugins have exit codes of their own; everything else is configuration.
fn refused(error: &BootError) -> Result {
    let exit = match error {
        BootError::Plugins(_) | BootError::PluginConfig(_) => Exit::Plugin,
        BootError::Attestation(refused) => refused.finding().code.class().into(),
        BootError::Refused(finding) => finding.code.class().into(),
        _ => return Err(Failure::new(error)),
    };
    Failure::new(error).print();
    Ok(exit)
}

fn runtime() -> std::result::Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::new)
}

/// Cancelled by SIGTERM and SIGINT.
fn ended() -> std::result::Result<CancellationToken, Failure> {
    let token = CancellationToken::new();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).map_err(Failure::new)?;
        let token = token.clone();
        tokio::spawn(async move {
            signals.recv().await;
            token.cancel();
        });
    }
    Ok(token)
}

fn now() -> cc_core::UnixTime {
    cc_manager::clock::now().unwrap_or(cc_core::UnixTime::from_secs(0))
}

fn sink(format: Format) -> Sink {
    match format {
        Format::Json => Arc::new(|line: Line| {
            if let Ok(text) = serde_json::to_string(&line) {
                let _ = output::raw(format!("{text}\n").as_bytes());
            }
        }),
        Format::Human => Arc::new(|line: Line| {
            let _ = output::text(&human(&line));
        }),
    }
}

/// One line: when, what, about whom, the code, the reason.
fn human(line: &Line) -> String {
    let state = line.state.as_deref().unwrap_or_default();
    let bad = line.code.is_some() || matches!(state, "refused" | "failed" | "abnormal");
    let colour = match (bad, line.event) {
        (true, "abstained" | "unreachable" | "disconnected") => UNSURE,
        (true, _) => BAD,
        (false, "registered" | "admitted") => GOOD,
        (false, _) if matches!(state, "accepted" | "trusted" | "RUNNING" | "FINISHED:COMPLETED") => GOOD,
        _ => anstyle::Style::new(),
    };
    let time = line.at.get(11..19).unwrap_or(&line.at);
    let mut text = format!("{DIM}{time}{DIM:#} {colour}{:<13}{colour:#}", line.event);
    let short = |id: &String| id.chars().take(8).collect::<String>();
    let parts = [
        line.job.clone().or_else(|| line.job_id.as_ref().map(short)),
        line.verifier.as_ref().map(|verifier| format!("{verifier} about")),
        line.name.clone(),
        line.state.clone(),
        line.purpose.clone(),
        line.code.clone().map(|code| format!("{colour}{code}{colour:#}")),
    ];
    for part in parts.into_iter().flatten() {
        text.push(' ');
        text.push_str(&part);
    }
    if let Some(detail) = &line.text {
        text.push_str(&format!(" {DIM}{}{DIM:#}", output::visible(detail)));
    }
    text.push('\n');
    text
}
