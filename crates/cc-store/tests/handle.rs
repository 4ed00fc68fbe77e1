//! Changes and those who wait for them.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use cc_store::{Change, Handle, Operation, SqliteStore, Store, StoreError, View};

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("muster.db");
    (folder, path)
}

/// Shares a store between the handle and the test.
struct Shared(Arc<SqliteStore>);

impl Store for Shared {
    fn submit(&self, operation: Box<dyn Operation>) {
        self.0.submit(operation);
    }

    fn view(&self, read: &mut dyn FnMut(&dyn View) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.0.view(read)
    }
}

/// Holds the store's thread up within a change until told to go on.
fn hold(store: &Handle) -> Sender<()> {
    let (go, wait) = channel::<()>();
    let (held, is_held) = channel();
    store.write_then(
        move |_| {
            held.send(()).unwrap();
            let _ = wait.recv();
            Ok(())
        },
        |result: Result<(), StoreError>| result.unwrap(),
    );
    is_held.recv().unwrap();
    go
}

#[test]
fn what_queues_up_is_committed_at_once_and_acknowledged_after() {
    let (_folder, path) = folder();
    let sqlite = Arc::new(SqliteStore::open(&path).unwrap());
    let store = Handle::new(Shared(Arc::clone(&sqlite)));
    let go = hold(&store);
    let (done, results) = channel();
    for now in 0..1000_u64 {
        let done = done.clone();
        // At every acknowledgement the change is visible to readers, so it has been committed.
        let reader = store.clone();
        store.write_then(
            move |change| change.next_epoch(now),
            move |epoch| done.send((epoch.unwrap(), reader.read(|view| view.last_epoch()).unwrap())).unwrap(),
        );
    }
    drop(done);
    assert_eq!(store.read(|view| view.last_epoch()), Ok(None), "nothing is visible before it is committed");
    assert_eq!(sqlite.commits(), 0);
    go.send(()).unwrap();
    let results: Vec<(u64, Option<u64>)> = results.iter().collect();
    assert!(results.iter().all(|(epoch, visible)| Some(*epoch) <= *visible), "{results:?}");
    assert_eq!(results.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), (0..1000).collect::<Vec<_>>());
    // 1 + 1000 changes, at most 256 at once.
    assert_eq!(sqlite.commits(), 4);
}

#[test]
fn a_change_that_fails_is_undone_and_no_other() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    let go = hold(&store);
    let (done, results) = channel();
    let submit = |index: u64, outcome: Outcome| {
        let done = done.clone();
        let change = move |change: &dyn Change| {
            change.raise_floor(&format!("floor {index}"), index.into())?;
            match outcome {
                Outcome::Good => Ok(index),
                Outcome::Refused => change.raise_floor("floor 0", 0.into()).and(Err(StoreError::Stopped)),
                Outcome::Panics => panic!("on purpose"),
            }
        };
        store.write_then(change, move |result| done.send((index, result)).unwrap());
    };
    submit(1, Outcome::Good);
    submit(2, Outcome::Refused);
    submit(3, Outcome::Good);
    submit(4, Outcome::Panics);
    submit(5, Outcome::Good);
    drop(done);
    go.send(()).unwrap();
    let results: Vec<_> = results.iter().collect();
    let expected =
        [(1, Ok(1)), (2, Err(StoreError::Stopped)), (3, Ok(3)), (4, Err(StoreError::Panicked)), (5, Ok(5))];
    assert_eq!(results, expected);
    let names = store.read(|view| view.floors()).unwrap().into_iter().map(|(name, _)| name);
    assert_eq!(names.collect::<Vec<_>>(), ["floor 1", "floor 3", "floor 5"]);
}

#[derive(Clone, Copy)]
enum Outcome {
    Good,
    Refused,
    Panics,
}

#[test]
fn several_changes_in_one_are_one() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    let both = store.write(|change| {
        let epoch = change.next_epoch(5)?;
        assert_eq!(change.last_epoch()?, Some(5), "a change sees itself");
        change.issue_nonce(epoch, &[1; 32], cc_core::UnixTime::from_secs(1))?;
        change.issue_nonce(epoch, &[1; 32], cc_core::UnixTime::from_secs(1))
    });
    assert_eq!(both, Err(StoreError::NonceReused { stored: 5, offered: 5 }));
    assert_eq!(store.read(|view| Ok((view.last_epoch()?, view.nonce(5, &[1; 32])?))), Ok((None, None)));
}

#[test]
fn whoever_panics_on_hearing_the_result_stops_nobody() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    store.write_then(|change| change.next_epoch(1), |_| panic!("on purpose"));
    assert_eq!(store.write(|change| change.next_epoch(1)), Ok(2));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.read(|_| -> Result<(), StoreError> { panic!("on purpose") })
    }));
    assert!(panicked.is_err());
    assert_eq!(store.read(|view| view.last_epoch()), Ok(Some(2)), "nor does a reader");
}

#[test]
fn a_view_is_of_one_instant() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    store.write(|change| change.next_epoch(1)).unwrap();
    let seen = store.read(|view| {
        let before = view.last_epoch()?;
        store.write(|change| change.next_epoch(9))?;
        Ok((before, view.last_epoch()?))
    });
    assert_eq!(seen, Ok((Some(1), Some(1))));
    assert_eq!(store.read(|view| view.last_epoch()), Ok(Some(9)));
}

#[test]
fn dropping_the_store_makes_durable_what_was_submitted() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    let (done, results) = channel();
    for _ in 0..500 {
        let done = done.clone();
        store.write_then(|change| change.next_epoch(0), move |result| done.send(result).unwrap());
    }
    drop((store, done));
    assert_eq!(results.iter().map(Result::unwrap).collect::<Vec<_>>(), (0..500).collect::<Vec<_>>());
    let again = Handle::open(&path).unwrap();
    assert_eq!(again.read(|view| view.last_epoch()), Ok(Some(499)));
}

#[test]
fn an_operation_may_hold_the_last_handle() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    let last = Arc::new(Mutex::new(Some(store.clone())));
    let go = hold(&store);
    let (done, ended): (_, Receiver<()>) = channel();
    store.write_then(
        |change| change.next_epoch(4),
        move |_| {
            last.lock().unwrap().take();
            drop(done);
        },
    );
    drop(store);
    go.send(()).unwrap();
    assert!(ended.recv().is_err());
    // The thread gives the file free a little later than it has dropped the handle.
    let again = loop {
        match Handle::open(&path) {
            Err(StoreError::InUse { .. }) => std::thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    assert_eq!(again.read(|view| view.last_epoch()), Ok(Some(4)));
}

#[test]
fn more_than_the_queue_holds_is_refused_at_once() {
    let (_folder, path) = folder();
    let store = Handle::open(&path).unwrap();
    let go = hold(&store);
    let (done, results) = channel();
    let most = 16 * 1024;
    for _ in 0..=most {
        let done = done.clone();
        store.write_then(|change| change.next_epoch(0), move |result| done.send(result).unwrap());
    }
    assert_eq!(results.try_recv(), Ok(Err(StoreError::Overloaded { most })), "before any other is done");
    go.send(()).unwrap();
    drop((store, done));
    assert_eq!(results.iter().filter(Result::is_ok).count(), most);
}
