//! Every source file belongs to a program or a library, and a package has one program of tests: a file that no `mod`
//! names is compiled by nobody, and its tests never run.

use std::path::{Path, PathBuf};

use cargo_metadata::{Metadata, TargetKind};

use super::sources::{rust_files, without_comments};
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
    let Some(folder) = file.parent() else { return false };
    let named = |name: &str| file.file_name().is_some_and(|file| file == name);
    // A folder of benchmarks is a program; one of tests is a module of `tests/main.rs`.
    let programs = ["src", "tests"].into_iter().any(|name| folder.ends_with(name))
        || folder.parent().is_some_and(|above| above.ends_with("benches"));
    named("lib.rs") && folder.ends_with("src")
        || named("main.rs") && programs
        || ["fuzz_targets", "examples", "bin"].into_iter().any(|name| folder.ends_with(name))
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
    let above = ["lib.rs", "main.rs", "mod.rs"].map(|file| folder.join(file));
    for above in above.into_iter().chain([folder.with_extension("rs")]) {
        let above: PathBuf = root().join(above);
        if above.is_file() && declares(&read(&above)?, &name.to_string_lossy()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a text has a module of that name in another file.
fn declares(text: &str, name: &str) -> bool {
    let declaration = format!("mod {name};");
    let visible = format!(" {declaration}");
    without_comments(text).lines().map(str::trim).any(|line| line == declaration || line.ends_with(&visible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_declared_by_its_own_name_and_not_in_a_comment() {
        for text in ["mod a;", "use b;\n    mod a;\n", "pub(crate) mod a;", "#[cfg(test)]\nmod a;"] {
            assert!(declares(text, "a"), "{text}");
        }
        for text in ["", "// mod a;", "/// mod a;", "mod ba;", "mod a {", "mod a_b;", "amod a;"] {
            assert!(!declares(text, "a"), "{text}");
        }
    }

    #[test]
    fn programs_are_roots_where_cargo_looks_for_them() {
        for root in
            ["crates/a/src/lib.rs", "crates/a/tests/main.rs", "it/benches/verify/main.rs", "a/src/bin/b.rs"]
        {
            assert!(is_root(Path::new(root)), "{root}");
        }
        for file in
            ["crates/a/tests/b/main.rs", "crates/a/tests/b.rs", "crates/a/src/b/mod.rs", "a/benches/b.rs"]
        {
            assert!(!is_root(Path::new(file)), "{file}");
        }
    }
}
