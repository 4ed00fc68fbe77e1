//! Epochs and issued nonces.

use cc_core::UnixTime;
use rusqlite::{Connection, params};

use super::value::{At, Number, count, instant, number, one};
use crate::error::StoreError;

pub(super) fn last_epoch(connection: &Connection) -> Result<Option<u64>, StoreError> {
    let last =
        one(connection, "SELECT last_epoch FROM federation", [], |row| row.get::<_, Option<Number>>(0))?;
    Ok(last.flatten().map(|last| last.0))
}

pub(super) fn next_epoch(connection: &Connection, now_ms: u64) -> Result<u64, StoreError> {
    let lowest = last_epoch(connection)?.map_or(0, |last| last.saturating_add(1));
    let epoch = lowest.max(now_ms);
    connection.execute("UPDATE federation SET last_epoch = ?", [number("epoch", epoch)?])?;
    Ok(epoch)
}

pub(super) fn nonce(
    connection: &Connection,
    epoch: u64,
    hash: &[u8; 32],
) -> Result<Option<UnixTime>, StoreError> {
    let epoch = number("epoch", epoch)?;
    let at =
        one(connection, "SELECT at FROM nonce WHERE hash = ? AND epoch = ?", params![hash, epoch], |row| {
            row.get::<_, At>(0)
        })?;
    Ok(at.map(|at| at.0))
}

pub(super) fn issue_nonce(
    connection: &Connection,
    epoch: u64,
    hash: &[u8; 32],
    at: UnixTime,
) -> Result<(), StoreError> {
    let stored =
        one(connection, "SELECT epoch FROM nonce WHERE hash = ?", [hash], |row| row.get::<_, Number>(0))?;
    if let Some(stored) = stored {
        return Err(StoreError::NonceReused { stored: stored.0, offered: epoch });
    }
    connection.execute(
        "INSERT INTO nonce (hash, epoch, at) VALUES (?, ?, ?)",
        params![hash, number("epoch", epoch)?, instant(at)?],
    )?;
    Ok(())
}

pub(super) fn prune_nonces(connection: &Connection, before: UnixTime) -> Result<u64, StoreError> {
    Ok(count(connection.execute("DELETE FROM nonce WHERE at < ?", [instant(before)?])?))
}
