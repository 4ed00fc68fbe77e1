//! Malicious sites in a whole federation: none gets in, and none does the others harm.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cc_core::{Code, Finding, codes};
use cc_testkit::federation::{Federation, Owner, evidence, name, site};
use fed_proto::binding::Leaf;
use fed_proto::bundle::RosterEntry;
use fed_proto::coordinator::ServerEvent;
use fed_proto::crypto::{AttKey, sha256};
use fed_proto::envelope::Envelope;
use fed_proto::message::{Contribution, Hello, Kind, Payload};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::signed::{Header, Signed};

use super::support::{job, on, outcome, reason, registered, scheduled, seconds};

/// Signs anything with a site's own key, beyond its own sequence numbers, and hands it to the server over the site's
/// connection.
fn say(federation: &mut Federation, by: &Name, header: Header, payload: Vec<u8>) {
    let key = &federation.sites[by].agent.as_ref().unwrap().me().key;
    let message = Signed::new(&federation.owner.descriptor.federation_id(), header, payload, key);
    federation.hand_to_server(by, message.to_bytes());
}

fn header(by: &Name, kind: Kind, epoch: u64, job_id: &str) -> Header {
    Header {
        epoch,
        job_id: job_id.to_owned(),
        sender: by.clone(),
        recipient: None,
        kind: kind.number(),
        sequence: 1_000_000,
    }
}

/// A contribution of a site's instance, with a leaf of the test's choice.
fn contribution(federation: &Federation, by: &Name, epoch: u64, change: impl FnOnce(&mut Leaf)) -> Vec<u8> {
    let me = federation.sites[by].agent.as_ref().unwrap().me();
    let mut leaf = Leaf {
        federation_id: federation.owner.descriptor.federation_id(),
        epoch,
        name: me.name.clone(),
        role: Role::Client,
        nonce: [1; 32],
        key: me.key.public().digest(),
    };
    change(&mut leaf);
    let leaf = leaf.bytes();
    let signature = me.key.sign(&leaf).0.to_vec().into();
    Contribution { identity: me.identity.clone(), signature, leaf: leaf.into() }.to_bytes()
}

fn charged(federation: &Federation, who: &Name) -> Vec<Code> {
    let charge = |event: &ServerEvent| match event {
        ServerEvent::Charged { name, finding } if name == who => Some(finding.code.clone()),
        _ => None,
    };
    federation.server.events.iter().filter_map(charge).collect()
}

/// A job of the first `sites` sites, running everywhere.
fn running(federation: &mut Federation, sites: usize) -> String {
    let all: Vec<Name> = (1..=sites).map(site).collect();
    let attempts = federation.server.attempts.len();
    let id = federation.attempt(&job("one", ""), 1, &all.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(federation, attempts + 1)).len(), sites + 1);
    assert!(all.iter().all(|name| federation.sites[name].running.contains_key(&id)));
    id
}

fn runs(federation: &Federation, id: &str, sites: usize) -> bool {
    (1..=sites).all(|number| federation.sites[&site(number)].running.contains_key(id))
        && federation.server.running.contains_key(id)
}

/// NVFlare took the name from the payload: a site outside of its list needed no attestation.
#[test]
fn d1_the_name_comes_from_the_connection() {
    n_fl_23_peer_calls_itself_another_name();
}

#[test]
fn n_fl_23_peer_calls_itself_another_name() {
    for other in ["ghost", "site-002", "server", "admin"] {
        let mut federation = registered(101, 2);
        let id = running(&mut federation, 2);
        federation.add(&site(3));
        federation.start(&site(3));
        federation.run_until("registration", seconds(30), Federation::all_registered);
        let header = Header { sender: name(other), ..header(&site(3), Kind::Busy, 0, "") };
        say(&mut federation, &site(3), header, Vec::new());
        federation.run(seconds(1));
        let away: Vec<Code> =
            federation.sites[&site(3)].turned_away.iter().map(|finding| finding.code.clone()).collect();
        assert_eq!(away, [codes::FL_NAME_UNAUTHENTICATED]);
        assert!(!federation.online().contains(&site(3)));
        assert!(runs(&federation, &id, 2) && federation.online().contains(&site(2)));
    }
}

#[test]
fn n_fl_23_a_hello_with_an_identity_of_another_name() {
    // site-001 brings the identity of site-002's certificate, then says that the ghost is there.
    for stolen in [true, false] {
        let mut federation = Federation::new(103, 2);
        federation.start_server();
        let federation_id = federation.owner.descriptor.federation_id();
        let key = AttKey::from_seed(&[8; 32]).unwrap();
        let identity = federation.sites[&site(2)].enrolled.identity(&federation_id, &key, [8; 16]);
        federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Hello, move |mut message| {
            if stolen {
                let hello = Hello { identity: identity.clone() }.to_bytes();
                message = Signed::new(&federation_id, message.header, hello, &key);
            } else {
                message.header.sender = name("ghost");
            }
            vec![message.to_bytes()]
        });
        federation.start(&site(1));
        federation.run(seconds(20));
        assert!(federation.online().is_empty());
        assert_eq!(federation.sites[&site(1)].turned_away[0].code, codes::FL_NAME_UNAUTHENTICATED);
        let opened = federation.server.events.iter().any(|event| matches!(event, ServerEvent::Opened { .. }));
        assert!(!opened, "no report was made for it");
    }
}

#[test]
fn d1_a_contribution_for_another_name_is_dropped_before_the_list() {
    // Signed in order, by the instance that is connected: only what is inside is another's.
    type Change = fn(&mut Leaf);
    let changes: [(Change, Code); 5] = [
        (|leaf| leaf.name = name("ghost"), codes::FL_MEMBER_UNKNOWN),
        (|leaf| leaf.role = Role::Server, codes::FL_MEMBER_UNKNOWN),
        (|leaf| leaf.epoch += 1, codes::FL_MEMBER_UNKNOWN),
        (|leaf| leaf.federation_id = sha256(b"another"), codes::FL_MEMBER_UNKNOWN),
        (|leaf| leaf.key = sha256(b"another"), codes::FL_MEMBER_UNKNOWN),
    ];
    for (change, code) in changes {
        let mut federation = registered(105, 3);
        federation.sites.get_mut(&site(3)).unwrap().tamper = on(Kind::Contribution, |_| Vec::new());
        let all: Vec<Name> = (1..=3).map(site).collect();
        let id = federation.attempt(&job("one", "min_sites = 2"), 1, &all.iter().collect::<Vec<_>>());
        let epoch = opened(&federation);
        let payload = contribution(&federation, &site(3), epoch, change);
        say(&mut federation, &site(3), header(&site(3), Kind::Contribution, epoch, &id), payload);
        assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-001", "site-002"]);
        assert_eq!(charged(&federation, &site(3)), [code]);
    }
}

#[test]
fn a_contribution_that_is_not_of_the_connected_instance_is_dropped_before_the_list() {
    for signed in [true, false] {
        let mut federation = registered(125, 3);
        federation.sites.get_mut(&site(3)).unwrap().tamper = on(Kind::Contribution, |_| Vec::new());
        let all: Vec<Name> = (1..=3).map(site).collect();
        let id = federation.attempt(&job("one", "min_sites = 2"), 1, &all.iter().collect::<Vec<_>>());
        let epoch = opened(&federation);
        let federation_id = federation.owner.descriptor.federation_id();
        let key = AttKey::from_seed(&[8; 32]).unwrap();
        let mut leaf = Leaf {
            federation_id,
            epoch,
            name: site(3),
            role: Role::Client,
            nonce: [1; 32],
            key: key.public().digest(),
        };
        let mut identity = federation.sites[&site(3)].enrolled.identity(&federation_id, &key, [8; 16]);
        if !signed {
            // Its own leaf and identity, by the other key.
            let me = federation.sites[&site(3)].agent.as_ref().unwrap().me();
            leaf.key = me.key.public().digest();
            identity = me.identity.clone();
        }
        let leaf = leaf.bytes();
        let signature = key.sign(&leaf).0.to_vec().into();
        let payload = Contribution { identity, signature, leaf: leaf.into() }.to_bytes();
        say(&mut federation, &site(3), header(&site(3), Kind::Contribution, epoch, &id), payload);
        assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-001", "site-002"]);
        assert_eq!(charged(&federation, &site(3)), [codes::FL_MEMBER_UNKNOWN]);
    }
}

/// The round that was opened last.
fn opened(federation: &Federation) -> u64 {
    let mut epochs = federation.server.events.iter().filter_map(|event| match event {
        ServerEvent::Opened { epoch, .. } => Some(*epoch),
        _ => None,
    });
    epochs.next_back().unwrap()
}

/// NVFlare's empty list of sites that must attest accepted everybody.
#[test]
fn d2_nothing_is_allowed_where_nothing_is_said() {
    let mut federation = Federation::with(106, 2, Owner::new(), |bundle| {
        bundle.roles.remove(&Role::Client);
    });
    federation.start_all();
    federation.run(seconds(60));
    assert!(federation.online().is_empty());
    for site in federation.sites.values() {
        assert_eq!(site.turned_away[0].code, codes::ENV_PROFILE_NOT_ALLOWED);
        assert!(!site.registered);
    }
}

/// NVFlare's clients accepted a server without attestation, since they verified themselves instead.
#[test]
fn d3_a_server_that_a_site_refuses_does_not_get_the_site() {
    let mut federation = Federation::new(107, 3);
    federation.reconnect = true;
    let old = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    federation.policy.insert((site(1), name("server")), old);
    federation.start_all();
    federation.run(seconds(300));
    assert!(!federation.sites[&site(1)].registered);
    assert_eq!(federation.online(), [site(2), site(3)].into());
}

/// Rows 1 and 12 of the demo: a machine without hardware shows another's report.
#[test]
fn d4_evidence_of_another_is_refused_by_name() {
    let mut federation = Federation::new(108, 3);
    // What site-001's hardware made, as everybody sees it.
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Token, move |message| {
        *recorder.borrow_mut() = Envelope::parse(&message.payload).unwrap().evidence;
        vec![message.to_bytes()]
    });
    let shown = Rc::clone(&seen);
    federation.sites.get_mut(&site(3)).unwrap().forge = Some(Box::new(move |_| shown.borrow().clone()));
    federation.start_server();
    federation.start(&site(1));
    federation.start(&site(2));
    federation.run_until("registration", seconds(30), |f| f.online().len() == 2);
    let id = running(&mut federation, 2);
    federation.start(&site(3));
    federation.run(seconds(30));
    assert_eq!(federation.sites[&site(3)].turned_away[0].code, codes::BIND_REPORT_DATA_MISMATCH);
    let refused = federation.server.events.iter().any(|event| {
        matches!(event, ServerEvent::Refused { name, finding }
            if *name == site(3) && finding.code == codes::BIND_REPORT_DATA_MISMATCH)
    });
    assert!(refused && runs(&federation, &id, 2));
    // Nor does one help that nobody's hardware made.
    let made_up = |over: [u8; 64]| evidence(&name("site-003"), &over);
    federation.sites.get_mut(&site(3)).unwrap().forge = Some(Box::new(made_up));
    federation.start(&site(3));
    federation.run(seconds(30));
    assert_eq!(federation.sites[&site(3)].turned_away[1].code, codes::SNP_SIGNATURE_INVALID);
}

#[test]
fn attack_01_a_signed_token_over_anothers_connection() {
    let mut federation = registered(109, 3);
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Token, move |message| {
        *recorder.borrow_mut() = message.to_bytes();
        vec![message.to_bytes()]
    });
    let shown = Rc::clone(&seen);
    federation.sites.get_mut(&site(3)).unwrap().tamper =
        on(Kind::Token, move |_| vec![shown.borrow().clone()]);
    let all: Vec<Name> = (1..=3).map(site).collect();
    federation.attempt(&job("one", "min_sites = 2\n"), 1, &all.iter().collect::<Vec<_>>());
    assert!(reason(&outcome(&mut federation, 1)).contains("site-003: fl.member.missing"));
    assert_eq!(federation.sites[&site(3)].turned_away[0].code, codes::FL_NAME_UNAUTHENTICATED);
    assert!(federation.online().contains(&site(1)), "whose token it was has no disadvantage");
}

#[test]
fn attack_06_one_machine_under_two_names() {
    let mut federation = Federation::new(110, 4);
    let shared = federation.sites[&site(1)].hardware.clone();
    federation.sites.get_mut(&site(2)).unwrap().hardware = shared;
    federation.start_all();
    federation.run(seconds(30));
    assert_eq!(federation.online(), [site(3), site(4)].into());
    for number in [1, 2] {
        assert_eq!(federation.sites[&site(number)].turned_away[0].code, codes::FL_SYBIL_SAME_GUEST);
    }
}

#[test]
fn attack_06_who_is_refused_for_its_machine_does_not_come_back_through_the_side_door() {
    // Each alone is accepted as it comes; that they are one machine shows when all are judged.
    let mut federation = Federation::new(111, 4);
    let shared = federation.sites[&site(1)].hardware.clone();
    federation.sites.get_mut(&site(2)).unwrap().hardware = shared;
    // A silent third delays the end of the round.
    federation.sites.get_mut(&site(3)).unwrap().mute = true;
    federation.start_all();
    federation.run(seconds(30));
    assert!(federation.online().contains(&site(4)), "it delays nobody else");
    federation.run(seconds(60));
    assert_eq!(federation.online(), [site(4)].into());
    federation.connect(&site(1));
    federation.connect(&site(2));
    federation.run(seconds(30));
    assert_eq!(federation.online(), [site(4)].into());
    // One that was not connected when it was refused.
    federation.connect(&site(3));
    federation.connect(&site(2));
    federation.connect(&site(1));
    federation.run(seconds(30));
    assert!(federation.online().contains(&site(1)), "the silent one delays the end");
    federation.cut(&site(1));
    federation.run(seconds(60));
    federation.connect(&site(1));
    federation.run(Duration::from_millis(100));
    assert_eq!(federation.online(), [site(4)].into(), "a proof of what was accepted first is worth nothing");
}

/// NVFlare's server ended the whole federation at the first bad token, before the sender had proven who it was.
#[test]
fn d6_a_bad_token_ends_nothing_but_its_sender() {
    n_fl_33_malformed_words_of_one_client();
}

#[test]
fn n_fl_33_malformed_words_of_one_client() {
    let garbage: [fn() -> Vec<u8>; 4] =
        [Vec::new, || b"garbage".to_vec(), || vec![0xff; 1_200_000], || vec![0x9f; 65_536]];
    for bytes in garbage {
        let mut federation = registered(112, 3);
        let id = running(&mut federation, 2);
        for _ in 0..16 {
            assert!(federation.online().contains(&site(3)));
            federation.hand_to_server(&site(3), bytes());
        }
        federation.run(seconds(1));
        assert!(charged(&federation, &site(3)).iter().all(|code| *code == codes::FL_PEER_QUARANTINED));
        assert_eq!(federation.sites[&site(3)].turned_away[0].code, codes::FL_PEER_QUARANTINED);
        assert_eq!(federation.online(), [site(1), site(2)].into());
        assert!(runs(&federation, &id, 2));
        federation.run(seconds(700));
        assert!(runs(&federation, &id, 2));
    }
}

#[test]
fn n_fl_33_a_malformed_token_in_a_round() {
    let mut federation = registered(113, 3);
    let id = running(&mut federation, 2);
    federation.sites.get_mut(&site(3)).unwrap().tamper = on(Kind::Token, |_| Vec::new());
    let all: Vec<Name> = (1..=3).map(site).collect();
    let two = federation.attempt(&job("two", "min_sites = 1"), 1, &all.iter().collect::<Vec<_>>());
    federation.run(seconds(1));
    // Signed by its own key, so it is held against it.
    let header = header(&site(3), Kind::Token, opened(&federation), &two);
    say(&mut federation, &site(3), header, vec![0xa9, 0x01]);
    let reason = reason(&outcome(&mut federation, 2));
    assert!(reason.contains("site-003: env.format.invalid"), "{reason}");
    assert_eq!(federation.online(), [site(1), site(2)].into());
    assert!(runs(&federation, &id, 2));
}

#[test]
fn a_few_late_or_repeated_words_are_forgiven() {
    let mut federation = registered(114, 2);
    for _ in 0..60 {
        federation.hand_to_server(&site(1), b"garbage".to_vec());
        federation.run(seconds(10));
    }
    assert!(federation.online().contains(&site(1)));
}

#[test]
fn n_fl_41_words_that_a_site_did_not_sign() {
    let mut federation = registered(115, 2);
    let id = running(&mut federation, 1);
    let owner = federation.owner.descriptor.federation_id();
    let other = AttKey::from_seed(&[1; 32]).unwrap();
    let header = header(&site(2), Kind::JobUpdate, 0, "");
    let bytes = Signed::new(&owner, header, b"model update".to_vec(), &other).to_bytes();
    federation.hand_to_server(&site(2), bytes);
    federation.run(seconds(1));
    assert_eq!(federation.sites[&site(2)].turned_away[0].code, codes::FL_MESSAGE_UNSIGNED);
    assert!(runs(&federation, &id, 1));
}

#[test]
fn n_fl_31_words_that_a_relay_repeats_to_the_server() {
    let mut federation = registered(116, 2);
    let seen: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper = Some(Box::new(move |bytes| {
        recorder.borrow_mut().push(bytes.clone());
        vec![bytes]
    }));
    running(&mut federation, 2);
    let all = seen.borrow().clone();
    assert!(all.len() >= 4);
    let before = federation.server.events.len();
    for bytes in all.into_iter().take(10) {
        federation.hand_to_server(&site(1), bytes);
    }
    let charges = federation.server.events[before..]
        .iter()
        .filter(|event| matches!(event, ServerEvent::Charged { finding, .. } if finding.code == codes::FL_MESSAGE_REPLAYED));
    assert!(charges.count() >= 4);
    assert!(federation.online().contains(&site(1)));
}

fn replaceable(bundle: &mut fed_proto::bundle::Bundle) {
    let entry = RosterEntry { role: Role::Client, organisation: "one".to_owned(), replaceable: true };
    bundle.members.insert(site(1), entry);
}

#[test]
fn corner_case_6_the_newest_wins_where_the_owner_says_so() {
    let mut federation = Federation::with(117, 2, Owner::new(), replaceable);
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    let id = running(&mut federation, 2);
    let twin = federation.twin(&site(1));
    // It is not connecting that replaces, but being accepted.
    assert!(federation.online().contains(&site(1)) && runs(&federation, &id, 2));
    federation.run(seconds(20));
    assert!(federation.sites[&twin].registered);
    assert_eq!(federation.sites[&site(1)].turned_away[0].code, codes::FL_REGISTRATION_STALE_INSTANCE);
    assert_eq!(federation.server.stopped[0].1.code, codes::FL_REGISTRATION_STALE_INSTANCE);
}

#[test]
fn n_fl_21_a_replaced_instance_does_not_come_back() {
    let mut federation = Federation::with(118, 2, Owner::new(), replaceable);
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    let twin = federation.twin(&site(1));
    federation.run(seconds(20));
    assert!(federation.sites[&twin].registered);
    federation.connect(&site(1));
    federation.run(seconds(5));
    let away = &federation.sites[&site(1)].turned_away;
    assert_eq!(away.last().unwrap().code, codes::FL_REGISTRATION_STALE_INSTANCE);
    // Nor after a restart of the server, while nobody else has the name.
    federation.crash_server();
    federation.start_server();
    federation.connect(&site(1));
    federation.run(seconds(5));
    let away = &federation.sites[&site(1)].turned_away;
    assert_eq!(away.len(), 3);
    assert_eq!(away.last().unwrap().code, codes::FL_REGISTRATION_STALE_INSTANCE);
}

#[test]
fn n_fl_21_an_instance_that_was_replaced_after_a_restart_does_not_come_back() {
    let mut federation = Federation::with(122, 2, Owner::new(), replaceable);
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    // The new server has not seen the old instance when the newer one comes.
    federation.crash_server();
    federation.start_server();
    let twin = federation.twin(&site(1));
    federation.run(seconds(20));
    assert!(federation.sites[&twin].registered);
    federation.cut(&twin);
    federation.run(seconds(1));
    federation.connect(&site(1));
    federation.run(seconds(20));
    let away = &federation.sites[&site(1)].turned_away;
    assert_eq!(away.last().unwrap().code, codes::FL_REGISTRATION_STALE_INSTANCE);
}

#[test]
fn n_fl_20_a_refused_second_instance_leaves_the_first_alone() {
    // The first is away for a moment, so that nobody answers for it; the second is another machine.
    let mut federation = registered(119, 3);
    let id = running(&mut federation, 3);
    federation.cut(&site(1));
    let twin = name("site-001.twin");
    federation.add(&twin);
    federation.sites.get_mut(&twin).unwrap().enrolled = federation.sites[&site(1)].enrolled.clone();
    federation.sites.get_mut(&twin).unwrap().forge = Some(Box::new(|_| b"nothing".to_vec()));
    federation.start(&twin);
    federation.run(seconds(20));
    assert_eq!(federation.sites[&twin].turned_away[0].code, codes::SNP_SIGNATURE_INVALID);
    assert!(runs(&federation, &id, 3), "not even the jobs of the name stop");
    federation.connect(&site(1));
    federation.run(seconds(5));
    assert!(federation.online().contains(&site(1)), "it is welcome as before");
}

#[test]
fn n_fl_20_who_asks_for_a_name_again_and_again_does_not_disturb_its_owner() {
    let mut federation = registered(120, 2);
    let twin = federation.twin(&site(1));
    federation.faults.delay = seconds(2);
    for _ in 0..200 {
        federation.connect(&twin);
        federation.run(seconds(1));
        assert!(federation.online().contains(&site(1)));
    }
    assert!(federation.sites[&site(1)].turned_away.is_empty());
    assert!(charged(&federation, &site(1)).is_empty());
}

#[test]
fn another_connection_of_a_name_has_no_say_in_its_rounds() {
    // The twin waits for the answer to the liveness challenge; meanwhile a job round is open.
    let mut federation = registered(121, 2);
    let all: Vec<Name> = (1..=2).map(site).collect();
    federation.cut(&site(1));
    federation.run(seconds(1));
    let id = federation.attempt(&job("one", "min_sites = 1"), 1, &all.iter().collect::<Vec<_>>());
    let epoch = opened(&federation);
    let twin = federation.twin(&site(1));
    federation.sites.get_mut(&twin).unwrap().mute = true;
    let payload = contribution(&federation, &twin, epoch, |_| ());
    say(&mut federation, &twin, header(&site(1), Kind::Contribution, epoch, &id), payload);
    assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-002"]);
}

#[test]
fn a_site_that_stays_silent_in_its_registration_is_sent_away_and_may_ask_again() {
    let mut federation = Federation::new(122, 2);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Contribution, |_| Vec::new());
    federation.start_all();
    federation.run(seconds(10));
    assert_eq!(federation.sites[&site(1)].turned_away[0].code, codes::FL_MEMBER_MISSING);
    assert_eq!(federation.online(), [site(2)].into());
    federation.sites.get_mut(&site(1)).unwrap().tamper = None;
    federation.connect(&site(1));
    federation.run_until("registration", seconds(30), Federation::all_registered);
}

#[test]
fn a_site_that_is_refused_again_and_again_uses_up_no_reports() {
    let mut federation = registered(123, 3);
    let id = running(&mut federation, 2);
    let old = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    federation.policy.insert((name("server"), site(3)), old);
    federation.crash(&site(3));
    let all: Vec<Name> = (1..=2).map(site).collect();
    for attempt in 0..40 {
        // A new instance every second, and a job every 20 s.
        for _ in 0..20 {
            federation.start(&site(3));
            federation.run(seconds(1));
        }
        federation.attempt(&job(&format!("job-{attempt}"), ""), 1, &all.iter().collect::<Vec<_>>());
        let made = federation.server.attempts.len();
        scheduled(&outcome(&mut federation, if made > attempt + 1 { made } else { attempt + 2 }));
        assert!(runs(&federation, &id, 2));
    }
}

#[test]
fn words_that_were_passed_on_are_not_passed_on_again() {
    let mut federation = registered(124, 3);
    federation.server.hold_announcements = true;
    let all: Vec<Name> = (1..=3).map(site).collect();
    let id = federation.attempt(&job("one", ""), 1, &all.iter().collect::<Vec<_>>());
    outcome(&mut federation, 1);
    let epoch = opened(&federation);
    let before = federation.traffic[&site(1)];
    for number in 0..100 {
        for kind in [Kind::Token, Kind::Verdict] {
            let sequence = 2_000_000 + number * 100 + u64::from(kind.number());
            let header = Header { sequence, ..header(&site(3), kind, epoch, &id) };
            say(&mut federation, &site(3), header, vec![7; 100_000]);
        }
    }
    federation.run(seconds(1));
    assert!(federation.traffic[&site(1)] - before < 10_000);
}
