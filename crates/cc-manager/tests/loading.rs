//! The stages of loading, as far as they can be seen without a plugin: files, digests, foreign libraries.
//! Real and misbehaving plugins are loaded in the integration tests of the workspace.

use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use cc_core::{Claims, Code, Profile, codes};
use cc_manager::{
    Config, Danger, FetchConfig, Host, Isolation, PluginConfig, SealedFile, Sha256, WorkerCommand,
};

/// A file in a folder of its own, both with the permissions of a proper installation.
fn installed(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    mode(folder.path(), 0o755);
    let path = folder.path().join("plugin.so");
    std::fs::write(&path, content).unwrap();
    mode(&path, 0o755);
    (folder, path)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn entry(path: &Path, sha256: Sha256) -> PluginConfig {
    PluginConfig {
        path: path.to_owned(),
        sha256,
        profiles: vec![Profile::snp_raw_1()],
        isolation: Isolation::InProcess,
        config: Claims::new(),
    }
}

/// These plugins would run in the tests' own process.
fn no_worker() -> WorkerCommand {
    WorkerCommand { program: "/nonexistent".into(), arguments: Vec::new() }
}

fn load(plugins: Vec<PluginConfig>) -> Vec<Code> {
    let config = Config { plugins, fetch: FetchConfig::default(), danger: Danger::default() };
    Host::load(&config, &no_worker()).unwrap_err().iter().map(|error| error.code.clone()).collect()
}

fn load_one(path: &Path) -> Code {
    load_one_of(path, &std::fs::read(path).unwrap_or_default())
}

fn load_one_of(path: &Path, content: &[u8]) -> Code {
    let codes = load(vec![entry(path, Sha256::of(content))]);
    assert_eq!(codes.len(), 1);
    codes[0].clone()
}

#[test]
fn paths_that_are_no_file() {
    assert_eq!(load_one(Path::new("plugin.so")), codes::PLUG_FILE_NOT_ABSOLUTE);
    let (folder, _) = installed(b"");
    assert_eq!(load_one(&folder.path().join("other.so")), codes::PLUG_FILE_NOT_FOUND);
    assert_eq!(load_one(folder.path()), codes::PLUG_FILE_NOT_FOUND);
    let dangling = folder.path().join("dangling.so");
    symlink(folder.path().join("nothing"), &dangling).unwrap();
    assert_eq!(load_one(&dangling), codes::PLUG_FILE_NOT_FOUND);
}

#[test]
fn a_named_pipe_is_not_waited_for() {
    let (folder, _) = installed(b"");
    let pipe = folder.path().join("pipe.so");
    let (kind, mode) = (rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, mode, 0).unwrap();
    assert_eq!(load_one_of(&pipe, b""), codes::PLUG_FILE_NOT_FOUND);
}

#[test]
fn libraries_have_a_largest_size() {
    let (_folder, path) = installed(b"");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(256 * 1024 * 1024 + 1).unwrap();
    let error = SealedFile::read(&path).unwrap_err();
    assert_eq!(error.code, codes::PLUG_LOAD_FAILED);
    assert!(error.detail.contains("the limit is 268435456"), "{error}");
}

#[test]
fn mode_of_file_and_folder() {
    for bad in [0o775, 0o757, 0o666] {
        let (_folder, path) = installed(b"x");
        mode(&path, bad);
        assert_eq!(load_one(&path), codes::PLUG_FILE_MODE, "file {bad:o}");
    }
    for bad in [0o775, 0o757, 0o1777] {
        let (folder, path) = installed(b"x");
        mode(folder.path(), bad);
        assert_eq!(load_one(&path), codes::PLUG_FILE_MODE, "folder {bad:o}");
        // A link in a proper folder does not hide the folder of the file.
        let (other, _) = installed(b"y");
        let link = other.path().join("link.so");
        symlink(&path, &link).unwrap();
        assert_eq!(load_one(&link), codes::PLUG_FILE_MODE, "folder {bad:o} through a link");
    }
}

#[test]
fn owner_of_file_and_folder() {
    let (folder, path) = installed(b"x");
    if chown(&path, Some(12_345), None).is_err() {
        eprintln!("SKIPPED: giving files away needs root");
        return;
    }
    assert_eq!(load_one(&path), codes::PLUG_FILE_OWNER);
    chown(&path, Some(0), None).unwrap();
    chown(folder.path(), Some(12_345), None).unwrap();
    assert_eq!(load_one(&path), codes::PLUG_FILE_OWNER);
}

#[test]
fn the_digest_is_compared_before_anything_is_opened() {
    let (_folder, path) = installed(b"not a library");
    let config = entry(&path, Sha256::of(b"another"));
    let config = Config { plugins: vec![config], fetch: FetchConfig::default(), danger: Danger::default() };
    let errors = Host::load(&config, &no_worker()).unwrap_err();
    assert_eq!(errors.first().code, codes::PLUG_DIGEST_MISMATCH);
    for digest in [Sha256::of(b"another"), Sha256::of(b"not a library")] {
        assert!(errors.first().detail.contains(&digest.to_string()), "{errors}");
    }
}

#[test]
fn files_that_are_no_plugin() {
    for content in [&b""[..], b"not a library", b"\x7fELF\x02\x01\x01 and nothing more"] {
        let (_folder, path) = installed(content);
        assert_eq!(load_one(&path), codes::PLUG_LOAD_FAILED, "{content:?}");
    }
}

#[test]
fn a_library_that_exports_no_authorizer() {
    // The mathematics library of the C library is at hand wherever the tests are.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let folders =
        maps.lines().filter_map(|line| line.split_whitespace().nth(5)).filter_map(|p| Path::new(p).parent());
    let Some(library) = folders.map(|folder| folder.join("libm.so.6")).find(|path| path.is_file()) else {
        eprintln!("SKIPPED: no libm.so.6 beside the C library");
        return;
    };
    let (_folder, path) = installed(&std::fs::read(library).unwrap());
    assert_eq!(load_one(&path), codes::PLUG_ROOT_MISSING);
}

#[test]
fn nothing_is_configured_twice() {
    let (_folder, first) = installed(b"x");
    let (_other_folder, second) = installed(b"y");
    let same_path = vec![entry(&first, Sha256::of(b"x")), entry(&first, Sha256::of(b"z"))];
    assert_eq!(load(same_path), [codes::PLUG_IDENTITY_CONFLICT]);
    let same_digest = vec![entry(&first, Sha256::of(b"x")), entry(&second, Sha256::of(b"x"))];
    assert_eq!(load(same_digest), [codes::PLUG_IDENTITY_CONFLICT]);
}

#[test]
fn every_failure_is_reported() {
    let (_folder, first) = installed(b"x");
    let (_other_folder, second) = installed(b"y");
    mode(&second, 0o777);
    let found = load(vec![entry(&first, Sha256::of(b"z")), entry(&second, Sha256::of(b"y"))]);
    assert_eq!(found, [codes::PLUG_DIGEST_MISMATCH, codes::PLUG_FILE_MODE]);
}

#[test]
fn sealed_content_outlives_the_file() {
    let (_folder, path) = installed(b"first");
    let sealed = SealedFile::read(&path).unwrap();
    std::fs::write(&path, b"second").unwrap();
    assert_eq!(sealed.sha256(), Sha256::of(b"first"));
    assert_eq!(sealed.path(), path);
}
