//! Jobs, which only go on.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row, params};

use super::value::{Number, all, number, one};
use crate::error::StoreError;
use crate::rows::{Job, Stage};

const COLUMNS: &str = "id, sequence, nonce, file, stage, record";

impl ToSql for Stage {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(match self {
            Self::Waiting => 0_i64,
            Self::Dispatched => 1,
            Self::Ended => 2,
        }))
    }
}

impl FromSql for Stage {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_i64()? {
            0 => Ok(Self::Waiting),
            1 => Ok(Self::Dispatched),
            2 => Ok(Self::Ended),
            other => Err(FromSqlError::OutOfRange(other)),
        }
    }
}

fn row(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get(0)?,
        sequence: row.get::<_, Number>(1)?.0,
        nonce: row.get(2)?,
        file: row.get(3)?,
        stage: row.get(4)?,
        record: row.get(5)?,
    })
}

pub(super) fn job(connection: &Connection, id: &str) -> Result<Option<Job>, StoreError> {
    one(connection, &format!("SELECT {COLUMNS} FROM job WHERE id = ?"), [id], row)
}

pub(super) fn all_jobs(connection: &Connection) -> Result<Vec<Job>, StoreError> {
    all(connection, &format!("SELECT {COLUMNS} FROM job ORDER BY sequence, id"), [], row)
}

pub(super) fn unfinished(connection: &Connection) -> Result<Vec<Job>, StoreError> {
    all(connection, &format!("SELECT {COLUMNS} FROM job WHERE stage < 2 ORDER BY sequence, id"), [], row)
}

fn stage(connection: &Connection, id: &str) -> Result<Option<Stage>, StoreError> {
    one(connection, "SELECT stage FROM job WHERE id = ?", [id], |row| row.get(0))
}

pub(super) fn add(connection: &Connection, job: &Job) -> Result<(), StoreError> {
    if stage(connection, &job.id)?.is_some() {
        return Err(StoreError::JobExists { job: job.id.clone() });
    }
    connection.execute(
        &format!("INSERT INTO job ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"),
        params![job.id, number("sequence", job.sequence)?, job.nonce, job.file, job.stage, job.record],
    )?;
    Ok(())
}

pub(super) fn update(
    connection: &Connection,
    id: &str,
    offered: Stage,
    record: &[u8],
) -> Result<(), StoreError> {
    let stored = stage(connection, id)?.ok_or_else(|| StoreError::JobUnknown { job: id.to_owned() })?;
    if offered < stored {
        return Err(StoreError::JobStage { job: id.to_owned(), stored, offered });
    }
    connection.execute("UPDATE job SET stage = ?, record = ? WHERE id = ?", params![offered, record, id])?;
    Ok(())
}
