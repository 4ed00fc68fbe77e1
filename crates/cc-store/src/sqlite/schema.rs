//! The schema and its versions.
//!
//! Version *n* of the schema is what the first *n* migrations make. A migration is never changed once it was released:
//! what is different comes as the next one.

use std::path::Path;

use rusqlite::Connection;

use crate::error::StoreError;

/// Marks the file as a store of this program ("MUST").
const APPLICATION_ID: u32 = 0x4d55_5354;

/// From an empty file to the newest schema.
pub(super) const MIGRATIONS: &[&str] = &[include_str!("v1.sql"), include_str!("v2.sql")];

/// The version of the schema that is there, if the database is ours and not newer than this program; 0 if it is empty.
pub(super) fn ours(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<u32, StoreError> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i32>(0));
    let found = number("PRAGMA application_id")?.cast_unsigned();
    let version = number("PRAGMA user_version")?.cast_unsigned();
    let objects = number("SELECT count(*) FROM sqlite_schema")?;
    let is_new = found == 0 && version == 0 && objects == 0;
    if found != APPLICATION_ID && !is_new {
        return Err(StoreError::NotAStore { path: path.to_owned(), found, expected: APPLICATION_ID });
    }
    let known = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if version > known {
        return Err(StoreError::Newer { path: path.to_owned(), found: version, known });
    }
    Ok(version)
}

/// Brings the schema up to date, all of it or nothing.
pub(super) fn migrate(connection: &Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let version = ours(connection, path, migrations)?;
    let missing = migrations.iter().skip(usize::try_from(version).unwrap_or(usize::MAX));
    if missing.len() == 0 {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction()?;
    for step in missing {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {};",
        migrations.len()
    ))?;
    let broken = transaction
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get::<_, i64>(0))?;
    if broken != 0 {
        let detail = format!("{broken} references to nothing after the schema was brought up to date");
        return Err(StoreError::Damaged { detail });
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(connection: &Connection, migrations: &[&str]) -> u32 {
        ours(connection, Path::new("store"), migrations).unwrap()
    }

    #[test]
    fn each_version_is_reached_from_each_earlier_one() {
        let steps = ["CREATE TABLE a (x) STRICT", "ALTER TABLE a ADD y", "INSERT INTO a VALUES (1, 2)"]
            .map(|step| step.replace("(x)", "(x INTEGER)").replace("ADD y", "ADD y INTEGER"));
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        for from in 0..=steps.len() {
            let connection = Connection::open_in_memory().unwrap();
            let path = Path::new("store");
            migrate(&connection, path, &steps[..from]).unwrap();
            assert_eq!(version(&connection, &steps), u32::try_from(from).unwrap());
            migrate(&connection, path, &steps).unwrap();
            migrate(&connection, path, &steps).unwrap();
            assert_eq!(version(&connection, &steps), 3);
            let rows: i64 = connection.query_row("SELECT count(y) FROM a", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 1, "from {from}");
        }
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let connection = Connection::open_in_memory().unwrap();
        let path = Path::new("store");
        let failed = migrate(&connection, path, &["CREATE TABLE a (x)", "CREATE TABLE a (x)"]);
        assert!(matches!(failed, Err(StoreError::Database { .. })), "{failed:?}");
        assert_eq!(version(&connection, &["", ""]), 0);
    }
}
