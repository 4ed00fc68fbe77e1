//! Where built things and fixtures are, and configurations for them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cc_manager::{Sha256, WorkerCommand};

/// The workspace folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The folder of the running test's build profile: `<target>/debug`.
pub fn built() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    while folder.file_name().is_none_or(|name| name != "deps") {
        assert!(folder.pop(), "the test runs from a folder named deps");
    }
    folder.pop();
    folder
}

/// A file or folder that `cargo xtask test` builds before the tests.
fn prebuilt(relative: &str) -> PathBuf {
    let path = built().join(relative);
    assert!(path.exists(), "{} is not there: run the tests with `cargo xtask test`", path.display());
    path
}

/// The folder of the production plugins, with `plugins.toml`.
pub fn plugins() -> PathBuf {
    prebuilt("plugins/plugins.toml").parent().unwrap().to_owned()
}

/// A plugin that only tests load, for example `libmisbehaver.so`.
pub fn test_plugin(file: &str) -> PathBuf {
    prebuilt("test-plugins").join(file)
}

/// The `muster` binary.
pub fn muster() -> PathBuf {
    prebuilt("muster")
}

/// A fixture.
pub fn fixture(relative: &str) -> PathBuf {
    root().join("tests/fixtures").join(relative)
}

/// How workers of plugins are started: the real binary.
pub fn worker() -> WorkerCommand {
    WorkerCommand { program: muster(), arguments: vec!["plugin-worker".into()] }
}

/// One `[[plugin]]` entry with the file's true digest, in process. `settings` are lines of its `config` table.
pub fn entry(path: &Path, profiles: &[&str], settings: &str) -> String {
    isolated("isolation = \"in-process\"", path, profiles, settings)
}

/// [`entry`], with lines that say where it runs.
pub fn isolated(isolation: &str, path: &Path, profiles: &[&str], settings: &str) -> String {
    let sha256 = Sha256::of(&std::fs::read(path).unwrap());
    let mut text =
        format!("[[plugin]]\npath = {path:?}\nsha256 = \"{sha256}\"\nprofiles = {profiles:?}\n{isolation}\n");
    if !settings.is_empty() {
        let _ = writeln!(text, "[plugin.config]\n{settings}");
    }
    text
}

/// A configuration file with these entries, emulated plugins allowed.
pub fn config(folder: &Path, entries: &[String]) -> PathBuf {
    let file = folder.join("plugins.toml");
    let text = format!("version = 1\n[danger]\nallow_emulated = true\n{}", entries.join("\n"));
    std::fs::write(&file, text).unwrap();
    file
}
