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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::sqlite::{access, file, schema};
    use crate::store::{Change, View};

    struct Step<F>(F);

    impl<F: FnMut(&dyn Change) -> Result<(), StoreError> + Send> Operation for Step<F> {
        fn apply(&mut self, change: &dyn Change) -> Result<(), StoreError> {
            (self.0)(change)
        }

        fn done(self: Box<Self>, _: Result<(), StoreError>) {}
    }

    fn step(apply: impl FnMut(&dyn Change) -> Result<(), StoreError> + Send + 'static) -> Box<dyn Operation> {
        Box::new(Step(apply))
    }

    fn writer(path: &Path) -> Writer {
        let lock = Arc::new(file::lock(path).unwrap());
        file::prepare(path).unwrap();
        let connection = access::writer(path).unwrap();
        schema::migrate(&connection, path, schema::MIGRATIONS).unwrap();
        Writer::new(connection, Arc::default(), lock)
    }

    fn epoch(now: u64) -> Box<dyn Operation> {
        step(move |change| change.next_epoch(now).map(|_| ()))
    }

    fn evidence(size: usize) -> Box<dyn Operation> {
        let at = cc_core::UnixTime::from_secs(1);
        step(move |change| change.put_evidence(&[1; 32], &vec![0; size], at))
    }

    fn results(writer: &mut Writer, operations: Vec<Box<dyn Operation>>) -> Vec<Result<(), StoreError>> {
        writer.group(operations.into_iter()).into_iter().map(|(_, result)| result).collect()
    }

    /// `SQLITE_FULL`
    const FULL: i32 = 13;

    #[test]
    fn a_full_disk_is_told_to_all_that_it_undoes_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder.path().join("muster.db"));
        writer.connection.execute_batch("PRAGMA max_page_count = 60").unwrap();
        let told = results(&mut writer, vec![epoch(5), evidence(1_000_000), epoch(3)]);
        assert!(matches!(told[0], Err(StoreError::Database { code: FULL, .. })), "{told:?}");
        assert!(matches!(told[1], Err(StoreError::Database { code: FULL, .. })), "{told:?}");
        assert_eq!(told[2], Ok(()));
        assert_eq!(
            Session(&writer.connection).last_epoch(),
            Ok(Some(3)),
            "5 was undone, and its caller knows"
        );
        assert_eq!(results(&mut writer, vec![evidence(1000)]), [Ok(())]);
    }

    #[test]
    fn whoever_hides_a_failure_that_undid_everything_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder.path().join("muster.db"));
        writer.connection.execute_batch("PRAGMA max_page_count = 60").unwrap();
        let hiding = step(|change| {
            let at = cc_core::UnixTime::from_secs(1);
            let _ = change.put_evidence(&[1; 32], &vec![0; 1_000_000], at);
            Ok(())
        });
        let told = results(&mut writer, vec![epoch(5), hiding]);
        assert!(told.iter().all(Result::is_err), "{told:?}");
        assert_eq!(Session(&writer.connection).last_epoch(), Ok(None));
    }

    #[test]
    fn after_a_failed_commit_nothing_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(&folder.path().join("muster.db"));
        // A reference that is only checked at the commit, and fails then.
        let trap = "CREATE TABLE trap (to_floor TEXT REFERENCES floor DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER spring AFTER INSERT ON floor BEGIN INSERT INTO trap VALUES ('none'); END;";
        writer.connection.execute_batch(trap).unwrap();
        let floor = step(|change| change.raise_floor("a", 1.into()).map(|_| ()));
        let told = results(&mut writer, vec![epoch(5), floor]);
        assert!(told.iter().all(|told| matches!(told, Err(StoreError::NotCommitted { .. }))), "{told:?}");
        assert_eq!(
            results(&mut writer, vec![epoch(6), epoch(7)]),
            [Err(StoreError::Stopped), Err(StoreError::Stopped)]
        );
        assert_eq!(Session(&writer.connection).last_epoch(), Ok(None));
        assert_eq!(writer.commits.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn every_commit_is_flushed_to_disk() {
        let folder = tempfile::tempdir().unwrap();
        let writer = writer(&folder.path().join("muster.db"));
        let pragma = |name: &str| -> String {
            let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
            writer.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        // 2 is FULL.
        assert_eq!(["journal_mode", "synchronous", "foreign_keys"].map(pragma), ["wal", "2", "1"]);
    }
}
