//! `test`: everything that must pass.

use std::process::Command;

use crate::build_plugins::{build_plugins, build_test_plugins};
use crate::run::{Result, available, cargo, run};

/// Builds what the tests load, then runs tests and doctests. Tidy is one of the tests.
pub(crate) fn test(filter: &[String]) -> Result<()> {
    build_plugins(false)?;
    build_test_plugins()?;
    run(cargo().args(["build", "--package", "muster"]))?;
    let mut tests = cargo();
    if available(Command::new("cargo").args(["nextest", "--version"])) {
        tests.args(["nextest", "run", "--workspace"]).args(filter);
    } else {
        eprintln!("cargo-nextest is not installed; using cargo test, which is slower");
        tests.args(["test", "--workspace", "--lib", "--bins", "--tests"]).args(filter);
    }
    run(&mut tests)?;
    if filter.is_empty() {
        run(cargo().args(["test", "--workspace", "--doc", "--quiet"]))?;
        // The whole federation in processes of its own.
        crate::demo::check()?;
    }
    Ok(())
}
