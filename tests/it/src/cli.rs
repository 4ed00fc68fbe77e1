//! The real `muster` binary, run apart from the settings and caches of this machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::place::{muster, root};

/// Runs the binary with an empty environment and a cache folder of its own, in the workspace folder.
pub struct Muster {
    folder: TempDir,
}

/// What a run left behind.
pub struct Ran {
    /// The command line as a person would type it.
    pub line: String,
    /// The exit code.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Default for Muster {
    fn default() -> Self {
        Self::new()
    }
}

impl Muster {
    /// With an empty cache.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// A folder for the files of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the binary keeps its cache and its floors; not there before it wrote something.
    pub fn cache(&self) -> PathBuf {
        self.folder().join("cache/muster")
    }

    /// Writes a file into the folder; returns its path as an argument.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.folder().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Runs a command line: arguments separated by white space, without quoting.
    pub fn run(&self, line: &str) -> Ran {
        let output = self.command(line.split_whitespace()).output().unwrap();
        Ran {
            line: line.split_whitespace().collect::<Vec<_>>().join(" "),
            exit: output.status.code().expect("not ended by a signal"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a command line, which must end with this exit code, and reads its one JSON object.
    pub fn json(&self, exit: i32, line: &str) -> Value {
        let ran = self.run(&format!("{line} --format json"));
        assert_eq!(ran.exit, exit, "{ran}");
        ran.json()
    }

    fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = Command::new(muster());
        command.args(arguments).current_dir(root()).env_clear();
        command.env("XDG_CACHE_HOME", self.folder().join("cache"));
        command
    }
}

impl Ran {
    /// Standard output as JSON, which must be exactly one object.
    pub fn json(&self) -> Value {
        let values: Vec<Value> = serde_json::Deserializer::from_str(&self.stdout)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap_or_else(|error| panic!("{error}: {self}"));
        match <[Value; 1]>::try_from(values) {
            Ok([object @ Value::Object(_)]) => object,
            other => panic!("not one object but {other:?}: {self}"),
        }
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, exit, stdout, stderr } = self;
        writeln!(f, "$ muster {line}\n=== exit code {exit}")?;
        for (name, text) in [("output", stdout), ("error", stderr)] {
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            write!(f, "=== standard {name}\n{text}{end}")?;
        }
        Ok(())
    }
}
