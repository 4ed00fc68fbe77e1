//! `demo`: a federation of one server and six sites in processes of their own, and what it decides.
//!
//! Everything is real but the processors: kits, mutual TLS, policies, verification, jobs. The guests are emulated: they
//! sign byte-exact SNP reports, TDX quotes, GPU reports and container groups' evidence under synthetic roots, which only a development
//! federation accepts; the services around one group are emulated, too, and asked over loopback.

mod cloud;
mod evidence;
mod federation;
mod processes;
mod scenes;
mod story;

pub(crate) use evidence::demo as evidence;

use std::time::Instant;

use serde_json::{Value, json};

use crate::build_plugins::build_emulated;
use crate::run::{Result, cargo, run, target_dir};

/// How the demo reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// What happens, as it happens.
    Human,
    /// The same on standard error, and one JSON object at the end.
    Json,
}

/// Brings the federation up and plays the scenes.
pub(crate) fn demo(format: Format) -> Result<()> {
    let summary = play()?;
    if format == Format::Json {
        anstream::println!("{summary}");
    }
    Ok(())
}

/// Plays the demo as a test: every job, refusal and revocation must be what the scenes are about.
pub(crate) fn check() -> Result<()> {
    let summary = play()?;
    let expected = [
        ("/participants", json!(7)),
        ("/jobs/0/status", json!("FINISHED:COMPLETED")),
        ("/jobs/0/sites", json!(["cloud-1", "cloud-2", "site-2", "site-3"])),
        ("/jobs/0/declined", json!([])),
        ("/jobs/1/status", json!("FINISHED:COMPLETED")),
        ("/jobs/1/sites", json!(["site-2", "site-3"])),
        (
            "/jobs/1/declined",
            json!([{ "site": "site-1", "subject": "site-2", "code": "snp.measurement.unknown" }]),
        ),
        ("/jobs/2/status", json!("FINISHED:CAN_NOT_SCHEDULE")),
        ("/jobs/2/sites", json!([])),
        ("/jobs/2/attempts", json!(4)),
        ("/jobs/3/status", json!("FINISHED:ABORTED")),
        ("/jobs/3/sites", json!(["site-3", "site-4"])),
        ("/refused", json!([{ "name": "site-5", "code": "bind.name.mismatch" }])),
        (
            "/revoked",
            json!([{ "site": "site-4", "code": "snp.tcb.below_minimum", "jobs_stopped": ["long"] }]),
        ),
    ];
    let wrong: Vec<String> = expected
        .iter()
        .filter(|(place, expected)| summary.pointer(place) != Some(expected))
        .map(|(place, expected)| format!("{place} is {:?}, expected {expected}", summary.pointer(place)))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(format!("the demo ends otherwise:\n  {}", wrong.join("\n  "))) }
}

fn play() -> Result<Value> {
    let plugins = build_emulated(false)?;
    run(cargo().args(["build", "--package", "muster", "--package", "impostor", "--package", "azure"]))?;
    let binaries = target_dir()?.join("debug");
    let begun = Instant::now();
    let folder = target_dir()?.join("demo");
    let federation = federation::provision(&binaries, &plugins, &folder)?;
    let summary = scenes::play(&federation)?;
    story::end(&summary, begun.elapsed());
    Ok(summary)
}
