//! Registration, restart, duplicates.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use cc_core::codes;
use cc_testkit::federation::{Federation, name, site};
use fed_proto::coordinator::ServerEvent;
use fed_proto::message::Kind;
use fed_proto::name::Name;
use fed_proto::signed::Signed;

use crate::support::{opened, registered, seconds, silenced, turned_away};

#[test]
fn sites_register_and_one_server_report_serves_a_batch() {
    let federation = registered(1, 10);
    assert!(federation.sites.values().all(|site| site.registered));
    assert!(federation.sites.keys().all(|name| federation.reports(name) == 1));
    assert_eq!(federation.reports(&name("server")), 1);
}

#[test]
fn corner_case_3_server_restart_does_not_wait_for_tokens_to_expire() {
    let mut federation = registered(2, 3);
    federation.crash_server();
    federation.run(seconds(1));
    federation.start_server();
    let names: Vec<_> = federation.sites.keys().cloned().collect();
    for name in &names {
        federation.connect(name);
    }
    federation.run_until("registration anew", seconds(30), Federation::all_registered);
}

#[test]
fn n_fl_20_second_live_instance_of_a_name() {
    let mut federation = registered(3, 2);
    let one = site(1);
    let other = Federation::twin(&mut federation, &one);
    federation.run(seconds(15));
    assert_eq!(federation.sites[&other].turned_away.len(), 1);
    assert_eq!(federation.sites[&other].turned_away[0].code, codes::FL_REGISTRATION_DUPLICATE);
    assert!(federation.online().contains(&one));
    assert!(federation.server.events.iter().any(|event| matches!(event, ServerEvent::Refused { finding, .. } if finding.code == codes::FL_REGISTRATION_DUPLICATE)));
}

#[test]
fn nobody_makes_a_report_when_nobody_answers() {
    let mut federation = Federation::new(4, 1);
    federation.sites.get_mut(&site(1)).unwrap().tamper = silenced(Kind::Contribution);
    federation.start_all();
    federation.run(seconds(10));
    assert_eq!(opened(&federation).len(), 1);
    assert_eq!(turned_away(&federation, &site(1)), [codes::FL_MEMBER_MISSING]);
    assert_eq!(federation.reports(&name("server")), 0);
}

/// The round goes on for a minute, because somebody else in it shows no token.
#[test]
fn whoever_contributes_nothing_is_sent_away_before_the_round_is_over() {
    let mut federation = Federation::new(5, 2);
    federation.sites.get_mut(&site(1)).unwrap().tamper = silenced(Kind::Contribution);
    federation.sites.get_mut(&site(2)).unwrap().mute = true;
    federation.start_all();
    federation.run(seconds(7));
    assert_eq!(turned_away(&federation, &site(1)), [codes::FL_MEMBER_MISSING]);
    assert_eq!(federation.server.coordinator.as_ref().unwrap().open_rounds(), 1);
}

#[test]
fn sites_learn_nothing_of_each_other_when_they_register() {
    let mut federation = Federation::new(6, 3);
    let seen: Rc<RefCell<BTreeSet<Name>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper_inbound = Some(Box::new(move |bytes| {
        recorder.borrow_mut().insert(Signed::from_bytes(&bytes, usize::MAX).unwrap().header.sender);
        vec![bytes]
    }));
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    assert_eq!(*seen.borrow(), [name("server")].into());
}
