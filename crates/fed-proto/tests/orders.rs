//! What a site does when the server asks for too much, and when it ends a job.

use std::collections::BTreeSet;
use std::time::Duration;

use cc_core::{Finding, codes};
use cc_testkit::federation::{Federation, site};

fn job(label: &str) -> String {
    format!(
        "version = 1\nname = \"{label}\"\n[deploy]\nmain = [\"@ALL\"]\n[app.main]\ncommand = [\"/bin/true\"]\n"
    )
}

fn registered(seed: u64) -> Federation {
    let mut federation = Federation::new(seed, 2);
    federation.start_all();
    federation.run_until("registration", Duration::from_secs(60), Federation::all_registered);
    federation.run(Duration::from_secs(60));
    federation
}

#[test]
fn hardware_that_was_asked_often_sits_a_round_out() {
    let mut federation = registered(41);
    let before = federation.reports(&site(1));
    for number in 0..12 {
        federation.attempt(&job(&format!("job-{number}")), 1, &[&site(1), &site(2)]);
        federation.run(Duration::from_millis(500));
    }
    let made = federation.reports(&site(1)) - before;
    assert!((1..=5).contains(&made), "a burst of four, and one more after five seconds: {made}");
    let refusals = federation.server.attempts.iter().filter(|(_, _, outcome)| {
        matches!(outcome, fed_proto::scheduler::Outcome::NoResource { reason }
            if reason.contains(codes::FL_MEMBER_BUSY.as_str()))
    });
    assert!(refusals.count() >= 7, "the server says why nothing happens");
}

#[test]
fn server_ends_a_job_at_one_site_and_then_everywhere() {
    let mut federation = registered(42);
    let id = federation.attempt(&job("one"), 1, &[&site(1), &site(2)]);
    federation.run(Duration::from_secs(10));
    let runs = |f: &Federation, number| f.sites[&site(number)].running.contains_key(&id);
    assert!(runs(&federation, 1) && runs(&federation, 2) && federation.server.running.contains_key(&id));
    let over = Finding::new(codes::FL_JOB_STOPPED, "the job goes on without this site");
    let names = BTreeSet::from([site(1)]);
    federation.with_server(|server, _, _, out| server.stop_sites(&id, &names, &over, out));
    federation.run(Duration::from_secs(1));
    assert!(!runs(&federation, 1));
    assert_eq!(federation.sites[&site(1)].stopped[0].1.code, codes::FL_JOB_STOPPED);
    assert!(runs(&federation, 2), "who was not told goes on");
    assert!(federation.server.running.contains_key(&id), "and so does the server");

    let names = BTreeSet::from([site(1), site(2)]);
    federation.with_server(|server, now, env, out| server.stop_job(now, &id, &names, &over, env, out));
    federation.run(Duration::from_secs(1));
    assert!(!runs(&federation, 2) && !federation.server.running.contains_key(&id));
}
