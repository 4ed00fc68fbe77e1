//! Evidence by its content, and the collateral that it is verified with.

use cc_core::UnixTime;
use rusqlite::{Connection, Params, params};

use super::value::{At, Number, all, count, instant, one};
use crate::error::StoreError;
use crate::rows::{Collateral, Evidence, Pruned};

pub(super) fn evidence(connection: &Connection, hash: &[u8; 32]) -> Result<Option<Evidence>, StoreError> {
    one(connection, "SELECT bytes, at FROM evidence WHERE hash = ?", [hash], |row| {
        Ok(Evidence { bytes: row.get(0)?, at: row.get::<_, At>(1)?.0 })
    })
}

pub(super) fn put_evidence(
    connection: &Connection,
    hash: &[u8; 32],
    bytes: &[u8],
    at: UnixTime,
) -> Result<(), StoreError> {
    let at = instant(at)?;
    match evidence(connection, hash)? {
        Some(stored) if stored.bytes != bytes => Err(StoreError::EvidenceConflict { hash: *hash }),
        Some(_) => {
            connection.execute("UPDATE evidence SET at = max(at, ?) WHERE hash = ?", params![at, hash])?;
            Ok(())
        }
        None => {
            connection.execute(
                "INSERT INTO evidence (hash, bytes, at) VALUES (?, ?, ?)",
                params![hash, bytes, at],
            )?;
            Ok(())
        }
    }
}

pub(super) fn prune_evidence(
    connection: &Connection,
    before: UnixTime,
    most: u64,
) -> Result<Pruned, StoreError> {
    let old =
        pruned(connection, "DELETE FROM evidence WHERE at < ? RETURNING length(bytes)", [instant(before)?])?;
    // More than the database can hold is no limit.
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let over = pruned(
        connection,
        "DELETE FROM evidence WHERE hash IN (
             SELECT hash FROM (
                 SELECT hash, sum(length(bytes)) OVER (ORDER BY at DESC, hash) AS kept FROM evidence
             ) WHERE kept > ?
         ) RETURNING length(bytes)",
        [most],
    )?;
    Ok(Pruned { rows: old.rows.saturating_add(over.rows), bytes: old.bytes.saturating_add(over.bytes) })
}

pub(super) fn collateral(
    connection: &Connection,
    kind: &str,
    key: &str,
) -> Result<Option<Collateral>, StoreError> {
    one(connection, "SELECT bytes, fetched FROM collateral WHERE kind = ? AND key = ?", [kind, key], |row| {
        Ok(Collateral { bytes: row.get(0)?, fetched: row.get::<_, At>(1)?.0 })
    })
}

pub(super) fn put_collateral(
    connection: &Connection,
    kind: &str,
    key: &str,
    collateral: &Collateral,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT OR REPLACE INTO collateral (kind, key, bytes, fetched) VALUES (?, ?, ?, ?)",
        params![kind, key, collateral.bytes, instant(collateral.fetched)?],
    )?;
    Ok(())
}

pub(super) fn prune_collateral(connection: &Connection, before: UnixTime) -> Result<Pruned, StoreError> {
    let sql = "DELETE FROM collateral WHERE fetched < ? RETURNING length(bytes)";
    pruned(connection, sql, [instant(before)?])
}

/// What a statement deleted, which returns the size of each row.
fn pruned(connection: &Connection, sql: &str, params: impl Params) -> Result<Pruned, StoreError> {
    let sizes = all(connection, sql, params, |row| row.get::<_, Number>(0))?;
    let bytes = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(size.0));
    Ok(Pruned { rows: count(sizes.len()), bytes })
}
