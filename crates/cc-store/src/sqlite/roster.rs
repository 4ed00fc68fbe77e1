//! Who has been admitted.

use rusqlite::{Connection, Row, params};

use super::value::{At, all, instant, one};
use crate::error::StoreError;
use crate::rows::Member;

const COLUMNS: &str = "name, role, instance_id, key_digest, key, registered, transcript";

fn row(row: &Row<'_>) -> rusqlite::Result<Member> {
    Ok(Member {
        name: row.get(0)?,
        role: row.get(1)?,
        instance_id: row.get(2)?,
        key_digest: row.get(3)?,
        key: row.get(4)?,
        registered: row.get::<_, At>(5)?.0,
        transcript: row.get(6)?,
    })
}

pub(super) fn member(connection: &Connection, name: &str) -> Result<Option<Member>, StoreError> {
    one(connection, &format!("SELECT {COLUMNS} FROM member WHERE name = ?"), [name], row)
}

pub(super) fn all_members(connection: &Connection) -> Result<Vec<Member>, StoreError> {
    all(connection, &format!("SELECT {COLUMNS} FROM member ORDER BY name"), [], row)
}

pub(super) fn retired(connection: &Connection) -> Result<Vec<[u8; 32]>, StoreError> {
    all(connection, "SELECT key_digest FROM retired ORDER BY key_digest", [], |row| row.get(0))
}

pub(super) fn put_member(connection: &Connection, member: &Member) -> Result<(), StoreError> {
    let holder: Option<String> = one(
        connection,
        "SELECT name FROM member WHERE key_digest = ? AND name <> ?",
        params![member.key_digest, member.name],
        |row| row.get(0),
    )?;
    if let Some(holder) = holder {
        return Err(StoreError::KeyTaken { name: member.name.clone(), holder });
    }
    connection.execute(
        "INSERT OR IGNORE INTO retired (key_digest) SELECT key_digest FROM member WHERE name = ? AND key_digest <> ?",
        params![member.name, member.key_digest],
    )?;
    connection.execute(
        &format!("INSERT OR REPLACE INTO member ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"),
        params![
            member.name,
            member.role,
            member.instance_id,
            member.key_digest,
            member.key,
            instant(member.registered)?,
            member.transcript,
        ],
    )?;
    Ok(())
}

pub(super) fn remove_member(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    Ok(connection.execute("DELETE FROM member WHERE name = ?", [name])? > 0)
}
