//! The processes of one plugin for one purpose: so many at most, started when they are needed.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::wire::Ask;
use super::{Child, Kind, Spec};
use crate::plugin::CallError;

pub(super) struct Pool {
    spec: Arc<Spec>,
    kind: Kind,
    most: usize,
    state: Mutex<State>,
    freed: Condvar,
}

/// Processes that have nothing to do, and the number of those that have.
struct State {
    idle: Vec<Child>,
    busy: usize,
}

impl Pool {
    /// At most `most` processes, one of which may be there already.
    pub(super) fn new(spec: Arc<Spec>, kind: Kind, most: usize, first: Option<Child>) -> Self {
        let state = State { idle: first.into_iter().collect(), busy: 0 };
        Self { spec, kind, most: most.max(1), state: Mutex::new(state), freed: Condvar::new() }
    }

    /// Makes a call in a process of its own; waits while all of them are busy, which their deadline bounds.
    pub(super) fn call(&self, ask: Ask, request: &[u8]) -> Result<Vec<u8>, CallError> {
        let mut busy = self.take();
        let mut child = match busy.child.take() {
            Some(child) => child,
            None => Child::start(&self.spec, self.kind)?,
        };
        let answer = child.call(ask, request, self.spec.deadline(self.kind));
        // A process that has answered, whatever it has answered, goes on.
        if matches!(answer, Ok(_) | Err(CallError::Denied(_) | CallError::Oversize(_))) {
            busy.child = Some(child);
        }
        answer
    }

    /// A place, with a process in it if one is idle.
    fn take(&self) -> Busy<'_> {
        let mut state = self.lock();
        loop {
            while let Some(mut child) = state.idle.pop() {
                if child.is_alive() {
                    state.busy = state.busy.saturating_add(1);
                    return Busy { pool: self, child: Some(child) };
                }
            }
            if state.busy < self.most {
                state.busy = state.busy.saturating_add(1);
                return Busy { pool: self, child: None };
            }
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that is taken; gives it back, with the process that is of further use, whatever happens.
struct Busy<'a> {
    pool: &'a Pool,
    child: Option<Child>,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.busy = state.busy.saturating_sub(1);
        state.idle.extend(self.child.take());
        drop(state);
        self.pool.freed.notify_one();
    }
}
