//! From an attempt to running and stopped jobs.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cc_core::{Finding, codes};
use cc_testkit::federation::{Federation, name, site};
use fed_proto::job::JobId;
use fed_proto::message::{Busy, Kind, Payload, Reserved};

use super::support::{SOON, job, on, opened, outcome, reason, registered, say, scheduled, seconds, silenced};

#[test]
fn job_runs_where_everybody_accepts_everybody() {
    let mut federation = registered(11, 4);
    let sites: Vec<_> = (1..=4).map(site).collect();
    let before = federation.reports(&name("server"));
    let id = federation.attempt(&job("one", "min_sites = 4"), 1, &sites.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(&mut federation, 1)).len(), 5);
    assert!(federation.sites.values().all(|site| site.running.contains_key(&id)));
    assert_eq!(federation.reports(&name("server")), before + 1);
    assert!(federation.sites.values().all(|site| site.refused.is_empty()), "nobody's own words come back");
    assert!(sites.iter().all(|site| federation.reports(site) == 2), "one report per participant and round");
}

#[test]
fn corner_case_1_one_bad_client_blocks_the_attempt_at_the_server() {
    let mut federation = registered(12, 3);
    let bad = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    federation.policy.insert((name("server"), site(3)), bad);
    let sites: Vec<_> = (1..=3).map(site).collect();
    federation.attempt(&job("one", "min_sites = 1"), 1, &sites.iter().collect::<Vec<_>>());
    assert!(reason(&outcome(&mut federation, 1)).contains("snp.tcb.below_minimum"));
    // It blocks one attempt and not all: refuted, it counts as offline.
    assert!(!federation.online().contains(&site(3)));
    let online: Vec<_> = federation.online().into_iter().collect();
    federation.attempt(&job("one", "min_sites = 1"), 2, &online.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(&mut federation, 2)), ["server", "site-001", "site-002"]);
}

#[test]
fn corner_case_2_the_decliner_is_excluded_not_the_distrusted_site() {
    let mut federation = registered(13, 3);
    let unknown = Finding::new(codes::SNP_MEASUREMENT_UNKNOWN, "not on my list");
    federation.policy.insert((site(1), site(2)), unknown);
    let sites: Vec<_> = (1..=3).map(site).collect();
    let id = federation.attempt(&job("one", "min_sites = 2"), 1, &sites.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-002", "site-003"]);
    assert!(!federation.sites[&site(1)].running.contains_key(&id));
    assert!(federation.sites[&site(2)].running.contains_key(&id));
    federation.attempt(&job("two", "min_sites = 3"), 1, &sites.iter().collect::<Vec<_>>());
    let reason = reason(&outcome(&mut federation, 2));
    assert!(
        reason.contains("< min sites 3)")
            && reason.contains("site-001")
            && reason.contains("snp.measurement.unknown"),
        "{reason}"
    );
}

#[test]
fn refuted_site_stops_the_jobs_that_it_shares_and_no_other() {
    let mut federation = registered(14, 4);
    let all: Vec<_> = (1..=4).map(site).collect();
    let both = federation.attempt(&job("with", ""), 1, &[&all[0], &all[3]]);
    scheduled(&outcome(&mut federation, 1));
    let without = federation.attempt(&job("without", ""), 1, &[&all[1], &all[2]]);
    scheduled(&outcome(&mut federation, 2));
    let fell = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "fell");
    for verifier in [name("server"), site(1), site(2), site(3)] {
        federation.policy.insert((verifier, site(4)), fell.clone());
    }
    federation.run(seconds(320));
    assert!(!federation.sites[&site(1)].running.contains_key(&both));
    assert!(!federation.sites[&site(4)].running.contains_key(&both));
    assert_eq!(federation.sites[&site(1)].stopped[0].1.code, codes::SNP_TCB_BELOW_MINIMUM);
    assert!(federation.sites[&site(2)].running.contains_key(&without));
    assert!(federation.sites[&site(3)].running.contains_key(&without));
}

#[test]
fn verdicts_that_are_not_renewed_expire_and_the_job_with_them() {
    let mut federation = registered(15, 2);
    let id = federation.attempt(&job("one", ""), 1, &[&site(1), &site(2)]);
    scheduled(&outcome(&mut federation, 1));
    federation.run(seconds(1300));
    assert!(federation.sites[&site(1)].running.contains_key(&id), "periodic rounds keep it alive");
    federation.crash(&site(2));
    federation.run(seconds(601));
    assert!(!federation.sites[&site(1)].running.contains_key(&id));
    assert_eq!(federation.sites[&site(1)].stopped[0].1.code, codes::FL_VERDICT_EXPIRED);
}

/// A job of all sites, up to where everybody has contributed and nobody has shown a token.
fn listed(federation: &mut Federation, more: &str) -> (u64, String) {
    let all: Vec<_> = federation.sites.keys().cloned().collect();
    let id = federation.attempt(&job("one", more), 1, &all.iter().collect::<Vec<_>>());
    federation.run(Duration::from_millis(10));
    (*opened(federation).last().unwrap(), id)
}

#[test]
fn an_answer_about_resources_that_nobody_asked_for_starts_nothing() {
    let mut federation = registered(16, 2);
    let bad = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    federation.policy.insert((name("server"), site(1)), bad);
    let (epoch, id) = listed(&mut federation, "min_sites = 1");
    let answer = Reserved { epoch, refusal: String::new() }.to_bytes();
    assert_eq!(say(&mut federation, &site(2), Kind::Reserved, (epoch, &id), answer), None);
    assert!(federation.server.attempts.is_empty());
    assert!(reason(&outcome(&mut federation, 1)).contains("snp.tcb.below_minimum"));
    assert!(federation.sites.values().all(|site| site.running.is_empty()));
}

#[test]
fn whoever_is_on_the_list_is_not_excused_any_more() {
    let mut federation = registered(17, 3);
    let (epoch, id) = listed(&mut federation, "min_sites = 3");
    let busy = Busy { text: String::new() }.to_bytes();
    assert_eq!(say(&mut federation, &site(3), Kind::Busy, (epoch, &id), busy), None);
    assert_eq!(scheduled(&outcome(&mut federation, 1)).len(), 4);
}

#[test]
fn whoever_is_not_on_the_list_has_no_say_and_holds_nothing_up() {
    let mut federation = registered(18, 3);
    federation.sites.get_mut(&site(2)).unwrap().tamper = silenced(Kind::Contribution);
    let (epoch, id) = listed(&mut federation, "min_sites = 2");
    federation.run_until("the list", seconds(10), |f| f.reports(&site(1)) == 2);
    let before = federation.traffic[&site(1)];
    for kind in [Kind::Token, Kind::Verdict] {
        assert_eq!(say(&mut federation, &site(2), kind, (epoch, &id), vec![7; 100_000]), None);
    }
    federation.run(seconds(2));
    assert_eq!(federation.server.attempts.len(), 1);
    assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-001", "site-003"]);
    assert!(federation.traffic[&site(1)] - before < 100_000);
}

#[test]
fn no_report_is_made_for_a_job_that_too_few_answer() {
    let mut federation = registered(19, 2);
    federation.sites.get_mut(&site(2)).unwrap().tamper = silenced(Kind::Contribution);
    listed(&mut federation, "min_sites = 2");
    assert!(reason(&outcome(&mut federation, 1)).contains("site-002"));
    assert_eq!((federation.reports(&site(1)), federation.reports(&name("server"))), (1, 1));
}

#[test]
fn a_site_that_has_not_enough_or_does_not_answer_takes_no_part() {
    let mut federation = registered(20, 3);
    federation.sites.get_mut(&site(2)).unwrap().tamper = silenced(Kind::Reserved);
    federation.sites.get_mut(&site(3)).unwrap().resources = Err("no accelerator is free".to_owned());
    let (_, id) = listed(&mut federation, "min_sites = 1");
    assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-001"]);
    let running = |f: &Federation, number| f.sites[&site(number)].running.contains_key(&id);
    assert!(running(&federation, 1));
    assert!(!running(&federation, 2) && !running(&federation, 3));
    federation.run(seconds(10));
    listed(&mut federation, "min_sites = 2");
    let why = reason(&outcome(&mut federation, 2));
    assert!(why.contains("site-002: no answer") && why.contains("site-003: no accelerator is free"), "{why}");
}

#[test]
fn an_announcement_before_its_time_is_none() {
    let mut federation = registered(21, 2);
    let (_, id) = listed(&mut federation, "");
    let early = JobId::parse(&id).unwrap();
    federation.with_server(|server, now, env, out| server.announce(now, &early, env, out));
    assert_eq!(scheduled(&outcome(&mut federation, 1)).len(), 3);
    assert!(federation.sites.values().all(|site| site.running.contains_key(&id)));
}

#[test]
fn a_job_that_the_server_ends_ends_everywhere() {
    let mut federation = registered(22, 2);
    let (_, id) = listed(&mut federation, "");
    scheduled(&outcome(&mut federation, 1));
    let all = federation.online();
    let finding = Finding::new(codes::FL_JOB_STOPPED, "by the owner of the job");
    federation.with_server(|server, now, env, out| server.stop_job(now, &id, &all, &finding, env, out));
    federation.run(SOON);
    assert!(federation.sites.values().all(|site| site.stopped == [(id.clone(), finding.clone())]));
    assert_eq!(federation.server.stopped, [(id, finding)]);
}

#[test]
fn the_first_token_of_a_member_is_passed_on_and_no_other() {
    let mut federation = registered(23, 3);
    // Tokens are awaited for a minute.
    federation.sites.get_mut(&site(2)).unwrap().mute = true;
    let (epoch, id) = listed(&mut federation, "");
    federation.run(SOON);
    let before = federation.traffic[&site(1)];
    for _ in 0..10 {
        assert_eq!(say(&mut federation, &site(3), Kind::Token, (epoch, &id), vec![7; 100_000]), None);
    }
    federation.run(SOON);
    assert!(federation.traffic[&site(1)] - before < 100_000);
}

#[test]
fn a_verdict_that_comes_after_the_decision_decides_nothing() {
    let mut federation = registered(24, 3);
    federation.server.hold_announcements = true;
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(3)).unwrap().tamper = on(Kind::Verdict, move |message| {
        *recorder.borrow_mut() = message.to_bytes();
        Vec::new()
    });
    listed(&mut federation, "min_sites = 2");
    let without = ["server", "site-001", "site-002"];
    assert_eq!(scheduled(&outcome(&mut federation, 1)), without);
    let late = seen.borrow().clone();
    federation.hand_to_server(&site(3), late);
    federation.run(SOON);
    assert_eq!(federation.server.attempts.len(), 1);
}
