//! From an attempt to running and stopped jobs.

use cc_core::{Finding, codes};
use cc_testkit::federation::{name, site};

use crate::support::{job, outcome, reason, registered, scheduled, seconds};

#[test]
fn job_runs_where_everybody_accepts_everybody() {
    let mut federation = registered(11, 4);
    let sites: Vec<_> = (1..=4).map(site).collect();
    let before = federation.reports(&name("server"));
    let id = federation.attempt(&job("one", "min_sites = 4"), 1, &sites.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(&mut federation, 1)).len(), 5);
    assert!(federation.sites.values().all(|site| site.running.contains_key(&id)));
    assert_eq!(federation.reports(&name("server")), before + 1);
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
