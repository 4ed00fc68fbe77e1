//! Opening a store: whose file it is, and which version wrote it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use cc_store::{Handle, SqliteStore, StoreError};
use rusqlite::Connection;

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("muster.db");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

#[test]
fn everything_that_is_written_is_the_owners_alone() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    store.write(|change| change.next_epoch(1)).unwrap();
    for suffix in ["", "-wal", "-shm", ".lock"] {
        assert_eq!(mode(&beside(&path, suffix)), 0o600, "{suffix}");
    }
    drop(store);
    assert!(!beside(&path, "-wal").exists(), "the log is folded into the database");
}

#[test]
fn a_store_that_others_may_access_is_refused() {
    let (_folder, path) = folder();
    drop(Handle::open(&path).unwrap());
    for bits in [0o640, 0o604, 0o620, 0o601] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(bits)).unwrap();
        let refused = SqliteStore::open(&path).unwrap_err();
        assert_eq!(refused, StoreError::Mode { path: path.clone(), found: bits, expected: 0o600 });
        assert_eq!(refused.to_string(), format!("{} has mode {bits:o}, expected 600", path.display()));
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    Handle::open(&path).unwrap();
}

#[test]
fn the_folder_must_exist_and_the_path_be_a_file() {
    let (folder, path) = folder();
    let missing = folder.path().join("missing/muster.db");
    for refused in [&missing, Path::new("/"), folder.path()] {
        let error = SqliteStore::open(refused).unwrap_err();
        assert!(matches!(error, StoreError::File { .. }), "{refused:?}: {error}");
    }
    assert!(!folder.path().join("missing").exists());
    let target = folder.path().join("elsewhere.db");
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert_eq!(error, StoreError::File { path, detail: "not a regular file".to_owned() });
    assert!(!target.exists());
}

#[test]
fn a_second_opening_is_refused_until_the_first_ends() {
    let (folder, path) = folder();
    let first = Handle::open(&path).unwrap();
    first.write(|change| change.next_epoch(7)).unwrap();
    let other_way = folder.path().join("./muster.db");
    for way in [&path, &other_way] {
        let refused = SqliteStore::open(way).unwrap_err();
        assert_eq!(refused, StoreError::InUse { path: path.clone(), pid: Some(std::process::id()) });
    }
    let again = first.clone();
    drop(first);
    assert!(matches!(SqliteStore::open(&path), Err(StoreError::InUse { .. })), "a clone holds it");
    drop(again);
    let second = Handle::open(&path).unwrap();
    assert_eq!(second.read(|view| view.last_epoch()), Ok(Some(7)));
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    drop(Handle::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = SqliteStore::open(&path).unwrap_err();
    assert_eq!(refused, StoreError::Newer { path: path.clone(), found: 3, known: 2 });
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_not_a_store_is_refused_and_left_alone() {
    let (folder, _) = folder();
    let database = |name: &str, sql: &str| {
        let path = folder.path().canonicalize().unwrap().join(name);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let foreign = [
        database("tables", "CREATE TABLE t (x)"),
        database("id", "PRAGMA application_id = 7"),
        database("version", "PRAGMA user_version = 1"),
    ];
    for path in foreign {
        let before = std::fs::read(&path).unwrap();
        let refused = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(refused, StoreError::NotAStore { .. }), "{refused}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let text = folder.path().join("text");
    std::fs::write(&text, "not a database, but long enough to be taken for one ".repeat(20)).unwrap();
    std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o600)).unwrap();
    // SQLITE_NOTADB
    assert!(matches!(SqliteStore::open(&text), Err(StoreError::Database { code: 26, .. })));
}

#[test]
fn an_empty_file_left_by_a_crash_becomes_a_store() {
    let (_folder, path) = folder();
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let store = Handle::open(&path).unwrap();
    assert_eq!(store.write(|change| change.next_epoch(3)), Ok(3));
}

#[test]
fn other_tools_can_look_inside_while_it_runs() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    store.write(|change| change.next_epoch(5)).unwrap();
    let tool = Connection::open(&path).unwrap();
    let epoch: i64 = tool.query_row("SELECT last_epoch FROM federation", [], |row| row.get(0)).unwrap();
    assert_eq!(epoch, 5);
    let journal: String = tool.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
    store.write(|change| change.next_epoch(6)).unwrap();
    let check: String = tool.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}
