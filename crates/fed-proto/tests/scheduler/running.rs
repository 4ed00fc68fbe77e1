//! From the grant to the end: S7, and what a restart does.

use fed_proto::scheduler::{Affected, Ended, Exit, Job, Process, SchedulerError, Status};

use super::*;

const BAD: [(Exit, Status); 4] = [
    (Exit::Exception, Status::ExecutionException),
    (Exit::Abnormal, Status::Abnormal),
    (Exit::NotStarted, Status::FailedToRun),
    (Exit::Stopped, Status::Aborted),
];

/// A job that runs at the server and three sites.
fn running(keys: &str) -> World {
    let mut world = World::new(quick(), &["site-1", "site-2", "site-3"]);
    world.submit(1, everywhere(keys));
    world.run(1, &["server", "site-1", "site-2", "site-3"]);
    world
}

impl World {
    fn ended(&mut self, site: &str, exit: Exit) -> Result<Option<Ended>, SchedulerError> {
        self.scheduler.ended(&id(1), &name(site), exit)
    }
}

fn unknown<T>() -> Result<T, SchedulerError> {
    Err(SchedulerError::Unknown { job: id(1) })
}

fn no_process<T>(participant: &str) -> Result<T, SchedulerError> {
    Err(SchedulerError::NotParticipant { job: id(1), participant: name(participant) })
}

fn illegal<T>(from: Status, to: Status) -> Result<T, SchedulerError> {
    Err(SchedulerError::Illegal { job: id(1), from, to })
}

#[test]
fn s7_submitted_dispatched_running_completed() {
    let mut world = World::new(quick(), &["site-1", "site-2"]);
    world.submit(1, everywhere(""));
    assert_eq!(world.status(1), Status::Submitted);
    world.schedule(&["site-1", "site-2"]);
    assert_eq!(world.status(1), Status::Submitted);
    world.scheduler.dispatched(&id(1)).unwrap();
    assert_eq!(world.status(1), Status::Dispatched);
    world.scheduler.started(&id(1), &name("site-1")).unwrap();
    assert_eq!(world.status(1), Status::Running);
    assert_eq!(world.ended("site-1", Exit::Completed), Ok(None));
    assert_eq!(world.status(1), Status::Running, "site-2 has not ended");
    let ended = Ended { status: Status::Completed, stop: names(&[]) };
    assert_eq!(world.ended("site-2", Exit::Completed), Ok(Some(ended)));
    assert_eq!((world.status(1), &world.record(1).reason), (Status::Completed, &None));
}

#[test]
fn a_grant_leaves_only_for_a_job_that_is_scheduled_and_once() {
    let mut world = World::new(quick(), &["site-1"]);
    assert_eq!(world.scheduler.dispatched(&id(1)), unknown());
    world.submit(1, everywhere(""));
    assert_eq!(world.scheduler.dispatched(&id(1)), illegal(Status::Submitted, Status::Dispatched));
    world.schedule(&["site-1"]);
    world.scheduler.dispatched(&id(1)).unwrap();
    assert_eq!(world.scheduler.dispatched(&id(1)), illegal(Status::Dispatched, Status::Dispatched));
    world.scheduler.started(&id(1), &name("site-1")).unwrap();
    assert_eq!(world.scheduler.dispatched(&id(1)), illegal(Status::Running, Status::Dispatched));
    world.ended("site-1", Exit::Completed).unwrap();
    assert_eq!(world.scheduler.dispatched(&id(1)), unknown());
}

#[test]
fn nothing_starts_or_ends_before_the_grant_leaves_or_elsewhere() {
    let mut world = World::new(quick(), &["site-1", "site-2"]);
    assert_eq!(world.scheduler.started(&id(1), &name("site-1")), unknown());
    assert_eq!(world.ended("site-1", Exit::Completed), unknown());
    world.submit(1, everywhere(""));
    assert_eq!(world.scheduler.started(&id(1), &name("site-1")), no_process("site-1"));
    world.schedule(&["site-1"]);
    assert_eq!(world.scheduler.started(&id(1), &name("site-1")), illegal(Status::Submitted, Status::Running));
    for (exit, to) in [
        (Exit::Completed, Status::Completed),
        (Exit::Exception, Status::ExecutionException),
        (Exit::Abnormal, Status::Abnormal),
    ] {
        assert_eq!(world.ended("site-1", exit), illegal(Status::Submitted, to));
    }
    world.scheduler.dispatched(&id(1)).unwrap();
    assert_eq!(world.scheduler.started(&id(1), &name("site-2")), no_process("site-2"));
    assert_eq!(world.ended("site-2", Exit::Completed), no_process("site-2"));
}

#[test]
fn what_is_said_twice_counts_once() {
    let mut world = running("min_sites = 2");
    world.scheduler.take_changes();
    world.scheduler.started(&id(1), &name("site-1")).unwrap();
    assert_eq!(world.scheduler.take_changes(), []);
    assert_eq!(world.ended("site-1", Exit::Exception), Ok(None));
    world.scheduler.take_changes();
    // The first word stands.
    assert_eq!(world.ended("site-1", Exit::Completed), Ok(None));
    assert_eq!(world.scheduler.take_changes(), []);
    assert_eq!(world.record(1).processes[&name("site-1")], Process::Ended(Exit::Exception));
    // A process that was written off has to be stopped.
    assert_eq!(world.scheduler.started(&id(1), &name("site-1")), no_process("site-1"));
}

#[test]
fn s7_a_job_goes_on_while_enough_are_left_and_completes_with_them() {
    for (bad, _) in BAD {
        let mut world = running("min_sites = 2");
        assert_eq!(world.ended("site-2", bad), Ok(None));
        assert_eq!(world.status(1), Status::Running);
        assert_eq!(world.ended("server", Exit::Completed), Ok(None));
        assert_eq!(world.ended("site-1", Exit::Completed), Ok(None));
        let ended = Ended { status: Status::Completed, stop: names(&[]) };
        assert_eq!(world.ended("site-3", Exit::Completed), Ok(Some(ended)));
    }
}

#[test]
fn s7_too_few_are_left() {
    for (bad, status) in BAD {
        let mut world = running("min_sites = 3");
        assert_eq!(world.ended("site-3", Exit::Completed), Ok(None), "a success is no loss");
        let ended = Ended { status, stop: names(&["server", "site-1"]) };
        assert_eq!(world.ended("site-2", bad), Ok(Some(ended)));
        let record = world.record(1);
        assert_eq!(record.status, status);
        let reason = record.reason.clone().unwrap();
        assert!(reason.starts_with("site-2: "), "{reason}");
        assert!(reason.ends_with("; num_ok_sites 2 < required_min_sites 3"), "{reason}");
    }
}

#[test]
fn s7_a_required_site_is_lost() {
    for (bad, status) in BAD {
        let mut world = running("required_sites = [\"site-2\"]");
        let ended = Ended { status, stop: names(&["server", "site-1", "site-3"]) };
        assert_eq!(world.ended("site-2", bad), Ok(Some(ended)));
        let reason = world.record(1).reason.clone().unwrap();
        let lacks = match bad {
            Exit::NotStarted => "failed to deploy to required site site-2",
            _ => "required site site-2 is gone",
        };
        assert!(reason.ends_with(lacks), "{reason}");
    }
}

#[test]
fn s7_no_job_goes_on_without_the_servers_process() {
    for (bad, status) in BAD {
        let mut world = running("min_sites = 1");
        let ended = Ended { status, stop: names(&["site-1", "site-2", "site-3"]) };
        assert_eq!(world.ended("server", bad), Ok(Some(ended)));
        assert!(world.record(1).reason.clone().unwrap().ends_with("the server's own process is needed"));
    }
}

#[test]
fn the_server_counts_in_no_minimum() {
    let mut world = running("min_sites = 3");
    assert_eq!(world.ended("site-1", Exit::Exception).unwrap().unwrap().status, Status::ExecutionException);
}

#[test]
fn an_end_that_comes_before_the_news_of_the_start() {
    for (exit, status) in BAD.into_iter().chain([(Exit::Completed, Status::Completed)]) {
        let mut world = World::new(quick(), &["site-1"]);
        world.submit(1, everywhere(""));
        world.schedule(&["site-1"]);
        world.scheduler.dispatched(&id(1)).unwrap();
        let ended = Ended { status, stop: names(&[]) };
        assert_eq!(world.ended("site-1", exit), Ok(Some(ended)), "{exit:?}");
    }
    // With another process left, the job has started.
    let mut world = World::new(quick(), &["site-1", "site-2"]);
    world.submit(1, everywhere(""));
    world.schedule(&["site-1", "site-2"]);
    world.scheduler.dispatched(&id(1)).unwrap();
    assert_eq!(world.ended("site-1", Exit::NotStarted), Ok(None));
    assert_eq!(world.status(1), Status::Dispatched);
    assert_eq!(world.ended("site-2", Exit::Completed).unwrap().unwrap().status, Status::Completed);
    for exit in [Exit::Completed, Exit::Exception] {
        let mut world = World::new(quick(), &["site-1", "site-2"]);
        world.submit(1, everywhere(""));
        world.schedule(&["site-1", "site-2"]);
        world.scheduler.dispatched(&id(1)).unwrap();
        assert_eq!(world.ended("site-1", exit), Ok(None));
        assert_eq!(world.status(1), Status::Running);
    }
}

#[test]
fn s7_before_the_grant_leaves_a_participant_can_only_fail_to_start() {
    for (exit, status) in [(Exit::NotStarted, Status::FailedToRun), (Exit::Stopped, Status::Aborted)] {
        let mut world = World::new(quick(), &["site-1", "site-2"]);
        world.submit(1, everywhere("min_sites = 2"));
        world.schedule(&["site-1", "site-2"]);
        let ended = Ended { status, stop: names(&["site-1"]) };
        assert_eq!(world.ended("site-2", exit), Ok(Some(ended)));
    }
}

#[test]
fn abort_in_every_state() {
    let aborted = |world: &mut World, stop: &[&str]| {
        let ended = Ended { status: Status::Aborted, stop: names(stop) };
        assert_eq!(world.scheduler.abort(&id(1), "wrong data", at(world.now)), Ok(ended));
        assert_eq!(
            (world.status(1), world.record(1).reason.as_deref()),
            (Status::Aborted, Some("wrong data"))
        );
        assert_eq!(world.scheduler.abort(&id(1), "again", at(world.now)), unknown());
        assert_eq!(world.record(1).reason.as_deref(), Some("wrong data"));
        world.now += 10_000;
        assert_eq!(world.begin(), None);
    };
    let mut world = World::new(quick(), &["site-1"]);
    assert_eq!(world.scheduler.abort(&id(1), "none", at(0)), unknown());
    world.submit(1, everywhere(""));
    aborted(&mut world, &[]);
    assert_eq!(world.record(1).schedule_count, 0);

    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.schedule(&["site-1"]);
    aborted(&mut world, &["site-1"]);

    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.schedule(&["site-1"]);
    world.scheduler.dispatched(&id(1)).unwrap();
    aborted(&mut world, &["site-1"]);

    let mut world = running("");
    world.ended("site-2", Exit::Completed).unwrap();
    aborted(&mut world, &["server", "site-1", "site-3"]);
}

#[test]
fn abort_during_an_attempt_ends_the_attempt_and_makes_way_for_the_next_job() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.submit(2, everywhere(""));
    let attempt = world.begin().unwrap();
    // The abort of another job leaves the attempt alone.
    world.submit(3, everywhere(""));
    world.scheduler.abort(&id(3), "not this one", at(1)).unwrap();
    assert_eq!(world.begin(), None);
    world.now = 2;
    world.scheduler.abort(&id(1), "wrong data", at(2)).unwrap();
    assert_eq!(world.record(1).schedule_history, ["1970-01-01 00:00:02: aborted"]);
    assert_eq!(world.begin().unwrap().job, id(2));
    let late = world.finish(&attempt, Outcome::Scheduled { sites: names(&["site-1"]) });
    assert_eq!(late, Err(SchedulerError::Stale { job: id(1), number: 1 }));
    assert_eq!(world.status(1), Status::Aborted);
}

#[test]
fn nothing_follows_an_end_but_the_processes_that_were_stopped_are_noted() {
    let mut world = running("");
    world.scheduler.abort(&id(1), "wrong data", at(0)).unwrap();
    assert_eq!(world.scheduler.leftovers(&name("site-1")), [id(1)]);
    world.scheduler.take_changes();
    assert_eq!(world.scheduler.started(&id(1), &name("site-1")), unknown());
    assert_eq!(world.ended("site-1", Exit::Exception), Ok(None));
    assert_eq!((world.status(1), world.record(1).reason.as_deref()), (Status::Aborted, Some("wrong data")));
    assert_eq!(world.scheduler.take_changes().len(), 1);
    assert_eq!(world.scheduler.leftovers(&name("site-1")), []);
    assert_eq!(world.scheduler.leftovers(&name("site-2")), [id(1)]);
    assert_eq!(world.scheduler.lost(&name("site-2")), []);
    assert_eq!(world.scheduler.leftovers(&name("site-2")), [id(1)], "it may come back and still run it");
}

/// Two jobs that run at site-2, one that does not, one that did.
fn four_jobs() -> World {
    let mut world = World::new(quick(), &["site-1", "site-2", "site-3"]);
    world.submit(1, everywhere("min_sites = 2"));
    world.run(1, &["site-1", "site-2", "site-3"]);
    world.submit(2, everywhere("min_sites = 2"));
    world.run(2, &["site-1", "site-2"]);
    world.submit(3, everywhere("min_sites = 2"));
    world.run(3, &["site-1", "site-3"]);
    world.submit(4, everywhere("min_sites = 1"));
    world.run(4, &["site-1", "site-2"]);
    world.scheduler.ended(&id(4), &name("site-2"), Exit::Completed).unwrap();
    world
}

#[test]
fn s7_a_site_that_is_lost_ends_only_the_jobs_that_need_it() {
    let mut world = four_jobs();
    assert_eq!(
        world.scheduler.with_process(&name("site-2")),
        [(id(1), Status::Running), (id(2), Status::Running)]
    );
    assert_eq!(world.scheduler.leftovers(&name("site-2")), [], "those go on");
    let affected = world.scheduler.lost(&name("site-2"));
    assert_eq!(
        affected,
        [
            Affected { job: id(1), ended: None, stop: names(&[]) },
            Affected { job: id(2), ended: Some(Status::Abnormal), stop: names(&["site-1"]) },
        ]
    );
    assert_eq!(world.record(1).processes[&name("site-2")], Process::Ended(Exit::Abnormal));
    assert_eq!(
        [1, 2, 3, 4].map(|job| world.status(job)),
        [Status::Running, Status::Abnormal, Status::Running, Status::Running]
    );
    assert_eq!(world.scheduler.lost(&name("site-2")), []);
}

#[test]
fn a_site_that_is_lost_before_the_grant_leaves_has_not_started() {
    let mut world = World::new(quick(), &["site-1", "site-2"]);
    world.submit(1, everywhere("min_sites = 2"));
    world.schedule(&["site-1", "site-2"]);
    let affected = world.scheduler.lost(&name("site-2"));
    let expected = Affected { job: id(1), ended: Some(Status::FailedToRun), stop: names(&["site-1"]) };
    assert_eq!(affected, [expected]);
}

#[test]
fn admission_that_ends_stops_the_participant_and_only_the_jobs_that_need_it() {
    let mut world = four_jobs();
    let affected = world.scheduler.stop_for(&name("site-2"), "snp.tcb.below_min");
    assert_eq!(
        affected,
        [
            Affected { job: id(1), ended: None, stop: names(&["site-2"]) },
            Affected { job: id(2), ended: Some(Status::Aborted), stop: names(&["site-1", "site-2"]) },
        ]
    );
    assert_eq!(
        world.record(2).reason.as_deref(),
        Some("site-2: snp.tcb.below_min; num_ok_sites 1 < required_min_sites 2")
    );
    assert_eq!([3, 4].map(|job| world.status(job)), [Status::Running, Status::Running]);
    assert_eq!(world.scheduler.stop_for(&name("site-2"), "again"), []);
}

#[test]
fn stop_is_for_one_job_and_a_process_that_has_not_ended() {
    let mut world = four_jobs();
    let affected = world.scheduler.stop(&id(1), &name("site-2"), "refused by site-1").unwrap();
    assert_eq!(affected, Affected { job: id(1), ended: None, stop: names(&["site-2"]) });
    assert_eq!(world.status(2), Status::Running);
    assert_eq!(world.record(2).processes[&name("site-2")], Process::Running);
    assert_eq!(world.scheduler.stop(&id(1), &name("site-2"), "again"), no_process("site-2"));
    assert_eq!(world.scheduler.stop(&id(1), &name("site-9"), "stranger"), no_process("site-9"));
    world.scheduler.abort(&id(1), "enough", at(0)).unwrap();
    assert_eq!(world.scheduler.stop(&id(1), &name("site-1"), "late"), unknown());
}

#[test]
fn s7_a_restart_abandons_what_ran_and_keeps_what_waits_with_its_counts() {
    let mut world = World::new(quick(), &["site-1"]);
    for number in 1..=5 {
        world.submit(number, everywhere(""));
    }
    world.run(1, &["site-1"]);
    world.schedule(&["site-1"]);
    world.scheduler.dispatched(&id(2)).unwrap();
    world.schedule(&["site-1"]);
    world.fail("busy");
    world.begin().unwrap();
    let stored: Vec<Job> = world.scheduler.take_changes();
    assert_eq!(stored.len(), 5);
    let before = world;

    let mut world = World::new(quick(), &["site-1"]);
    world.scheduler.restore(stored);
    assert_eq!([1, 2].map(|job| world.status(job)), [Status::Abandoned, Status::Abandoned]);
    assert_eq!(world.record(1).reason.as_deref(), Some("the server restarted"));
    for waiting in [4, 5] {
        assert_eq!(world.record(waiting), before.record(waiting));
    }
    // Its grant had not left, so nothing runs: it waits again, its attempt counts.
    let record = world.record(3);
    assert_eq!((record.status, record.schedule_count), (Status::Submitted, 1));
    assert!(!record.is_scheduled());
    let changed: Vec<_> = world.scheduler.take_changes().into_iter().map(|job| job.record.id).collect();
    assert_eq!(changed, [id(1), id(2), id(3)]);
    // Job 5 was being attempted; nobody remembers, it is attempted now. The others wait for their time.
    assert_eq!(world.fail("busy").job, id(5));
    assert_eq!(world.begin(), None);
    world.now = 10;
    assert_eq!(world.fail("busy").job, id(3));
    assert_eq!(world.fail("busy").job, id(4));
    // What the sites may still run is stopped when they come back.
    assert_eq!(world.scheduler.leftovers(&name("site-1")), [id(1), id(2)]);
    assert_eq!(world.ended("site-1", Exit::Stopped), Ok(None));
    assert_eq!(world.scheduler.leftovers(&name("site-1")), [id(2)]);
    assert_eq!(world.status(1), Status::Abandoned);
}

#[test]
fn after_a_restart_jobs_keep_their_order_and_new_ones_come_last() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(9, everywhere(""));
    world.submit(8, everywhere(""));
    let stored = world.scheduler.take_changes();
    let mut world = World::new(quick(), &["site-1"]);
    world.scheduler.restore(stored);
    world.submit(7, everywhere(""));
    assert_eq!(
        world.scheduler.submit(id(8), everywhere(""), at(0)),
        Err(SchedulerError::Duplicate { job: id(8) })
    );
    assert_eq!([world.fail("no").job, world.fail("no").job, world.fail("no").job], [id(9), id(8), id(7)]);
}

#[test]
fn s7_which_state_may_follow_which() {
    use Status::*;
    let follows = [
        (Submitted, &[Dispatched, Aborted, CanNotSchedule, FailedToRun][..]),
        (Dispatched, &[Running, Aborted, ExecutionException, Abnormal, FailedToRun, Abandoned]),
        (Running, &[Completed, Aborted, ExecutionException, Abnormal, FailedToRun, Abandoned]),
    ];
    for from in Status::ALL {
        let allowed = follows.iter().find(|(status, _)| *status == from).map_or(&[][..], |(_, next)| next);
        for to in Status::ALL {
            assert_eq!(from.may_become(to), allowed.contains(&to), "{from} to {to}");
        }
        assert_eq!(from.is_finished(), allowed.is_empty());
        assert_eq!(Status::parse(from.as_str()), Ok(from));
    }
    assert!(Status::parse("APPROVED").is_err());
    let words: Vec<_> = Status::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(
        words.join(" "),
        "SUBMITTED DISPATCHED RUNNING FINISHED:COMPLETED FINISHED:ABORTED \
        FINISHED:EXECUTION_EXCEPTION FINISHED:ABNORMAL FINISHED:CAN_NOT_SCHEDULE FINISHED:FAILED_TO_RUN \
        FINISHED:ABANDONED"
    );
}

#[test]
fn a_site_that_never_says_that_it_starts_is_not_waited_for() {
    let limit = Duration::from_secs(300);
    let mut world = World::new(quick(), &["site-1", "site-2"]);
    world.submit(1, everywhere(""));
    world.schedule(&["site-1", "site-2"]);
    assert_eq!(world.scheduler.overdue(at(1_000), limit), [], "no grant has left");
    world.scheduler.dispatched(&id(1)).unwrap();
    let late = |world: &World, second| world.scheduler.overdue(at(second), limit);
    assert_eq!(late(&world, 300), []);
    assert_eq!(late(&world, 301), [(id(1), name("site-1")), (id(1), name("site-2"))]);
    world.scheduler.started(&id(1), &name("site-1")).unwrap();
    assert_eq!(late(&world, 301), [(id(1), name("site-2"))]);
    assert_eq!(world.ended("site-2", Exit::NotStarted), Ok(None), "the job goes on without it");
    assert_eq!(late(&world, 301), []);
}
