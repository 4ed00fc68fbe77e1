//! Connections to a server: who may speak over which, and what proves that it is whose.

use std::cell::RefCell;
use std::rc::Rc;

use cc_core::{Binding, Finding, codes};
use cc_testkit::federation::{Federation, Owner, name, site};
use fed_proto::binding::pop;
use fed_proto::bundle::RosterEntry;
use fed_proto::coordinator::{Conn, ServerEvent, Standing};
use fed_proto::crypto::{AttKey, sha256, sha512};
use fed_proto::envelope::Envelope;
use fed_proto::message::{Busy, Challenge, ChannelProof, Hello, JobUpdate, Kind, Payload};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::signed::{Header, Signed};

use super::support::{
    SOON, job, on, opened, outcome, registered, say, say_to, scheduled, seconds, silenced, standing,
    turned_away,
};

/// How often a connection of the name was proven.
fn proven(federation: &Federation, name: &Name) -> usize {
    let of = |event: &&ServerEvent| matches!(event, ServerEvent::Connected { name: of, connected: true } if of == name);
    federation.server.events.iter().filter(of).count()
}

/// The site reconnects; what it would prove itself by is returned and not sent.
fn proof_withheld(federation: &mut Federation, who: &Name) -> (Header, ChannelProof) {
    let seen: Rc<RefCell<Option<Signed>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.cut(who);
    federation.run(SOON);
    federation.sites.get_mut(who).unwrap().tamper = on(Kind::ChannelProof, move |message| {
        *recorder.borrow_mut() = Some(message);
        Vec::new()
    });
    federation.connect(who);
    federation.run(SOON);
    federation.sites.get_mut(who).unwrap().tamper = None;
    let message = seen.borrow_mut().take().unwrap();
    let proof = message.read().unwrap();
    (message.header, proof)
}

/// Hands another proof to the server in place of the one that was withheld.
fn prove(federation: &mut Federation, by: &Name, header: Header, payload: Vec<u8>) {
    let key = &federation.sites[by].agent.as_ref().unwrap().me().key;
    let message = Signed::new(&federation.owner.descriptor.federation_id(), header, payload, key);
    federation.hand_to_server(by, message.to_bytes());
}

/// A proof of possession over a connection, by the key of an instance.
fn proof(federation: &Federation, by: &Name, transcript: &[u8], exporter: [u8; 32]) -> Vec<u8> {
    let key = &federation.sites[by].agent.as_ref().unwrap().me().key;
    let signature = pop::sign_channel(key, &Binding::new(sha512(transcript)), &exporter);
    ChannelProof {
        transcript: transcript.to_vec().into(),
        exporter: exporter.to_vec().into(),
        pop: signature.0.to_vec().into(),
    }
    .to_bytes()
}

fn exporter(federation: &mut Federation, of: &Name, transcript: &[u8]) -> [u8; 32] {
    let mut exporter = None;
    federation.with_agent(of, None, |_, env, _| exporter = env.exporter(&sha256(transcript).0));
    exporter.unwrap()
}

/// The site reconnects and proves itself by a token that nobody accepted: it has to register again.
fn registers_again(federation: &mut Federation, who: &Name) {
    let (header, known) = proof_withheld(federation, who);
    let mut other = known.transcript.to_vec();
    *other.last_mut().unwrap() ^= 1;
    let exporter = exporter(federation, who, &other);
    let payload = proof(federation, who, &other, exporter);
    prove(federation, who, header, payload);
}

#[test]
fn n_fl_30_the_server_takes_no_proof_that_was_made_for_another_connection() {
    let mut federation = registered(401, 2);
    let (header, known) = proof_withheld(&mut federation, &site(1));
    assert_eq!(federation.online(), [site(2)].into());
    let payload = proof(&federation, &site(1), &known.transcript, [7; 32]);
    prove(&mut federation, &site(1), header, payload);
    federation.run(SOON);
    assert_eq!(turned_away(&federation, &site(1)), [codes::BIND_CHANNEL_MISMATCH]);
    assert_eq!(federation.online(), [site(2)].into());
}

#[test]
fn n_fl_02_the_server_takes_no_proof_by_another_key() {
    let mut federation = registered(402, 2);
    let (header, mut known) = proof_withheld(&mut federation, &site(1));
    known.pop[10] ^= 1;
    prove(&mut federation, &site(1), header, known.to_bytes());
    federation.run(SOON);
    assert_eq!(turned_away(&federation, &site(1)), [codes::BIND_POP_INVALID]);
    assert_eq!(federation.online(), [site(2)].into());
}

#[test]
fn a_proof_by_a_token_that_was_never_accepted_is_worth_a_new_registration() {
    let mut federation = registered(403, 2);
    let (rounds, before) = (opened(&federation).len(), proven(&federation, &site(1)));
    registers_again(&mut federation, &site(1));
    assert_eq!(proven(&federation, &site(1)), before);
    federation.run_until("registration", seconds(60), Federation::all_registered);
    assert!(opened(&federation).len() > rounds, "it showed a token");
}

/// The one who waits for a name has its certificate and saw its tokens.
#[test]
fn d4_whoever_waits_for_a_name_cannot_prove_itself_by_the_tokens_of_its_owner() {
    let mut federation = registered(404, 2);
    let (_, known) = proof_withheld(&mut federation, &site(1));
    federation.connect(&site(1));
    federation.run(SOON);
    federation.sites.get_mut(&site(1)).unwrap().tamper_inbound = silenced(Kind::Challenge);
    let before = proven(&federation, &site(1));
    let twin = federation.twin(&site(1));
    federation.run(SOON);
    let exporter = exporter(&mut federation, &twin, &known.transcript);
    let payload = proof(&federation, &twin, &known.transcript, exporter);
    say(&mut federation, &twin, Kind::ChannelProof, (0, ""), payload);
    federation.run(SOON);
    assert_eq!(proven(&federation, &site(1)), before);
    assert!(federation.online().contains(&site(1)));
}

#[test]
fn n_fl_41_a_hello_that_its_key_did_not_sign() {
    let mut federation = Federation::new(405, 1);
    federation.start_server();
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Hello, |mut message| {
        message.signature.0[0] ^= 1;
        vec![message.to_bytes()]
    });
    federation.start(&site(1));
    federation.run(seconds(5));
    assert_eq!(turned_away(&federation, &site(1)), [codes::FL_MESSAGE_UNSIGNED]);
    assert!(opened(&federation).is_empty());
}

#[test]
fn n_fl_31_a_hello_of_an_earlier_connection() {
    let mut federation = Federation::new(406, 2);
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Hello, move |message| {
        *recorder.borrow_mut() = message.to_bytes();
        vec![message.to_bytes()]
    });
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    let old = seen.borrow().clone();
    federation.cut(&site(1));
    federation.run(seconds(1));
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Hello, move |_| vec![old.clone()]);
    federation.connect(&site(1));
    federation.run(SOON);
    let charged = |event: &ServerEvent| matches!(event, ServerEvent::Charged { finding, .. } if finding.code == codes::FL_MESSAGE_REPLAYED);
    assert!(federation.server.events.iter().any(charged));
    assert_eq!(federation.online(), [site(2)].into());
}

#[test]
fn a_second_hello_and_words_for_others_are_charged() {
    let mut federation = registered(407, 2);
    let identity = federation.sites[&site(1)].agent.as_ref().unwrap().me().identity.clone();
    let hello = Hello { identity }.to_bytes();
    let charge = say(&mut federation, &site(1), Kind::Hello, (0, ""), hello);
    assert_eq!(charge, Some(codes::FL_PEER_QUARANTINED));
    let update = JobUpdate { state: "failed".to_owned(), text: String::new() }.to_bytes();
    let charge = say_to(&mut federation, &site(1), &site(2), Kind::JobUpdate, (0, ""), update);
    assert_eq!(charge, Some(codes::FL_PEER_QUARANTINED));
    assert!(federation.online().contains(&site(1)));
}

fn failures(federation: &Federation) -> usize {
    let failed =
        |event: &&ServerEvent| matches!(event, ServerEvent::JobUpdate { state, .. } if state == "failed");
    federation.server.events.iter().filter(failed).count()
}

#[test]
fn whoever_waits_for_a_name_says_nothing_about_its_jobs() {
    let failed = || JobUpdate { state: "failed".to_owned(), text: String::new() }.to_bytes();
    let mut federation = registered(408, 2);
    let both = [site(1), site(2)];
    let id = federation.attempt(&job("one", ""), 1, &[&both[0], &both[1]]);
    scheduled(&outcome(&mut federation, 1));
    federation.sites.get_mut(&site(1)).unwrap().tamper_inbound = silenced(Kind::Challenge);
    let twin = federation.twin(&site(1));
    federation.sites.get_mut(&twin).unwrap().mute = true;
    federation.run(SOON);
    assert_eq!(say(&mut federation, &twin, Kind::JobUpdate, (0, &id), failed()), None);
    assert_eq!(failures(&federation), 0);
    // Not in its registration either, which begins when the owner of the name does not answer.
    let before = opened(&federation).len();
    federation.run_until("its registration", seconds(60), |f| opened(f).len() > before);
    federation.run(SOON);
    let epoch = *opened(&federation).last().unwrap();
    assert_eq!(say(&mut federation, &twin, Kind::JobUpdate, (epoch, &id), failed()), None);
    assert_eq!(failures(&federation), 0);
    say(&mut federation, &site(1), Kind::JobUpdate, (0, &id), failed());
    assert_eq!(failures(&federation), 1, "the owner of the name does");
}

#[test]
fn whoever_waits_for_a_name_does_not_excuse_it_from_a_round() {
    let mut federation = registered(409, 2);
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    let one = federation.sites.get_mut(&site(1)).unwrap();
    one.tamper = on(Kind::Contribution, move |message| {
        *recorder.borrow_mut() = message.to_bytes();
        Vec::new()
    });
    one.tamper_inbound = silenced(Kind::Challenge);
    let both = [site(1), site(2)];
    let id = federation.attempt(&job("one", "min_sites = 1"), 1, &[&both[0], &both[1]]);
    let epoch = *opened(&federation).last().unwrap();
    let twin = federation.twin(&site(1));
    federation.run(SOON);
    let busy = Busy { text: String::new() }.to_bytes();
    say(&mut federation, &twin, Kind::Busy, (epoch, &id), busy);
    federation.run(SOON);
    let contribution = seen.borrow().clone();
    federation.hand_to_server(&site(1), contribution);
    assert_eq!(scheduled(&outcome(&mut federation, 1)), ["server", "site-001", "site-002"]);
}

#[test]
fn whoever_was_evicted_and_is_a_member_again_registers_anew() {
    let mut federation = registered(410, 2);
    let mut second = federation.owner.bundle(2);
    second.revoked_names.insert(site(1));
    federation.publish_bundle(&second);
    federation.run(seconds(5));
    assert_eq!(standing(&federation, &site(1)), Some(Standing::Evicted));
    let third = federation.owner.bundle(3);
    federation.publish_bundle(&third);
    federation.run(seconds(30));
    let before = opened(&federation).len();
    federation.connect(&site(1));
    federation.run_until("registration", seconds(60), Federation::all_registered);
    assert!(opened(&federation).len() > before);
    assert_eq!(standing(&federation, &site(1)), Some(Standing::Trusted));
}

/// One key, and an instance id of its own: another process than the one that was registered.
#[test]
fn an_instance_is_known_by_its_key_and_its_id() {
    let mut federation = registered(411, 2);
    let federation_id = federation.owner.descriptor.federation_id();
    let one = &federation.sites[&site(1)];
    let me = one.agent.as_ref().unwrap().me();
    let identity = one.enrolled.identity(&federation_id, &me.key, [0xee; 16]);
    let header = Header {
        epoch: 0,
        job_id: String::new(),
        sender: site(1),
        recipient: None,
        kind: Kind::Hello.number(),
        sequence: 1_000_000,
    };
    let hello = Signed::new(&federation_id, header, Hello { identity }.to_bytes(), &me.key).to_bytes();
    federation.cut(&site(1));
    federation.run(SOON);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Hello, move |_| vec![hello.clone()]);
    let (rounds, before) = (opened(&federation).len(), proven(&federation, &site(1)));
    federation.connect(&site(1));
    federation.run(SOON);
    assert_eq!(proven(&federation, &site(1)), before);
    federation.run(seconds(20));
    assert!(opened(&federation).len() > rounds, "it has to show a token");
}

#[test]
fn n_fl_20_of_two_that_wait_for_a_name_the_second_is_sent_away() {
    let mut federation = registered(412, 2);
    federation.sites.get_mut(&site(1)).unwrap().tamper_inbound = silenced(Kind::Challenge);
    let first = federation.twin(&site(1));
    federation.run(SOON);
    let second = name("site-001.second");
    federation.add(&second);
    federation.sites.get_mut(&second).unwrap().enrolled = federation.sites[&site(1)].enrolled.clone();
    federation.start(&second);
    federation.run(SOON);
    assert_eq!(turned_away(&federation, &second), [codes::FL_REGISTRATION_DUPLICATE]);
    federation.run(seconds(30));
    assert!(federation.sites[&first].registered, "the first had its turn when nobody answered");
}

#[test]
fn a_lost_connection_gives_way_to_its_own_instance() {
    let mut federation = Federation::new(413, 1);
    federation.sites.get_mut(&site(1)).unwrap().mute = true;
    federation.start_all();
    federation.run(seconds(2));
    assert_eq!(opened(&federation).len(), 1);
    federation.lose(&site(1));
    federation.sites.get_mut(&site(1)).unwrap().mute = false;
    federation.connect(&site(1));
    federation.run(seconds(2));
    assert!(turned_away(&federation, &site(1)).is_empty());
    federation.run_until("registration", seconds(120), Federation::all_registered);
}

#[test]
fn only_clients_register() {
    let mut federation = registered(414, 1);
    let federation_id = federation.owner.descriptor.federation_id();
    for role in [Role::Server, Role::Relay, Role::KeyBroker] {
        let who = if role == Role::Server { name("server") } else { name("other") };
        let key = AttKey::from_seed(&[3; 32]).unwrap();
        let identity = federation.owner.enrol(&who, role).identity(&federation_id, &key, [3; 16]);
        let header = Header {
            epoch: 0,
            job_id: String::new(),
            sender: who.clone(),
            recipient: None,
            kind: Kind::Hello.number(),
            sequence: 1,
        };
        let hello = Signed::new(&federation_id, header, Hello { identity }.to_bytes(), &key).to_bytes();
        let before = opened(&federation).len();
        federation.with_server(|server, now, env, out| {
            server.connected(now, Conn(99), who.clone(), role);
            server.receive(now, Conn(99), hello, env, out);
        });
        federation.run(seconds(1));
        let refused = federation.server.events.iter().rev().find_map(|event| match event {
            ServerEvent::Refused { name, finding } if *name == who => Some(finding.code.clone()),
            _ => None,
        });
        assert_eq!(refused, Some(codes::FL_MEMBER_UNKNOWN), "{role}");
        assert_eq!(opened(&federation).len(), before);
    }
}

#[test]
fn corner_case_6_a_newer_instance_that_is_refused_replaces_nobody() {
    let mut federation = Federation::with(415, 2, Owner::new(), |bundle| {
        let entry = RosterEntry { role: Role::Client, organisation: "one".to_owned(), replaceable: true };
        bundle.members.insert(site(1), entry);
    });
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    let both = [site(1), site(2)];
    let id = federation.attempt(&job("one", ""), 1, &[&both[0], &both[1]]);
    scheduled(&outcome(&mut federation, 1));
    let twin = name("site-001.twin");
    federation.add(&twin);
    let enrolled = federation.sites[&site(1)].enrolled.clone();
    let machine = federation.sites.get_mut(&twin).unwrap();
    machine.enrolled = enrolled;
    machine.forge = Some(Box::new(|_| b"nothing".to_vec()));
    federation.start(&twin);
    federation.run(seconds(20));
    assert_eq!(turned_away(&federation, &twin), [codes::SNP_SIGNATURE_INVALID]);
    assert!(turned_away(&federation, &site(1)).is_empty());
    assert_eq!(standing(&federation, &site(1)), Some(Standing::Trusted));
    assert!(federation.sites[&site(1)].running.contains_key(&id) && federation.online().contains(&site(1)));
}

#[test]
fn a_suspension_outlives_a_new_registration_of_the_instance_and_not_the_instance() {
    let mut federation = registered(416, 2);
    let fell = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "fell");
    federation.policy.insert((name("server"), site(1)), fell);
    federation.run_until("suspension", seconds(400), |f| standing(f, &site(1)) == Some(Standing::Suspended));
    federation.policy.clear();
    federation.run(seconds(20));
    let before = proven(&federation, &site(1));
    registers_again(&mut federation, &site(1));
    federation.run_until("registration", seconds(60), |f| proven(f, &site(1)) > before);
    assert_eq!(standing(&federation, &site(1)), Some(Standing::Suspended));
    assert_eq!(federation.online(), [site(2)].into());
    federation.crash(&site(1));
    federation.run(SOON);
    federation.start(&site(1));
    federation.run_until("a new instance", seconds(60), Federation::all_registered);
}

/// Garbage over a connection is charged to it, as long as the server knows the connection.
fn is_known(federation: &mut Federation, connection: Conn) -> bool {
    let before = federation.server.events.len();
    federation.with_server(|server, now, env, out| server.receive(now, connection, vec![0], env, out));
    federation.server.events[before..].iter().any(|event| matches!(event, ServerEvent::Charged { .. }))
}

#[test]
fn a_connection_that_its_own_instance_replaced_is_over() {
    let mut federation = registered(417, 1);
    assert!(is_known(&mut federation, Conn(1)));
    federation.lose(&site(1));
    federation.connect(&site(1));
    federation.run(SOON);
    assert!(federation.online().contains(&site(1)));
    assert!(is_known(&mut federation, Conn(2)) && !is_known(&mut federation, Conn(1)));
}

/// Whoever comes with ever new keys and never registers is remembered as long as it is connected: what it says after
/// that may be what it said before.
#[test]
fn of_an_instance_that_never_registered_nothing_is_remembered() {
    let mut federation = Federation::new(418, 1);
    federation.start_server();
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Hello, move |message| {
        *recorder.borrow_mut() = message.to_bytes();
        vec![message.to_bytes()]
    });
    federation.start(&site(1));
    federation.run(SOON);
    assert!(remembered(&federation) > 0);
    federation.cut(&site(1));
    federation.run(SOON);
    assert_eq!(remembered(&federation), 0);
    federation.sites.get_mut(&site(1)).unwrap().tamper =
        on(Kind::Hello, move |_| vec![seen.borrow().clone()]);
    federation.connect(&site(1));
    federation.run_until("registration", seconds(30), Federation::all_registered);
}

/// How many sequence numbers the server remembers, those of its own participant aside.
fn remembered(federation: &Federation) -> usize {
    let server = format!("{:?}", federation.server.coordinator.as_ref().unwrap());
    let (_, sequences) = server.rsplit_once("received: Sequences({").unwrap();
    sequences.split_once("})").unwrap().0.matches("): ").count()
}

#[test]
fn of_an_instance_that_was_replaced_no_sequence_number_is_remembered() {
    let mut federation = Federation::with(420, 2, Owner::new(), |bundle| {
        let entry = RosterEntry { role: Role::Client, organisation: "one".to_owned(), replaceable: true };
        bundle.members.insert(site(1), entry);
    });
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    let before = remembered(&federation);
    assert!(before > 0);
    let twin = federation.twin(&site(1));
    federation.run(seconds(20));
    assert!(federation.sites[&twin].registered);
    assert_eq!(remembered(&federation), before);
}

/// The registration round goes on for a minute, because somebody else in it is silent.
#[test]
fn corner_case_6_the_jobs_of_a_replaced_instance_end_at_once() {
    let mut federation = Federation::with(421, 2, Owner::new(), |bundle| {
        let entry = RosterEntry { role: Role::Client, organisation: "one".to_owned(), replaceable: true };
        bundle.members.insert(site(1), entry);
    });
    federation.start_all();
    federation.run_until("registration", seconds(30), Federation::all_registered);
    let both = [site(1), site(2)];
    let id = federation.attempt(&job("one", ""), 1, &[&both[0], &both[1]]);
    scheduled(&outcome(&mut federation, 1));
    federation.run(seconds(20));
    federation.add(&site(3));
    federation.sites.get_mut(&site(3)).unwrap().mute = true;
    federation.start(&site(3));
    let twin = federation.twin(&site(1));
    federation.run(seconds(3));
    assert!(federation.sites[&twin].registered && federation.server.stopped.len() == 1);
    assert_eq!(
        (&federation.server.stopped[0].0, &federation.server.stopped[0].1.code),
        (&id, &codes::FL_REGISTRATION_STALE_INSTANCE)
    );
    let server = federation.server.coordinator.as_ref().unwrap();
    assert_eq!(server.open_rounds(), 1, "the round is not over");
}

/// Silence says nothing against anybody, also in a registration.
#[test]
fn a_known_instance_that_is_silent_when_it_registers_again_stays_known() {
    let mut federation = registered(422, 2);
    registers_again(&mut federation, &site(1));
    federation.sites.get_mut(&site(1)).unwrap().tamper = silenced(Kind::Token);
    federation.run_until("the end", seconds(120), |f| !turned_away(f, &site(1)).is_empty());
    assert_eq!(turned_away(&federation, &site(1)), [codes::FL_MEMBER_MISSING]);
    assert_eq!(standing(&federation, &site(1)), Some(Standing::Trusted));
    let rounds = opened(&federation).len();
    federation.connect(&site(1));
    federation.run(SOON);
    assert!(federation.online().contains(&site(1)) && opened(&federation).len() == rounds);
}

#[test]
fn a_token_that_was_refused_proves_nothing() {
    let mut federation = registered(423, 2);
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper = on(Kind::Token, move |message| {
        recorder.borrow_mut().clone_from(&message.payload);
        vec![message.to_bytes()]
    });
    let fell = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "fell");
    federation.policy.insert((name("server"), site(1)), fell);
    federation.run_until("suspension", seconds(400), |f| standing(f, &site(1)) == Some(Standing::Suspended));
    let refused = Envelope::parse(&seen.borrow()).unwrap().transcript;
    let (header, _) = proof_withheld(&mut federation, &site(1));
    let exporter = exporter(&mut federation, &site(1), &refused);
    let before = proven(&federation, &site(1));
    let payload = proof(&federation, &site(1), &refused, exporter);
    prove(&mut federation, &site(1), header, payload);
    federation.run(SOON);
    assert_eq!(proven(&federation, &site(1)), before);
}

/// What the server asks a site on its connection, and the site is kept from answering.
fn challenges(federation: &mut Federation, who: &Name) -> Rc<RefCell<Vec<Vec<u8>>>> {
    let seen: Rc<RefCell<Vec<Vec<u8>>>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(who).unwrap().tamper_inbound = on(Kind::Challenge, move |message| {
        recorder.borrow_mut().push(message.payload);
        Vec::new()
    });
    seen
}

#[test]
fn n_fl_20_nobody_else_says_that_the_owner_of_a_name_lives() {
    let mut federation = registered(424, 2);
    let asked = challenges(&mut federation, &site(1));
    let twin = federation.twin(&site(1));
    federation.run(SOON);
    let answer = asked.borrow()[0].clone();
    assert_eq!(say(&mut federation, &twin, Kind::Alive, (0, ""), answer), None);
    federation.run(seconds(30));
    assert!(federation.sites[&twin].registered);
}

#[test]
fn every_challenge_has_an_answer_of_its_own() {
    let mut federation = registered(425, 1);
    let asked = challenges(&mut federation, &site(1));
    federation.run(seconds(22));
    let asked = asked.borrow().clone();
    let [first, second] = asked.as_slice() else { panic!("{} challenges", asked.len()) };
    let wrong = [first.clone(), Challenge { nonce: vec![9; 32].into() }.to_bytes(), Vec::new()];
    for answer in wrong {
        let charge = say(&mut federation, &site(1), Kind::Alive, (0, ""), answer);
        assert_eq!(charge, Some(codes::FL_PEER_QUARANTINED));
    }
    assert_eq!(say(&mut federation, &site(1), Kind::Alive, (0, ""), second.clone()), None);
    let charge = say(&mut federation, &site(1), Kind::Alive, (0, ""), second.clone());
    assert_eq!(charge, Some(codes::FL_PEER_QUARANTINED), "it is answered");
    federation.run(seconds(20));
    assert!(federation.online().contains(&site(1)), "it lived 20 s ago");
}

#[test]
fn a_registration_is_not_resumed_on_another_connection() {
    let mut federation = registered(426, 2);
    let rounds = opened(&federation).len();
    registers_again(&mut federation, &site(1));
    federation.sites.get_mut(&site(1)).unwrap().mute = true;
    federation.run_until("its registration", seconds(60), |f| opened(f).len() > rounds);
    federation.run(SOON);
    let seen: Rc<RefCell<usize>> = Rc::default();
    let recorder = Rc::clone(&seen);
    federation.sites.get_mut(&site(1)).unwrap().tamper_inbound = on(Kind::Open, move |_| {
        *recorder.borrow_mut() += 1;
        Vec::new()
    });
    federation.lose(&site(1));
    federation.connect(&site(1));
    federation.run(SOON);
    assert!(federation.online().contains(&site(1)));
    assert_eq!(*seen.borrow(), 0);
}

#[test]
fn whoever_never_proves_itself_is_asked_for_a_token_once() {
    let mut federation = registered(427, 2);
    federation.cut(&site(1));
    federation.run(SOON);
    federation.sites.get_mut(&site(1)).unwrap().tamper = silenced(Kind::ChannelProof);
    let rounds = opened(&federation).len();
    federation.connect(&site(1));
    federation.run(seconds(60));
    assert_eq!(opened(&federation).len(), rounds + 1);
    assert_eq!(turned_away(&federation, &site(1)), [codes::FL_PEER_QUARANTINED]);
}
