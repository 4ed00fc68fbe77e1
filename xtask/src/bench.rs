//! `bench`: the measurements of `docs/PERFORMANCE.md`.

use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;
use serde::Deserialize;

use crate::build_plugins::{build_emulated, build_plugins};
use crate::run::{Result, available, capture, cargo, root, run, target_dir};

/// How results are printed.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    Human,
    /// One JSON object for each line.
    Json,
}

/// One line of a benchmark program: a time in nanoseconds, or a number of things where `unit` is empty.
#[derive(Deserialize)]
struct Measured {
    bench: String,
    value: f64,
    unit: String,
    bare: String,
    ratio: f64,
}

/// Benchmarks of whole federations take minutes: they run when they are asked for by name.
const FEDERATION: [&str; 3] = ["registrations", "round", "sweep"];

/// NVIDIA's verifier at the package index, and the last version of it.
const NVIDIA: &str = "nv-local-gpu-verifier";
const NVIDIA_VERSION: &str = "2.7.3";

/// Builds the plugins with optimisations and runs the benchmarks over them.
pub(crate) fn bench(filter: Option<&str>, format: Format) -> Result<()> {
    let lines = match filter {
        Some(filter) if FEDERATION.iter().any(|name| filter.starts_with(name)) => federation(filter)?,
        _ => verify(filter)?,
    };
    match format {
        Format::Json => anstream::print!("{lines}"),
        Format::Human => table(&lines)?,
    }
    Ok(())
}

/// Verification of evidence.
fn verify(filter: Option<&str>) -> Result<String> {
    let plugins = build_plugins(true)?;
    // Workers of plugins are processes of the command.
    run(cargo().args(["build", "--quiet", "--release", "--locked", "--package", "muster"]))?;
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "muster-it", "--bench", "verify", "--"]);
    command.arg("--plugins").arg(plugins);
    if let Some(python) = nvidia_python(filter)? {
        command.arg("--nvidia-python").arg(python);
    }
    let mut lines = capture(command.args(filter))?;
    lines.push_str(&sev_openssl(filter)?);
    Ok(lines)
}

/// A Python with NVIDIA's verifier, in an environment of its own below the target folder, where that can be made.
fn nvidia_python(filter: Option<&str>) -> Result<Option<PathBuf>> {
    let names = ["gpu.nvidia_python.as_shipped", "gpu.nvidia_python.silent"];
    if filter.is_some_and(|filter| !names.iter().any(|name| name.contains(filter))) {
        return Ok(None);
    }
    let environment = target_dir()?.join("nvidia-python");
    let python = environment.join("bin/python");
    let is_there = || {
        let check = format!(
            "from importlib.metadata import version; assert version({NVIDIA:?}) == {NVIDIA_VERSION:?}"
        );
        available(Command::new(&python).args(["-c", &check]))
    };
    if !is_there() {
        let requirement = format!("{NVIDIA}=={NVIDIA_VERSION}");
        eprintln!("installing {requirement} into {}", environment.display());
        let made = available(Command::new("python3").args(["-m", "venv"]).arg(&environment));
        let pip = ["-m", "pip", "install", "--quiet", &requirement];
        if !made || !available(Command::new(&python).args(pip)) || !is_there() {
            eprintln!("########################################################################");
            eprintln!("## NOT MEASURED: gpu.nvidia_python.*: {requirement} cannot be installed.");
            eprintln!("## It needs python3 with venv and a package index.");
            eprintln!("########################################################################");
            return Ok(None);
        }
    }
    Ok(Some(python))
}

/// Rounds and registrations.
fn federation(filter: &str) -> Result<String> {
    let emulated = build_emulated(true)?;
    run(cargo().args(["build", "--quiet", "--release", "--locked", "--package", "muster"]))?;
    let mut command = cargo();
    command.args(["bench", "--quiet", "--package", "muster-it", "--bench", "federation", "--"]);
    command.arg("--muster").arg(target_dir()?.join("release/muster")).arg("--emulated").arg(emulated);
    capture(command.arg(filter))
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
    anstream::println!("{:<34} {:>12} {:<3} {:>8}   against", "bench", "value", "", "ratio");
    // A benchmark of a federation also says its seed.
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let measured: Measured = serde_json::from_str(line).map_err(|error| format!("{line:?}: {error}"))?;
        let Measured { bench, value, unit, bare, ratio } = measured;
        let (value, unit) = if unit == "ns" { (value / 1000.0, "us") } else { (value, unit.as_str()) };
        anstream::println!("{bench:<34} {value:>12.1} {unit:<3} {ratio:>8.3}   {bare}");
    }
    Ok(())
}
