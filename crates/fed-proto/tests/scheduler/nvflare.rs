//! The cases of NVFlare's `job_scheduler_test.py`, with a site's ledger where it has a resource manager. Its
//! "missing deploy map", "weird deploy map" and an app that is deployed nowhere are not jobs here: the file is refused.

use std::collections::BTreeMap;
use std::time::Duration;

use fed_proto::scheduler::resources::{Ledger, Token};
use fed_proto::scheduler::{Limits, Outcome, Status};

use super::*;

/// A server and its sites: what the coordinator does, without attestation.
struct Federation {
    world: World,
    ledgers: BTreeMap<Name, Ledger>,
}

impl Federation {
    fn new(limits: Limits, sites: &[(&str, u64, u64)]) -> Self {
        let online: Vec<_> = sites.iter().map(|(site, _, _)| *site).collect();
        let ledger = |cpu, gpu| Ledger::new([("cpu".to_owned(), cpu), ("gpu".to_owned(), gpu)].into());
        let ledgers = sites.iter().map(|(site, cpu, gpu)| (name(site), ledger(*cpu, *gpu))).collect();
        Self { world: World::new(limits, &online), ledgers }
    }

    /// One cycle: until a job is scheduled or none is left to attempt.
    fn cycle(&mut self) -> Option<(JobId, BTreeSet<Name>)> {
        let now = Duration::from_secs(self.world.now);
        while let Some(attempt) = self.world.begin() {
            let mut ready = BTreeMap::new();
            let mut declined = BTreeMap::new();
            for site in &attempt.sites {
                let ledger = self.ledgers.get_mut(site).unwrap();
                match ledger.reserve(&attempt.job, &attempt.file.resources(site), now) {
                    Ok(token) => drop(ready.insert(site.clone(), token)),
                    Err(error) => drop(declined.insert(site.clone(), error.to_string())),
                }
            }
            let sites: BTreeSet<Name> = ready.keys().cloned().collect();
            let met = attempt.file.met_by_ready(&name("server"), &sites, &declined);
            if let Err(reason) = met {
                self.give_back(&ready);
                self.world.finish(&attempt, Outcome::NoResource { reason }).unwrap();
                continue;
            }
            for (site, token) in &ready {
                self.ledgers.get_mut(site).unwrap().commit(*token, now).unwrap();
            }
            self.world.finish(&attempt, Outcome::Scheduled { sites: sites.clone() }).unwrap();
            return Some((attempt.job, sites));
        }
        None
    }

    fn give_back(&mut self, ready: &BTreeMap<Name, Token>) {
        for (site, token) in ready {
            self.ledgers.get_mut(site).unwrap().cancel(*token);
        }
    }
}

fn eager(max_jobs: usize) -> Limits {
    Limits { max_jobs, min_schedule_interval: Duration::ZERO, ..Limits::default() }
}

/// Two apps, the first at the server and site-1 and site-2, the second at `second`, with (cpu, gpu) per site.
fn two_apps(second: &str, amounts: &[(&str, u64, u64)]) -> JobFile {
    let tables: String = amounts
        .iter()
        .map(|(site, cpu, gpu)| format!("[resources.{site}]\ncpu = {cpu}\ngpu = {gpu}\n"))
        .collect();
    JobFile::parse(&format!(
        "version = 1\nname = \"job\"\nmin_sites = 3\n[deploy]\none = [\"server\", \"site-1\", \"site-2\"]\n\
         two = {second}\n[app.one]\ncommand = [\"1\"]\n[app.two]\ncommand = [\"2\"]\n{tables}"
    ))
    .unwrap()
}

#[test]
fn test_normal_case() {
    let small = [("site-1", 16, 8), ("site-2", 16, 8), ("site-3", 32, 1), ("site-4", 2, 1)];
    let third = r#"["site-3"]"#;
    let job1 = || two_apps(third, &[("site-1", 1, 4), ("site-2", 1, 4), ("site-3", 2, 1)]);
    let job2 = || two_apps(third, &[("site-1", 2, 4), ("site-2", 2, 4), ("site-3", 12, 4)]);
    let job4 = || {
        let second = r#"["site-3", "site-4", "site-5"]"#;
        two_apps(second, &[("site-1", 2, 4), ("site-2", 5, 4), ("site-3", 12, 4)])
    };
    for (jobs, expected, sites) in [
        (vec![job1()], 0, &["site-1", "site-2", "site-3"]),
        (vec![job2(), job1()], 1, &["site-1", "site-2", "site-3"]),
        (vec![job4(), job1()], 0, &["site-1", "site-2", "site-4"]),
    ] {
        let mut federation = Federation::new(eager(10), &small);
        for (number, file) in jobs.into_iter().enumerate() {
            federation.world.submit(number, file);
        }
        assert_eq!(federation.cycle(), Some((id(expected), names(sites))));
    }
    let many: Vec<String> = (0..8).map(|number| format!("site-{number}")).collect();
    let sites: Vec<_> = many.iter().map(|site| (site.as_str(), 16, 8)).collect();
    let mut federation = Federation::new(eager(10), &sites);
    federation.world.submit(0, everywhere("min_sites = 3"));
    assert_eq!(federation.cycle(), Some((id(0), many.iter().map(|site| name(site)).collect())));
}

#[test]
fn test_less_active_than_min_and_its_history() {
    let mut federation =
        Federation::new(Limits::default(), &[("site-0", 1, 1), ("site-1", 1, 1), ("site-2", 1, 1)]);
    federation.world.submit(0, everywhere("min_sites = 4"));
    assert_eq!(federation.cycle(), None);
    let record = federation.world.record(0);
    assert_eq!(record.schedule_count, 1);
    assert!(record.schedule_history[0].ends_with(": connected sites (3) < min_sites (4)"));
}

#[test]
fn test_require_sites_not_active() {
    let mut federation = Federation::new(Limits::default(), &[("site-0", 1, 1), ("site-1", 1, 1)]);
    federation.world.submit(0, everywhere("required_sites = [\"site-2\"]"));
    assert_eq!(federation.cycle(), None);
    assert!(federation.world.record(0).schedule_history[0].ends_with(": missing required site site-2"));
}

#[test]
fn test_require_sites_not_enough_resource() {
    let mut federation = Federation::new(Limits::default(), &[("site-1", 1, 1), ("site-2", 1, 1)]);
    let tables = "[resources.site-2]\ngpu = 2";
    federation.world.submit(0, job_with(r#"["@ALL"]"#, "required_sites = [\"site-2\"]", tables));
    assert_eq!(federation.cycle(), None);
    assert_eq!(
        federation.world.record(0).schedule_history,
        ["1970-01-01 00:00:00: required sites: ['site-2'] don't have enough resources. \
             Details: site-2:not enough gpu (2 wanted, 1 free);"]
    );
    // Nothing stays set aside at the others.
    assert_eq!(federation.ledgers[&name("site-1")].free("gpu"), 1);
}

#[test]
fn test_not_enough_sites_has_enough_resource() {
    let mut federation = Federation::new(Limits::default(), &[("site-1", 1, 1), ("site-2", 1, 1)]);
    let tables = "[resources.site-1]\ngpu = 2\n[resources.site-2]\ncpu = 2";
    federation.world.submit(0, job_with(r#"["@ALL"]"#, "min_sites = 2", tables));
    assert_eq!(federation.cycle(), None);
    assert_eq!(
        federation.world.record(0).schedule_history,
        ["1970-01-01 00:00:00: not enough sites have enough resources (ok sites 0 < min sites 2). \
             Details: site-1: not enough gpu (2 wanted, 1 free); site-2: not enough cpu (2 wanted, 1 free)"]
    );
}

#[test]
fn test_a_list_of_jobs() {
    for first in [true, false] {
        let names: Vec<String> = (0..8).map(|number| format!("site-{number}")).collect();
        let sites: Vec<_> = names.iter().map(|site| (site.as_str(), 0, 2)).collect();
        let mut federation = Federation::new(eager(4), &sites);
        let mut submitted = 0;
        if first {
            let keys = "min_sites = 1\nrequired_sites = [\"site-0\"]";
            let file = job_with(r#"["server", "site-0"]"#, keys, "[resources.site-0]\ngpu = 1");
            federation.world.submit(submitted, file);
            submitted += 1;
        }
        for _ in 0..5 {
            let list = format!("{names:?}");
            let keys = format!("min_sites = 8\nrequired_sites = {list}");
            let tables: String = names.iter().map(|site| format!("[resources.{site}]\ngpu = 1\n")).collect();
            federation.world.submit(submitted, job_with(&list, &keys, &tables));
            submitted += 1;
        }
        let scheduled: Vec<_> = (0..10).filter_map(|_| federation.cycle()).map(|(job, _)| job).collect();
        assert_eq!(scheduled, [id(0), id(1)], "each site has two");
    }
}

#[test]
fn test_job_cannot_scheduled() {
    let limits = Limits { max_schedule_count: 2, ..eager(4) };
    let mut federation = Federation::new(limits, &[("site-1", 1, 1)]);
    federation.world.submit(0, everywhere("min_sites = 2"));
    for _ in 0..3 {
        assert_eq!(federation.cycle(), None);
    }
    let record = federation.world.record(0);
    assert_eq!((record.schedule_count, record.status), (3, Status::CanNotSchedule));
}
