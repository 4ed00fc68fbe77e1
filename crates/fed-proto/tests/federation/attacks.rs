//! Table 5.8 of *verification.md*: relays, replays and reflection against one verifier. The rows that need a whole
//! federation are in [`super::sites`].

use cc_core::{Code, Finding, Profile, codes};
use cc_testkit::federation::{Owner, name, site};
use fed_proto::binding::Purpose;
use fed_proto::message::{Kind, Payload};
use fed_proto::role::Role;
use fed_proto::token::{Peer, RoundTerms};

use super::evil::{Actor, Round, Stage};
use super::support::{job, seconds};

/// A round whose tokens are awaited.
fn attesting(stage: &mut Stage, epoch: u64, purpose: Purpose, job: &str) -> Round {
    let mut round = stage.round(epoch, purpose, job);
    stage.open(&mut round);
    assert_eq!(stage.publish(&round).collects.len(), 1);
    stage.attest(&mut round);
    round
}

/// site-003 sends what site-003 makes of the round's terms; the code for which it is refused.
fn refused(stage: &mut Stage, round: &Round, change: impl FnOnce(&mut RoundTerms)) -> Code {
    let honest = stage.terms(round);
    let mut terms = honest.clone();
    change(&mut terms);
    let envelope = stage.actors[&site(3)].envelope(&terms);
    let seen = stage.token_as(&site(3), round, &envelope);
    assert!(seen.judges.is_empty(), "its evidence is not even looked at");
    seen.judged(&site(3)).expect("it is judged").unwrap_err()
}

#[test]
fn attack_01_the_token_of_another_under_the_own_name() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    let of_two = stage.actors[&site(2)].envelope(&stage.terms(&round));
    let seen = stage.token_as(&site(3), &round, &of_two);
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::BIND_NAME_MISMATCH)));
    // It did the one whose token it is no harm.
    assert_eq!(stage.token(&site(2), &round).judges.len(), 1);
}

#[test]
fn attack_01_the_token_of_another_renamed() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    let terms = stage.terms(&round);
    let two = &stage.actors[&site(2)];
    let renamed = Peer { name: site(3), ..two.peer() };
    let transcript = terms.transcript(&renamed, Profile::snp_raw_1(), None, None).bytes();
    let envelope = two.envelope_over(transcript, &terms);
    let seen = stage.token_as(&site(3), &round, &envelope);
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::BIND_POP_INVALID)));
}

#[test]
fn attack_02_tokens_of_another_purpose_job_or_federation() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::JobStart, &job("one", ""));
    let code = refused(&mut stage, &round, |terms| {
        terms.purpose = Purpose::Register;
        terms.job_id = String::new();
    });
    assert_eq!(code, codes::BIND_PURPOSE_MISMATCH);
    let round = attesting(&mut stage, 2, Purpose::JobStart, &job("one", ""));
    let code = refused(&mut stage, &round, |terms| terms.job_id = "0".repeat(64));
    assert_eq!(code, codes::BIND_JOB_MISMATCH);
    let round = attesting(&mut stage, 3, Purpose::Periodic, "");
    let other = Owner::new().descriptor.federation_id();
    let code = refused(&mut stage, &round, |terms| terms.federation_id = other);
    assert_eq!(code, codes::BIND_FEDERATION_MISMATCH);
}

#[test]
fn attack_02_a_signed_message_of_another_job_in_its_own_frame() {
    let mut stage = Stage::new();
    let mut first = attesting(&mut stage, 1, Purpose::JobStart, &job("one", ""));
    let envelope = stage.actors[&site(3)].envelope(&stage.terms(&first));
    first.job_id = "0".repeat(64);
    let seen = stage.token_as(&site(3), &first, &envelope);
    assert_eq!(seen.refused(), Some(codes::BIND_JOB_MISMATCH));
    assert!(seen.judges.is_empty());
}

#[test]
fn attack_03_a_token_for_another_verifier() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    // Under the root that was made without this verifier's challenge.
    let mut without = round.clone();
    without.list.remove(1);
    let other = stage.terms(&without);
    let code = refused(&mut stage, &round, |terms| *terms = other);
    assert_eq!(code, codes::BIND_ROOT_MISMATCH);
}

#[test]
fn attack_03_the_root_beside_the_transcript_is_the_rounds() {
    let mut stage = Stage::new();
    for (epoch, change) in [(1, 0), (2, 1)] {
        let round = attesting(&mut stage, epoch, Purpose::Periodic, "");
        let mut envelope = stage.actors[&site(3)].envelope(&stage.terms(&round));
        if change == 0 {
            envelope.root.0[0] ^= 1;
        } else {
            envelope.leaf_count += 1;
        }
        let seen = stage.token_as(&site(3), &round, &envelope);
        assert_eq!(seen.judged(&site(3)), Some(Err(codes::BIND_ROOT_MISMATCH)));
    }
}

#[test]
fn attack_04_an_old_token_to_the_same_verifier() {
    let mut stage = Stage::new();
    let first = attesting(&mut stage, 1, Purpose::Periodic, "");
    let old = stage.actors[&site(3)].envelope(&stage.terms(&first));
    let second = attesting(&mut stage, 2, Purpose::Periodic, "");
    let seen = stage.token_as(&site(3), &second, &old);
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN)));
}

/// NVFlare's verifiers remember the last nonces that provers chose, until they restart.
#[test]
fn d5_what_was_shown_before_a_restart_is_worth_nothing_after_it() {
    let mut before = Stage::new();
    let round = attesting(&mut before, 1, Purpose::Periodic, "");
    let envelope = before.actors[&site(3)].envelope(&before.terms(&round));
    let message = before.actor(&site(3)).sends(Kind::Token, envelope.to_bytes(), round.header(), None);
    assert_eq!(before.hand(&message).judges.len(), 1);
    // The process starts anew and remembers nothing.
    let mut after = Stage::new();
    after.bundle.clone_from(&before.bundle);
    assert_eq!(after.hand(&message).refused(), Some(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN));
    // Not even if a coordinator opens a round of the same number: the challenge is a new one.
    let mut again = after.round(1, Purpose::Periodic, "");
    after.open(&mut again);
    after.publish(&again);
    let seen = after.token_as(&site(3), &again, &envelope);
    assert!(seen.judges.is_empty());
}

#[test]
fn attack_05_a_token_after_the_deadline() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    // No tick tells the participant that time passed: it looks itself.
    stage.mono += seconds(181);
    let seen = stage.token(&site(3), &round);
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::BIND_TOKEN_TOO_OLD)));
}

/// The age of a token is counted by the verifier from its own challenge, not by its issuer.
#[test]
fn corner_case_5_the_verifier_counts_the_age_of_a_token() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    stage.mono += seconds(179);
    assert_eq!(stage.token(&site(3), &round).judges.len(), 1);
    // Judging takes until after the deadline.
    stage.mono += seconds(2);
    let seen = stage.judged(&site(3), &round, Ok(()));
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::BIND_TOKEN_TOO_OLD)));
    // The rest is settled then, too.
    let seen = stage.wait(seconds(1));
    assert_eq!(seen.judged(&site(2)), Some(Err(codes::BIND_TOKEN_TOO_OLD)));
    assert!(seen.message(Kind::Verdict).is_some());
}

#[test]
fn attack_07_another_kind_of_evidence_than_the_role_must_show() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    let terms = stage.terms(&round);
    let three = &stage.actors[&site(3)];
    let profile = Profile::parse("aci-raw-1").unwrap();
    let transcript = terms.transcript(&three.peer(), profile.clone(), None, None).bytes();
    let mut envelope = three.envelope_over(transcript, &terms);
    envelope.profile = profile;
    let seen = stage.token_as(&site(3), &round, &envelope);
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::ENV_PROFILE_NOT_ALLOWED)));
}

#[test]
fn attack_09_another_program_than_at_registration() {
    let mut stage = Stage::new();
    let first = attesting(&mut stage, 1, Purpose::Periodic, "");
    assert_eq!(stage.token(&site(3), &first).judges.len(), 1);
    let second = attesting(&mut stage, 2, Purpose::JobStart, &job("one", ""));
    let terms = stage.terms(&second);
    let three = &stage.actors[&site(3)];
    let runtime = Some(fed_proto::crypto::sha256(b"another program"));
    let transcript = terms.transcript(&three.peer(), Profile::snp_raw_1(), runtime, None).bytes();
    let envelope = three.envelope_over(transcript, &terms);
    let seen = stage.token_as(&site(3), &second, &envelope);
    assert_eq!(seen.judged(&site(3)), Some(Err(codes::FL_RUNTIME_CHANGED)));
}

#[test]
fn attack_11_what_a_peer_did_not_sign_is_not_held_against_it() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    let envelope = stage.actors[&site(3)].envelope(&stage.terms(&round));
    let mut garbled = stage.actor(&site(3)).sends(Kind::Token, envelope.to_bytes(), round.header(), None);
    *garbled.last_mut().unwrap() ^= 1;
    assert_eq!(stage.hand(&garbled).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
    for bytes in [&b""[..], b"\x80", b"garbage", &[0xff; 64], &[0x9f; 4096]] {
        assert_eq!(stage.hand(bytes).refused(), Some(codes::FL_PEER_QUARANTINED));
    }
    assert_eq!(stage.token(&site(3), &round).judges.len(), 1);
    assert!(stage.judged(&site(3), &round, Ok(())).judged(&site(3)).unwrap().is_ok());
    // What it did sign is.
    let two = stage.actor(&site(2)).sends(Kind::Token, b"no envelope".to_vec(), round.header(), None);
    let seen = stage.hand(&two);
    assert_eq!(seen.judged(&site(2)), Some(Err(codes::ENV_FORMAT_INVALID)));
}

/// The owner's bundle, as other people would have it.
#[test]
fn attack_14_a_bundle_that_is_not_the_owners_newest() {
    let cases: [(Code, fn(&Stage) -> Vec<u8>); 5] = [
        (codes::POL_SIGNATURE_INVALID, |_| b"no bundle".to_vec()),
        (codes::POL_SIGNATURE_INVALID, |stage| {
            let mut bytes = stage.owner.sign(&stage.owner.bundle(3)).to_bytes();
            *bytes.last_mut().unwrap() ^= 1;
            bytes
        }),
        (codes::POL_ROLLBACK, |stage| stage.owner.sign(&stage.owner.bundle(1)).to_bytes()),
        (codes::POL_ROLLBACK, |stage| {
            let mut second = stage.owner.bundle(2);
            second.chip_quota = 9;
            stage.owner.sign(&second).to_bytes()
        }),
        (codes::POL_ROLLBACK, |stage| {
            let mut ended = stage.owner.bundle(3);
            ended.not_after = cc_testkit::federation::WALL;
            stage.owner.sign(&ended).to_bytes()
        }),
    ];
    for (epoch, (code, bundle)) in (1..).zip(cases) {
        let mut stage = Stage::new();
        stage.bundle = bundle(&stage);
        let mut round = stage.round(epoch, Purpose::Periodic, "");
        let seen = stage.open(&mut round);
        assert_eq!(seen.refused(), Some(code), "{epoch}");
        assert!(seen.sent.is_empty());
    }
}

#[test]
fn attack_14_a_token_under_another_bundle() {
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    let code = refused(&mut stage, &round, |terms| terms.policy_digest.0[0] ^= 1);
    assert_eq!(code, codes::BIND_POLICY_MISMATCH);
}

#[test]
fn attack_16_the_own_token_comes_back() {
    let mut stage = Stage::new();
    let mut round = stage.round(1, Purpose::Periodic, "");
    stage.open(&mut round);
    stage.publish(&round);
    let sent = stage.attest(&mut round);
    let own = sent.message(Kind::Token).unwrap().clone();
    // As it was sent, and as a peer's.
    assert_eq!(stage.hand(&own.to_bytes()).refused(), Some(codes::FL_TOKEN_REFLECTED));
    let bytes = stage.actor(&site(3)).sends(Kind::Token, own.payload, round.header(), None);
    assert_eq!(stage.hand(&bytes).judged(&site(3)), Some(Err(codes::FL_TOKEN_REFLECTED)));
    for who in [name("server"), site(2)] {
        stage.token(&who, &round);
        let seen = stage.judged(&who, &round, Ok(()));
        if let Some(verdict) = seen.message(Kind::Verdict) {
            let verdict = verdict.to_bytes();
            assert_eq!(stage.hand(&verdict).refused(), Some(codes::FL_TOKEN_REFLECTED));
        }
    }
}

#[test]
fn attack_16_the_own_leaf_comes_back_under_another_name() {
    let mut stage = Stage::new();
    let mut round = stage.round(1, Purpose::Periodic, "");
    stage.open(&mut round);
    let own = round.list[1].clone();
    let leaf = fed_proto::binding::Leaf::parse(&own.leaf).unwrap();
    let renamed = fed_proto::binding::Leaf { name: site(3), ..leaf };
    round.list[3].leaf = renamed.bytes().into();
    stage.publish(&round);
    stage.attest(&mut round);
    // One key under two names: neither is a member for anybody, and nothing of it is judged.
    assert_eq!(stage.token(&site(3), &round).refused(), Some(codes::FL_PEER_QUARANTINED));
}

#[test]
fn a_verdict_speaks_for_its_own_round_root_and_verifier() {
    let mut stage = Stage::new();
    let earlier = stage.play(1, Purpose::JobStart, &job("one", ""));
    let round = stage.play(2, Purpose::JobStart, &job("one", ""));
    let parse = |bytes: &[u8]| {
        let message = fed_proto::signed::Signed::from_bytes(bytes, usize::MAX).unwrap();
        let message: fed_proto::message::VerdictMessage = message.read().unwrap();
        fed_proto::verdict::Verdict::parse(&message.bytes).unwrap()
    };
    let right = stage.verdict(&site(2), &round, &[]);
    let right = parse(&right);
    let old = stage.verdict(&site(2), &earlier, &[]);
    let mut wrong = vec![parse(&old)];
    for change in 0..6 {
        let mut verdict = right.clone();
        match change {
            0 => verdict.root.0[0] ^= 1,
            1 => verdict.verifier = site(3),
            2 => verdict.purpose = Purpose::Periodic,
            3 => verdict.epoch += 1,
            4 => verdict.job_id = "ab".repeat(32),
            _ => verdict.federation_id.0[0] ^= 1,
        }
        wrong.push(verdict);
    }
    for verdict in wrong {
        let bytes = stage.verdict_as(&site(2), &round, &verdict);
        assert_eq!(stage.hand(&bytes).refused(), Some(codes::FL_VERDICT_MISMATCH));
    }
    // A signature of somebody else inside.
    let bytes = right.bytes();
    let signature = stage.actors[&site(3)].key.sign(&bytes).0.to_vec();
    let message = fed_proto::message::VerdictMessage {
        bytes: bytes.into(),
        signature: signature.into(),
        lines: Vec::new(),
    }
    .to_bytes();
    let bytes = stage.actor(&site(2)).sends(Kind::Verdict, message, round.header(), None);
    assert_eq!(stage.hand(&bytes).refused(), Some(codes::FL_MESSAGE_UNSIGNED));
    let bytes = stage.verdict_as(&site(2), &round, &right);
    assert_eq!(stage.hand(&bytes).refused(), None);
}

#[test]
fn a_verdict_on_other_tokens_than_those_seen_here_counts_for_nothing() {
    let mut stage = Stage::new();
    let mut round = stage.play(1, Purpose::JobStart, &job("one", ""));
    for who in [name("server"), site(3)] {
        let bytes = stage.verdict(&who, &round, &[]);
        stage.hand(&bytes);
    }
    // site-002 was shown another token of this participant.
    round.honest = Some(cc_core::Binding::new([1; 64]));
    let bytes = stage.verdict(&site(2), &round, &[]);
    stage.hand(&bytes);
    let seen = stage.admit(&round, &round.members);
    assert!(seen.started().is_none());
    assert!(seen.not_admitted().unwrap().starts_with("fl.verdict.mismatch"));
}

/// A second instance of a name, with the same certificate and another key.
fn second_instance(stage: &mut Stage, who: &fed_proto::name::Name) {
    let second = Actor::new(&stage.owner, who, Role::Client, 50);
    stage.actors.insert(who.clone(), second);
}

#[test]
fn a_second_instance_that_is_refused_takes_nothing_from_the_first() {
    let mut stage = Stage::new();
    stage.running(1);
    second_instance(&mut stage, &site(3));
    let round = attesting(&mut stage, 2, Purpose::Periodic, "");
    for who in [name("server"), site(2)] {
        stage.token(&who, &round);
        stage.judged(&who, &round, Ok(()));
    }
    stage.token(&site(3), &round);
    let bad = Finding::new(codes::SNP_MEASUREMENT_UNKNOWN, "not that program");
    assert!(stage.judged(&site(3), &round, Err(bad)).stopped().is_empty());
    // Nor does what it says itself, or what others say of it.
    for (who, of) in [(site(3), site(2)), (site(3), site(1)), (site(2), site(3))] {
        let bytes = stage.verdict(&who, &round, &[(&of, codes::SNP_TCB_BELOW_MINIMUM)]);
        assert!(stage.hand(&bytes).stopped().is_empty(), "{who} about {of}");
    }
    // Somebody else takes it for the newer one.
    let bytes = stage.verdict(&name("server"), &round, &[]);
    let seen = stage.hand(&bytes);
    assert_eq!((seen.refused(), seen.stopped()), (None, Vec::new()));
    assert!(stage.wait(seconds(1)).stopped().is_empty());
}

#[test]
fn a_second_instance_that_is_accepted_ends_what_the_first_was_admitted_to() {
    let mut stage = Stage::new();
    let running = stage.running(1);
    second_instance(&mut stage, &site(3));
    let round = attesting(&mut stage, 2, Purpose::Periodic, "");
    for who in [name("server"), site(2)] {
        stage.token(&who, &round);
        stage.judged(&who, &round, Ok(()));
    }
    stage.token(&site(3), &round);
    let stopped = stage.judged(&site(3), &round, Ok(())).stopped();
    assert_eq!(stopped, [(running.job_id, codes::FL_REGISTRATION_STALE_INSTANCE)]);
}

#[test]
fn a_reject_stops_what_the_pair_shares_and_silence_does_not() {
    let quiet =
        [codes::FL_MEMBER_MISSING, codes::BIND_TOKEN_TOO_OLD, codes::FL_MEMBER_BUSY, codes::SNP_CRL_MISSING];
    let mut stage = Stage::new();
    let running = stage.running(1);
    for (epoch, code) in (2..).zip(quiet) {
        stage.wait(seconds(10));
        let round = stage.play(epoch, Purpose::Periodic, "");
        let bytes = stage.verdict(&site(2), &round, &[(&site(3), code.clone())]);
        assert!(stage.hand(&bytes).stopped().is_empty(), "{code}");
    }
    stage.wait(seconds(10));
    let round = stage.play(9, Purpose::Periodic, "");
    let bytes = stage.verdict(&site(2), &round, &[(&site(3), codes::SNP_TCB_BELOW_MINIMUM)]);
    assert_eq!(stage.hand(&bytes).stopped(), [(running.job_id, codes::SNP_TCB_BELOW_MINIMUM)]);
}

#[test]
fn a_newer_bundle_is_adopted_first_and_ends_what_it_revokes() {
    let mut stage = Stage::new();
    let running = stage.running(1);
    let under_way = attesting(&mut stage, 2, Purpose::Periodic, "");
    let mut third = stage.owner.bundle(3);
    third.revoked_names.insert(site(3));
    let older = std::mem::replace(&mut stage.bundle, stage.owner.sign(&third).to_bytes());
    let mut round = stage.round(3, Purpose::Periodic, "");
    let seen = stage.open(&mut round);
    assert_eq!(seen.stopped(), [(running.job_id, codes::FL_MEMBER_UNKNOWN)]);
    assert_eq!(stage.agent.bundle().version, 3);
    assert!(seen.message(Kind::Contribution).is_some());
    // A round under way goes on under the bundle that it was opened under.
    stage.bundle = older;
    assert_eq!(stage.token(&site(2), &under_way).judges.len(), 1);
    // No other is opened under it.
    let mut back = stage.round(4, Purpose::Periodic, "");
    assert_eq!(stage.open(&mut back).refused(), Some(codes::POL_ROLLBACK));
}

#[test]
fn nothing_is_admitted_under_a_bundle_that_ended() {
    let mut stage = Stage::new();
    let mut short = stage.owner.bundle(3);
    short.not_after = cc_core::UnixTime::from_secs(cc_testkit::federation::WALL.as_secs() + 60);
    stage.bundle = stage.owner.sign(&short).to_bytes();
    let round = stage.play(1, Purpose::JobStart, &job("one", ""));
    stage.all_accept(&round);
    stage.wait(seconds(60));
    let seen = stage.admit(&round, &round.members);
    assert!(seen.started().is_none());
    assert!(seen.not_admitted().unwrap().starts_with("pol.rollback"));
    let mut next = stage.round(2, Purpose::Periodic, "");
    assert_eq!(stage.open(&mut next).refused(), Some(codes::POL_ROLLBACK));
}

/// NVFlare's client verified itself where the server showed nothing.
#[test]
fn d3_registration_is_mutual() {
    let registered = |stage: &mut Stage, epoch: u64| {
        let notice = fed_proto::message::Notice { code: "registered".to_owned(), text: String::new() };
        let bytes = stage.server().sends(Kind::Notice, notice.to_bytes(), (epoch, ""), Some(&site(1)));
        stage.hand(&bytes)
    };
    let says_so = |seen: &super::evil::Seen| {
        let event = seen.events.iter().any(|event| matches!(event, fed_proto::round::Event::Registered));
        assert_eq!(event, seen.message(Kind::ChannelProof).is_some(), "it proves itself then and only then");
        event
    };
    // The server's evidence is refused.
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Register, "");
    assert!(stage.token(&site(2), &round).judges.is_empty(), "sites do not judge each other here");
    stage.token(&name("server"), &round);
    assert!(!says_so(&registered(&mut stage, 1)), "it is not judged yet");
    let bad = Finding::new(codes::SNP_POLICY_DEBUG, "a debug guest");
    assert!(!says_so(&stage.judged(&name("server"), &round, Err(bad))));
    assert!(!says_so(&registered(&mut stage, 1)));
    assert!(stage.connect().message(Kind::ChannelProof).is_none());
    // It shows nothing at all.
    let mut stage = Stage::new();
    attesting(&mut stage, 1, Purpose::Register, "");
    assert!(!says_so(&registered(&mut stage, 1)));
    stage.wait(seconds(181));
    assert!(!says_so(&registered(&mut stage, 1)));
    // It is accepted, before or after it says so.
    let mut stage = Stage::new();
    let round = attesting(&mut stage, 1, Purpose::Register, "");
    stage.token(&name("server"), &round);
    assert!(!says_so(&registered(&mut stage, 1)));
    assert!(says_so(&stage.judged(&name("server"), &round, Ok(()))));
    let round = attesting(&mut stage, 2, Purpose::Register, "");
    stage.token(&name("server"), &round);
    assert!(!says_so(&stage.judged(&name("server"), &round, Ok(()))));
    assert!(says_so(&registered(&mut stage, 2)));
}

#[test]
fn certificates_end_also_while_a_bundle_stands() {
    let mut stage = Stage::new();
    let until = cc_testkit::federation::WALL.as_secs() + 300;
    let key = stage.actors[&site(3)].key.public();
    let enrolled = stage.owner.enrol_until(&site(3), Role::Client, Some(until));
    let federation_id = stage.owner.descriptor.federation_id();
    let identity = enrolled.identity(&federation_id, &stage.actors[&site(3)].key, [3; 16]);
    stage.actor(&site(3)).identity = identity;
    assert_eq!(stage.actors[&site(3)].identity.key().unwrap(), key);
    let round = attesting(&mut stage, 1, Purpose::Periodic, "");
    assert_eq!(stage.token(&site(3), &round).judges.len(), 1);
    stage.wait(seconds(601));
    let mut round = stage.round(2, Purpose::Periodic, "");
    stage.open(&mut round);
    stage.publish(&round);
    assert_eq!(stage.token(&site(3), &round).refused(), Some(codes::FL_PEER_QUARANTINED));
}
