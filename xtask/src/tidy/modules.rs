//! Every source file belongs to a program or a library, and a package has one program of tests: a file that no `mod`
//! names is compiled by nobody, and its tests never run.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, TargetKind};

use super::sources::rust_files;
use crate::run::{Result, read, root};

pub(super) fn check(metadata: &Metadata) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        let programs =
            package.targets.iter().filter(|target| target.kind.contains(&TargetKind::Test)).count();
        if programs > 1 {
            found.push(format!(
                "{} has {programs} programs of tests: make them modules of tests/main.rs, since each links everything again",
                package.name
            ));
        }
    }
    let files = rust_files()?;
    let shared = shared(&files)?;
    for file in files.iter().filter(|file| !is_root(file)) {
        if !declared(file)? && !shared.contains(&root().join(file)) {
            found.push(format!("{} is named by no `mod`: nothing compiles it", file.display()));
        }
    }
    Ok(found)
}

/// Whether a compiler is started on this file itself.
fn is_root(file: &Path) -> bool {
    let within = |folder: &str| file.parent().is_some_and(|parent| parent.ends_with(folder));
    let named = |name: &str| file.file_name().is_some_and(|file| file == name);
    named("lib.rs") || named("main.rs") || ["fuzz_targets", "examples", "bin"].into_iter().any(within)
}

/// The files that others name by their path.
fn shared(files: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut shared = Vec::new();
    for file in files {
        let folder = root().join(file.parent().unwrap_or(file));
        let text = read(&root().join(file))?;
        let paths =
            text.lines().filter_map(|line| line.trim().strip_prefix("#[path = \"")?.strip_suffix("\"]"));
        shared.extend(paths.filter_map(|path| folder.join(path).canonicalize().ok()));
    }
    Ok(shared)
}

/// Whether the file above says `mod` with this file's name.
fn declared(file: &Path) -> Result<bool> {
    // `a/b.rs` and `a/b/mod.rs` are both the module `b` of `a`.
    let module = if file.file_name().is_some_and(|name| name == "mod.rs") {
        file.parent().unwrap_or(file).to_path_buf()
    } else {
        file.with_extension("")
    };
    let (Some(name), Some(folder)) = (module.file_name(), module.parent()) else { return Ok(false) };
    let declaration = format!("mod {};", name.to_string_lossy());
    let above = ["lib.rs", "main.rs", "mod.rs"].map(|file| folder.join(file));
    for above in above.into_iter().chain([folder.with_extension("rs")]) {
        let above: PathBuf = root().join(above);
        if above.is_file() && read(&above)?.lines().any(|line| line.trim_start().ends_with(&declaration)) {
            return Ok(true);
        }
    }
    Ok(false)
}
