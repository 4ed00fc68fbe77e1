//! Rules on source text: homes of unsafe code, callers of assertions, purity below the shells, file length.

use std::path::{Path, PathBuf};

use crate::run::{Result, capture, read, root};

/// Files that may contain unsafe code.
const UNSAFE_HOMES: &[&str] = &[
    "crates/cc-core/src/abi.rs",
    "crates/cc-core/src/sdk.rs",
    "crates/cc-attester/src/ioctl.rs",
    "crates/cc-attester/src/gpu/nvml.rs",
];

/// Constructors that state a fact, and the files which may call them (tests aside).
const ASSERTIONS: &[(&str, &[&str])] = &[
    ("::assertion(", &["crates/cc-manager/src/pipeline.rs"]),
    (
        "abi_stable::library",
        &["crates/cc-core/src/abi.rs", "crates/cc-core/src/sdk.rs", "crates/cc-manager/src/load.rs"],
    ),
];

/// Crates whose sources must not reach for the world (I3).
const PURE: &[&str] =
    &["crates/cc-core/src", "crates/cc-verifier/src", "crates/cc-policy/src", "crates/fed-proto/src"];
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "SystemTime",
    "Instant::now",
    "std::thread",
    "async fn",
    "rand::",
    "SystemRandom",
];

/// Longest file that is still about one thing, without its tests.
const MAX_LINES: usize = 500;
/// The median that keeps the whole readable.
const MAX_MEDIAN: usize = 250;

pub(super) fn check() -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut lengths = Vec::new();
    for file in rust_files()? {
        let name = file.to_string_lossy().into_owned();
        let text = read(&root().join(&file))?;
        let (code, _) = split_tests(&text);
        let is_test = name.contains("tests/")
            || name.ends_with("/tests.rs")
            || name.starts_with("crates/cc-testkit")
            || name.contains("/examples/");
        if is_test || name.starts_with("xtask") {
            continue;
        }
        lengths.push(code.lines().count());
        if code.lines().count() > MAX_LINES {
            found.push(format!("{name} has {} lines: split it", code.lines().count()));
        }
        if !UNSAFE_HOMES.contains(&name.as_str()) && contains_code(code, "unsafe ") {
            found.push(format!("{name} has unsafe code but is none of its homes"));
        }
        for (constructor, callers) in ASSERTIONS {
            if contains_code(code, constructor) && !callers.contains(&name.as_str()) {
                found.push(format!("{name} must not use {constructor}"));
            }
        }
        if PURE.iter().any(|folder| name.starts_with(folder)) {
            for word in IMPURE.iter().filter(|word| contains_code(code, word)) {
                found.push(format!("{name} is below the shells and must not use {word}"));
            }
        }
        if name.ends_with("src/lib.rs") && !has_unsafe_home(&name) && !name.starts_with("plugins") {
            let forbids = code.contains("#![forbid(unsafe_code)]");
            if !forbids {
                found.push(format!("{name} lacks #![forbid(unsafe_code)]"));
            }
        }
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    if median > MAX_MEDIAN {
        found.push(format!("the median file has {median} lines, more than {MAX_MEDIAN}"));
    }
    for manifest in tracked("Cargo.toml")? {
        let text = read(&root().join(&manifest))?;
        if text.lines().any(|line| line.trim_start().starts_with("panic") && line.contains("abort")) {
            found.push(format!("{}: panic = \"abort\" would make the plugin guard void", manifest.display()));
        }
    }
    Ok(found)
}

/// Whether a crate, named by its `src/lib.rs`, contains a home of unsafe code.
fn has_unsafe_home(lib: &str) -> bool {
    let folder = lib.trim_end_matches("lib.rs");
    UNSAFE_HOMES.iter().any(|home| home.starts_with(folder))
}

/// Whether a line that is not a comment contains `word`.
fn contains_code(text: &str, word: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word))
}

/// Splits a file at its test module, which stands last.
pub(super) fn split_tests(text: &str) -> (&str, &str) {
    let at = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text.split_at(at)
}

/// The text without comments that have a line of their own.
pub(super) fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Rust files of the project, relative to the workspace.
pub(super) fn rust_files() -> Result<Vec<PathBuf>> {
    tracked("*.rs")
}

/// Files under version control, or about to be, that match a pattern.
fn tracked(pattern: &str) -> Result<Vec<PathBuf>> {
    let mut git = std::process::Command::new("git");
    git.current_dir(root()).args(["ls-files", "--cached", "--others", "--exclude-standard", "--", pattern]);
    let listed = capture(&mut git)?;
    Ok(listed.lines().map(PathBuf::from).filter(|file| Path::new(&root()).join(file).exists()).collect())
}
