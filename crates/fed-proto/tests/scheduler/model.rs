//! Whatever happens in whatever order: what must always hold.

use std::collections::BTreeMap;
use std::time::Duration;

use fed_proto::scheduler::{Attempt, Exit, Job, Limits, Outcome, Process, Status};
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Submit { required: bool, min: u8 },
    Begin { online: u8 },
    Schedule { sites: u8 },
    Fail,
    Block,
    Dispatched(usize),
    Started(usize, u8),
    Ended(usize, u8, Exit),
    Abort(usize),
    Lost(u8),
    StopFor(u8),
    Wait(u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let job = 0_usize..6;
    let site = 0_u8..4;
    let exit = prop::sample::select(vec![
        Exit::Completed,
        Exit::Exception,
        Exit::Abnormal,
        Exit::NotStarted,
        Exit::Stopped,
    ]);
    prop_oneof![
        2 => (any::<bool>(), 1_u8..4).prop_map(|(required, min)| Step::Submit { required, min }),
        8 => any::<u8>().prop_map(|online| Step::Begin { online }),
        6 => any::<u8>().prop_map(|sites| Step::Schedule { sites }),
        1 => Just(Step::Fail),
        1 => Just(Step::Block),
        4 => job.clone().prop_map(Step::Dispatched),
        6 => (job.clone(), site.clone()).prop_map(|(job, site)| Step::Started(job, site)),
        4 => (job.clone(), site.clone(), exit).prop_map(|(job, site, exit)| Step::Ended(job, site, exit)),
        1 => job.prop_map(Step::Abort),
        1 => site.clone().prop_map(Step::Lost),
        1 => site.prop_map(Step::StopFor),
        3 => (0_u64..400).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

const PARTICIPANTS: [&str; 4] = ["server", "site-1", "site-2", "site-3"];

fn chosen(bits: u8) -> BTreeSet<Name> {
    PARTICIPANTS
        .iter()
        .enumerate()
        .filter(|(index, _)| bits >> index & 1 == 1)
        .map(|(_, site)| name(site))
        .collect()
}

struct Model {
    world: World,
    submitted: usize,
    attempt: Option<Attempt>,
    /// What a store has that takes every change.
    store: BTreeMap<JobId, Job>,
}

impl Model {
    fn take(&mut self, step: &Step, limits: Limits) {
        let scheduler = &mut self.world.scheduler;
        let now = at(self.world.now);
        match step {
            Step::Submit { required, min } => {
                let required = if *required { "required_sites = [\"site-1\"]" } else { "" };
                let file = everywhere(&format!("min_sites = {min}\n{required}"));
                scheduler.submit(id(self.submitted), file, now).unwrap();
                self.submitted += 1;
            }
            Step::Begin { online } => {
                let online = chosen(*online);
                let begun = scheduler.begin(now, Duration::from_secs(self.world.now), &online);
                if let Some(attempt) = begun {
                    let clients: BTreeSet<Name> =
                        online.into_iter().filter(|site| *site != name("server")).collect();
                    assert!(attempt.sites.is_subset(&clients));
                    self.attempt = Some(attempt);
                }
            }
            Step::Schedule { sites } => {
                if let Some(attempt) = self.attempt.take() {
                    let _ = self.world.finish(&attempt, Outcome::Scheduled { sites: chosen(*sites) });
                }
            }
            Step::Fail => {
                if let Some(attempt) = self.attempt.take() {
                    let _ = self.world.finish(&attempt, Outcome::NoResource { reason: "busy".into() });
                }
            }
            Step::Block => {
                if let Some(attempt) = self.attempt.take() {
                    let _ = self.world.finish(&attempt, Outcome::Block { reason: "never".into() });
                }
            }
            Step::Dispatched(job) => drop(scheduler.dispatched(&id(*job))),
            Step::Started(job, site) => drop(scheduler.started(&id(*job), &participant(*site))),
            Step::Ended(job, site, exit) => {
                if let Ok(Some(ended)) = scheduler.ended(&id(*job), &participant(*site), *exit) {
                    assert_eq!(ended.status, self.world.status(*job));
                }
            }
            Step::Abort(job) => drop(scheduler.abort(&id(*job), "stop", now)),
            Step::Lost(site) => {
                for affected in scheduler.lost(&participant(*site)) {
                    assert!(!affected.stop.contains(&participant(*site)));
                }
            }
            Step::StopFor(site) => {
                for affected in scheduler.stop_for(&participant(*site), "admission ended") {
                    assert!(affected.stop.contains(&participant(*site)));
                }
            }
            Step::Wait(seconds) => self.world.now += seconds,
            Step::Restart => {
                let (now, stored) = (self.world.now, self.store.values().cloned().collect::<Vec<_>>());
                self.world = World::new(limits, &[]);
                self.world.now = now;
                self.world.scheduler.restore(stored);
                self.attempt = None;
            }
        }
    }

    fn check(&mut self, limits: Limits) {
        let before = self.store.clone();
        for job in self.world.scheduler.take_changes() {
            self.store.insert(job.record.id.clone(), job);
        }
        let jobs: BTreeMap<JobId, Job> =
            self.world.scheduler.jobs().into_iter().map(|job| (job.record.id.clone(), job.clone())).collect();
        assert_eq!(self.store, jobs, "every change is announced");
        let mut scheduled = 0;
        for (id, job) in &jobs {
            let record = &job.record;
            let [count, min_sites] =
                [record.schedule_count, job.file.min_sites()].map(|number| usize::try_from(number).unwrap());
            assert_eq!(count, record.schedule_history.len());
            assert!(record.schedule_count <= limits.max_schedule_count + 1);
            if matches!(record.status, Status::Dispatched | Status::Running) {
                assert!(record.is_scheduled());
                let good = record.processes.iter().filter(|(site, process)| {
                    **site != name("server")
                        && !matches!(process, Process::Ended(exit) if *exit != Exit::Completed)
                });
                assert!(good.count() >= min_sites, "nothing runs with too few");
                assert!(record.processes.values().any(|process| !matches!(process, Process::Ended(_))));
            }
            if record.status == Status::Completed {
                assert!(record.processes.values().all(|process| matches!(process, Process::Ended(_))));
            }
            scheduled += usize::from(record.is_scheduled());
            if let Some(old) = before.get(id).map(|job| &job.record) {
                // A step that leads through several states is seen as one.
                let through = Status::ALL
                    .iter()
                    .any(|middle| old.status.may_become(*middle) && middle.may_become(record.status));
                assert!(old.status == record.status || old.status.may_become(record.status) || through);
                assert!(record.schedule_count >= old.schedule_count);
            }
        }
        assert!(scheduled <= limits.max_jobs);
    }
}

fn participant(index: u8) -> Name {
    name(PARTICIPANTS[usize::from(index)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_happens(steps in prop::collection::vec(step(), 0..120)) {
        let limits = Limits { max_jobs: 2, max_schedule_count: 4, ..Limits::default() };
        let mut model = Model {
            world: World::new(limits, &[]),
            submitted: 0,
            attempt: None,
            store: BTreeMap::new(),
        };
        for step in &steps {
            model.take(step, limits);
            model.check(limits);
        }
    }
}
