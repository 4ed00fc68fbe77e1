//! The traits over one connection, within a transaction that is the caller's.

use cc_core::UnixTime;
use rusqlite::Connection;

use super::{evidence, jobs, kit, roster, rounds, verdicts};
use crate::error::StoreError;
use crate::rows::{
    Bundle, Collateral, Evidence, FloorNumber, Job, Judgement, Member, Pruned, Stage, Statement, Verdict,
};
use crate::store::{Change, View};

pub(super) struct Session<'a>(pub(super) &'a Connection);

type Result<T> = std::result::Result<T, StoreError>;

impl View for Session<'_> {
    fn federation(&self) -> Result<Option<[u8; 32]>> {
        kit::federation(self.0)
    }

    fn bundle(&self) -> Result<Option<Bundle>> {
        kit::bundle(self.0)
    }

    fn floor(&self, name: &str) -> Result<Option<FloorNumber>> {
        kit::floor(self.0, name)
    }

    fn floors(&self) -> Result<Vec<(String, FloorNumber)>> {
        kit::floors(self.0)
    }

    fn last_epoch(&self) -> Result<Option<u64>> {
        rounds::last_epoch(self.0)
    }

    fn nonce(&self, epoch: u64, hash: &[u8; 32]) -> Result<Option<UnixTime>> {
        rounds::nonce(self.0, epoch, hash)
    }

    fn member(&self, name: &str) -> Result<Option<Member>> {
        roster::member(self.0, name)
    }

    fn roster(&self) -> Result<Vec<Member>> {
        roster::all_members(self.0)
    }

    fn retired(&self) -> Result<Vec<[u8; 32]>> {
        roster::retired(self.0)
    }

    fn evidence(&self, hash: &[u8; 32]) -> Result<Option<Evidence>> {
        evidence::evidence(self.0, hash)
    }

    fn verdicts(&self, epoch: u64) -> Result<Vec<Verdict>> {
        verdicts::of_round(self.0, epoch)
    }

    fn job_verdicts(&self, job: &str) -> Result<Vec<Verdict>> {
        verdicts::of_job(self.0, job)
    }

    fn latest_verdicts(&self) -> Result<Vec<Verdict>> {
        verdicts::latest(self.0)
    }

    fn statements(&self, epoch: u64) -> Result<Vec<Statement>> {
        verdicts::statements(self.0, epoch)
    }

    fn job(&self, id: &str) -> Result<Option<Job>> {
        jobs::job(self.0, id)
    }

    fn jobs(&self) -> Result<Vec<Job>> {
        jobs::all_jobs(self.0)
    }

    fn unfinished_jobs(&self) -> Result<Vec<Job>> {
        jobs::unfinished(self.0)
    }

    fn collateral(&self, kind: &str, key: &str) -> Result<Option<Collateral>> {
        evidence::collateral(self.0, kind, key)
    }
}

impl Change for Session<'_> {
    fn bind_federation(&self, id: &[u8; 32]) -> Result<()> {
        kit::bind_federation(self.0, id)
    }

    fn put_bundle(&self, bundle: &Bundle) -> Result<()> {
        kit::put_bundle(self.0, bundle)
    }

    fn raise_floor(&self, name: &str, number: FloorNumber) -> Result<bool> {
        kit::raise_floor(self.0, name, number)
    }

    fn next_epoch(&self, now_ms: u64) -> Result<u64> {
        rounds::next_epoch(self.0, now_ms)
    }

    fn issue_nonce(&self, epoch: u64, hash: &[u8; 32], at: UnixTime) -> Result<()> {
        rounds::issue_nonce(self.0, epoch, hash, at)
    }

    fn prune_nonces(&self, before: UnixTime) -> Result<u64> {
        rounds::prune_nonces(self.0, before)
    }

    fn put_member(&self, member: &Member) -> Result<()> {
        roster::put_member(self.0, member)
    }

    fn remove_member(&self, name: &str) -> Result<bool> {
        roster::remove_member(self.0, name)
    }

    fn put_evidence(&self, hash: &[u8; 32], bytes: &[u8], at: UnixTime) -> Result<()> {
        evidence::put_evidence(self.0, hash, bytes, at)
    }

    fn prune_evidence(&self, before: UnixTime, most: u64) -> Result<Pruned> {
        evidence::prune_evidence(self.0, before, most)
    }

    fn put_verdicts(&self, statement: &Statement, judgements: &[Judgement]) -> Result<()> {
        verdicts::put(self.0, statement, judgements)
    }

    fn prune_verdicts(&self, before: UnixTime) -> Result<u64> {
        verdicts::prune(self.0, before)
    }

    fn add_job(&self, job: &Job) -> Result<()> {
        jobs::add(self.0, job)
    }

    fn update_job(&self, id: &str, stage: Stage, record: &[u8]) -> Result<()> {
        jobs::update(self.0, id, stage, record)
    }

    fn put_collateral(&self, kind: &str, key: &str, collateral: &Collateral) -> Result<()> {
        evidence::put_collateral(self.0, kind, key, collateral)
    }

    fn prune_collateral(&self, before: UnixTime) -> Result<Pruned> {
        evidence::prune_collateral(self.0, before)
    }
}
