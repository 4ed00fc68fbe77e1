//! `demo`: a federation of one server and four sites in processes of their own, and what it decides.
//!
//! Everything is real but the processors: kits, mutual TLS, policies, verification, jobs. The guests are emulated: they
//! sign byte-exact SNP reports under synthetic roots, which only a development federation accepts.

mod evidence;
mod federation;
mod processes;
mod scenes;
mod story;

pub(crate) use evidence::demo as evidence;

use std::time::Instant;

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
    let plugins = build_emulated(false)?;
    run(cargo().args(["build", "--package", "muster", "--package", "impostor"]))?;
    let binaries = target_dir()?.join("debug");
    let begun = Instant::now();
    let folder = target_dir()?.join("demo");
    let federation = federation::provision(&binaries, &plugins, &folder)?;
    let summary = scenes::play(&federation)?;
    story::end(&summary, begun.elapsed());
    if format == Format::Json {
        anstream::println!("{summary}");
    }
    Ok(())
}
