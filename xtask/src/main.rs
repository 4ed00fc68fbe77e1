//! Project automation. Depends on none of the project's own crates: it builds and runs them.

mod bench;
mod build_plugins;
mod demo;
mod docs;
mod fuzz;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Project automation of Muster.
///
/// Start with `cargo xtask demo`, then `cargo xtask test`.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring up a federation of a server and four emulated sites, and show what it decides and why.
    Demo {
        /// Instead: verify real SEV-SNP reports through a plugin loaded at run time.
        #[arg(long)]
        evidence: bool,
        /// `json` prints one object at the end, on the last line of standard output.
        #[arg(long, default_value = "human")]
        format: demo::Format,
    },
    /// Run everything: tests, doctests, tidy, and the real-evidence corpus where it is.
    Test {
        /// Passed on to the test runner, for example a test name.
        filter: Vec<String>,
    },
    /// Build the plugins and write their `plugins.toml` with digests.
    BuildPlugins {
        /// With optimisations.
        #[arg(long)]
        release: bool,
        /// Also build the plugins of emulated hardware, into a folder of their own: for laptops and demonstrations.
        #[arg(long)]
        with_emulated: bool,
    },
    /// Check the project's own rules: dependency arrows, error codes, constructors, documents.
    Tidy,
    /// Run each fuzz target for a few seconds (needs a nightly compiler and cargo-fuzz).
    FuzzSmoke {
        /// Seconds for each target.
        #[arg(long, default_value_t = 10)]
        seconds: u32,
    },
    /// Measure verification against a bare signature verification of the same run.
    Bench {
        /// Only benchmarks whose name contains this.
        filter: Option<String>,
        /// `human` prints a table, `json` one object for each line.
        #[arg(long, default_value = "human")]
        format: bench::Format,
    },
    /// Write the generated parts of the documentation anew.
    GenDocs,
    /// Write the snapshot of the ABI's layout anew; see docs/ABI.md before you do.
    AbiSnapshot,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Demo { evidence: true, .. } => demo::evidence(),
        Command::Demo { evidence: false, format } => demo::demo(format),
        Command::Test { filter } => test::test(&filter),
        Command::BuildPlugins { release, with_emulated } => build_all(release, with_emulated),
        Command::Tidy => tidy::tidy(),
        Command::FuzzSmoke { seconds } => fuzz::fuzz_smoke(seconds),
        Command::Bench { filter, format } => bench::bench(filter.as_deref(), format),
        Command::GenDocs => docs::gen_docs(),
        Command::AbiSnapshot => docs::abi_snapshot(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            anstream::eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build_all(release: bool, with_emulated: bool) -> run::Result<()> {
    build_plugins::build_plugins(release)?;
    if with_emulated {
        build_plugins::build_emulated(release)?;
    }
    Ok(())
}
