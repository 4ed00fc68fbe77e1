//! What a site sets aside: S6.

use std::time::Duration;

use fed_proto::job::Resources;
use fed_proto::scheduler::resources::{EXPIRY, Ledger, ResourceError, Token};

use super::*;

fn amounts(list: &[(&str, u64)]) -> Resources {
    list.iter().map(|(name, amount)| ((*name).to_owned(), *amount)).collect()
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ledger() -> Ledger {
    Ledger::new(amounts(&[("gpu", 4), ("mem", 10)]))
}

fn short(resource: &str, wanted: u64, free: u64) -> Result<Token, ResourceError> {
    Err(ResourceError::Insufficient { resource: resource.to_owned(), wanted, free })
}

#[test]
fn reserved_is_not_free() {
    let mut ledger = ledger();
    ledger.reserve(&id(1), &amounts(&[("gpu", 3)]), secs(0)).unwrap();
    assert_eq!((ledger.free("gpu"), ledger.free("mem")), (1, 10));
    assert_eq!(ledger.reserve(&id(2), &amounts(&[("gpu", 2)]), secs(0)), short("gpu", 2, 1));
    assert_eq!(ledger.free("gpu"), 1, "a refusal sets nothing aside");
    ledger.reserve(&id(2), &amounts(&[("gpu", 1), ("mem", 10)]), secs(0)).unwrap();
    assert_eq!((ledger.free("gpu"), ledger.free("mem")), (0, 0));
}

#[test]
fn what_a_site_does_not_have_is_not_enough_and_nothing_is_always() {
    let mut ledger = ledger();
    assert_eq!(ledger.reserve(&id(1), &amounts(&[("fpga", 1)]), secs(0)), short("fpga", 1, 0));
    ledger.reserve(&id(1), &amounts(&[("fpga", 0)]), secs(0)).unwrap();
    ledger.reserve(&id(2), &amounts(&[]), secs(0)).unwrap();
    let mut nothing = Ledger::new(amounts(&[]));
    nothing.reserve(&id(1), &amounts(&[]), secs(0)).unwrap();
    assert_eq!(nothing.reserve(&id(2), &amounts(&[("gpu", 1)]), secs(0)), short("gpu", 1, 0));
    assert_eq!(ledger.reserve(&id(3), &amounts(&[("gpu", u64::MAX)]), secs(0)), short("gpu", u64::MAX, 4));
}

#[test]
fn a_reservation_expires_after_300_seconds() {
    assert_eq!(EXPIRY, secs(300));
    let mut ledger = ledger();
    let token = ledger.reserve(&id(1), &amounts(&[("gpu", 4)]), secs(7)).unwrap();
    assert_eq!(ledger.reserve(&id(2), &amounts(&[("gpu", 1)]), secs(306)), short("gpu", 1, 0));
    ledger.reserve(&id(2), &amounts(&[("gpu", 1)]), secs(307)).unwrap();
    assert_eq!(ledger.commit(token, secs(307)), Err(ResourceError::Unknown));
    ledger.expire(secs(606));
    assert_eq!(ledger.free("gpu"), 3);
    ledger.expire(secs(607));
    assert_eq!(ledger.free("gpu"), 4);
}

#[test]
fn a_job_that_starts_too_late_finds_its_reservation_gone() {
    let mut ledger = ledger();
    let token = ledger.reserve(&id(1), &amounts(&[("gpu", 4)]), secs(0)).unwrap();
    assert_eq!(ledger.commit(token, secs(300)), Err(ResourceError::Unknown));
    assert_eq!(ledger.free("gpu"), 4);
}

#[test]
fn what_runs_does_not_expire_and_is_not_reserved_again() {
    let mut ledger = ledger();
    let token = ledger.reserve(&id(1), &amounts(&[("gpu", 4)]), secs(0)).unwrap();
    ledger.commit(token, secs(299)).unwrap();
    ledger.expire(secs(1_000_000));
    assert_eq!(ledger.free("gpu"), 0);
    assert_eq!(
        ledger.reserve(&id(1), &amounts(&[]), secs(1_000_000)),
        Err(ResourceError::Runs { job: id(1) })
    );
    ledger.cancel(token);
    assert_eq!(ledger.free("gpu"), 4);
}

#[test]
fn a_cancelled_reservation_is_free_at_once_and_gone() {
    let mut ledger = ledger();
    let token = ledger.reserve(&id(1), &amounts(&[("gpu", 4)]), secs(0)).unwrap();
    ledger.cancel(token);
    assert_eq!(ledger.free("gpu"), 4);
    assert_eq!(ledger.commit(token, secs(1)), Err(ResourceError::Unknown));
    let other = ledger.reserve(&id(2), &amounts(&[("gpu", 4)]), secs(1)).unwrap();
    assert_ne!(other, token, "a token is not used again");
    ledger.cancel(token);
    assert_eq!(ledger.free("gpu"), 0, "nor does it free what somebody else has");
}

#[test]
fn a_job_that_is_attempted_again_replaces_its_reservation() {
    let mut ledger = ledger();
    let first = ledger.reserve(&id(1), &amounts(&[("gpu", 4)]), secs(0)).unwrap();
    let second = ledger.reserve(&id(1), &amounts(&[("gpu", 3)]), secs(10)).unwrap();
    assert_eq!(ledger.free("gpu"), 1);
    assert_eq!(ledger.commit(first, secs(11)), Err(ResourceError::Unknown));
    ledger.commit(second, secs(11)).unwrap();
}
