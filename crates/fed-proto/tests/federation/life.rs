//! The life of a federation: joining, leaving, coming back, renewing, and what the server's restart changes.

use std::cell::RefCell;
use std::rc::Rc;

use cc_core::{Finding, codes};
use cc_testkit::federation::{Federation, Owner, name, site};
use fed_proto::binding::Purpose;
use fed_proto::coordinator::{ServerEvent, Standing};
use fed_proto::message::{Kind, MAX_UPWARD};
use fed_proto::name::Name;
use fed_proto::round::Event;
use fed_proto::signed::Signed;

use super::support::{
    SOON, job, on, opened as epochs, outcome, registered, say, scheduled, seconds, silenced, standing,
};

fn run_job(federation: &mut Federation, label: &str, sites: &[usize]) -> String {
    let all: Vec<Name> = sites.iter().copied().map(site).collect();
    let attempts = federation.server.attempts.len();
    let id = federation.attempt(&job(label, ""), 1, &all.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(federation, attempts + 1)).len(), sites.len() + 1);
    id
}

fn opened(federation: &Federation, purpose: &str) -> usize {
    let opened = |event: &&ServerEvent| matches!(event, ServerEvent::Opened { purpose: of, .. } if of.to_string() == purpose);
    federation.server.events.iter().filter(opened).count()
}

#[test]
fn whoever_comes_during_a_jobs_round_waits_for_the_next() {
    let mut federation = registered(201, 3);
    federation.add(&site(4));
    federation.judge_time = seconds(3);
    let all: Vec<Name> = (1..=3).map(site).collect();
    let id = federation.attempt(&job("one", ""), 1, &all.iter().collect::<Vec<_>>());
    federation.run(seconds(1));
    federation.start(&site(4));
    federation.run_until("registration", seconds(30), Federation::all_registered);
    assert_eq!(scheduled(&outcome(&mut federation, 1)).len(), 4);
    assert!(!federation.sites[&site(4)].running.contains_key(&id));
    assert_eq!(federation.reports(&site(4)), 1, "it took part in its registration alone");
    let id = run_job(&mut federation, "two", &[1, 2, 3, 4]);
    assert!(federation.sites[&site(4)].running.contains_key(&id));
}

#[test]
fn a_join_opens_no_round_among_others() {
    let mut federation = registered(202, 3);
    let before: Vec<usize> = (1..=3).map(|number| federation.reports(&site(number))).collect();
    for number in 4..=6 {
        federation.add(&site(number));
        federation.start(&site(number));
        federation.run_until("registration", seconds(30), Federation::all_registered);
    }
    let after: Vec<usize> = (1..=3).map(|number| federation.reports(&site(number))).collect();
    assert_eq!(before, after);
}

#[test]
fn departure_and_return() {
    let mut federation = registered(203, 3);
    federation.reconnect = true;
    let with = run_job(&mut federation, "with", &[1, 3]);
    let without = run_job(&mut federation, "without", &[1, 2]);
    // The connection breaks and comes back: nothing happens to the job.
    federation.cut(&site(3));
    federation.run_until("return", seconds(30), Federation::all_registered);
    assert_eq!(federation.reports(&site(3)), 2, "a proof, no report");
    assert!(federation.sites[&site(3)].running.contains_key(&with));
    // The machine goes: what it takes part in lives as long as the last verdict.
    federation.crash(&site(3));
    federation.run(seconds(290));
    assert!(federation.sites[&site(1)].running.contains_key(&with));
    federation.run(seconds(312));
    assert!(!federation.sites[&site(1)].running.contains_key(&with));
    assert!(federation.sites[&site(1)].running.contains_key(&without));
    // It returns as a new instance.
    federation.start(&site(3));
    federation.run_until("return", seconds(60), Federation::all_registered);
    run_job(&mut federation, "again", &[1, 2, 3]);
}

#[test]
fn a_connection_that_is_lost_without_a_word_is_noticed() {
    let mut federation = registered(204, 2);
    federation.sites.get_mut(&site(1)).unwrap().unreachable = true;
    federation.lose(&site(1));
    federation.run(seconds(25));
    assert!(federation.online().contains(&site(1)));
    federation.run(seconds(10));
    assert!(!federation.online().contains(&site(1)));
    // It comes back before or after that: at once.
    federation.sites.get_mut(&site(1)).unwrap().unreachable = false;
    federation.connect(&site(1));
    federation.run(seconds(1));
    assert!(federation.online().contains(&site(1)));
    federation.lose(&site(1));
    federation.connect(&site(1));
    federation.run(seconds(60));
    assert!(federation.online().contains(&site(1)));
    assert_eq!(federation.reports(&site(1)), 1);
}

#[test]
fn d12_a_periodic_round_costs_one_report_of_each() {
    let mut federation = registered(205, 10);
    run_job(&mut federation, "one", &[1, 2]);
    federation.run(seconds(3600));
    let rounds = opened(&federation, "periodic");
    assert!((12..=14).contains(&rounds), "every 300 s less up to a tenth: {rounds}");
    assert_eq!(federation.reports(&name("server")), 1 + 1 + rounds);
    for number in 1..=10 {
        let jobs = usize::from(number <= 2);
        assert_eq!(federation.reports(&site(number)), 1 + jobs + rounds, "site {number}");
    }
    assert_eq!(federation.watch.report_count, 11 + 3 + 11 * rounds);
}

/// In NVFlare one bad site, or ten seconds of trouble in the network, brought everybody down.
#[test]
fn d12_trouble_of_one_site_or_for_a_moment_brings_nobody_down() {
    let mut federation = registered(206, 4);
    federation.reconnect = true;
    let id = run_job(&mut federation, "one", &[1, 2, 3]);
    for number in 1..=4 {
        federation.sites.get_mut(&site(number)).unwrap().unreachable = true;
        federation.cut(&site(number));
    }
    federation.run(seconds(10));
    for number in 1..=4 {
        federation.sites.get_mut(&site(number)).unwrap().unreachable = false;
    }
    let old = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    for verifier in ["server", "site-001", "site-002", "site-003"] {
        federation.policy.insert((name(verifier), site(4)), old.clone());
    }
    federation.run(seconds(2000));
    assert!((1..=3).all(|number| federation.sites[&site(number)].running.contains_key(&id)));
    assert!(federation.server.running.contains_key(&id));
    assert_eq!(federation.online(), [site(1), site(2), site(3)].into());
}

#[test]
fn a_suspended_site_comes_back_with_a_periodic_round_and_not_before() {
    let mut federation = registered(207, 3);
    let fell = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "fell");
    federation.policy.insert((name("server"), site(3)), fell);
    federation.run(seconds(305));
    let standing = |federation: &Federation| {
        let server = federation.server.coordinator.as_ref().unwrap();
        server.sites().find(|(name, _)| **name == site(3)).map(|(_, site)| site.standing())
    };
    assert_eq!(standing(&federation), Some(Standing::Suspended));
    federation.policy.clear();
    // A job's round that it passes does not change that.
    let all: Vec<Name> = (1..=3).map(site).collect();
    federation.attempt(&job("one", ""), 1, &all.iter().collect::<Vec<_>>());
    outcome(&mut federation, 1);
    assert_eq!(standing(&federation), Some(Standing::Suspended));
    // Nor does a new connection.
    federation.cut(&site(3));
    federation.connect(&site(3));
    federation.run(seconds(5));
    assert_eq!(standing(&federation), Some(Standing::Suspended));
    federation.run(seconds(300));
    assert_eq!(standing(&federation), Some(Standing::Trusted));
}

#[test]
fn a_site_that_is_absent_from_two_rounds_counts_as_offline() {
    let mut federation = registered(208, 3);
    federation.sites.get_mut(&site(3)).unwrap().mute = true;
    let all: Vec<Name> = (1..=3).map(site).collect();
    for attempt in 1..=2 {
        assert_eq!(federation.online().len(), 3);
        federation.attempt(&job("one", ""), attempt, &all.iter().collect::<Vec<_>>());
        outcome(&mut federation, usize::try_from(attempt).unwrap());
    }
    assert_eq!(federation.online(), [site(1), site(2)].into());
    run_job(&mut federation, "two", &[1, 2]);
}

#[test]
fn a_new_bundle_is_adopted_by_all_and_revokes() {
    let mut federation = registered(209, 4);
    let with = run_job(&mut federation, "with", &[1, 4]);
    let without = run_job(&mut federation, "without", &[2, 3]);
    let mut second = federation.owner.bundle(2);
    second.revoked_names.insert(site(4));
    federation.publish_bundle(&second);
    federation.run(seconds(30));
    for number in 1..=3 {
        assert_eq!(federation.sites[&site(number)].agent.as_ref().unwrap().bundle().version, 2);
    }
    assert_eq!(federation.online(), [site(1), site(2), site(3)].into());
    assert_eq!(federation.sites[&site(4)].turned_away[0].code, codes::FL_MEMBER_UNKNOWN);
    // By their own count, the server's word for it or not.
    assert!(!federation.sites[&site(1)].running.contains_key(&with));
    assert_eq!(federation.sites[&site(1)].stopped[0].1.code, codes::FL_MEMBER_UNKNOWN);
    assert!(!federation.server.running.contains_key(&with));
    assert!(federation.sites[&site(2)].running.contains_key(&without));
    federation.connect(&site(4));
    federation.run(seconds(30));
    assert_eq!(federation.sites[&site(4)].turned_away[1].code, codes::FL_MEMBER_UNKNOWN);
    federation.run(seconds(1000));
    assert!(federation.sites[&site(2)].running.contains_key(&without), "renewed under the new bundle");
}

#[test]
fn a_bundle_that_comes_meanwhile_changes_nothing_about_a_round_under_way() {
    let mut federation = registered(214, 3);
    // The round waits for this site's contribution, until the others have adopted the new bundle.
    federation.sites.get_mut(&site(2)).unwrap().tamper = Some(Box::new(|bytes| {
        let message = Signed::from_bytes(&bytes, MAX_UPWARD).unwrap();
        let drops = message.header.kind == Kind::Contribution.number() && !message.header.job_id.is_empty();
        if drops { Vec::new() } else { vec![bytes] }
    }));
    let all: Vec<Name> = (1..=3).map(site).collect();
    federation.attempt(&job("one", "min_sites = 1"), 1, &all.iter().collect::<Vec<_>>());
    federation.run(seconds(1));
    let mut second = federation.owner.bundle(2);
    second.revoked_names.insert(site(3));
    federation.publish_bundle(&second);
    federation.run(seconds(2));
    assert_eq!(federation.sites[&site(1)].agent.as_ref().unwrap().bundle().version, 2);
    federation.run(seconds(120));
    let verdicts = federation.server.events.iter().filter_map(|event| match event {
        ServerEvent::Own(Event::Verdict { purpose: Purpose::JobStart, verifier, verdict, .. }) => {
            (*verifier == site(1)).then_some(verdict)
        }
        _ => None,
    });
    let verdicts: Vec<_> = verdicts.collect();
    // It was a member when the round was opened, and left it when it was revoked.
    assert_eq!(verdicts[0][&site(3)].as_ref().unwrap_err().code, codes::FL_MEMBER_MISSING);
    assert_eq!(federation.online(), [site(1), site(2)].into());
}

#[test]
fn a_revoked_certificate_ends_its_site() {
    let mut federation = registered(210, 3);
    let id = run_job(&mut federation, "one", &[1, 3]);
    let mut second = federation.owner.bundle(2);
    let certificate = &federation.sites[&site(3)].enrolled.certificate;
    second.revoked_certificates.insert(fed_proto::crypto::sha256(certificate));
    federation.publish_bundle(&second);
    federation.run(seconds(10));
    assert_eq!(federation.online(), [site(1), site(2)].into());
    assert!(!federation.server.running.contains_key(&id));
}

#[test]
fn a_shorter_lifetime_holds_from_the_next_bundle_on() {
    let mut federation = registered(211, 2);
    let id = run_job(&mut federation, "one", &[1, 2]);
    let mut second = federation.owner.bundle(2);
    second.verdict_lifetime = seconds(60);
    federation.publish_bundle(&second);
    federation.run(seconds(600));
    assert!(federation.sites[&site(1)].running.contains_key(&id));
    federation.sites.get_mut(&site(2)).unwrap().unreachable = true;
    federation.cut(&site(2));
    federation.run(seconds(61));
    assert!(!federation.sites[&site(1)].running.contains_key(&id));
}

#[test]
fn the_servers_restart_ends_what_rests_on_its_word_and_nothing_waits() {
    let mut federation = registered(212, 3);
    federation.reconnect = true;
    let id = run_job(&mut federation, "one", &[1, 2, 3]);
    federation.crash_server();
    federation.run(seconds(5));
    assert!(federation.sites[&site(1)].running.contains_key(&id), "it may come back");
    federation.start_server();
    federation.run_until("registration anew", seconds(60), Federation::all_registered);
    federation.run(seconds(5));
    for number in 1..=3 {
        let stopped = &federation.sites[&site(number)].stopped;
        assert_eq!(
            stopped[0].1.code,
            codes::FL_REGISTRATION_STALE_INSTANCE,
            "another instance of the server"
        );
    }
    run_job(&mut federation, "two", &[1, 2, 3]);
}

#[test]
fn n_fl_29_a_verdict_601_seconds_old_at_the_gate() {
    let mut federation = registered(213, 2);
    federation.server.hold_announcements = true;
    let both = [site(1), site(2)];
    let early = federation.attempt(&job("early", ""), 1, &[&both[0], &both[1]]);
    scheduled(&outcome(&mut federation, 1));
    federation.run(seconds(590));
    federation.announce();
    federation.run(seconds(1));
    assert!(both.iter().all(|site| federation.sites[site].running.contains_key(&early)));
    let late = federation.attempt(&job("late", ""), 1, &[&both[0], &both[1]]);
    scheduled(&outcome(&mut federation, 2));
    federation.run(seconds(599));
    federation.announce();
    federation.run(seconds(1));
    for site in &both {
        let site = &federation.sites[site];
        assert!(!site.running.contains_key(&late));
        let (job, reason) = site.not_admitted.last().unwrap();
        assert!(*job == late && reason.starts_with("fl.verdict.expired"), "{reason}");
    }
    assert!(!federation.server.running.contains_key(&late));
}

/// NVFlare's tokens were used up by the first job.
#[test]
fn corner_case_4_two_jobs_in_a_row_have_evidence_of_their_own() {
    let mut federation = registered(214, 2);
    let before = federation.reports(&site(1));
    let one = run_job(&mut federation, "one", &[1, 2]);
    let two = run_job(&mut federation, "two", &[1, 2]);
    assert_ne!(one, two);
    assert_eq!(federation.reports(&site(1)), before + 2);
    let running = &federation.sites[&site(1)].running;
    assert_ne!(running[&one].grant.root, running[&two].grant.root);
}

/// NVFlare's whole check failed with any exception of one verifier.
#[test]
fn corner_case_7_whatever_goes_wrong_with_one_is_held_against_one() {
    let mut federation = registered(215, 4);
    for (code, number) in [(codes::PLUG_PANICKED, 3), (codes::SNP_CRL_MISSING, 4)] {
        federation.policy.insert((site(1), site(number)), Finding::new(code, "emulated"));
    }
    let all: Vec<Name> = (1..=4).map(site).collect();
    federation.attempt(&job("one", "min_sites = 3"), 1, &all.iter().collect::<Vec<_>>());
    assert_eq!(
        scheduled(&outcome(&mut federation, 1)),
        ["server", "site-002", "site-003", "site-004"],
        "who cannot judge is excluded, who was not judged is not"
    );
    federation.attempt(&job("two", "min_sites = 4"), 1, &all.iter().collect::<Vec<_>>());
    let reason = super::support::reason(&outcome(&mut federation, 2));
    assert!(
        reason.contains("site-003 (plug.panicked)") || reason.contains("site-003: plug.panicked"),
        "{reason}"
    );
}

/// NVFlare's honest clients dropped out when fetching collateral took longer than the 15 s of a reply.
#[test]
fn corner_case_8_slow_verification_excludes_nobody() {
    let mut federation = registered(216, 3);
    federation.judge_time = seconds(50);
    run_job(&mut federation, "one", &[1, 2, 3]);
}

#[test]
fn slow_verification_does_not_keep_a_site_from_registering() {
    let mut federation = Federation::new(217, 2);
    federation.reconnect = true;
    federation.judge_time = seconds(25);
    federation.start_all();
    federation.run_until("registration", seconds(200), Federation::all_registered);
}

#[test]
fn a_lost_word_does_not_lock_a_registered_site_out() {
    for lost in ["registered", "proof"] {
        let mut federation = Federation::new(218, 1);
        federation.reconnect = true;
        let mut once = true;
        let one = federation.sites.get_mut(&site(1)).unwrap();
        let drop_once = move |bytes: Vec<u8>, kind: Kind| {
            let message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
            if message.header.kind == kind.number() && std::mem::take(&mut once) {
                Vec::new()
            } else {
                vec![bytes]
            }
        };
        let mut drop_once = drop_once;
        if lost == "registered" {
            one.tamper_inbound = Some(Box::new(move |bytes| drop_once(bytes, Kind::Notice)));
        } else {
            one.tamper = Some(Box::new(move |bytes| drop_once(bytes, Kind::ChannelProof)));
        }
        federation.start_all();
        federation.run_until(lost, seconds(60), Federation::all_registered);
        // The server restarts, and what the site remembers is of the earlier one.
        federation.crash_server();
        federation.start_server();
        federation.run_until(lost, seconds(60), Federation::all_registered);
    }
}

#[test]
fn the_word_of_a_restarted_server_that_is_lost_locks_nobody_out() {
    let mut federation = registered(219, 1);
    federation.reconnect = true;
    federation.crash_server();
    let mut lost = 0;
    federation.sites.get_mut(&site(1)).unwrap().tamper_inbound = Some(Box::new(move |bytes| {
        let message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
        let notice = message.header.kind == Kind::Notice.number();
        lost += u32::from(notice);
        // The first word, "registered", is lost: what the site remembers is a token of the earlier server.
        if notice && lost == 1 { Vec::new() } else { vec![bytes] }
    }));
    federation.start_server();
    federation.run_until("registration", seconds(120), Federation::all_registered);
}

#[test]
fn a_member_that_reconnects_in_the_middle_of_a_round_takes_part() {
    // Two rounds under way at once, and a break at every instant of them.
    for step in 0..40 {
        let mut federation = registered(220 + step, 3);
        federation.faults.delay = seconds(2);
        federation.reconnect = true;
        let all: Vec<Name> = (1..=3).map(site).collect();
        federation.attempt(&job("one", "min_sites = 3"), 1, &all.iter().collect::<Vec<_>>());
        federation.attempt(&job("two", "min_sites = 3"), 1, &all.iter().collect::<Vec<_>>());
        federation.run(std::time::Duration::from_millis(250 * step));
        federation.cut(&site(2));
        federation.run_until("both", seconds(200), |f| f.server.attempts.len() == 2);
        for (_, _, outcome) in &federation.server.attempts {
            let contributed = step >= 16;
            if contributed {
                scheduled(outcome);
            }
        }
    }
}

#[test]
fn guests_on_one_processor_are_the_owners_to_limit() {
    // A site in an organisation with two guests on one processor: the quota is the owner's word.
    for (quota, online) in [(1, 1), (2, 2)] {
        let mut federation = Federation::with(230, 2, Owner::new(), |bundle| {
            bundle.chip_quota = quota;
            for number in 1..=2 {
                let entry = fed_proto::bundle::RosterEntry {
                    role: fed_proto::role::Role::Client,
                    organisation: "one".to_owned(),
                    replaceable: false,
                };
                bundle.members.insert(site(number), entry);
            }
        });
        let chip = federation.sites[&site(1)].hardware.chip.clone();
        federation.sites.get_mut(&site(2)).unwrap().hardware.chip = chip;
        federation.start_all();
        federation.run(seconds(20));
        assert_eq!(federation.online().len(), online);
    }
}

/// A member that is not connected is not invited, and so not absent.
#[test]
fn a_site_that_was_away_for_a_while_is_welcome_as_before() {
    let mut federation = registered(231, 3);
    federation.cut(&site(3));
    federation.run(seconds(650));
    assert_eq!(standing(&federation, &site(3)), Some(Standing::Trusted));
    federation.connect(&site(3));
    federation.run(SOON);
    assert!(federation.online().contains(&site(3)));
}

#[test]
fn what_is_said_before_the_list_takes_nobodys_place() {
    let mut federation = registered(232, 3);
    federation.sites.get_mut(&site(2)).unwrap().tamper = silenced(Kind::Contribution);
    // A new bundle is a periodic round; it waits for the contribution of site-002.
    let second = federation.owner.bundle(2);
    federation.publish_bundle(&second);
    federation.run(SOON);
    let epoch = *epochs(&federation).last().unwrap();
    for kind in [Kind::Token, Kind::Verdict] {
        assert_eq!(say(&mut federation, &site(3), kind, (epoch, ""), vec![0]), None);
    }
    federation.run(seconds(10));
    assert_eq!(standing(&federation, &site(3)), Some(Standing::Trusted));
    let one = federation.sites[&site(1)].agent.as_ref().unwrap();
    let accepted = |verifier: &Name, subject: &Name| {
        one.accepts(federation.now()).any(|(v, s, _)| (v, s) == (verifier, subject))
    };
    assert!(accepted(&site(1), &site(3)) && accepted(&site(3), &site(1)));
}

#[test]
fn whoever_reconnects_hears_of_its_own_rounds_only() {
    let mut federation = registered(233, 3);
    federation.attempt(&job("one", ""), 1, &[&site(1), &site(2)]);
    federation.run(std::time::Duration::from_millis(10));
    let seen: Rc<RefCell<usize>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(3)).unwrap().tamper_inbound = on(Kind::Open, move |_| {
        *recorder.borrow_mut() += 1;
        Vec::new()
    });
    federation.cut(&site(3));
    federation.run(std::time::Duration::from_millis(5));
    federation.connect(&site(3));
    federation.run(std::time::Duration::from_millis(1));
    assert!(federation.online().contains(&site(3)) && federation.server.attempts.is_empty());
    assert_eq!(*seen.borrow(), 0);
}
