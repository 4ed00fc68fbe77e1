//! What a store does, whatever is below it.

use cc_core::UnixTime;

use crate::error::StoreError;
use crate::rows::{
    Bundle, Collateral, Evidence, FloorNumber, Job, Judgement, Member, Pruned, Stage, Statement, Verdict,
};

/// What can be asked. All answers of one view are of the same instant.
pub trait View {
    /// The federation that the store belongs to; none yet in a new store.
    fn federation(&self) -> Result<Option<[u8; 32]>, StoreError>;

    /// The newest bundle of the owner.
    fn bundle(&self) -> Result<Option<Bundle>, StoreError>;

    /// What a floor stands at.
    fn floor(&self, name: &str) -> Result<Option<FloorNumber>, StoreError>;

    /// All floors, by name.
    fn floors(&self) -> Result<Vec<(String, FloorNumber)>, StoreError>;

    /// The last epoch that was given out.
    fn last_epoch(&self) -> Result<Option<u64>, StoreError>;

    /// When a nonce was issued in that round, unless it was pruned.
    fn nonce(&self, epoch: u64, hash: &[u8; 32]) -> Result<Option<UnixTime>, StoreError>;

    /// A member of the roster.
    fn member(&self, name: &str) -> Result<Option<Member>, StoreError>;

    /// The roster, by name.
    fn roster(&self) -> Result<Vec<Member>, StoreError>;

    /// The digests of keys of members that other ones of the same name replaced, ascending.
    fn retired(&self) -> Result<Vec<[u8; 32]>, StoreError>;

    /// Evidence with this SHA-256.
    fn evidence(&self, hash: &[u8; 32]) -> Result<Option<Evidence>, StoreError>;

    /// The verdicts of a round, by verifier and subject.
    fn verdicts(&self, epoch: u64) -> Result<Vec<Verdict>, StoreError>;

    /// The verdicts of all rounds of a job, by epoch, verifier and subject.
    fn job_verdicts(&self, job: &str) -> Result<Vec<Verdict>, StoreError>;

    /// Of each verifier and subject the verdict of the latest round, by verifier and subject.
    fn latest_verdicts(&self) -> Result<Vec<Verdict>, StoreError>;

    /// The signed statements of a round, by verifier and then in the order in which they came.
    fn statements(&self, epoch: u64) -> Result<Vec<Statement>, StoreError>;

    /// A job.
    fn job(&self, id: &str) -> Result<Option<Job>, StoreError>;

    /// All jobs, by sequence and id.
    fn jobs(&self) -> Result<Vec<Job>, StoreError>;

    /// The jobs that have not ended, by sequence and id.
    fn unfinished_jobs(&self) -> Result<Vec<Job>, StoreError>;

    /// Collateral of a kind, under a key.
    fn collateral(&self, kind: &str, key: &str) -> Result<Option<Collateral>, StoreError>;
}

/// What can be changed. A view from within a change sees what the change has done so far.
pub trait Change: View {
    /// Notes whose store this is. Once noted it stays: any other federation is refused.
    fn bind_federation(&self, id: &[u8; 32]) -> Result<(), StoreError>;

    /// Takes over a bundle. The one that is stored already changes nothing; an older one, and another one of the same
    /// version, are refused.
    fn put_bundle(&self, bundle: &Bundle) -> Result<(), StoreError>;

    /// Raises a floor, and says whether that changed it. A number below the floor is refused.
    fn raise_floor(&self, name: &str, number: FloorNumber) -> Result<bool, StoreError>;

    /// Gives out an epoch: `max(last + 1, now_ms)` (*verification.md* 5.5 step 1), `now_ms` in milliseconds of Unix
    /// time. It may be announced once the change is acknowledged, and is never given out again.
    fn next_epoch(&self, now_ms: u64) -> Result<u64, StoreError>;

    /// Notes that a nonce was issued. Each is issued once.
    fn issue_nonce(&self, epoch: u64, hash: &[u8; 32], at: UnixTime) -> Result<(), StoreError>;

    /// Forgets nonces that were issued before an instant, and says how many.
    fn prune_nonces(&self, before: UnixTime) -> Result<u64, StoreError>;

    /// Enters a participant in the roster, in place of an earlier instance, whose key is retired. A key of another member
    /// is refused.
    fn put_member(&self, member: &Member) -> Result<(), StoreError>;

    /// Takes a participant off the roster, and says whether it was there.
    fn remove_member(&self, name: &str) -> Result<bool, StoreError>;

    /// Keeps evidence under its SHA-256, which the caller has computed. Evidence that is there already is only seen
    /// again.
    fn put_evidence(&self, hash: &[u8; 32], bytes: &[u8], at: UnixTime) -> Result<(), StoreError>;

    /// Removes evidence that last came before an instant, then the longest unseen until at most `most` bytes are left.
    fn prune_evidence(&self, before: UnixTime, most: u64) -> Result<Pruned, StoreError>;

    /// Keeps a signed statement and what it says. What the same verifier said of the same subject earlier in the same
    /// round is replaced; its earlier statement stays.
    fn put_verdicts(&self, statement: &Statement, judgements: &[Judgement]) -> Result<(), StoreError>;

    /// Removes statements and verdicts that were noted before an instant in rounds without a job, and says how many
    /// statements. Those of jobs explain the jobs and stay.
    fn prune_verdicts(&self, before: UnixTime) -> Result<u64, StoreError>;

    /// Keeps a job that was submitted.
    fn add_job(&self, job: &Job) -> Result<(), StoreError>;

    /// Replaces what is known of a job. Its stage may stay or go on, never back.
    fn update_job(&self, id: &str, stage: Stage, record: &[u8]) -> Result<(), StoreError>;

    /// Keeps collateral in place of what was there.
    fn put_collateral(&self, kind: &str, key: &str, collateral: &Collateral) -> Result<(), StoreError>;

    /// Removes collateral that was fetched before an instant.
    fn prune_collateral(&self, before: UnixTime) -> Result<Pruned, StoreError>;
}

/// A change on its way to the disk, with whoever waits for it.
pub trait Operation: Send {
    /// Makes the change. It is called at most once; an error undoes what this operation did, and nothing else.
    fn apply(&mut self, change: &dyn Change) -> Result<(), StoreError>;

    /// Hears what became of it; called once, on a thread of the store, which it must not hold up.
    fn done(self: Box<Self>, result: Result<(), StoreError>);
}

/// A place where changes are durable. [`Handle`](crate::Handle) is the convenient side of it.
pub trait Store: Send + Sync {
    /// Queues an operation. Operations are applied in the order in which they were queued, and each is told of its
    /// success only when it is on disk. Never waits.
    fn submit(&self, operation: Box<dyn Operation>);

    /// Reads what has been committed. Waits for other readers, not for writers; must not be called from within `read`.
    fn view(&self, read: &mut dyn FnMut(&dyn View) -> Result<(), StoreError>) -> Result<(), StoreError>;
}
