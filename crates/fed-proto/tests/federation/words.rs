//! Words of a malicious coordinator that are repeated, out of place, unsigned or too many, each against one participant.

use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Code, Finding, codes};
use cc_testkit::federation::{Owner, name, site};
use fed_proto::binding::{Leaf, Purpose, Transcript};
use fed_proto::bundle::SignedBundle;
use fed_proto::crypto::{AttKey, sha256};
use fed_proto::envelope::{Envelope, MAX_ENVELOPE};
use fed_proto::message::{
    Admission, Challenge, ChannelProof, Closed, Contribution, JobOrder, Kind, MAX_MEMBERS, Notice, Open,
    Payload, Reserve, VerdictMessage,
};
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::round::{Event, Evidence, Me, Participant};
use fed_proto::signed::{Header, Signed};

use super::evil::{Actor, Round, Seen, Stage};
use super::support::{job, seconds};

pub(crate) fn opened(stage: &mut Stage, epoch: u64) -> Round {
    let mut round = stage.round(epoch, Purpose::Periodic, "");
    stage.open(&mut round);
    assert_eq!(round.list.len(), 4);
    round
}

/// A round whose tokens are awaited.
fn attesting(stage: &mut Stage, epoch: u64) -> Round {
    let mut round = opened(stage, epoch);
    assert_eq!(stage.publish(&round).collects.len(), 1);
    stage.attest(&mut round);
    round
}

fn closed(stage: &mut Stage, by: &Name, round: &Round, absent: &[&Name]) -> Seen {
    let payload = Closed { absent: absent.iter().map(ToString::to_string).collect() }.to_bytes();
    let bytes = stage.actor(by).sends(Kind::Closed, payload, round.header(), None);
    stage.hand(&bytes)
}

#[test]
fn d5_every_round_has_a_nonce_of_its_own() {
    let mut stage = Stage::new();
    let mut nonces = BTreeSet::new();
    for epoch in 1..=4 {
        let round = opened(&mut stage, epoch);
        let leaves = round.list.iter().map(|entry| Leaf::parse(&entry.leaf).unwrap());
        nonces.extend(leaves.filter(|leaf| leaf.name == site(1)).map(|leaf| leaf.nonce));
    }
    assert_eq!(nonces.len(), 4);
}

#[test]
fn n_fl_31_an_open_or_a_list_twice() {
    let mut stage = Stage::new();
    let round = stage.round(1, Purpose::Periodic, "");
    let open = stage.open_of(&round).to_bytes();
    let open = stage.server().sends(Kind::Open, open, round.header(), None);
    assert!(stage.hand(&open).message(Kind::Contribution).is_some());
    let again = stage.hand(&open);
    assert_eq!((again.refused(), again.sent.len()), (Some(codes::FL_MESSAGE_REPLAYED), 0));
    let round = opened(&mut stage, 2);
    let list = stage.publish_of(&round).to_bytes();
    let list = stage.server().sends(Kind::Publish, list, round.header(), None);
    assert_eq!(stage.hand(&list).collects.len(), 1);
    assert_eq!(stage.hand(&list).refused(), Some(codes::FL_MESSAGE_REPLAYED));
}

#[test]
fn a_list_is_of_the_coordinator_and_the_job_of_its_round() {
    let mut stage = Stage::new();
    let round = opened(&mut stage, 1);
    let list = stage.publish_of(&round).to_bytes();
    let other_job = "ab".repeat(32);
    let bytes = stage.server().sends(Kind::Publish, list.clone(), (1, &other_job), None);
    let seen = stage.hand(&bytes);
    assert_eq!((seen.refused(), seen.collects.len()), (Some(codes::FL_PEER_QUARANTINED), 0));
    // By the server's key, in another name.
    let header = Header {
        epoch: 1,
        job_id: String::new(),
        sender: site(2),
        recipient: None,
        kind: Kind::Publish.number(),
        sequence: 100,
    };
    let federation_id = stage.owner.descriptor.federation_id();
    let bytes = Signed::new(&federation_id, header, list, &stage.server().key).to_bytes();
    let seen = stage.hand(&bytes);
    assert_eq!((seen.refused(), seen.collects.len()), (Some(codes::FL_PEER_QUARANTINED), 0));
    assert_eq!(stage.publish(&round).collects.len(), 1);
}

#[test]
fn n_fl_41_only_the_coordinator_says_who_is_absent() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1);
    // Another member says so, in its own name and in the server's.
    assert_eq!(closed(&mut stage, &site(2), &round, &[&site(3)]).refused(), Some(codes::FL_PEER_QUARANTINED));
    let payload = Closed { absent: vec!["site-003".to_owned()] }.to_bytes();
    let bytes = stage.actor(&site(2)).sends(Kind::Closed, payload, round.header(), None);
    let mut message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
    message.header.sender = name("server");
    assert_eq!(stage.hand(&message.to_bytes()).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
    assert_eq!(stage.token(&site(3), &round).judges.len(), 1, "it is still awaited");
}

#[test]
fn who_was_heard_is_not_absent() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1);
    assert_eq!(stage.token(&site(2), &round).judges.len(), 1);
    assert_eq!(stage.token(&site(3), &round).judges.len(), 1);
    assert_eq!(stage.judged(&site(3), &round, Ok(())).judged(&site(3)), Some(Ok(())));
    let seen = closed(&mut stage, &name("server"), &round, &[&site(1), &site(2), &site(3)]);
    assert!(seen.events.is_empty() && seen.sent.is_empty());
    assert_eq!(stage.judged(&site(2), &round, Ok(())).judged(&site(2)), Some(Ok(())));
    let seen = closed(&mut stage, &name("server"), &round, &[&name("server")]);
    assert_eq!(seen.judged(&name("server")), Some(Err(codes::FL_MEMBER_MISSING)));
    assert!(seen.message(Kind::Verdict).is_some(), "nobody else is waited for");
}

#[test]
fn a_judgement_that_nobody_asked_for_counts_for_nothing() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1);
    assert!(stage.judged(&site(2), &round, Ok(())).events.is_empty(), "before its token");
    assert_eq!(stage.token(&site(2), &round).judges.len(), 1);
    assert_eq!(stage.judged(&site(2), &round, Ok(())).judged(&site(2)), Some(Ok(())));
    let old = Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    assert!(stage.judged(&site(2), &round, Err(old)).events.is_empty(), "a second time");
}

#[test]
fn a_refused_token_is_not_replaced_by_a_better_one() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1);
    let bytes = stage.actor(&site(3)).sends(Kind::Token, b"garbage".to_vec(), round.header(), None);
    assert_eq!(stage.hand(&bytes).judged(&site(3)), Some(Err(codes::ENV_FORMAT_INVALID)));
    let seen = stage.token(&site(3), &round);
    assert!(seen.judges.is_empty() && seen.events.is_empty());
}

#[test]
fn proposed_members_are_ascending_and_not_too_many() {
    type Change = fn(&mut Open);
    let changes: [Change; 4] = [
        |open| open.members.reverse(),
        |open| open.members.push("site-003".to_owned()),
        |open| open.members.push("Site".to_owned()),
        |open| open.members.extend((0..MAX_MEMBERS).map(|number| format!("z{number:05}"))),
    ];
    let mut stage = Stage::new();
    for (epoch, change) in (1..).zip(changes) {
        let round = stage.round(epoch, Purpose::Periodic, "");
        let mut open = stage.open_of(&round);
        change(&mut open);
        let bytes = stage.server().sends(Kind::Open, open.to_bytes(), round.header(), None);
        let seen = stage.hand(&bytes);
        assert_eq!(seen.abstained(), Some(codes::FL_ROOT_MALFORMED), "{epoch}");
        assert!(seen.message(Kind::Contribution).is_none());
    }
}

#[test]
fn a_list_of_more_than_4096_is_malformed() {
    let mut stage = Stage::new();
    let mut round = opened(&mut stage, 1);
    let three = &stage.actors[&site(3)];
    let strangers = (0..MAX_MEMBERS).map(|number| {
        let leaf = Leaf { name: name(&format!("z{number:05}")), ..three.leaf(1) };
        Contribution { leaf: leaf.bytes().into(), ..three.contributes(&leaf) }
    });
    round.list.extend(strangers);
    let seen = stage.publish(&round);
    assert_eq!((seen.abstained(), seen.collects.len()), (Some(codes::FL_ROOT_MALFORMED), 0));
}

#[test]
fn no_more_rounds_are_remembered_than_a_round_has_members() {
    let mut stage = Stage::new();
    let codes: Vec<Option<Code>> = (1..=4098)
        .map(|epoch| {
            let mut round = stage.round(epoch, Purpose::Periodic, "");
            stage.open(&mut round).refused()
        })
        .collect();
    let refused = codes.iter().position(|code| *code == Some(codes::FL_PEER_QUARANTINED));
    assert_eq!(refused, Some(MAX_MEMBERS));
    // Of a window further on there are none yet.
    let mut round = stage.round(2_000_000, Purpose::Periodic, "");
    assert_eq!(stage.open(&mut round).refused(), None);
}

#[test]
fn a_report_that_is_due_after_the_nonce_died_is_not_made() {
    let mut stage = Stage::new();
    let mut rounds: Vec<Round> = (1..=4).map(|epoch| opened(&mut stage, epoch)).collect();
    for epoch in 5..=10 {
        stage.wait(seconds(5));
        rounds.push(opened(&mut stage, epoch));
    }
    stage.wait(seconds(145));
    // Newest first: the oldest ones wait until their nonces are dead.
    let mut made: Vec<u64> = Vec::new();
    for round in rounds.iter().rev() {
        made.extend(stage.publish(round).collects.iter().map(|(epoch, _)| *epoch));
    }
    assert_eq!(made, [10, 9, 8, 7], "as many as the hardware makes at once");
    for _ in 0..10 {
        made.extend(stage.wait(seconds(5)).collects.iter().map(|(epoch, _)| *epoch));
    }
    assert_eq!(made[4..], [6, 5]);
}

#[test]
fn a_round_is_forgotten_when_no_word_on_it_can_matter() {
    let mut stage = Stage::new();
    let round = opened(&mut stage, 1);
    stage.wait(seconds(360));
    assert_eq!(stage.publish(&round).abstained(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
    let round = opened(&mut stage, 2);
    stage.wait(seconds(361));
    assert_eq!(stage.publish(&round).refused(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
}

#[test]
fn whoever_is_revoked_attests_nothing_any_more() {
    let mut stage = Stage::new();
    let mut third = stage.owner.bundle(3);
    third.revoked_names.insert(site(1));
    stage.bundle = stage.owner.sign(&third).to_bytes();
    let mut round = stage.round(1, Purpose::Periodic, "");
    stage.open(&mut round);
    let seen = stage.publish(&round);
    assert_eq!((seen.abstained(), seen.collects.len()), (Some(codes::FL_MEMBER_UNKNOWN), 0));
}

#[test]
fn n_fl_25_a_round_is_attested_under_the_bundle_that_it_was_opened_with() {
    let mut stage = Stage::new();
    let round = opened(&mut stage, 1);
    let under = SignedBundle::from_bytes(&stage.bundle).unwrap().digest();
    stage.bundle = stage.owner.sign(&stage.owner.bundle(3)).to_bytes();
    opened(&mut stage, 2);
    assert_eq!(stage.agent.bundle().version, 3);
    stage.publish(&round);
    let mut round = round;
    let seen = stage.attest(&mut round);
    let envelope = Envelope::parse(&seen.message(Kind::Token).unwrap().payload).unwrap();
    let terms = fed_proto::token::RoundTerms { policy_digest: under, ..stage.terms(&round) };
    let me = stage.agent.me();
    let peer = Actor::new(&Owner::new(), &site(1), Role::Client, 77).peer();
    let expected: Transcript = terms.transcript(&peer, me.profile.clone(), None, None);
    assert_eq!(expected.compare(&envelope.transcript), Ok(()));
}

#[test]
fn a_token_is_sent_once_and_only_if_it_can_be_read() {
    let mut stage = Stage::new();
    let mut round = attesting(&mut stage, 1);
    assert!(stage.attest(&mut round).sent.is_empty(), "a second report for the round");
    let round = opened(&mut stage, 2);
    stage.publish(&round);
    let evidence = vec![0; MAX_ENVELOPE];
    let seen = stage.collected(
        &round,
        Evidence { evidence, aux: Vec::new(), devices: Vec::new(), endorsements: Vec::new() },
    );
    assert_eq!((seen.abstained(), seen.sent.len()), (Some(codes::ENV_SIZE_EXCEEDED), 0));
}

fn order(stage: &mut Stage, kind: Kind, payload: Vec<u8>, round: (u64, &str), to: &Name) -> Vec<u8> {
    stage.server().sends(kind, payload, round, Some(to))
}

fn stop() -> Vec<u8> {
    JobOrder { code: "stop".to_owned(), text: String::new() }.to_bytes()
}

fn notice(word: &str) -> Vec<u8> {
    Notice { code: word.to_owned(), text: String::new() }.to_bytes()
}

/// The same words in the server's name by a site, and by the server to another site.
#[test]
fn n_fl_41_orders_are_the_servers_own_and_for_whom_they_are() {
    let mut stage = Stage::new();
    let running = stage.running(1);
    let job_id = running.job_id.clone();
    let challenge = Challenge { nonce: vec![1; 32].into() }.to_bytes();
    let words: [(Kind, Vec<u8>, (u64, &str)); 5] = [
        (Kind::StopJob, stop(), (0, &job_id)),
        (Kind::Challenge, challenge, (0, "")),
        (Kind::Reserve, Reserve { epoch: 1 }.to_bytes(), (1, &job_id)),
        (Kind::Notice, notice("registered"), (1, "")),
        (Kind::Notice, notice("welcome"), (0, "")),
    ];
    for (kind, payload, round) in words {
        let bytes = stage.actor(&site(2)).sends(kind, payload.clone(), round, Some(&site(1)));
        let mut message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
        let own_name = stage.hand(&message.to_bytes());
        message.header.sender = name("server");
        let servers_name = stage.hand(&message.to_bytes());
        let bytes = order(&mut stage, kind, payload, round, &site(2));
        let anothers = stage.hand(&bytes);
        assert_eq!(own_name.refused(), Some(codes::FL_PEER_QUARANTINED), "{kind:?}");
        assert_eq!(servers_name.refused(), Some(codes::FL_MESSAGE_UNSIGNED), "{kind:?}");
        assert_eq!(anothers.refused(), Some(codes::FL_PEER_QUARANTINED), "{kind:?}");
        for seen in [own_name, servers_name, anothers] {
            assert!(seen.sent.is_empty() && seen.events.len() == 1, "{kind:?}");
        }
    }
    let bytes = order(&mut stage, Kind::StopJob, stop(), (0, &job_id), &site(1));
    assert_eq!(stage.hand(&bytes).stopped(), [(job_id, codes::FL_JOB_STOPPED)], "it ran until now");
}

#[test]
fn n_fl_41_an_announcement_that_the_coordinator_did_not_sign() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    stage.all_accept(&round);
    let admitted = round.members.iter().map(ToString::to_string).collect();
    let payload = Admission { admitted, text: String::new() }.to_bytes();
    let bytes = stage.actor(&site(2)).sends(Kind::Admission, payload, round.header(), None);
    let mut message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
    assert_eq!(stage.hand(&message.to_bytes()).refused(), Some(codes::FL_PEER_QUARANTINED));
    message.header.sender = name("server");
    assert_eq!(stage.hand(&message.to_bytes()).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
    assert!(stage.admit(&round, &round.members).started().is_some());
    let periodic = stage.play(2, Purpose::Periodic, "");
    let seen = stage.admit(&periodic, &periodic.members);
    assert_eq!(seen.refused(), Some(codes::FL_PEER_QUARANTINED), "there is no job in it");
}

#[test]
fn a_word_about_registration_is_of_a_round_that_registers() {
    let mut stage = Stage::new();
    stage.play(1, Purpose::Periodic, "");
    let bytes = order(&mut stage, Kind::Notice, notice("registered"), (1, ""), &site(1));
    let seen = stage.hand(&bytes);
    assert_eq!((seen.refused(), seen.events.len()), (Some(codes::FL_PEER_QUARANTINED), 1));
}

#[test]
fn resources_are_set_aside_once() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    let mut asked = 0;
    for _ in 0..2 {
        let payload = Reserve { epoch: 1 }.to_bytes();
        let bytes = order(&mut stage, Kind::Reserve, payload, round.header(), &site(1));
        asked += stage.hand(&bytes).events.iter().filter(|e| matches!(e, Event::Reserve { .. })).count();
    }
    assert_eq!(asked, 1);
}

#[test]
fn a_job_that_is_stopped_before_it_starts_does_not_start() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    assert!(stage.admit(&round, &round.members).started().is_none(), "verdicts are missing");
    let bytes = order(&mut stage, Kind::StopJob, stop(), (0, &round.job_id), &site(1));
    stage.hand(&bytes);
    for who in stage.peers() {
        let bytes = stage.verdict(&who, &round, &[]);
        let seen = stage.hand(&bytes);
        assert!(seen.started().is_none() && seen.refused().is_none());
    }
    assert!(stage.wait(seconds(181)).started().is_none());
}

#[test]
fn a_job_that_was_stopped_is_over_here() {
    let mut stage = Stage::new();
    let running = stage.running(1);
    let bytes = order(&mut stage, Kind::StopJob, stop(), (0, &running.job_id), &site(1));
    assert_eq!(stage.hand(&bytes).stopped().len(), 1);
    let round = stage.play(2, Purpose::Periodic, "");
    let rejects = stage.verdict(&site(2), &round, &[(&site(3), codes::SNP_TCB_BELOW_MINIMUM)]);
    assert!(stage.hand(&rejects).stopped().is_empty(), "it is not stopped twice");
    let mut again = stage.round(3, Purpose::JobStart, &running.job);
    assert_eq!(stage.open(&mut again).abstained(), None, "and may be tried again");
}

/// The first verdict of a verifier counts, whether or not the tokens that it is about were seen yet.
#[test]
fn a_change_of_mind_within_a_round_counts_for_nothing() {
    for (tokens_first, accepts_first) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut stage = Stage::new();
        let mut round = stage.round(1, Purpose::JobStart, &job("one", ""));
        stage.open(&mut round);
        stage.publish(&round);
        stage.attest(&mut round);
        let heard = |stage: &mut Stage| {
            for who in stage.peers() {
                stage.token(&who, &round);
                stage.judged(&who, &round, Ok(()));
            }
        };
        if tokens_first {
            heard(&mut stage);
        }
        let rejected: &[(&Name, Code)] = &[(&site(3), codes::SNP_TCB_BELOW_MINIMUM)];
        for accepts in [accepts_first, !accepts_first] {
            let bytes = stage.verdict(&site(2), &round, if accepts { &[] } else { rejected });
            assert_eq!(stage.hand(&bytes).refused(), None);
        }
        if !tokens_first {
            heard(&mut stage);
        }
        for who in [name("server"), site(3)] {
            let bytes = stage.verdict(&who, &round, &[]);
            stage.hand(&bytes);
        }
        let started = stage.admit(&round, &round.members).started().is_some();
        assert_eq!(started, accepts_first, "tokens first: {tokens_first}");
    }
}

#[test]
fn a_verdict_waits_for_the_tokens_that_it_is_about() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1);
    let counted = |seen: &Seen| {
        let verdict =
            |event: &Event| matches!(event, Event::Verdict { verifier, .. } if *verifier == site(2));
        seen.events.iter().any(verdict)
    };
    let bytes = stage.verdict(&site(2), &round, &[]);
    assert!(!counted(&stage.hand(&bytes)));
    stage.token(&name("server"), &round);
    stage.judged(&name("server"), &round, Ok(()));
    stage.token(&site(2), &round);
    assert!(!counted(&stage.judged(&site(2), &round, Ok(()))));
    stage.token(&site(3), &round);
    assert!(counted(&stage.judged(&site(3), &round, Ok(()))));
}

/// Lines of policies come with verdicts, both ways, and only for whom they refuse.
#[test]
fn a_verdict_says_which_line_of_a_policy_refuses() {
    let lines = |seen: &Seen, who: &Name| {
        seen.events.iter().find_map(|event| match event {
            Event::Verdict { verifier, signed, .. } if verifier == who => Some(signed.lines.clone()),
            _ => None,
        })
    };
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1);
    for who in [name("server"), site(2), site(3)] {
        stage.token(&who, &round);
    }
    stage.agent.explained(1, &site(2), "policy.toml:7 snp.vmpl".to_owned());
    stage.agent.explained(1, &site(3), "of one that is accepted".to_owned());
    stage.agent.explained(2, &site(3), "of no round".to_owned());
    stage.judged(&name("server"), &round, Ok(()));
    stage.judged(&site(3), &round, Ok(()));
    let refused = Finding::new(codes::SNP_VMPL_MISMATCH, "got 1, want 0");
    let seen = stage.judged(&site(2), &round, Err(refused));
    let own = stage.agent.me().name.clone();
    let expected = BTreeMap::from([(site(2), "policy.toml:7 snp.vmpl".to_owned())]);
    assert_eq!(lines(&seen, &own), Some(expected));
    let sent: VerdictMessage = seen.message(Kind::Verdict).unwrap().read().unwrap();
    assert_eq!(sent.lines, [("site-002".to_owned(), "policy.toml:7 snp.vmpl".to_owned())]);
    let bytes = stage.verdict(&site(3), &round, &[(&site(2), codes::SNP_VMPL_MISMATCH)]);
    let seen = stage.hand(&bytes);
    let expected = BTreeMap::from([(site(2), "policy.toml:1 of site-003".to_owned())]);
    assert_eq!(lines(&seen, &site(3)), Some(expected));
}

/// Which token the participant proves itself by on a new connection.
fn proves_itself_by(stage: &mut Stage) -> Option<Vec<u8>> {
    let proof: ChannelProof = stage.connect().message(Kind::ChannelProof)?.read().unwrap();
    Some(Transcript::stated_name(&proof.transcript).map(|_| proof.transcript.to_vec()).unwrap())
}

#[test]
fn it_proves_itself_by_the_token_that_the_server_accepted_last() {
    let mut stage = Stage::new();
    assert_eq!(proves_itself_by(&mut stage), None);
    let rounds: Vec<Round> = (1..=3).map(|epoch| stage.play(epoch, Purpose::Periodic, "")).collect();
    let accepts = stage.verdict(&name("server"), &rounds[0], &[]);
    stage.hand(&accepts);
    let first = proves_itself_by(&mut stage).unwrap();
    // Another member accepts it in the second round, and the server refuses it in the third.
    let accepts = stage.verdict(&site(2), &rounds[1], &[]);
    stage.hand(&accepts);
    let busy = stage.verdict(&name("server"), &rounds[2], &[(&site(1), codes::FL_MEMBER_MISSING)]);
    stage.hand(&busy);
    assert_eq!(proves_itself_by(&mut stage), Some(first));
}

#[test]
fn a_verdict_on_other_tokens_refutes_nobody() {
    let mut stage = Stage::new();
    stage.running(1);
    let round = stage.play(2, Purpose::Periodic, "");
    let other = Round { honest: Some(cc_core::Binding::new([7; 64])), ..round.clone() };
    let bytes = stage.verdict(&site(2), &other, &[]);
    let seen = stage.hand(&bytes);
    assert_eq!((seen.refused(), seen.stopped()), (None, Vec::new()));
}

#[test]
fn a_grant_ends_with_the_verdicts_and_names_the_bundle_of_its_round() {
    let mut stage = Stage::new();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    let under = SignedBundle::from_bytes(&stage.bundle).unwrap().digest();
    stage.all_accept(&round);
    stage.wait(seconds(100));
    stage.bundle = stage.owner.sign(&stage.owner.bundle(3)).to_bytes();
    opened(&mut stage, 2);
    let seen = stage.admit(&round, &round.members);
    let grant = &seen.started().unwrap().grant;
    assert_eq!(grant.expires.as_secs() - grant.issued.as_secs(), 500);
    assert_eq!((stage.agent.bundle().version, grant.bundle), (3, under));
}

#[test]
fn n_fl_27_a_participant_does_not_begin_under_an_older_bundle() {
    let stage = Stage::new();
    for (lowest, code) in [(Some(2), None), (None, None), (Some(3), Some(codes::POL_ROLLBACK))] {
        let key = AttKey::from_seed(&[1; 32]).unwrap();
        let actor = Actor::new(&stage.owner, &site(1), Role::Client, 1);
        let me = Me {
            descriptor: stage.owner.descriptor.clone(),
            name: site(1),
            role: Role::Client,
            profile: cc_core::Profile::snp_raw_1(),
            key,
            identity: actor.identity,
            runtime: None,
            policy: sha256(b"policy"),
        };
        let bundle = SignedBundle::from_bytes(&stage.bundle).unwrap();
        let begun = Participant::new(me, bundle, lowest, stage.now());
        assert_eq!(begun.err().map(|finding| finding.code), code, "{lowest:?}");
    }
}

#[test]
fn the_id_of_a_job_is_of_its_federation_submission_and_file() {
    let (one, two) = (sha256(b"one"), sha256(b"two"));
    let file = job("one", "");
    let id = fed_proto::job::job_id;
    let ids = [
        id(&one, &[1; 16], file.as_bytes()),
        id(&two, &[1; 16], file.as_bytes()),
        id(&one, &[2; 16], file.as_bytes()),
        id(&one, &[1; 16], job("two", "").as_bytes()),
    ];
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!(different.len(), ids.len());
}

#[test]
fn a_job_ends_with_the_first_accept_that_is_too_old() {
    let mut stage = Stage::new();
    let running = stage.running(1);
    assert!(stage.wait(seconds(600)).stopped().is_empty());
    assert!(stage.agent.accepts(stage.now()).count() > 0);
    assert_eq!(stage.wait(seconds(1)).stopped(), [(running.job_id, codes::FL_VERDICT_EXPIRED)]);
    assert_eq!(stage.agent.accepts(stage.now()).count(), 0, "nor is it remembered");
}

/// In a registration nobody here judges the other sites.
#[test]
fn of_a_member_that_is_not_judged_here_one_token_is_kept() {
    let mut stage = Stage::new();
    let mut round = stage.round(1, Purpose::Register, "");
    stage.open(&mut round);
    stage.publish(&round);
    stage.attest(&mut round);
    for _ in 0..3 {
        assert_eq!(stage.token(&site(2), &round).refused(), None);
    }
    assert_eq!(stage.token(&name("server"), &round).judges.len(), 1);
    let seen = stage.judged(&name("server"), &round, Ok(()));
    let tokens = seen.events.iter().find_map(|event| match event {
        Event::Concluded(concluded) => Some(concluded.messages.iter().filter(|bytes| {
            Signed::from_bytes(bytes, usize::MAX).unwrap().header.kind == Kind::Token.number()
        })),
        _ => None,
    });
    assert_eq!(tokens.unwrap().count(), 3, "the own one, the server's and one of site-002");
}
