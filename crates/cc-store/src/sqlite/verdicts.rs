//! Who said what about whom.

use cc_core::UnixTime;
use rusqlite::{Connection, Params, Row, params};

use super::value::{At, Number, all, count, instant, number};
use crate::error::StoreError;
use crate::rows::{Judgement, Statement, Verdict};

const VERDICT: &str = "SELECT s.epoch, s.purpose, s.job, s.verifier, s.policy_digest, s.at, \
     v.subject, v.code, v.detail, v.policy_line, v.evidence \
     FROM verdict AS v JOIN statement AS s ON s.id = v.statement";

fn select(connection: &Connection, rest: &str, params: impl Params) -> Result<Vec<Verdict>, StoreError> {
    all(connection, &format!("{VERDICT} {rest}"), params, |row: &Row<'_>| {
        Ok(Verdict {
            epoch: row.get::<_, Number>(0)?.0,
            purpose: row.get(1)?,
            job: row.get(2)?,
            verifier: row.get(3)?,
            policy_digest: row.get(4)?,
            at: row.get::<_, At>(5)?.0,
            judgement: Judgement {
                subject: row.get(6)?,
                code: row.get(7)?,
                detail: row.get(8)?,
                policy_line: row.get(9)?,
                evidence: row.get(10)?,
            },
        })
    })
}

pub(super) fn of_round(connection: &Connection, epoch: u64) -> Result<Vec<Verdict>, StoreError> {
    select(connection, "WHERE s.epoch = ? ORDER BY s.verifier, v.subject", [number("epoch", epoch)?])
}

pub(super) fn of_job(connection: &Connection, job: &str) -> Result<Vec<Verdict>, StoreError> {
    select(connection, "WHERE s.job = ? ORDER BY s.epoch, s.verifier, v.subject", [job])
}

pub(super) fn latest(connection: &Connection) -> Result<Vec<Verdict>, StoreError> {
    // The key of the table is (verifier, subject, epoch): each group is a range of it, and its end.
    let rest = "WHERE (v.verifier, v.subject, v.epoch) IN \
         (SELECT verifier, subject, max(epoch) FROM verdict GROUP BY verifier, subject) \
         ORDER BY v.verifier, v.subject";
    select(connection, rest, [])
}

pub(super) fn statements(connection: &Connection, epoch: u64) -> Result<Vec<Statement>, StoreError> {
    let sql = "SELECT epoch, purpose, job, verifier, policy_digest, at, signed FROM statement \
               WHERE epoch = ? ORDER BY verifier, id";
    all(connection, sql, [number("epoch", epoch)?], |row| {
        Ok(Statement {
            epoch: row.get::<_, Number>(0)?.0,
            purpose: row.get(1)?,
            job: row.get(2)?,
            verifier: row.get(3)?,
            policy_digest: row.get(4)?,
            at: row.get::<_, At>(5)?.0,
            signed: row.get(6)?,
        })
    })
}

pub(super) fn put(
    connection: &Connection,
    statement: &Statement,
    judgements: &[Judgement],
) -> Result<(), StoreError> {
    let epoch = number("epoch", statement.epoch)?;
    connection.execute(
        "INSERT INTO statement (epoch, purpose, job, verifier, policy_digest, at, signed) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
        params![
            epoch,
            statement.purpose,
            statement.job,
            statement.verifier,
            statement.policy_digest,
            instant(statement.at)?,
            statement.signed,
        ],
    )?;
    let id = connection.last_insert_rowid();
    let mut insert = connection.prepare(
        "INSERT OR REPLACE INTO verdict \
         (verifier, subject, epoch, statement, code, detail, policy_line, evidence) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for judgement in judgements {
        insert.execute(params![
            statement.verifier,
            judgement.subject,
            epoch,
            id,
            judgement.code,
            judgement.detail,
            judgement.policy_line,
            judgement.evidence,
        ])?;
    }
    Ok(())
}

pub(super) fn prune(connection: &Connection, before: UnixTime) -> Result<u64, StoreError> {
    let sql = "DELETE FROM statement WHERE job IS NULL AND at < ?";
    Ok(count(connection.execute(sql, [instant(before)?])?))
}
