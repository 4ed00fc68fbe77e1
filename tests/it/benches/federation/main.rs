//! The measurements of whole federations: `cargo xtask bench federation`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "measuring code: small numbers, and failing is fine"
)]

mod bare;
mod clock;
mod machines;
mod print;
mod registrations;
mod rounds;
mod sweep;

use std::path::PathBuf;

use clap::Parser;

use bare::Bare;

#[derive(Parser)]
struct Arguments {
    /// Participants, the server among them, of the federations that are played as a whole.
    #[arg(long, value_delimiter = ',', default_value = "10,100")]
    rounds: Vec<usize>,
    /// Participants of the federations of which one participant's part is measured.
    #[arg(long, value_delimiter = ',', default_value = "1000")]
    sweeps: Vec<usize>,
    /// Sites that register at once.
    #[arg(long, default_value_t = 400)]
    registrations: usize,
    /// The `muster` binary, built with optimisations.
    #[arg(long)]
    muster: PathBuf,
    /// Folder of the plugins of emulated hardware, built with optimisations.
    #[arg(long)]
    emulated: PathBuf,
    /// Only benchmarks whose name contains this.
    filter: Option<String>,
    /// Given by cargo; has no meaning here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Prints one JSON object for each line; `cargo xtask bench` makes a table of them.
fn main() {
    let arguments = Arguments::parse();
    let wanted = |name: &str| arguments.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()));
    if wanted(&format!("registrations.{}", arguments.registrations)) {
        let (muster, emulated) = (&arguments.muster, &arguments.emulated);
        registrations::registrations(arguments.registrations, muster, emulated, &Bare::measure());
    }
    for participants in arguments.rounds.iter().copied().filter(|n| wanted(&format!("round.{n}"))) {
        rounds::round(participants, &Bare::measure());
    }
    for participants in arguments.sweeps.iter().copied().filter(|n| wanted(&format!("sweep.{n}"))) {
        sweep::sweep(participants, &Bare::measure());
    }
}
