//! What comes with the kit and never goes back: the federation, the owner's bundle, floors.

use rusqlite::{Connection, params};

use super::value::{At, Number, all, instant, number, one};
use crate::error::StoreError;
use crate::rows::{Bundle, FloorNumber};

pub(super) fn federation(connection: &Connection) -> Result<Option<[u8; 32]>, StoreError> {
    let id = one(connection, "SELECT id FROM federation", [], |row| row.get::<_, Option<[u8; 32]>>(0))?;
    Ok(id.flatten())
}

pub(super) fn bind_federation(connection: &Connection, id: &[u8; 32]) -> Result<(), StoreError> {
    match federation(connection)? {
        None => connection.execute("UPDATE federation SET id = ?", params![id]).map(|_| ())?,
        Some(stored) if stored == *id => {}
        Some(stored) => return Err(StoreError::OtherFederation { stored, offered: *id }),
    }
    Ok(())
}

pub(super) fn bundle(connection: &Connection) -> Result<Option<Bundle>, StoreError> {
    one(connection, "SELECT version, digest, bytes, at FROM bundle", [], |row| {
        Ok(Bundle {
            version: row.get::<_, Number>(0)?.0,
            digest: row.get(1)?,
            bytes: row.get(2)?,
            at: row.get::<_, At>(3)?.0,
        })
    })
}

pub(super) fn put_bundle(connection: &Connection, offered: &Bundle) -> Result<(), StoreError> {
    if let Some(stored) = bundle(connection)? {
        if offered.version < stored.version {
            return Err(StoreError::BundleRollback { stored: stored.version, offered: offered.version });
        }
        if offered.version == stored.version {
            if offered.digest == stored.digest {
                return Ok(());
            }
            return Err(StoreError::BundleEquivocation {
                version: stored.version,
                stored: stored.digest,
                offered: offered.digest,
            });
        }
    }
    connection.execute(
        "INSERT OR REPLACE INTO bundle (one, version, digest, bytes, at) VALUES (1, ?, ?, ?, ?)",
        params![
            number("bundle version", offered.version)?,
            offered.digest,
            offered.bytes,
            instant(offered.at)?
        ],
    )?;
    Ok(())
}

pub(super) fn floor(connection: &Connection, name: &str) -> Result<Option<FloorNumber>, StoreError> {
    one(connection, "SELECT number FROM floor WHERE name = ?", [name], |row| row.get(0).map(FloorNumber))
}

pub(super) fn floors(connection: &Connection) -> Result<Vec<(String, FloorNumber)>, StoreError> {
    all(connection, "SELECT name, number FROM floor ORDER BY name", [], |row| {
        Ok((row.get(0)?, FloorNumber(row.get(1)?)))
    })
}

pub(super) fn raise_floor(
    connection: &Connection,
    name: &str,
    offered: FloorNumber,
) -> Result<bool, StoreError> {
    match floor(connection, name)? {
        Some(floor) if offered < floor => {
            return Err(StoreError::FloorLower { name: name.to_owned(), floor, offered });
        }
        Some(floor) if offered == floor => return Ok(false),
        _ => {}
    }
    connection
        .execute("INSERT OR REPLACE INTO floor (name, number) VALUES (?, ?)", params![name, offered.0])?;
    Ok(true)
}
