//! `bench`: the measurements of `docs/PERFORMANCE.md`.

use clap::ValueEnum;

use crate::build_plugins::build_plugins;
use crate::run::{Result, cargo, run};

/// How results are printed.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Human,
    /// One JSON object for each line.
    Json,
}

/// Builds the plugins with optimisations and runs the benchmarks over them.
pub(crate) fn bench(filter: Option<&str>, format: Format) -> Result<()> {
    let plugins = build_plugins(true)?;
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "muster-it", "--bench", "verify", "--"]);
    command.arg("--plugins").arg(plugins);
    command.args(["--format", match format {
        Format::Human => "human",
        Format::Json => "json",
    }]);
    command.args(filter);
    run(&mut command)
}
