//! A store as its callers hold it.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, mpsc};

use crate::error::StoreError;
use crate::sqlite::SqliteStore;
use crate::store::{Change, Operation, Store, View};

/// Shared access to a store.
#[derive(Clone)]
pub struct Handle(Arc<dyn Store>);

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    /// Access to `store`.
    pub fn new(store: impl Store + 'static) -> Self {
        Self(Arc::new(store))
    }

    /// Opens the embedded store: [`SqliteStore::open`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        SqliteStore::open(path).map(Self::new)
    }

    /// Makes a change, as a whole or not at all, and waits until it is on disk. Not for asynchronous code, and not from
    /// within another change: see [`write_then`](Self::write_then).
    pub fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&dyn Change) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.write_then(change, move |result| {
            let _ = sender.send(result);
        });
        // The other side goes without a word only if the store's thread is no more.
        receiver.recv().unwrap_or(Err(StoreError::Stopped))
    }

    /// Makes a change, as a whole or not at all, and calls `done` when it is on disk or has failed. Never waits. `done`
    /// runs on the store's thread: it should pass the result on and return.
    pub fn write_then<T: Send + 'static>(
        &self,
        change: impl FnOnce(&dyn Change) -> Result<T, StoreError> + Send + 'static,
        done: impl FnOnce(Result<T, StoreError>) + Send + 'static,
    ) {
        self.0.submit(Box::new(Typed { change: Some(change), value: None, done }));
    }

    /// Reads what has been committed; all of it is of one instant. Short: other readers wait.
    pub fn read<T>(&self, read: impl FnOnce(&dyn View) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (mut read, mut value) = (Some(read), None);
        self.0.view(&mut |view| {
            if let Some(read) = read.take() {
                value = Some(read(view)?);
            }
            Ok(())
        })?;
        value.ok_or(StoreError::Stopped)
    }
}

/// Carries the value of a change past the store, which does not know its type.
struct Typed<T, C, D> {
    change: Option<C>,
    value: Option<T>,
    done: D,
}

impl<T, C, D> Operation for Typed<T, C, D>
where
    T: Send,
    C: FnOnce(&dyn Change) -> Result<T, StoreError> + Send,
    D: FnOnce(Result<T, StoreError>) + Send,
{
    fn apply(&mut self, change: &dyn Change) -> Result<(), StoreError> {
        if let Some(apply) = self.change.take() {
            self.value = Some(apply(change)?);
        }
        Ok(())
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        let Self { value, done, .. } = *self;
        done(result.and_then(|()| value.ok_or(StoreError::Stopped)));
    }
}
