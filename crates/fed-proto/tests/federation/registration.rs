//! Registration, restart, duplicates.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use cc_core::codes;
use cc_testkit::federation::{Federation, name, site};
use fed_proto::binding::Leaf;
use fed_proto::coordinator::{Conn, ServerEvent};
use fed_proto::crypto::AttKey;
use fed_proto::message::{Contribution, Hello, Kind, Payload};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::signed::{Header, Signed};

use super::support::{opened, registered, seconds, silenced, turned_away};

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

#[test]
fn the_next_registration_waits_for_the_servers_report_of_the_one_before() {
    let mut federation = Federation::new(7, 3);
    // The first round waits five seconds for the contribution of site-002.
    federation.sites.get_mut(&site(2)).unwrap().tamper = silenced(Kind::Contribution);
    federation.start_server();
    federation.start(&site(1));
    federation.start(&site(2));
    federation.run(seconds(1));
    federation.start(&site(3));
    federation.run(seconds(3));
    assert_eq!((opened(&federation).len(), federation.reports(&name("server"))), (1, 0));
    federation.run(seconds(3));
    assert_eq!((opened(&federation).len(), federation.reports(&name("server"))), (2, 2));
    assert_eq!(federation.online(), [site(1), site(3)].into());
}

/// Whose an entry with such a key is nobody knows, so that neither is judged.
#[test]
fn one_key_under_two_names_registers_neither() {
    let mut federation = Federation::new(8, 0);
    federation.start_server();
    let federation_id = federation.owner.descriptor.federation_id();
    let key = AttKey::from_seed(&[3; 32]).unwrap();
    let mut sequence = 0;
    let mut says = |federation: &mut Federation, who: &Name, connection, kind: Kind, epoch, payload| {
        sequence += 1;
        let (sender, kind) = (who.clone(), kind.number());
        let header = Header { epoch, job_id: String::new(), sender, recipient: None, kind, sequence };
        let message = Signed::new(&federation_id, header, payload, &key).to_bytes();
        federation.with_server(|server, now, env, out| server.receive(now, connection, message, env, out));
    };
    let both: Vec<_> = (1..=2)
        .map(|number| {
            let enrolled = federation.owner.enrol(&site(number), Role::Client);
            (site(number), Conn(90 + number as u64), enrolled.identity(&federation_id, &key, [3; 16]))
        })
        .collect();
    for (who, connection, identity) in &both {
        federation
            .with_server(|server, now, _, _| server.connected(now, *connection, who.clone(), Role::Client));
        let hello = Hello { identity: identity.clone() }.to_bytes();
        says(&mut federation, who, *connection, Kind::Hello, 0, hello);
    }
    federation.run(seconds(1));
    let epoch = *opened(&federation).last().unwrap();
    for (who, connection, identity) in &both {
        let (name, digest) = (who.clone(), key.public().digest());
        let leaf =
            Leaf { federation_id, epoch, name, role: Role::Client, nonce: [1; 32], key: digest }.bytes();
        let signature = key.sign(&leaf).0.to_vec().into();
        let payload = Contribution { identity: identity.clone(), signature, leaf: leaf.into() }.to_bytes();
        says(&mut federation, who, *connection, Kind::Contribution, epoch, payload);
    }
    federation.run(seconds(1));
    let refused = federation.server.events.iter().filter_map(|event| match event {
        ServerEvent::Refused { name, finding } => Some((name.clone(), finding.code.clone())),
        _ => None,
    });
    let expected = [1, 2].map(|number| (site(number), codes::FL_MEMBER_MISSING));
    assert_eq!(refused.collect::<Vec<_>>(), expected);
    assert_eq!(federation.reports(&name("server")), 1, "they were on its list");
}
