//! The measurements of `docs/PERFORMANCE.md`: `cargo xtask bench`.
//!
//! Every figure is a ratio to a bare signature verification with aws-lc-rs over the same number of bytes, measured
//! in the same run: all benchmarks take turns in slices of a few milliseconds of CPU time, and the ratio is the
//! median over the rounds of (this slice / the bare slice of the same round). So a busy neighbour slows both sides
//! alike. A general harness, which measures one thing after the other, cannot do that.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "measuring code: small numbers, and failing is fine"
)]

mod azure;
mod gpu;
mod harness;
mod nvidia;
#[path = "../../../../crates/cc-verifier/tests/common/oracle.rs"]
mod oracle;
mod snp;
mod tdx;

use std::path::PathBuf;

use clap::Parser;

use harness::Bench;

#[derive(Parser)]
struct Arguments {
    /// Folder of the plugins, built with optimisations.
    #[arg(long)]
    plugins: PathBuf,
    /// A Python that has NVIDIA's package; without it that is left out.
    #[arg(long)]
    nvidia_python: Option<PathBuf>,
    /// Rounds in which everything takes its turn.
    #[arg(long, default_value_t = 41)]
    rounds: usize,
    /// Only benchmarks whose name contains this.
    filter: Option<String>,
    /// Given by cargo; has no meaning here.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Prints one JSON object for each line; `cargo xtask bench` makes a table of them.
fn main() {
    let arguments = Arguments::parse();
    let mut benches = snp::benches(&arguments.plugins);
    benches.extend(tdx::benches(&arguments.plugins));
    benches.extend(azure::benches(&arguments.plugins));
    benches.extend(gpu::benches(&arguments.plugins));
    benches.extend(arguments.nvidia_python.iter().flat_map(|python| nvidia::benches(python)));
    if let Some(filter) = &arguments.filter {
        keep(&mut benches, filter);
    }
    for result in harness::measure(&mut benches, arguments.rounds) {
        result.print();
    }
}

/// Keeps those that are asked for, and what they are compared with.
fn keep(benches: &mut Vec<Bench>, filter: &str) {
    let is_asked_for = |bench: &&Bench| bench.name.contains(filter);
    let mut names: Vec<_> = benches.iter().filter(is_asked_for).map(|bench| bench.name).collect();
    let mut at = 0;
    while let Some(name) = names.get(at) {
        let compared = benches.iter().filter(|bench| bench.name == *name).map(|bench| bench.bare);
        names.extend(compared.filter(|bare| !names.contains(bare)).collect::<Vec<_>>());
        at += 1;
    }
    benches.retain(|bench| names.contains(&bench.name));
}
