//! The embedded store: SQLite with a write-ahead log, flushed to disk at every commit.
//!
//! One thread owns the connection that writes and commits whatever has queued up at once; readers share a second
//! connection. A lock beside the database keeps other processes of this program away, while the database itself stays
//! open to any SQLite tool.

mod access;
mod evidence;
mod file;
mod jobs;
mod kit;
mod roster;
mod rounds;
mod schema;
mod session;
mod value;
mod verdicts;
mod writer;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::error::StoreError;
use crate::store::{Operation, Store, View};
use session::Session;
use writer::Writer;

/// Changes that may wait for the disk. A round of a thousand participants makes a few thousand.
const MAX_WAITING: usize = 16 * 1024;

/// A store in one file.
///
/// Dropping it makes everything durable that was submitted, and gives the file free.
#[derive(Debug)]
pub struct SqliteStore {
    queue: Option<SyncSender<Box<dyn Operation>>>,
    reader: Mutex<Option<Connection>>,
    thread: Option<JoinHandle<()>>,
    commits: Arc<AtomicU64>,
    /// Last: the connections are closed before others may have the file.
    _lock: Arc<file::Lock>,
}

impl SqliteStore {
    /// Opens the store at `path`, or creates it there in a folder that exists, readable for its owner alone; brings
    /// its schema up to date.
    ///
    /// Refuses a store that is open elsewhere, that others may access, that a newer version has written, or that is
    /// something else.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let path = &file::resolve(path)?;
        let lock = Arc::new(file::lock(path)?);
        file::prepare(path)?;
        let connection = access::writer(path)?;
        schema::migrate(&connection, path, schema::MIGRATIONS)?;
        let reader = access::reader(path)?;
        let commits = Arc::new(AtomicU64::new(0));
        let (queue, waiting) = sync_channel(MAX_WAITING);
        let writer = Writer::new(connection, Arc::clone(&commits), Arc::clone(&lock));
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || writer.run(&waiting))
            .map_err(|error| file::unusable(path, &error))?;
        Ok(Self {
            queue: Some(queue),
            reader: Mutex::new(Some(reader)),
            thread: Some(thread),
            commits,
            _lock: lock,
        })
    }

    /// How many transactions this value has committed; each holds what had queued up.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}

impl Store for SqliteStore {
    fn submit(&self, operation: Box<dyn Operation>) {
        let Some(queue) = &self.queue else { return operation.done(Err(StoreError::Stopped)) };
        match queue.try_send(operation) {
            Ok(()) => {}
            Err(TrySendError::Full(operation)) => {
                operation.done(Err(StoreError::Overloaded { most: MAX_WAITING }));
            }
            Err(TrySendError::Disconnected(operation)) => operation.done(Err(StoreError::Stopped)),
        }
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = reader.as_ref().ok_or(StoreError::Stopped)?;
        // Rolled back when it goes out of scope, also by a panic.
        let transaction = connection.unchecked_transaction()?;
        read(&Session(&transaction))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The connection that may write closes last, since that is when the log is folded into the database.
        self.reader.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        self.queue.take();
        let Some(thread) = self.thread.take() else { return };
        // An operation may hold the last handle; its own thread cannot wait for itself.
        if thread.thread().id() != std::thread::current().id() {
            let _ = thread.join();
        }
    }
}
