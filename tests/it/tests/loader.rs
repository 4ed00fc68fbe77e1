//! The stages of loading, over real shared objects: each failure with its own code.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cc_core::{Code, codes};
use cc_manager::{Config, Host, LoadErrors, SealedFile};
use muster_it::place::{config, entry, plugins, test_plugin};
use tempfile::TempDir;

const MISBEHAVER: &[&str] = &["misbehaver-1"];
const FROZEN: &[&str] = &["frozen-1"];

/// A private folder that only its owner can write, as the loader demands.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn load(folder: &Path, entries: &[String]) -> Result<Host, LoadErrors> {
    Host::load(&Config::load_file(&config(folder, entries)).unwrap(), &muster_it::place::worker())
}

fn copy(from: &Path, to: PathBuf) -> PathBuf {
    std::fs::copy(from, &to).unwrap();
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755)).unwrap();
    to
}

/// Loads one entry, which must fail with this code; returns the message.
fn refused(folder: &Path, entry: String, code: Code) -> String {
    let errors = load(folder, &[entry]).expect_err(code.as_str());
    assert_eq!(errors.first().code, code, "{errors}");
    assert!(errors.first().hint().is_some());
    errors.to_string()
}

#[test]
fn the_production_plugins_load_and_say_who_they_are() {
    let host = Host::load(&Config::load(&plugins()).unwrap(), &muster_it::place::worker()).unwrap();
    let names: Vec<_> = host.plugins().map(|plugin| plugin.identity().name.clone()).collect();
    assert_eq!(names, ["cc-snp", "cc-tdx", "cc-gpu", "cc-aci"]);
}

#[test]
fn plugins_loaded_one_after_the_other_keep_their_identities() {
    let folder = folder();
    let entries = [
        entry(&test_plugin("libmisbehaver.so"), MISBEHAVER, ""),
        entry(&test_plugin("libabi_same.so"), FROZEN, ""),
        entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], ""),
        entry(&test_plugin("libvendor_example.so"), &["acme-note-1"], ""),
    ];
    let host = load(folder.path(), &entries).unwrap();
    let names: Vec<_> = host.plugins().map(|plugin| plugin.identity().name.as_str()).collect();
    assert_eq!(names, ["misbehaver", "frozen", "emulated-snp", "vendor-example"]);
}

#[test]
fn files_that_are_no_plugins() {
    let folder = folder();
    let text = folder.path().join("text.so");
    std::fs::write(&text, "not an ELF file, though long enough to hold a header of one").unwrap();
    refused(folder.path(), entry(&text, MISBEHAVER, ""), codes::PLUG_LOAD_FAILED);
    let empty = folder.path().join("empty.so");
    std::fs::write(&empty, "").unwrap();
    refused(folder.path(), entry(&empty, MISBEHAVER, ""), codes::PLUG_LOAD_FAILED);
    // A real library that is no plugin: whichever file this process got its mathematics or C library from.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let library = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .find(|path| path.contains("/libgcc_s.so"))
        .expect("the test process has libgcc_s loaded");
    let library = copy(Path::new(library), folder.path().join("library.so"));
    refused(folder.path(), entry(&library, MISBEHAVER, ""), codes::PLUG_ROOT_MISSING);
}

#[test]
fn interface_versions_and_layouts() {
    let folder = folder();
    for (file, code) in [
        ("libabi_older_minor.so", codes::PLUG_ABI_VERSION),
        ("libabi_changed_layout.so", codes::PLUG_ABI_LAYOUT),
    ] {
        let message = refused(folder.path(), entry(&test_plugin(file), FROZEN, ""), code);
        assert!(message.len() < 2000, "the layout checker's text is cut: {} bytes", message.len());
    }
    for file in ["libabi_same.so", "libabi_newer_minor.so"] {
        load(folder.path(), &[entry(&test_plugin(file), FROZEN, "")]).unwrap();
    }
}

#[test]
fn n_fl_36_library_whose_digest_is_not_the_configured_one() {
    let folder = folder();
    let good = entry(&test_plugin("libmisbehaver.so"), MISBEHAVER, "");
    load(folder.path(), std::slice::from_ref(&good)).unwrap();
    let digest = good.lines().find(|line| line.starts_with("sha256")).unwrap();
    let other = good.replace(digest, &format!("sha256 = \"{}\"", "0".repeat(64)));
    let message = refused(folder.path(), other, codes::PLUG_DIGEST_MISMATCH);
    assert!(
        message.contains(&"0".repeat(64)) && message.contains(&digest[10..74]),
        "both digests: {message}"
    );
}

#[test]
fn nobody_else_can_write_the_file() {
    let folder = folder();
    let library = copy(&test_plugin("libmisbehaver.so"), folder.path().join("plugin.so"));
    let good = entry(&library, MISBEHAVER, "");
    load(folder.path(), std::slice::from_ref(&good)).unwrap();

    let missing = good.replace("plugin.so", "absent.so");
    refused(folder.path(), missing, codes::PLUG_FILE_NOT_FOUND);

    for mode in [0o757, 0o775] {
        std::fs::set_permissions(&library, std::fs::Permissions::from_mode(mode)).unwrap();
        refused(folder.path(), good.clone(), codes::PLUG_FILE_MODE);
    }
    std::fs::set_permissions(&library, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    refused(folder.path(), good.clone(), codes::PLUG_FILE_MODE);
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    load(folder.path(), &[good]).unwrap();
}

#[test]
fn a_file_of_another_owner_is_refused() {
    let folder = folder();
    let library = copy(&test_plugin("libmisbehaver.so"), folder.path().join("plugin.so"));
    if std::os::unix::fs::chown(&library, Some(65534), None).is_err() {
        eprintln!("SKIPPED: 1 case: only root can give a file to another user");
        return;
    }
    refused(folder.path(), entry(&library, MISBEHAVER, ""), codes::PLUG_FILE_OWNER);
}

#[test]
fn swapping_the_file_after_it_was_read_changes_nothing() {
    let folder = folder();
    let good = copy(&test_plugin("libmisbehaver.so"), folder.path().join("good.so"));
    let evil = copy(&test_plugin("libabi_same.so"), folder.path().join("evil.so"));
    let link = folder.path().join("plugin.so");
    std::os::unix::fs::symlink(&good, &link).unwrap();
    let sealed = SealedFile::read(&link).unwrap();
    // Between hashing and loading the link is turned to another library, and the first one is overwritten.
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&evil, &link).unwrap();
    std::fs::copy(&evil, &good).unwrap();
    let loaded = cc_manager::inspect_sealed(sealed, &muster_it::place::worker()).unwrap();
    assert_eq!(loaded.identity.name, "misbehaver");
}

#[test]
fn n_fl_38_plugin_configured_for_another_profile() {
    let folder = folder();
    let misbehaver = test_plugin("libmisbehaver.so");
    refused(folder.path(), entry(&misbehaver, &["other-1"], ""), codes::PLUG_NOT_ALLOWED);
    refused(folder.path(), entry(&misbehaver, &["misbehaver-1", "other-1"], ""), codes::PLUG_NOT_ALLOWED);
}

#[test]
fn the_trust_class_is_the_configured_one() {
    let folder = folder();
    let misbehaver = test_plugin("libmisbehaver.so");
    let strict = folder.path().join("strict.toml");
    std::fs::write(&strict, format!("version = 1\n{}", entry(&misbehaver, MISBEHAVER, ""))).unwrap();
    let errors = Host::load(&Config::load_file(&strict).unwrap(), &muster_it::place::worker()).unwrap_err();
    assert_eq!(errors.first().code, codes::PLUG_NOT_ALLOWED, "emulated without [danger]");
}

#[test]
fn one_plugin_for_each_profile_and_role() {
    let folder = folder();
    let twice = entry(&test_plugin("libmisbehaver.so"), MISBEHAVER, "");
    let errors = load(folder.path(), &[twice.clone(), twice]).unwrap_err();
    assert_eq!(errors.first().code, codes::PLUG_IDENTITY_CONFLICT, "the same plugin twice");

    let production = plugins().join("libcc_snp.so");
    let both = [
        entry(&production, &["snp-raw-1"], ""),
        entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], ""),
    ];
    let errors = load(folder.path(), &both).unwrap_err();
    assert_eq!(errors.first().code, codes::PLUG_IDENTITY_CONFLICT, "two plugins for one profile");
}

#[test]
fn every_failing_plugin_is_reported() {
    let folder = folder();
    let entries = [
        entry(&test_plugin("libabi_older_minor.so"), FROZEN, ""),
        entry(&test_plugin("libmisbehaver.so"), MISBEHAVER, "fault = \"refuse create\""),
    ];
    let errors = load(folder.path(), &entries).unwrap_err();
    let all: Vec<_> = errors.iter().map(|error| error.code.clone()).collect();
    assert_eq!(all, [codes::PLUG_ABI_VERSION, codes::PLUG_CONFIG_INVALID]);
}

#[test]
fn plugins_that_fail_while_loading() {
    let folder = folder();
    for (fault, code) in [
        ("panic in create", codes::PLUG_PANICKED),
        ("refuse create", codes::PLUG_CONFIG_INVALID),
        ("plan accepts nothing", codes::PLUG_SELFTEST_FAILED),
        ("verify accepts nothing", codes::PLUG_SELFTEST_FAILED),
    ] {
        let settings = format!("fault = {fault:?}");
        refused(folder.path(), entry(&test_plugin("libmisbehaver.so"), MISBEHAVER, &settings), code);
    }
    let unknown = entry(&test_plugin("libmisbehaver.so"), MISBEHAVER, "colour = \"red\"");
    assert!(refused(folder.path(), unknown, codes::PLUG_CONFIG_INVALID).contains("config.colour"));
}
