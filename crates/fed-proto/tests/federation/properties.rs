//! Whatever the network does and whoever crashes: what must never happen does not, and what should happen does, once
//! the trouble ends. The rules themselves are checked by the harness while it runs.

use std::time::Duration;

use cc_core::{Finding, codes};
use cc_testkit::federation::{Faults, Federation, Random, name, site};
use fed_proto::name::Name;
use fed_proto::scheduler::Outcome;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::support::{job, registered, seconds};

fn faults() -> impl Strategy<Value = Faults> {
    (0_u64..3000, 0_u64..20, 0_u64..20, any::<bool>()).prop_map(|(delay, loss, duplication, reorder)| {
        Faults { delay: Duration::from_millis(delay), loss, duplication, reorder }
    })
}

fn names(sites: usize) -> Vec<Name> {
    (1..=sites).map(site).collect()
}

/// One thing that happens to a federation.
fn trouble(federation: &mut Federation, random: &mut Random, sites: usize, jobs: &mut u32) {
    let who = site(1 + usize::try_from(random.below(sites as u64)).unwrap());
    match random.below(10) {
        0 => federation.crash(&who),
        1 | 2 => federation.start(&who),
        3 => federation.cut(&who),
        4 => federation.lose(&who),
        5 if random.percent(30) => federation.crash_server(),
        5 | 6 if federation.server.coordinator.is_none() => federation.start_server(),
        7 => {
            let bad = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "for a while");
            let verifier = if random.percent(50) { name("server") } else { site(1) };
            if federation.policy.remove(&(verifier.clone(), who.clone())).is_none() {
                federation.policy.insert((verifier, who), bad);
            }
        }
        8 => {
            let mute = &mut federation.sites.get_mut(&who).unwrap().mute;
            *mute = !*mute;
        }
        _ => {
            *jobs += 1;
            let online: Vec<Name> = federation.online().into_iter().collect();
            if !online.is_empty() {
                let mode = if random.percent(50) { "admission = \"trust-graph\"" } else { "" };
                let file = job(&format!("job-{jobs}"), mode);
                federation.attempt(&file, 1, &online.iter().collect::<Vec<_>>());
            }
        }
    }
}

/// The trouble ends: everything is up again, and everybody accepts everybody.
fn heal(federation: &mut Federation) {
    federation.faults = Faults::default();
    federation.policy.clear();
    if federation.server.coordinator.is_none() {
        federation.start_server();
    }
    for name in federation.sites.keys().cloned().collect::<Vec<_>>() {
        let site = federation.sites.get_mut(&name).unwrap();
        site.mute = false;
        if !site.is_up() {
            federation.start(&name);
        }
    }
}

/// A job of everybody starts, sooner or later: the scheduler tries again when an attempt fails.
fn job_of_all_starts(federation: &mut Federation, limit: u32) {
    let all: Vec<Name> = federation.sites.keys().cloned().collect();
    let file = job("all", &format!("min_sites = {}", all.len()));
    for number in 1..=limit {
        let before = federation.server.attempts.len();
        let id = federation.attempt_of(&file, [3; 16], number, &all.iter().collect::<Vec<_>>());
        federation.run_until("an attempt", seconds(250), |f| f.server.attempts.len() > before);
        federation.run(seconds(1));
        if matches!(federation.server.attempts.last(), Some((_, _, Outcome::Scheduled { .. }))) {
            assert!(federation.sites.values().all(|site| site.running.contains_key(&id)));
            return;
        }
        federation.run(seconds(10));
    }
    panic!("no job of all: {:?}", federation.server.attempts.last());
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        // The same cases in every run.
        rng_seed: RngSeed::Fixed(20_261_125),
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_happens_nothing_forbidden_does_and_it_ends_well(
        seed in any::<u64>(),
        sites in 1_usize..=11,
        faults in faults(),
    ) {
        let mut federation = Federation::new(seed, sites);
        federation.reconnect = true;
        federation.faults = faults;
        federation.start_all();
        let mut random = Random::new(seed ^ 0x5eed);
        let mut jobs = 0;
        for _ in 0..60 {
            federation.run(Duration::from_millis(random.below(15_000)));
            trouble(&mut federation, &mut random, sites, &mut jobs);
        }
        heal(&mut federation);
        // A heartbeat's limit, a minute of backoff, and two periodic rounds for whoever was suspended.
        federation.run_until("whole again", seconds(900), Federation::all_registered);
        job_of_all_starts(&mut federation, 6);
    }

    #[test]
    fn without_trouble_everybody_registers_and_jobs_start_within_30_seconds(
        seed in any::<u64>(),
        sites in 1_usize..=11,
        delay in 0_u64..500,
    ) {
        let mut federation = Federation::new(seed, sites);
        federation.faults.delay = Duration::from_millis(delay);
        federation.start_all();
        federation.run_until("registration", seconds(30), Federation::all_registered);
        let all = names(sites);
        let id = federation.attempt(&job("one", &format!("min_sites = {sites}")), 1, &all.iter().collect::<Vec<_>>());
        federation.run_until("the job", seconds(30), |f| {
            f.sites.values().all(|site| site.running.contains_key(&id)) && f.server.running.contains_key(&id)
        });
    }

    #[test]
    fn a_bad_peer_never_stops_a_good_one(seed in any::<u64>(), good in 1_usize..=5, how in 0_u64..10) {
        let mut federation = registered(seed, good + 1);
        federation.reconnect = true;
        let bad = site(good + 1);
        let all = names(good);
        let start = |federation: &mut Federation, label: &str| {
            let file = job(label, &format!("min_sites = {good}"));
            let id = federation.attempt(&file, 1, &all.iter().collect::<Vec<_>>());
            federation.run_until(label, seconds(30), |f| {
                all.iter().all(|name| f.sites[name].running.contains_key(&id))
                    && f.server.running.contains_key(&id)
            });
            id
        };
        let mut ids = vec![start(&mut federation, "before")];
        misbehave(&mut federation, &bad, how, seed);
        for step in 0..150 {
            match how {
                7 => federation.start(&bad),
                8 => federation.connect(&bad),
                _ => {}
            }
            federation.run(seconds(6));
            if step % 30 == 29 {
                ids.push(start(&mut federation, &format!("job-{step}")));
            }
        }
        for id in ids {
            for name in &all {
                prop_assert!(federation.sites[name].running.contains_key(&id), "{name}");
            }
            prop_assert!(federation.server.running.contains_key(&id));
        }
        for name in &all {
            prop_assert!(federation.online().contains(name), "{name}");
        }
    }
}

/// Ways to be bad.
fn misbehave(federation: &mut Federation, bad: &Name, how: u64, seed: u64) {
    let mut random = Random::new(seed);
    let others: Vec<Name> = federation.sites.keys().filter(|name| *name != bad).cloned().collect();
    let site = federation.sites.get_mut(bad).unwrap();
    let mut earlier: Vec<Vec<u8>> = Vec::new();
    match how {
        // Garbage, changed bytes, silence, repetition, floods.
        0 => site.tamper = Some(Box::new(|_| vec![b"garbage".to_vec()])),
        1 => {
            site.tamper = Some(Box::new(move |mut bytes| {
                let at = usize::try_from(random.below(bytes.len() as u64)).unwrap();
                bytes[at] ^= 1 << random.below(8);
                vec![bytes]
            }));
        }
        2 => {
            site.tamper =
                Some(Box::new(move |bytes| if random.percent(50) { Vec::new() } else { vec![bytes] }))
        }
        3 => {
            site.tamper = Some(Box::new(move |bytes| {
                earlier.push(bytes);
                earlier.iter().rev().take(8).cloned().collect()
            }));
        }
        4 => site.tamper = Some(Box::new(|bytes| vec![bytes; 100])),
        5 => site.mute = true,
        // Evidence that is nobody's, a verdict against everybody, restarts and reconnects without end.
        6 => site.forge = Some(Box::new(|over| over.to_vec())),
        9 => {
            let hates = Finding::new(codes::SNP_MEASUREMENT_UNKNOWN, "nobody is good enough");
            for other in others.into_iter().chain([name("server")]) {
                federation.policy.insert((bad.clone(), other), hates.clone());
            }
        }
        _ => {}
    }
}

#[test]
fn fifty_participants_through_trouble() {
    let mut federation = Federation::new(50, 49);
    federation.reconnect = true;
    federation.tick = seconds(1);
    federation.faults = Faults { delay: Duration::from_millis(200), loss: 1, duplication: 1, reorder: false };
    federation.start_all();
    federation.run(seconds(20));
    for number in [3, 9, 27] {
        federation.crash(&site(number));
    }
    let online: Vec<Name> = federation.online().into_iter().collect();
    federation.attempt(&job("one", "admission = \"trust-graph\""), 1, &online.iter().collect::<Vec<_>>());
    federation.run(seconds(100));
    heal(&mut federation);
    federation.run_until("whole again", seconds(900), Federation::all_registered);
}

#[test]
fn two_hundred_participants_register_and_renew() {
    let mut federation = Federation::new(200, 199);
    federation.tick = seconds(1);
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    assert_eq!(federation.reports(&name("server")), 4, "one report serves up to 63 sites");
    let before = federation.watch.report_count;
    federation.run(seconds(310));
    assert_eq!(federation.watch.report_count - before, 200, "a periodic round: one report of each");
    assert!(federation.all_registered());
}
