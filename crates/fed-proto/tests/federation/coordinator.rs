//! A malicious coordinator: rows of the catalogue and of table 5.8 of *verification.md* that need one.

use std::time::Duration;

use cc_core::{Code, Finding, codes};
use cc_testkit::federation::{Owner, name, site};
use fed_proto::binding::{Leaf, Purpose};
use fed_proto::crypto::AttKey;
use fed_proto::message::{Contribution, JobUpdate, Kind, Payload, Publish};
use fed_proto::role::Role;
use fed_proto::signed::Signed;

use super::evil::{Actor, Round, Stage};
use super::support::{job, seconds};

fn opened(stage: &mut Stage, epoch: u64) -> Round {
    let mut round = stage.round(epoch, Purpose::Periodic, "");
    stage.open(&mut round);
    assert_eq!(round.list.len(), 4);
    round
}

fn entry(round: &mut Round, of: usize) -> &mut Contribution {
    let at = round.list.iter().position(|e| Leaf::parse(&e.leaf).unwrap().name == site(of)).unwrap();
    &mut round.list[at]
}

#[test]
fn an_orderly_round_is_attested_and_a_job_starts() {
    let mut stage = Stage::new();
    let round = stage.running(1);
    assert_eq!(round.list.len(), 4);
}

#[test]
fn n_fl_10_own_leaf_with_another_nonce() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    let mut leaf = Leaf::parse(&entry(&mut round, 1).leaf).unwrap();
    leaf.nonce[0] ^= 1;
    entry(&mut round, 1).leaf = leaf.bytes().into();
    let seen = stage.publish(&round);
    assert_eq!(seen.abstained(), Some(codes::FL_ROOT_OWN_LEAF_MISSING));
    assert!(seen.collects.is_empty() && seen.sent.is_empty());
    // And left out altogether.
    let mut round = opened(&mut stage, 2);
    round.list.retain(|e| Leaf::parse(&e.leaf).unwrap().name != site(1));
    let seen = stage.publish(&round);
    assert_eq!(seen.abstained(), Some(codes::FL_ROOT_OWN_LEAF_MISSING));
    assert!(seen.collects.is_empty());
    // Neither round can be taken up again.
    assert_eq!(stage.publish(&round).refused(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
}

#[test]
fn n_fl_11_leaves_unsorted_or_a_name_twice() {
    type Change = fn(&mut Round);
    let changes: [Change; 4] = [
        |round| round.list.swap(2, 3),
        |round| round.list.reverse(),
        |round| round.list.insert(2, round.list[2].clone()),
        |round| round.list.insert(0, round.list[0].clone()),
    ];
    let mut stage = Stage::new();
    for (epoch, change) in (1..).zip(changes) {
        let mut round = opened(&mut stage, epoch);
        change(&mut round);
        let seen = stage.publish(&round);
        assert_eq!(seen.abstained(), Some(codes::FL_ROOT_MALFORMED), "{epoch}");
        assert!(seen.collects.is_empty());
    }
}

#[test]
fn n_fl_12_count_or_root_differ_from_the_list() {
    type Change = fn(&mut Publish);
    let changes: [Change; 4] = [
        |publish| publish.leaf_count += 1,
        |publish| publish.leaf_count = 0,
        |publish| publish.root[31] ^= 1,
        |publish| publish.root.truncate(31),
    ];
    let mut stage = Stage::new();
    for (epoch, change) in (1..).zip(changes) {
        let round = opened(&mut stage, epoch);
        let mut publish = stage.publish_of(&round);
        change(&mut publish);
        let seen = stage.publish_as(&round, &publish);
        assert_eq!(seen.abstained(), Some(codes::FL_ROOT_MALFORMED), "{epoch}");
        assert!(seen.collects.is_empty());
    }
}

#[test]
fn leaves_of_another_round_or_federation_are_malformed() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    *entry(&mut round, 2) = stage.actors[&site(2)].contributes(&stage.actors[&site(2)].leaf(9));
    assert_eq!(stage.publish(&round).abstained(), Some(codes::FL_ROOT_MALFORMED));
    let mut round = opened(&mut stage, 2);
    let mut leaf = stage.actors[&site(2)].leaf(2);
    leaf.federation_id.0[0] ^= 1;
    *entry(&mut round, 2) = stage.actors[&site(2)].contributes(&leaf);
    assert_eq!(stage.publish(&round).abstained(), Some(codes::FL_ROOT_MALFORMED));
    let mut round = opened(&mut stage, 3);
    entry(&mut round, 2).leaf.push(0);
    let publish = Publish { contributions: round.list.clone(), root: vec![0; 32].into(), leaf_count: 4 };
    assert_eq!(stage.publish_as(&round, &publish).abstained(), Some(codes::FL_ROOT_MALFORMED));
}

#[test]
fn n_fl_14_two_roots_for_one_round() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    assert_eq!(stage.publish(&round).collects.len(), 1);
    stage.attest(&mut round);
    // The same again changes nothing.
    let again = stage.publish(&round);
    assert!(again.collects.is_empty() && again.refused().is_none() && again.abstained().is_none());
    let mut other = round.clone();
    other.list.retain(|e| Leaf::parse(&e.leaf).unwrap().name != site(3));
    let seen = stage.publish(&other);
    assert_eq!(seen.refused(), Some(codes::FL_ROOT_EQUIVOCATION));
    assert!(seen.collects.is_empty() && seen.sent.is_empty());
    // The round is over.
    assert_eq!(stage.token(&site(2), &round).refused(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
}

#[test]
fn n_fl_14_two_opens_for_one_round() {
    let mut stage = Stage::new();
    let round = opened(&mut stage, 1);
    let mut other = round.clone();
    other.members.retain(|member| *member != site(3));
    let seen = stage.open(&mut other);
    assert_eq!(seen.refused(), Some(codes::FL_ROOT_EQUIVOCATION));
    assert!(seen.sent.is_empty(), "no second challenge");
    assert_eq!(stage.publish(&round).refused(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
}

#[test]
fn the_same_open_and_list_again_get_the_same_token_and_no_second_report() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    stage.publish(&round);
    let first = stage.attest(&mut round);
    for who in stage.peers() {
        stage.token(&who, &round);
        stage.judged(&who, &round, Ok(()));
    }
    let mut again = round.clone();
    let seen = stage.open(&mut again);
    assert_eq!(again.list, round.list, "the same challenge");
    let token = |seen: &super::evil::Seen| seen.message(Kind::Token).unwrap().payload.clone();
    assert_eq!(token(&seen), token(&first));
    assert!(seen.message(Kind::Verdict).is_some());
    assert!(stage.publish(&round).collects.is_empty());
    assert!(stage.wait(seconds(30)).collects.is_empty());
}

#[test]
fn n_fl_15_the_list_lacks_an_expected_member() {
    let mut stage = Stage::new();
    let without = |round: &mut Round, who: &str| {
        round.list.retain(|e| Leaf::parse(&e.leaf).unwrap().name.as_str() != who);
    };
    let mut round = opened(&mut stage, 1);
    without(&mut round, "server");
    let seen = stage.publish(&round);
    assert_eq!((seen.abstained(), seen.collects.len()), (Some(codes::FL_MEMBER_MISSING), 0));
    for (epoch, demands) in [(2, "required_sites = [\"site-003\"]"), (3, "min_sites = 3")] {
        let mut round = stage.round(epoch, Purpose::JobStart, &job("one", demands));
        stage.open(&mut round);
        without(&mut round, "site-003");
        let seen = stage.publish(&round);
        assert_eq!((seen.abstained(), seen.collects.len()), (Some(codes::FL_MEMBER_MISSING), 0));
    }
    // Not even invited.
    let mut round = stage.round(4, Purpose::Periodic, "");
    round.members.retain(|member| *member != site(1));
    assert_eq!(stage.open(&mut round).abstained(), Some(codes::FL_MEMBER_MISSING));
    let mut round = stage.round(5, Purpose::Periodic, "");
    round.members.retain(|member| *member != name("server"));
    assert_eq!(stage.open(&mut round).abstained(), Some(codes::FL_MEMBER_MISSING));
}

/// What the participant's verdict says about site-003 when its entry is like this.
fn unknown_entry(change: impl FnOnce(&mut Stage, &mut Round)) {
    refused_entry(&codes::FL_MEMBER_UNKNOWN, change);
}

fn refused_entry(code: &Code, change: impl FnOnce(&mut Stage, &mut Round)) {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    change(&mut stage, &mut round);
    assert_eq!(stage.publish(&round).collects.len(), 1, "the round goes on");
    stage.attest(&mut round);
    let mut last = None;
    for who in [name("server"), site(2)] {
        let seen = stage.token(&who, &round);
        if !seen.judges.is_empty() {
            last = Some(stage.judged(&who, &round, Ok(())));
        }
    }
    assert!(stage.token(&site(3), &round).judges.is_empty(), "nothing of it is judged");
    let last = last.unwrap();
    let refused: Vec<_> = last
        .events
        .iter()
        .filter_map(|event| match event {
            fed_proto::round::Event::Concluded(concluded) => Some(concluded.refused.clone()),
            _ => None,
        })
        .flatten()
        .map(|(name, finding)| (name, finding.code))
        .collect();
    assert_eq!(refused, [(site(3), code.clone())]);
}

#[test]
fn n_fl_16_member_without_enrolment_certificate() {
    unknown_entry(|_, round| entry(round, 3).identity.chain.clear());
    // Another federation's owner enrols anybody.
    unknown_entry(|_, round| {
        let stranger = Actor::new(&Owner::new(), &site(3), Role::Client, 3);
        entry(round, 3).identity = stranger.identity;
    });
    // A certificate for another name.
    refused_entry(&codes::FL_NAME_UNAUTHENTICATED, |stage, round| {
        let other = stage.actors[&site(2)].identity.clone();
        entry(round, 3).identity.chain = other.chain;
    });
    // Somebody who was not invited.
    unknown_entry(|stage, round| {
        round.members.retain(|member| *member != site(3));
        round.epoch = 2;
        let members = round.members.clone();
        stage.open(round);
        round.members = members;
        let late = stage.actors[&site(3)].contributes(&stage.actors[&site(3)].leaf(2));
        round.list.push(late);
    });
}

#[test]
fn an_entry_that_its_key_did_not_sign_is_nobodys() {
    // Not signed by its own key: the coordinator itself wrote it.
    unknown_entry(|_, round| entry(round, 3).signature[0] ^= 1);
    unknown_entry(|stage, round| {
        let leaf = entry(round, 3).leaf.clone();
        entry(round, 3).signature = stage.server().key.sign(&leaf).0.to_vec().into();
    });
    // The leaf of another key than the one that is enrolled.
    unknown_entry(|stage, round| {
        let mut leaf = stage.actors[&site(3)].leaf(1);
        leaf.key = AttKey::from_seed(&[99; 32]).unwrap().public().digest();
        *entry(round, 3) = stage.actors[&site(3)].contributes(&leaf);
    });
}

#[test]
fn one_key_under_two_names_is_neither_of_them() {
    let mut stage = Stage::new();
    // site-003 enrols the key of site-002.
    let twin = Actor::new(&stage.owner, &site(3), Role::Client, 2);
    stage.actors.insert(site(3), twin);
    stage.actors.insert(site(2), Actor::new(&stage.owner, &site(2), Role::Client, 2));
    let mut round = opened(&mut stage, 1);
    stage.publish(&round);
    stage.attest(&mut round);
    stage.token(&name("server"), &round);
    let seen = stage.judged(&name("server"), &round, Ok(()));
    let verdict = seen.message(Kind::Verdict).expect("nobody else is judged");
    let verdict: fed_proto::message::VerdictMessage = verdict.read().unwrap();
    let verdict = fed_proto::verdict::Verdict::parse(&verdict.bytes).unwrap();
    assert_eq!(verdict.refused, [(site(2), codes::FL_MEMBER_UNKNOWN), (site(3), codes::FL_MEMBER_UNKNOWN)]);
}

#[test]
fn an_unknown_entry_under_a_name_stops_no_job_of_the_real_one() {
    let mut stage = Stage::new();
    let running = stage.running(1);
    let mut round = opened(&mut stage, 2);
    entry(&mut round, 3).signature[0] ^= 1;
    stage.publish(&round);
    stage.attest(&mut round);
    for who in [name("server"), site(2)] {
        stage.token(&who, &round);
        assert!(stage.judged(&who, &round, Ok(())).stopped().is_empty());
    }
    let mut round = opened(&mut stage, 3);
    stage.publish(&round);
    stage.attest(&mut round);
    for who in [name("server"), site(2)] {
        stage.token(&who, &round);
        stage.judged(&who, &round, Ok(()));
    }
    stage.token(&site(3), &round);
    let bad = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "fell");
    let stopped = stage.judged(&site(3), &round, Err(bad)).stopped();
    assert_eq!(stopped, [(running.job_id, codes::SNP_TCB_BELOW_MINIMUM)], "the real one does");
}

#[test]
fn n_fl_32_the_summary_accepts_what_a_signed_verdict_rejects() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    for who in [name("server"), site(3)] {
        let bytes = stage.verdict(&who, &round, &[]);
        stage.hand(&bytes);
    }
    let rejects = stage.verdict(&site(2), &round, &[(&site(3), codes::SNP_MEASUREMENT_UNKNOWN)]);
    stage.hand(&rejects);
    let seen = stage.admit(&round, &round.members);
    assert!(seen.started().is_none());
    assert!(seen.not_admitted().unwrap().starts_with("fl.verdict.mismatch"), "{:?}", seen.not_admitted());
    let update: JobUpdate = seen.message(Kind::JobUpdate).unwrap().read().unwrap();
    assert_eq!(update.state, "refused");
    assert!(update.text.contains("fl.verdict.mismatch"));
    // There is no second announcement.
    let three: Vec<_> = round.members.iter().filter(|name| **name != site(3)).cloned().collect();
    assert!(stage.admit(&round, &three).started().is_none());
}

#[test]
fn n_fl_32_every_member_of_the_summary_counts() {
    type Case = (&'static str, fn(&mut Stage, &Round), fn(&mut Vec<fed_proto::name::Name>));
    let cases: [Case; 5] = [
        ("the own verdict counts", |_, _| (), |_| ()),
        (
            "somebody rejects me",
            |stage, round| {
                let bytes = stage.verdict(&site(3), round, &[(&site(1), codes::SNP_TCB_BELOW_MINIMUM)]);
                stage.hand(&bytes);
            },
            |_| (),
        ),
        (
            "the server is left out",
            |stage, round| stage.all_accept(round),
            |names| {
                names.retain(|other| other.as_str() != "server");
            },
        ),
        ("a stranger is let in", |stage, round| stage.all_accept(round), |names| names.push(site(9))),
        (
            "too few",
            |stage, round| stage.all_accept(round),
            |names| {
                names.retain(|other| other.as_str() != "site-003");
            },
        ),
    ];
    for (what, prepare, change) in cases {
        let mut stage = Stage::new();
        let mut round = stage.round(1, Purpose::JobStart, &job("one", "min_sites = 3"));
        stage.open(&mut round);
        stage.publish(&round);
        stage.attest(&mut round);
        for who in stage.peers() {
            stage.token(&who, &round);
            let rejects = what.contains("own verdict") && who == site(3);
            let bad = Finding::new(codes::SNP_MEASUREMENT_UNKNOWN, "not mine");
            stage.judged(&who, &round, if rejects { Err(bad) } else { Ok(()) });
        }
        if what.contains("own verdict") {
            stage.all_accept(&round);
        } else if what.contains("rejects me") {
            for who in [name("server"), site(2)] {
                let bytes = stage.verdict(&who, &round, &[]);
                stage.hand(&bytes);
            }
        }
        prepare(&mut stage, &round);
        let mut names = round.members.clone();
        change(&mut names);
        let mut seen = stage.admit(&round, &names);
        if seen.not_admitted().is_none() && seen.started().is_none() {
            // Of the stranger no verdict ever comes.
            seen = stage.wait(seconds(181));
        }
        assert!(seen.started().is_none(), "{what}");
        let reason = seen.not_admitted().expect(what);
        let code = if what == "too few" { "fl.member.missing" } else { "fl.verdict.mismatch" };
        assert!(reason.starts_with(code), "{what}: {reason}");
    }
}

#[test]
fn an_announcement_waits_for_the_verdicts_and_not_for_ever() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    let seen = stage.admit(&round, &round.members);
    assert!(seen.started().is_none() && seen.not_admitted().is_none());
    for who in [name("server"), site(2)] {
        let bytes = stage.verdict(&who, &round, &[]);
        assert!(stage.hand(&bytes).started().is_none());
    }
    assert!(stage.wait(seconds(170)).not_admitted().is_none());
    let seen = stage.wait(seconds(11));
    assert!(seen.not_admitted().unwrap().starts_with("fl.verdict.mismatch"), "{:?}", seen.not_admitted());
    let late = stage.verdict(&site(3), &round, &[]);
    assert!(stage.hand(&late).started().is_none());
}

#[test]
fn a_job_starts_once_however_many_rounds_are_open_for_it() {
    let mut stage = Stage::new();
    let file = job("one", "");
    let mut rounds = Vec::new();
    for epoch in [1, 2] {
        let mut round = stage.round(epoch, Purpose::JobStart, &file);
        stage.open(&mut round);
        rounds.push(round);
    }
    for round in &mut rounds {
        stage.publish(round);
        stage.attest(round);
        for who in stage.peers() {
            stage.token(&who, round);
            stage.judged(&who, round, Ok(()));
        }
        stage.all_accept(round);
    }
    assert!(stage.admit(&rounds[0], &rounds[0].members.clone()).started().is_some());
    let second = stage.admit(&rounds[1], &rounds[1].members.clone());
    assert!(second.started().is_none());
    assert!(second.not_admitted().unwrap().starts_with("bind.job.mismatch"));
    // And no further round is joined while it runs.
    let mut third = stage.round(3, Purpose::JobStart, &file);
    assert_eq!(stage.open(&mut third).abstained(), Some(codes::BIND_JOB_MISMATCH));
}

#[test]
fn a_reject_of_a_newer_round_outlives_an_older_accept() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    stage.wait(seconds(6));
    let newer = stage.play(2, Purpose::Periodic, "");
    let rejects = stage.verdict(&site(2), &newer, &[(&site(3), codes::SNP_TCB_BELOW_MINIMUM)]);
    stage.hand(&rejects);
    stage.all_accept(&round);
    let seen = stage.admit(&round, &round.members);
    assert!(seen.started().is_none());
    assert!(seen.not_admitted().unwrap().contains("site-002 accepts site-003 no longer"));
}

#[test]
fn the_job_file_is_the_one_that_the_id_names() {
    let mut stage = Stage::new();
    let mut round = stage.round(1, Purpose::JobStart, &job("one", ""));
    round.job = job("another", "");
    assert_eq!(stage.open(&mut round).abstained(), Some(codes::BIND_JOB_MISMATCH));
    let mut round = stage.round(2, Purpose::Periodic, "");
    round.job_id = "0".repeat(64);
    assert_eq!(stage.open(&mut round).abstained(), Some(codes::BIND_JOB_MISMATCH));
    let mut round = stage.round(3, Purpose::Periodic, &job("smuggled", ""));
    assert_eq!(stage.open(&mut round).abstained(), Some(codes::BIND_JOB_MISMATCH));
}

/// Nobody releases anything because the server says so, whatever job it names: no nonce is drawn and no report made.
#[test]
fn n_fl_42_a_key_is_not_released_on_the_servers_word() {
    let mut stage = Stage::new();
    for (epoch, file) in [(1, ""), (2, &*job("one", ""))] {
        let mut round = stage.round(epoch, Purpose::KeyRelease, file);
        let seen = stage.open(&mut round);
        assert_eq!(seen.abstained(), Some(codes::FL_KEYRELEASE_UNVERIFIED));
        assert!(seen.message(Kind::Contribution).is_none());
        assert!(stage.publish(&round).collects.is_empty());
    }
}

#[test]
fn only_the_servers_role_coordinates() {
    let mut stage = Stage::new();
    let round = stage.round(1, Purpose::Periodic, "");
    let mut open = stage.open_of(&round);
    // A site that calls itself the coordinator.
    open.identity = stage.actors[&site(2)].identity.clone();
    let bytes = stage.actor(&site(2)).sends(Kind::Open, open.to_bytes(), (1, ""), None);
    assert_eq!(stage.hand(&bytes).refused(), Some(codes::FL_PEER_QUARANTINED));
    // The server's name over a site's key and certificate.
    let mut impostor = Actor::new(&stage.owner, &name("server"), Role::Client, 5);
    open.identity = impostor.identity.clone();
    let bytes = impostor.sends(Kind::Open, open.to_bytes(), (1, ""), None);
    assert_eq!(stage.hand(&bytes).refused(), Some(codes::FL_MEMBER_UNKNOWN));
    // The server's identity without its key.
    open.identity = stage.server().identity.clone();
    let bytes = impostor.sends(Kind::Open, open.to_bytes(), (1, ""), None);
    assert_eq!(stage.hand(&bytes).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
}

#[test]
fn n_fl_41_words_that_their_sender_did_not_sign() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    stage.publish(&round);
    stage.attest(&mut round);
    let envelope = stage.actors[&site(2)].envelope(&stage.terms(&round)).to_bytes();
    let bytes = stage.actor(&site(2)).sends(Kind::Token, envelope, round.header(), None);
    let changes: [fn(&mut Signed); 5] = [
        |message| message.signature.0 = [0; 64],
        |message| *message.payload.last_mut().unwrap() ^= 1,
        |message| message.header.sequence += 1,
        |message| message.header.sender = site(3),
        |message| message.header.recipient = Some(site(1)),
    ];
    for change in changes {
        let mut message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
        change(&mut message);
        let seen = stage.hand(&message.to_bytes());
        assert_eq!(seen.refused(), Some(codes::FL_MESSAGE_UNSIGNED));
        assert!(seen.judges.is_empty());
    }
    assert_eq!(stage.hand(&bytes).judges.len(), 1, "nobody else used its turn up");
    // So are the coordinator's own words, and verdicts.
    let publish = stage.publish_of(&round);
    let forged = stage.actor(&site(2)).sends(Kind::Publish, publish.to_bytes(), (1, ""), None);
    let mut forged = Signed::from_bytes(&forged, usize::MAX).unwrap();
    forged.header.sender = name("server");
    assert_eq!(stage.hand(&forged.to_bytes()).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
    let verdict = stage.verdict(&site(3), &round, &[]);
    let mut verdict = Signed::from_bytes(&verdict, usize::MAX).unwrap();
    verdict.header.sender = site(2);
    assert_eq!(stage.hand(&verdict.to_bytes()).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
}

#[test]
fn n_fl_31_a_message_twice() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    stage.publish(&round);
    stage.attest(&mut round);
    let envelope = stage.actors[&site(2)].envelope(&stage.terms(&round)).to_bytes();
    let older = stage.actor(&site(2)).sends(Kind::Token, envelope.clone(), round.header(), None);
    let newer = stage.actor(&site(2)).sends(Kind::Token, envelope, round.header(), None);
    assert_eq!(stage.hand(&newer).judges.len(), 1);
    assert_eq!(stage.hand(&newer).refused(), Some(codes::FL_MESSAGE_REPLAYED));
    assert_eq!(stage.hand(&older).refused(), Some(codes::FL_MESSAGE_REPLAYED), "one that was held back");
    let verdict = stage.verdict(&site(3), &round, &[]);
    assert_eq!(stage.hand(&verdict).refused(), None);
    assert_eq!(stage.hand(&verdict).refused(), Some(codes::FL_MESSAGE_REPLAYED));
    // Orders of the server too, outside of rounds.
    let challenge = fed_proto::message::Challenge { nonce: vec![1; 32].into() };
    let bytes = stage.server().sends(Kind::Challenge, challenge.to_bytes(), (0, ""), Some(&site(1)));
    assert!(stage.hand(&bytes).message(Kind::Alive).is_some());
    assert_eq!(stage.hand(&bytes).refused(), Some(codes::FL_MESSAGE_REPLAYED));
}

#[test]
fn a_report_storm_is_not_to_be_had() {
    let mut stage = Stage::new();
    let mut reports = 0;
    let mut busy = 0;
    // Sixty rounds in a minute, each published at once.
    for epoch in 1..=60 {
        let mut round = stage.round(epoch, Purpose::Periodic, "");
        let seen = stage.open(&mut round);
        if seen.abstained() == Some(codes::FL_MEMBER_BUSY) {
            assert!(seen.message(Kind::Busy).is_some());
            busy += 1;
        } else {
            reports += stage.publish(&round).collects.len();
        }
        reports += stage.wait(seconds(1)).collects.len();
    }
    assert_eq!((reports, busy), (4 + 11, 45));
    // Rounds that are opened at the allowed pace, and whose lists come all at once.
    let mut stage = Stage::new();
    let mut rounds = Vec::new();
    for epoch in 1..=30 {
        let mut round = stage.round(epoch, Purpose::Periodic, "");
        assert!(stage.open(&mut round).abstained().is_none());
        rounds.push(round);
        stage.wait(seconds(5));
    }
    let at_once: usize = rounds.iter().map(|round| stage.publish(round).collects.len()).sum();
    assert_eq!(at_once, 4);
    let mut later = 0;
    for _ in 0..600 {
        let made = stage.wait(Duration::from_millis(100)).collects.len();
        assert!(made <= 1);
        later += made;
    }
    assert!(later <= 12, "{later} reports in a minute");
}

#[test]
fn a_list_that_comes_after_the_nonce_died_is_not_attested() {
    let mut stage = Stage::new();
    let (in_time, late) = (opened(&mut stage, 1), opened(&mut stage, 2));
    stage.wait(seconds(180));
    assert_eq!(stage.publish(&in_time).collects.len(), 1);
    stage.wait(Duration::from_millis(1));
    let seen = stage.publish(&late);
    assert_eq!(seen.abstained(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
    assert!(seen.collects.is_empty());
}

#[test]
fn a_round_far_below_the_newest_is_refused() {
    let mut stage = Stage::new();
    opened(&mut stage, 10_000_000);
    let mut old = stage.round(10_000_000 - 600_001, Purpose::Periodic, "");
    assert_eq!(stage.open(&mut old).refused(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
    let mut within = stage.round(10_000_000 - 600_000, Purpose::Periodic, "");
    assert!(stage.open(&mut within).message(Kind::Contribution).is_some());
}

#[test]
fn a_busy_server_does_not_lock_its_members_out() {
    // A round every five seconds for an hour: none is refused for the number of earlier ones.
    let mut stage = Stage::new();
    for epoch in 1..=720 {
        let mut round = stage.round(epoch, Purpose::JobStart, &job(&format!("job-{epoch}"), ""));
        assert_eq!(stage.open(&mut round).abstained(), None, "{epoch}");
        stage.wait(seconds(5));
    }
}
