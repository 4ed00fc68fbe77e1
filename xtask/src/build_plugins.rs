//! `build-plugins`: builds the plugin libraries and the configuration that names them by digest.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};

use crate::run::{Result, cargo, root, run, target_dir, write};

/// A plugin of this repository: package name and the profiles it may serve.
const PLUGINS: &[(&str, &[&str])] = &[
    ("cc-snp", &["snp-raw-1"]),
    ("cc-tdx", &["tdx-quote-1"]),
    ("cc-gpu", &["nv-spdm-1"]),
    ("cc-aci", &["aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"]),
];

/// The plugins of synthetic hardware, for machines that have no real one; never among the others.
const EMULATED: &[(&str, &[&str])] = &[
    ("emulated-snp", &["snp-raw-1"]),
    ("emulated-tdx", &["tdx-quote-1"]),
    ("emulated-gpu", &["nv-spdm-1"]),
    ("emulated-aci", &["aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"]),
];

/// What a configuration of emulated plugins begins with.
const EMULATED_HEAD: &str = "
# What these plugins accept proves nothing.
[danger]
allow_emulated = true

# Nobody publishes certificates of synthetic processors: they come with the evidence.
[fetch]
offline = true
";

/// Plugins that exist for the tests, built beside the others but never configured with them.
const TEST_PLUGINS: &[&str] =
    &["emulated-aci", "emulated-gpu", "emulated-snp", "emulated-tdx", "fake-nvml", "misbehaver"];

/// Variants of the frozen ABI copy: feature and file name.
const ABI_VARIANTS: &[&str] = &["same", "newer-minor", "older-minor", "changed-layout"];

/// Builds the plugins into `<target>/<profile>/plugins/` and returns that folder.
pub(crate) fn build_plugins(release: bool) -> Result<PathBuf> {
    configured(PLUGINS, release, "plugins", "")
}

/// Builds the plugins of emulated hardware into `<target>/<profile>/plugins-emulated/` and returns that folder.
pub(crate) fn build_emulated(release: bool) -> Result<PathBuf> {
    configured(EMULATED, release, "plugins-emulated", EMULATED_HEAD)
}

/// Builds plugins into a folder, with the configuration that names them.
fn configured(plugins: &[(&str, &[&str])], release: bool, folder: &str, head: &str) -> Result<PathBuf> {
    let packages: Vec<&str> = plugins.iter().map(|(package, _)| *package).collect();
    let built = build(&packages, release)?;
    let folder = built.join(folder);
    let mut config = format!("# Written by `cargo xtask build-plugins`.\nversion = 1\n{head}");
    for (package, profiles) in plugins {
        let name = library_name(package);
        install(&built.join(&name), &folder.join(&name))?;
        let bytes = std::fs::read(folder.join(&name)).map_err(|error| format!("{name}: {error}"))?;
        let sha256 = hex::encode(digest(&SHA256, &bytes));
        let _ = write!(
            config,
            "\n[[plugin]]\npath = {name:?}\nsha256 = {sha256:?}\nprofiles = {profiles:?}\nisolation = \"in-process\"\n"
        );
    }
    write(&folder.join("plugins.toml"), &config)?;
    eprintln!("plugins are in {}", folder.display());
    Ok(folder)
}

/// Builds the plugins that only tests load into `<target>/debug/test-plugins/`.
pub(crate) fn build_test_plugins() -> Result<()> {
    let built = build(TEST_PLUGINS, false)?;
    let folder = built.join("test-plugins");
    for package in TEST_PLUGINS {
        let name = library_name(package);
        install(&built.join(&name), &folder.join(&name))?;
    }
    // Workspaces of their own, as a vendor's would be: other lock file, other profile settings.
    let outside = target_dir()?.join("outside");
    let build_outside = |manifest: &str, feature: Option<&str>, from: &str, to: &str| -> Result<()> {
        let mut command = cargo();
        command.args(["build", "--quiet", "--locked", "--manifest-path"]).arg(root().join(manifest));
        command.arg("--target-dir").arg(&outside);
        command.args(feature.map(|feature| format!("--features={feature}")));
        run(&mut command)?;
        install(&outside.join("debug").join(from), &folder.join(to))
    };
    for variant in ABI_VARIANTS {
        build_outside(
            "tests/plugins/abi-variants/Cargo.toml",
            Some(variant),
            "libabi_variants.so",
            &format!("libabi_{}.so", variant.replace('-', "_")),
        )?;
    }
    let example = "libvendor_example.so";
    build_outside("tests/plugins/vendor-example/Cargo.toml", None, example, example)
}

/// Builds packages and returns the folder of the profile.
fn build(packages: &[&str], release: bool) -> Result<PathBuf> {
    // One package at a time: built together, features that one asks for would change the others.
    for package in packages {
        let mut command = cargo();
        command.args(["build", "--package", package]).args(release.then_some("--release"));
        run(&mut command)?;
    }
    Ok(target_dir()?.join(if release { "release" } else { "debug" }))
}

fn library_name(package: &str) -> String {
    format!("lib{}.so", package.replace('-', "_"))
}

/// Puts a library in place in one step, so that a process which has the old file open keeps it whole.
fn install(from: &Path, to: &Path) -> Result<()> {
    let fail = |error: std::io::Error| format!("{} to {}: {error}", from.display(), to.display());
    let temporary = to.with_extension("so.new");
    std::fs::create_dir_all(to.parent().unwrap_or(to)).map_err(fail)?;
    std::fs::copy(from, &temporary).map_err(fail)?;
    set_mode(&temporary).map_err(fail)?;
    std::fs::rename(&temporary, to).map_err(fail)
}

/// The loader refuses files that others may write; so the mode does not depend on the umask.
fn set_mode(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    match path.parent() {
        Some(folder) => std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)),
        None => Ok(()),
    }
}
