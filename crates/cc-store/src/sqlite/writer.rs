//! The one thread that writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use rusqlite::{Connection, ErrorCode};

use super::file::Lock;
use super::session::Session;
use crate::error::StoreError;
use crate::store::Operation;

/// Most operations in one transaction: enough that the disk's latency is shared, few enough that nobody waits long.
const MAX_GROUP: usize = 256;

pub(super) struct Writer {
    connection: Connection,
    /// The disk failed in a commit: what is on it is not known.
    stopped: bool,
    commits: Arc<AtomicU64>,
    /// Last: the connection is closed before others may have the file.
    _lock: Arc<Lock>,
}

type Applied = (Box<dyn Operation>, Result<(), StoreError>);

impl Writer {
    pub(super) const fn new(connection: Connection, commits: Arc<AtomicU64>, lock: Arc<Lock>) -> Self {
        Self { connection, stopped: false, commits, _lock: lock }
    }

    /// Works until nobody can submit any more.
    pub(super) fn run(mut self, waiting: &Receiver<Box<dyn Operation>>) {
        while let Ok(first) = waiting.recv() {
            let rest = waiting.try_iter().take(MAX_GROUP.saturating_sub(1));
            for (operation, result) in self.group(std::iter::once(first).chain(rest)) {
                // Whoever panics on hearing it harms only itself.
                let _ = catch_unwind(AssertUnwindSafe(|| operation.done(result)));
            }
        }
    }

    /// Applies operations and commits them together.
    fn group(&mut self, operations: impl Iterator<Item = Box<dyn Operation>>) -> Vec<Applied> {
        let mut group: Vec<Applied> = Vec::new();
        for mut operation in operations {
            let result = self.apply(&mut *operation);
            if let Err(error) = &result
                && self.connection.is_autocommit()
            {
                // Some failures, a full disk for one, make SQLite undo the whole transaction.
                undo(&mut group, error);
            }
            group.push((operation, result));
        }
        if let Err(error) = self.commit() {
            undo(&mut group, &error);
        }
        group
    }

    /// Applies one operation within the transaction; one that fails leaves nothing behind.
    fn apply(&mut self, operation: &mut dyn Operation) -> Result<(), StoreError> {
        if self.stopped {
            return Err(StoreError::Stopped);
        }
        if self.connection.is_autocommit() {
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        self.connection.execute_batch("SAVEPOINT operation")?;
        let session = Session(&self.connection);
        let applied = catch_unwind(AssertUnwindSafe(|| operation.apply(&session)))
            .unwrap_or(Err(StoreError::Panicked))
            .and_then(|()| Ok(self.connection.execute_batch("RELEASE operation")?));
        if applied.is_err() && !self.connection.is_autocommit() {
            let undone = self.connection.execute_batch("ROLLBACK TO operation; RELEASE operation");
            if undone.is_err() {
                self.roll_back();
            }
        }
        applied
    }

    /// Makes the transaction durable, if there is one.
    fn commit(&mut self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        let Err(error) = self.connection.execute_batch("COMMIT") else {
            self.commits.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        // After a failed flush the system may have dropped what it could not write: only a new start tells.
        let harmless = [ErrorCode::DiskFull, ErrorCode::DatabaseBusy];
        self.stopped |= !error.sqlite_error_code().is_some_and(|code| harmless.contains(&code));
        self.roll_back();
        Err(match StoreError::from(error) {
            StoreError::Database { code, detail } => StoreError::NotCommitted { code, detail },
            other => other,
        })
    }

    /// Undoes the transaction, or gives up writing.
    fn roll_back(&mut self) {
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            self.stopped = true;
        }
    }
}

/// What succeeded has been undone with the transaction.
fn undo(group: &mut [Applied], error: &StoreError) {
    for (_, result) in group.iter_mut().filter(|(_, result)| result.is_ok()) {
        *result = Err(error.clone());
    }
}
