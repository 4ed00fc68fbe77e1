//! What a federation must not forget: its newest bundle, its epochs, the roster, evidence, verdicts, jobs, issued
//! nonces, collateral and the floors that protect from rollback (*verification.md* 0.9 and 5.5).
//!
//! Three layers, each of which can be read without the next:
//!
//! * **rows**: plain records ([`Member`], [`Job`], [`Verdict`], ...). This crate knows nothing of the protocol: texts,
//!   bytes and numbers are its callers';
//! * **[`View`] and [`Change`]**: what can be asked and what can be changed, and [`Store`], which runs changes one
//!   after the other, each whole or not at all, and acknowledges none before it is on disk. [`Handle`] is the
//!   convenient side of a store, for callers that wait and for callers that must not;
//! * **[`SqliteStore`]**: the embedded default. One thread owns the connection that writes; whatever has queued up
//!   is committed at once.
//!
//! It refuses to do: hashing, clocks, randomness, and to judge what it keeps, with the exceptions that are its
//! purpose: an epoch is given out once, a bundle or a floor never goes back, a job never goes back to a stage that it
//! has left.
#![forbid(unsafe_code)]

mod error;
mod handle;
mod rows;
mod sqlite;
mod store;

pub use error::StoreError;
pub use handle::Handle;
pub use rows::{
    Bundle, Collateral, Evidence, FloorNumber, Job, Judgement, Member, Pruned, Stage, Statement, Verdict,
};
pub use sqlite::SqliteStore;
pub use store::{Change, Operation, Store, View};
