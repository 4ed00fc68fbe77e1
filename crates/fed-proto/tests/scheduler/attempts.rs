//! Which job is attempted when: S1 to S5, S8.

use std::time::Duration;

use fed_proto::admission::{Mode, Verdicts, decide};
use fed_proto::job::Retry;
use fed_proto::scheduler::{Limits, Outcome, SchedulerError, Status};

use super::*;

#[test]
fn s1_defaults() {
    let limits = Limits::default();
    assert_eq!((limits.max_jobs, limits.max_schedule_count), (1, 10));
    assert_eq!(limits.min_schedule_interval, Duration::from_secs(10));
    assert_eq!(limits.max_schedule_interval, Duration::from_secs(600));
    assert_eq!(limits.attempt_timeout, Duration::from_secs(360));
}

#[test]
fn s1_nothing_begins_while_no_client_is_online() {
    let mut world = World::new(quick(), &[]);
    world.submit(1, everywhere(""));
    assert_eq!(world.begin(), None);
    // The server is no client, whoever says that it is online.
    world.online = names(&["server"]);
    assert_eq!(world.begin(), None);
    assert_eq!(world.record(1).schedule_count, 0);
    world.online = names(&["server", "site-1"]);
    assert_eq!(world.begin().unwrap().sites, names(&["site-1"]));
}

#[test]
fn s1_oldest_first_and_of_one_second_in_the_order_of_submission() {
    let mut world = World::new(quick(), &["site-1"]);
    world.now = 5;
    world.submit(9, everywhere(""));
    world.submit(3, everywhere(""));
    world.now = 4;
    world.submit(7, everywhere(""));
    world.now = 6;
    let order: Vec<_> = (0..3).map(|_| world.fail("no").job).collect();
    assert_eq!(order, [id(7), id(9), id(3)]);
    assert_eq!(world.begin(), None);
    let listed: Vec<_> = world.scheduler.jobs().iter().map(|job| job.record.id.clone()).collect();
    assert_eq!(listed, order);
}

#[test]
fn s1_one_attempt_at_a_time() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.submit(2, everywhere(""));
    let first = world.begin().unwrap();
    assert_eq!(world.begin(), None);
    world.finish(&first, Outcome::Scheduled { sites: names(&["site-1"]) }).unwrap();
    assert_eq!(world.begin().unwrap().job, id(2));
}

#[test]
fn s1_max_jobs_run_and_the_others_wait_uncounted() {
    let mut world = World::new(Limits::default(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.submit(2, everywhere(""));
    world.schedule(&["site-1"]);
    // Counted from when it is scheduled, not from when it is dispatched or runs.
    for _ in 0..3 {
        world.now += 700;
        assert_eq!(world.begin(), None);
    }
    world.scheduler.dispatched(&id(1)).unwrap();
    assert_eq!(world.begin(), None);
    world.scheduler.started(&id(1), &name("site-1")).unwrap();
    assert_eq!(world.begin(), None);
    assert_eq!(world.record(2).schedule_count, 0);
    world.scheduler.ended(&id(1), &name("site-1"), fed_proto::scheduler::Exit::Completed).unwrap();
    assert_eq!(world.begin().unwrap().job, id(2));
}

#[test]
fn s1_a_server_for_no_jobs_begins_none() {
    let mut world = World::new(Limits { max_jobs: 0, ..Limits::default() }, &["site-1"]);
    world.submit(1, everywhere(""));
    assert_eq!(world.begin(), None);
}

#[test]
fn s2_ten_attempts_over_2430_seconds_then_cannot_schedule_with_count_11() {
    let mut world = World::new(Limits::default(), &["site-1"]);
    world.submit(1, everywhere(""));
    let mut tries = Vec::new();
    while !world.status(1).is_finished() {
        if let Some(attempt) = world.begin() {
            tries.push(world.now);
            assert_eq!(usize::try_from(attempt.number).unwrap(), tries.len());
            world.finish(&attempt, Outcome::NoResource { reason: "busy".into() }).unwrap();
        }
        world.now += 1;
    }
    let gaps: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
    assert_eq!(world.now - 1, 2431, "the next cycle, without another wait");
    let record = world.record(1);
    assert_eq!((record.status, record.schedule_count), (Status::CanNotSchedule, 11));
    assert_eq!(record.reason.as_deref(), Some("exceeded max schedule count 10"));
    assert_eq!(record.schedule_history.len(), 11);
    assert_eq!(record.schedule_history[1], "1970-01-01 00:00:10: busy");
    assert_eq!(record.schedule_history[10], "1970-01-01 00:40:31: exceeded max schedule count 10");
    assert_eq!(record.last_schedule, Some(at(2431)));
}

#[test]
fn s2_the_wait_after_each_count() {
    let limits = Limits::default();
    let waits: Vec<_> = (0..=10).map(|count| limits.back_off(count).as_secs()).collect();
    assert_eq!(waits, [10, 10, 20, 40, 80, 160, 320, 600, 600, 600, 600]);
    assert_eq!(limits.back_off(u32::MAX), limits.max_schedule_interval);
    let long =
        Limits { min_schedule_interval: Duration::MAX, max_schedule_interval: Duration::MAX, ..limits };
    assert_eq!(long.back_off(40), Duration::MAX);
}

#[test]
fn s2_success_is_a_line_of_history_and_counts() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.fail("busy");
    world.now = 10;
    assert_eq!(world.schedule(&["site-1"]).number, 2);
    let record = world.record(1);
    assert_eq!(record.schedule_history, ["1970-01-01 00:00:00: busy", "1970-01-01 00:00:10: scheduled"]);
    assert_eq!((record.status, record.schedule_count), (Status::Submitted, 2));
    assert_eq!(record.last_schedule, Some(at(10)));
    assert!(record.is_scheduled());
}

#[test]
fn s2_a_job_may_want_less_than_the_server_allows_never_more() {
    let server = Limits::default();
    let seconds = |value: Option<u64>| value.map(Duration::from_secs);
    let check = |count, min, max, expected: (u32, u64, u64)| {
        let retry = Retry {
            max_schedule_count: count,
            min_schedule_interval: seconds(min),
            max_schedule_interval: seconds(max),
        };
        let limits = server.for_job(&retry);
        let found = (
            limits.max_schedule_count,
            limits.min_schedule_interval.as_secs(),
            limits.max_schedule_interval.as_secs(),
        );
        assert_eq!(found, expected, "{retry:?}");
        assert_eq!((limits.max_jobs, limits.attempt_timeout), (server.max_jobs, server.attempt_timeout));
    };
    check(None, None, None, (10, 10, 600));
    check(Some(3), Some(20), Some(100), (3, 20, 100));
    check(Some(99), Some(1), Some(9_000), (10, 10, 600));
    check(None, None, Some(1), (10, 10, 10));
    check(None, Some(900), None, (10, 600, 600));
}

#[test]
fn s2_the_jobs_own_retry_limits_hold() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(
        1,
        job_with(r#"["@ALL"]"#, "", "[retry]\nmax_schedule_count = 2\nmin_schedule_interval_s = 30"),
    );
    world.fail("busy");
    world.now = 29;
    assert_eq!(world.begin(), None);
    world.now = 30;
    world.fail("busy");
    world.now = 31;
    assert_eq!(world.begin(), None);
    let record = world.record(1);
    assert_eq!((record.status, record.schedule_count), (Status::CanNotSchedule, 3));
    assert_eq!(record.reason.as_deref(), Some("exceeded max schedule count 2"));
}

#[test]
fn s2_a_clock_that_is_put_back_keeps_no_job_waiting() {
    let mut world = World::new(quick(), &["site-1"]);
    world.now = 1_000_000;
    world.submit(1, everywhere(""));
    world.fail("busy");
    world.now = 1_000;
    world.fail("busy");
    assert_eq!(world.record(1).last_schedule, Some(at(1_000)));
    world.now = 1_019;
    assert_eq!(world.begin(), None);
    world.now = 1_020;
    assert!(world.begin().is_some());
}

#[test]
fn s3_a_block_ends_the_job_at_once() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    let attempt = world.begin().unwrap();
    world.finish(&attempt, Outcome::Block { reason: "its code is forbidden".into() }).unwrap();
    let record = world.record(1);
    assert_eq!((record.status, record.schedule_count), (Status::CanNotSchedule, 1));
    assert_eq!(record.reason.as_deref(), Some("its code is forbidden"));
    assert_eq!(record.schedule_history, ["1970-01-01 00:00:00: its code is forbidden"]);
    world.now = 10_000;
    assert_eq!(world.begin(), None);
}

/// Corner case 1.5 no. 1, with S3: the server's refusal of one client blocks this attempt of the job, which is tried
/// again 10 and 20 seconds later and meanwhile stays SUBMITTED.
#[test]
fn corner_case_1_one_bad_client_blocks_the_attempt_and_the_job_is_tried_again() {
    let mut world = World::new(quick(), &["site-1", "site-2"]);
    world.submit(1, everywhere("min_sites = 1"));
    let accept = || Ok(());
    let reject = || Err(cc_core::Finding::new(cc_core::codes::POL_EVIDENCE_MISSING, "none"));
    let verdicts: Verdicts = [
        (name("server"), [(name("site-1"), accept()), (name("site-2"), reject())].into()),
        (name("site-1"), [(name("server"), accept()), (name("site-2"), accept())].into()),
        (name("site-2"), [(name("server"), accept()), (name("site-1"), accept())].into()),
    ]
    .into();
    for (count, instant) in [(1, 0), (2, 10), (3, 30)] {
        world.now = instant;
        let attempt = world.begin().unwrap();
        let refusal =
            decide(Mode::Block, &attempt.file, &name("server"), &attempt.sites, &verdicts).unwrap_err();
        world.finish(&attempt, Outcome::NoResource { reason: refusal.reason }).unwrap();
        assert_eq!(world.begin(), None, "not before its wait is over");
        assert_eq!((world.status(1), world.record(1).schedule_count), (Status::Submitted, count));
    }
    assert_eq!(
        world.record(1).schedule_history[2],
        "1970-01-01 00:00:30: the server does not accept site-2: pol.evidence.missing"
    );
}

#[test]
fn s4_invited_are_the_clients_that_are_mapped_and_online() {
    let online = ["server", "site-1", "site-2", "site-4"];
    for (targets, invited) in [
        (r#"["@ALL"]"#, &["site-1", "site-2", "site-4"][..]),
        (r#"["@all"]"#, &["site-1", "site-2", "site-4"]),
        (r#"["site-1", "site-3", "site-4"]"#, &["site-1", "site-4"]),
        (r#"["server", "site-2"]"#, &["site-2"]),
    ] {
        let mut world = World::new(quick(), &online);
        world.submit(1, job(targets, ""));
        let attempt = world.begin().unwrap();
        assert_eq!((attempt.job, attempt.number, attempt.sites), (id(1), 1, names(invited)), "{targets}");
    }
}

#[test]
fn s5_what_is_missing_before_anybody_is_invited() {
    for (targets, keys, reason) in [
        (r#"["@ALL"]"#, "required_sites = [\"site-3\"]", "missing required site site-3"),
        (r#"["@ALL"]"#, "min_sites = 3", "connected sites (2) < min_sites (3)"),
        (r#"["site-2", "site-3"]"#, "min_sites = 2", "connected sites (1) < min_sites (2)"),
        (r#"["site-3"]"#, "", "connected sites (0) < min_sites (1)"),
        // The server counts in no minimum, whether or not it runs an app.
        (r#"["server", "site-1"]"#, "min_sites = 2", "connected sites (1) < min_sites (2)"),
        // First what is required, then the number.
        (
            r#"["@ALL"]"#,
            "min_sites = 3\nrequired_sites = [\"site-4\", \"site-3\"]",
            "missing required site site-3",
        ),
    ] {
        let mut world = World::new(quick(), &["server", "site-1", "site-2"]);
        world.submit(1, job(targets, keys));
        assert_eq!(world.begin(), None);
        let record = world.record(1);
        assert_eq!((record.status, record.schedule_count), (Status::Submitted, 1));
        assert_eq!(record.schedule_history, [format!("1970-01-01 00:00:00: {reason}")]);
    }
}

#[test]
fn s5_a_required_server_is_there() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, job(r#"["server", "site-1"]"#, "required_sites = [\"server\", \"site-1\"]"));
    world.schedule(&["site-1"]);
}

#[test]
fn s5_a_job_that_lacks_something_does_not_keep_the_next_from_this_cycle() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere("min_sites = 2"));
    world.submit(2, everywhere(""));
    assert_eq!(world.begin().unwrap().job, id(2));
    assert_eq!(world.record(1).schedule_count, 1);
}

#[test]
fn s1_one_call_attempts_a_job_once() {
    let mut world = World::new(Limits { min_schedule_interval: Duration::ZERO, ..quick() }, &["site-1"]);
    world.submit(1, everywhere("min_sites = 2"));
    for count in 1..=3 {
        assert_eq!(world.begin(), None);
        assert_eq!(world.record(1).schedule_count, count);
    }
}

#[test]
fn only_the_invited_can_be_scheduled_and_enough_of_them() {
    for (admitted, reason) in [
        (&["server", "site-1", "site-2", "site-9"][..], "site-9 was not invited"),
        (&["server", "site-1"], "connected sites (1) < min_sites (2)"),
        (&["server", "site-2", "site-3"], "missing required site site-1"),
        (&[], "missing required site site-1"),
    ] {
        let mut world = World::new(quick(), &["site-1", "site-2", "site-3"]);
        world.submit(1, everywhere("min_sites = 2\nrequired_sites = [\"site-1\"]"));
        let attempt = world.begin().unwrap();
        let outcome = Outcome::Scheduled { sites: names(admitted) };
        let expected = SchedulerError::Unfit { job: id(1), number: 1, reason: reason.to_owned() };
        assert_eq!(world.finish(&attempt, outcome), Err(expected));
        let record = world.record(1);
        assert!(!record.is_scheduled());
        assert_eq!(record.schedule_history, [format!("1970-01-01 00:00:00: {reason}")]);
        world.now = 10;
        world.schedule(&["site-1", "site-3"]);
    }
}

#[test]
fn the_server_has_a_process_only_where_the_deploy_map_says_so() {
    for (targets, processes) in
        [(r#"["site-1"]"#, &["site-1"][..]), (r#"["server", "site-1"]"#, &["server", "site-1"])]
    {
        let mut world = World::new(quick(), &["site-1"]);
        world.submit(1, job(targets, ""));
        world.schedule(&["server", "site-1"]);
        assert_eq!(world.record(1).processes.keys().cloned().collect::<BTreeSet<_>>(), names(processes));
    }
}

#[test]
fn an_attempt_is_over_once() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.submit(2, everywhere(""));
    let attempt = world.begin().unwrap();
    let no = || Outcome::NoResource { reason: "busy".into() };
    let stale = |job, number| Err(SchedulerError::Stale { job: id(job), number });
    assert_eq!(world.scheduler.finish(&id(1), 2, no(), at(0)), stale(1, 2));
    assert_eq!(world.scheduler.finish(&id(2), 1, no(), at(0)), stale(2, 1));
    world.finish(&attempt, no()).unwrap();
    assert_eq!(world.finish(&attempt, no()), stale(1, 1));
    assert_eq!(world.record(1).schedule_count, 1);
    assert_eq!(world.record(2).schedule_count, 0);
}

#[test]
fn s8_an_attempt_that_never_ends_costs_its_job_an_attempt_and_no_other_anything() {
    let mut world = World::new(Limits { attempt_timeout: Duration::from_secs(60), ..quick() }, &["site-1"]);
    world.submit(1, everywhere(""));
    world.submit(2, everywhere(""));
    let stuck = world.begin().unwrap();
    assert_eq!(stuck.job, id(1));
    world.now = 59;
    assert_eq!(world.begin(), None);
    world.now = 60;
    assert_eq!(world.begin().unwrap().job, id(2));
    let record = world.record(1);
    assert_eq!(record.schedule_history, ["1970-01-01 00:01:00: the attempt did not end within 60 s"]);
    assert_eq!((record.status, record.last_schedule), (Status::Submitted, Some(at(60))));
    // What it answers now is too late: the sites must give back what they set aside.
    let late = world.finish(&stuck, Outcome::Scheduled { sites: names(&["site-1"]) });
    assert_eq!(late, Err(SchedulerError::Stale { job: id(1), number: 1 }));
    assert!(!world.record(1).is_scheduled());
}

#[test]
fn s8_a_stuck_attempt_is_given_up_though_nobody_is_online_and_by_the_monotonic_clock() {
    let mut world = World::new(Limits { attempt_timeout: Duration::from_secs(60), ..quick() }, &["site-1"]);
    world.submit(1, everywhere(""));
    world.begin().unwrap();
    let none = BTreeSet::new();
    assert_eq!(world.scheduler.begin(at(1_000_000), Duration::from_secs(59), &none), None);
    assert_eq!(world.record(1).schedule_count, 0);
    assert_eq!(world.scheduler.begin(at(5), Duration::from_secs(60), &none), None);
    assert_eq!(world.record(1).schedule_count, 1);
}

#[test]
fn s8_a_job_that_is_always_due_does_not_keep_others_from_their_turn() {
    let limits = Limits { min_schedule_interval: Duration::ZERO, ..quick() };
    let mut world = World::new(limits, &["site-1"]);
    for number in 1..=3 {
        world.submit(number, everywhere(""));
    }
    let turns: Vec<_> = (0..7).map(|_| world.fail("busy").job).collect();
    assert_eq!(turns, [1, 2, 3, 1, 2, 3, 1].map(id));
}

#[test]
fn s8_after_a_job_was_scheduled_the_oldest_has_its_turn_again() {
    let limits = Limits { min_schedule_interval: Duration::ZERO, ..quick() };
    let mut world = World::new(limits, &["site-1"]);
    for number in 1..=3 {
        world.submit(number, everywhere(""));
    }
    assert_eq!(world.fail("busy").job, id(1));
    assert_eq!(world.schedule(&["site-1"]).job, id(2));
    assert_eq!(world.fail("busy").job, id(1));
    assert_eq!(world.schedule(&["site-1"]).job, id(3));
}

#[test]
fn a_job_is_submitted_once() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.fail("busy");
    let again = world.scheduler.submit(id(1), everywhere(""), at(1));
    assert_eq!(again, Err(SchedulerError::Duplicate { job: id(1) }));
    assert_eq!(world.record(1).schedule_count, 1);
}
