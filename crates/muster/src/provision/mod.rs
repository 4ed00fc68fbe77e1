//! `muster provision`: from the owner's `federation.toml` to a kit for every participant and administrator.
//!
//! Everything is checked before anything is written, and any error stops everything. A second run changes nothing of what
//! is there but the signed bundle, and that only if the owner changed what it says; new names get new kits.

mod disk;
mod federation;
mod keys;
mod kit;
mod manifest;
mod nvflare;
mod owner;
mod plan;
mod report;
mod steps;
mod text;

use std::path::Path;

use crate::cli::{self, Format};
use crate::exit::{Exit, Failure, Result};
use crate::output;

type Fallible<T> = std::result::Result<T, Failure>;

/// A `federation.toml` with every key; also in `--help` and in `docs/OPERATIONS.md`.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// `provision`.
pub(crate) fn run(command: &cli::Provision) -> Result {
    match (&command.file, &command.import_nvflare) {
        (Some(file), None) => provision(file, &command.out, command.format),
        (None, Some(folder)) => nvflare::run(folder, &command.out, command.profile, command.format),
        // clap admits no other combination.
        _ => Err(Failure::new("either FILE or --import-nvflare is needed")),
    }
}

fn provision(file: &Path, out: &Path, format: Format) -> Result {
    let federation = federation::read(file)?;
    let plan = plan::make(file, &federation)?;
    let now = cc_manager::clock::now().map_err(Failure::new)?;
    let report = steps::decide(&plan, out, now)?.apply()?;
    match format {
        Format::Json => output::json(&report)?,
        Format::Human => output::text(&report.human())?,
    }
    Ok(Exit::Accepted)
}
