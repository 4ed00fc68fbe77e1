//! Event logs that are supplied with a quote (step T22): whatever its form, a log counts only if it leads to the quote's
//! registers.

use cc_testkit::tdx::ccel::{EV_NO_ACTION, Event};
use cc_testkit::tdx::field::RTMRS;
use cc_testkit::tdx::{EventLog, World};

use crate::common::tdx::{Parts, world};

/// A world whose registers are those of a small boot, and the log.
fn measured() -> (World, EventLog) {
    let (mut world, log) = (world(), EventLog::small_boot());
    world.measure(&log);
    (world, log)
}

fn with_logs(world: &World, logs: &[Vec<u8>]) -> Parts {
    Parts { event_logs: logs.to_vec(), ..Parts::of(world) }
}

#[test]
fn claims_say_that_a_log_was_replayed() {
    let (world, log) = measured();
    let claims = with_logs(&world, &[log.bytes()]).claims();
    assert_eq!(claims.integer("eventlog_events"), Ok(8));
    assert_eq!(claims.flag("eventlog_replayed"), Ok(true));
    let claims = Parts::of(&world).claims();
    assert_eq!((claims.value("eventlog_events"), claims.value("eventlog_replayed")), (None, None));
}

#[test]
fn changes_of_the_log_are_seen() {
    type Change = fn(&mut EventLog);
    let rows: [(&str, Change, &str); 10] = [
        ("no padding", |log| log.padding.clear(), "accept"),
        ("an event that is not measured", |log| log.events.push(Event::new(1, EV_NO_ACTION, b"x")), "accept"),
        ("other words about an event", |log| log.events[4].data = b"other".to_vec(), "accept"),
        ("two events swapped", |log| log.events.swap(5, 6), "tdx.eventlog.replay_mismatch"),
        ("a further event", |log| log.events.push(Event::new(4, 0xD, b"x")), "tdx.eventlog.replay_mismatch"),
        ("no event", |log| log.events.clear(), "tdx.eventlog.replay_mismatch"),
        ("an event in another register", |log| log.events[7].register = 2, "tdx.eventlog.replay_mismatch"),
        ("an unknown type", |log| log.events[7].kind = 0x1234, "tdx.eventlog.malformed"),
        ("a register that is none", |log| log.events[7].register = 5, "tdx.eventlog.malformed"),
        ("no digest", |log| log.events[7].digests.clear(), "tdx.eventlog.malformed"),
    ];
    for (what, change, expected) in rows {
        let (world, mut log) = measured();
        change(&mut log);
        assert_eq!(with_logs(&world, &[log.bytes()]).code(), expected, "{what}");
    }
}

#[test]
fn all_four_registers_count() {
    let (world, log) = measured();
    for register in RTMRS {
        let mut other = world.clone();
        other.flip(register, 0);
        assert_eq!(with_logs(&other, &[log.bytes()]).code(), "tdx.eventlog.replay_mismatch", "{register:?}");
    }
}

#[test]
fn one_of_several_logs_must_fit() {
    let (world, log) = measured();
    let mut other = log.clone();
    other.events.pop();
    let (good, bad) = (log.bytes(), other.bytes());
    assert_eq!(with_logs(&world, &[bad.clone(), good.clone()]).code(), "accept");
    assert_eq!(with_logs(&world, &[good, bad.clone()]).code(), "accept");
    assert_eq!(with_logs(&world, &[bad]).code(), "tdx.eventlog.replay_mismatch");
}

#[test]
fn a_log_is_judged_last() {
    let (mut world, log) = measured();
    world.edit_tcb_info(|info| info.levels[0].standing.status = "Revoked".to_owned());
    let cut = log.bytes()[..300].to_vec();
    assert_eq!(with_logs(&world, std::slice::from_ref(&cut)).code(), "tdx.tcb.revoked");
    let (world, _) = measured();
    assert_eq!(with_logs(&world, std::slice::from_ref(&cut)).code(), "tdx.eventlog.malformed");
    let parts = Parts { root_crls: Vec::new(), ..with_logs(&world, &[cut]) };
    assert_eq!(parts.code(), "tdx.eventlog.malformed", "before what is missing");
}
