//! `fuzz-smoke`: each fuzz target for a few seconds.

use std::process::Command;

use crate::run::{Result, available, cargo, root, run};

/// Runs every target of `tests/fuzz` for `seconds` with a nightly compiler.
pub(crate) fn fuzz_smoke(seconds: u32) -> Result<()> {
    if !available(Command::new("cargo").args(["+nightly", "--version"])) {
        return Err("fuzzing needs a nightly compiler: `rustup toolchain install nightly`".to_owned());
    }
    if !available(Command::new("cargo").args(["fuzz", "--version"])) {
        eprintln!("installing cargo-fuzz");
        run(cargo().args(["install", "--locked", "--quiet", "cargo-fuzz"]))?;
    }
    let folder = root().join("tests/fuzz");
    let targets = targets(&folder)?;
    for (index, target) in targets.iter().enumerate() {
        eprintln!("fuzz target {}/{}: {target}, {seconds} s", index.saturating_add(1), targets.len());
        // The first folder is what the fuzzer adds to, the second what is committed.
        let (corpus, seeds) = (format!("corpus/{target}"), format!("seeds/{target}"));
        std::fs::create_dir_all(folder.join(&corpus)).map_err(|error| format!("{corpus}: {error}"))?;
        let mut command = Command::new("cargo");
        command.current_dir(&folder).args(["+nightly", "fuzz", "run", "--fuzz-dir", ".", target]);
        command.args([&corpus, &seeds, "--"]);
        command.args([format!("-max_total_time={seconds}"), "-print_final_stats=1".to_owned()]);
        run(&mut command)?;
    }
    eprintln!("{} fuzz targets ran {seconds} s each without a finding", targets.len());
    Ok(())
}

/// The targets are the files of `fuzz_targets`.
fn targets(folder: &std::path::Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(folder.join("fuzz_targets")).map_err(|e| format!("fuzz_targets: {e}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            entry.ok()?.file_name().into_string().ok()?.strip_suffix(".rs").map(str::to_owned)
        })
        .collect();
    names.sort();
    if names.is_empty() {
        return Err("there is no fuzz target".to_owned());
    }
    Ok(names)
}
