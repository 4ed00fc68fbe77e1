//! `bench`: the measurements of `docs/PERFORMANCE.md`.

use std::process::Command;

use clap::ValueEnum;
use serde::Deserialize;

use crate::build_plugins::build_plugins;
use crate::run::{Result, available, capture, cargo, root, target_dir};

/// How results are printed.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Human,
    /// One JSON object for each line.
    Json,
}

/// One line of a benchmark program.
#[derive(Deserialize)]
struct Measured {
    bench: String,
    ns: f64,
    bare: String,
    ratio: f64,
}

/// Builds the plugins with optimisations and runs the benchmarks over them.
pub(crate) fn bench(filter: Option<&str>, format: Format) -> Result<()> {
    let plugins = build_plugins(true)?;
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "muster-it", "--bench", "verify", "--"]);
    command.arg("--plugins").arg(plugins).args(filter);
    let mut lines = capture(&mut command)?;
    lines.push_str(&sev_openssl(filter)?);
    match format {
        Format::Json => anstream::print!("{lines}"),
        Format::Human => table(&lines)?,
    }
    Ok(())
}

/// The `sev` crate with OpenSSL, where the system has OpenSSL's headers.
fn sev_openssl(filter: Option<&str>) -> Result<String> {
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter));
    if !wanted("sev.openssl.known_vcek") && !wanted("sev.openssl.full_chain") {
        return Ok(String::new());
    }
    if !available(Command::new("pkg-config").args(["--exists", "openssl"])) {
        eprintln!("sev.openssl.* not measured: the headers of OpenSSL are not installed (libssl-dev)");
        return Ok(String::new());
    }
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--locked", "--manifest-path"]);
    command.arg(root().join("tests/bench-sev-openssl/Cargo.toml"));
    command.arg("--target-dir").arg(target_dir()?.join("outside"));
    command.arg("--").arg(root().join("tests/fixtures/snp/milan-v2-sev"));
    let lines = capture(&mut command)?;
    Ok(lines.lines().filter(|line| wanted(line)).flat_map(|line| [line, "\n"]).collect())
}

fn table(lines: &str) -> Result<()> {
    anstream::println!("{:<28} {:>10} {:>8}   bare", "bench", "us", "ratio");
    for line in lines.lines() {
        let measured: Measured = serde_json::from_str(line).map_err(|error| format!("{line:?}: {error}"))?;
        let Measured { bench, ns, bare, ratio } = measured;
        anstream::println!("{bench:<28} {:>10.1} {ratio:>8.3}   {bare}", ns / 1000.0);
    }
    Ok(())
}
