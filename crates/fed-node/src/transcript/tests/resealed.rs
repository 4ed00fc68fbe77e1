//! What a writer can claim falsely, with its own key: everything that others signed or that can be judged again is found.

use cc_core::Code;
use cc_testkit::federation::{name, site};
use fed_proto::binding::Purpose;
use fed_proto::message::{Kind, MAX_DOWNWARD, Payload as _, VerdictMessage};
use fed_proto::name::Name;
use fed_proto::signed::Signed;
use fed_proto::verdict::{Verdict, accepted_digest};

use super::super::line::Refused;
use super::super::record::Transcript;
use super::super::report::Outcome;
use super::super::value::{Blob, Hex, Time, What};
use super::rig::{Kept, Rig, UNTIL, differences, policy, verify};

fn rig() -> (Rig, Kept) {
    let mut rig = Rig::registered(3, |_| {});
    rig.job(3);
    let kept = rig.last(&site(1), Purpose::JobStart);
    (rig, kept)
}

fn kind(bytes: &[u8]) -> Kind {
    Kind::from_number(Signed::from_bytes(bytes, MAX_DOWNWARD).unwrap().header.kind).unwrap()
}

fn message(transcript: &mut Transcript, wanted: Kind, sender: &str) -> usize {
    let found = transcript.messages.iter().position(|bytes| {
        kind(bytes) == wanted
            && Signed::from_bytes(bytes, MAX_DOWNWARD).unwrap().header.sender.as_str() == sender
    });
    found.unwrap()
}

type Edit = Box<dyn Fn(&mut Transcript)>;

fn edit(edit: impl Fn(&mut Transcript) + 'static) -> Edit {
    Box::new(edit)
}

#[test]
fn what_others_signed_cannot_be_claimed_otherwise() {
    let (rig, kept) = rig();
    let earlier = rig.last(&site(1), Purpose::Register).transcript;
    let foreign = earlier.messages[0].clone();
    let cases: Vec<(&str, &str, &str, Edit)> = vec![
        ("verifier", "fl.root.own_leaf_missing", "own leaf", edit(|t| t.head.verifier = site(2))),
        ("stranger", "fl.root.own_leaf_missing", "own leaf", edit(|t| t.head.verifier = site(9))),
        ("epoch", "tr.format.invalid", "message 1", edit(|t| t.head.epoch += 1)),
        ("purpose", "bind.purpose.mismatch", "Open", edit(|t| t.head.purpose = What(Purpose::Periodic))),
        ("job", "tr.format.invalid", "message 1", edit(|t| t.head.job_id = "0".repeat(64))),
        ("root", "fl.root.malformed", "root", edit(|t| t.head.root.0[0] ^= 1)),
        ("bundle", "pol.signature.invalid", "bundle", edit(|t| *t.bundle.last_mut().unwrap() ^= 1)),
        ("no bundle", "pol.signature.invalid", "bundle", edit(|t| t.bundle.clear())),
        ("path", "fl.root.own_leaf_missing", "own leaf", edit(|t| t.path.siblings[0].0[0] ^= 1)),
        ("path index", "fl.root.own_leaf_missing", "own leaf", edit(|t| t.path.index ^= 1)),
        ("path count", "fl.root.own_leaf_missing", "own leaf", edit(|t| t.path.count = u32::MAX)),
        ("no path", "fl.root.own_leaf_missing", "own leaf", edit(|t| t.path.siblings.clear())),
        ("no messages", "tr.format.invalid", "messages", edit(|t| t.messages.clear())),
        (
            "message of another round",
            "tr.format.invalid",
            "message 1",
            edit(move |t| t.messages.insert(0, foreign.clone())),
        ),
        (
            "changed token",
            "fl.message.unsigned",
            "message 5 (Token of site-002)",
            edit(|t| {
                let at = message(t, Kind::Token, "site-002");
                let mut signed = Signed::from_bytes(&t.messages[at], MAX_DOWNWARD).unwrap();
                signed.payload.push(0);
                let changed = signed.to_bytes();
                t.messages.remove(at);
                t.messages.insert(4, changed);
            }),
        ),
        (
            "token twice",
            "fl.message.replayed",
            "",
            edit(|t| {
                let at = message(t, Kind::Token, "site-002");
                let again = t.messages[at].clone();
                t.messages.insert(at, again);
            }),
        ),
        (
            "token under another name",
            "fl.message.unsigned",
            "",
            edit(|t| {
                let at = message(t, Kind::Token, "site-002");
                let mut signed = Signed::from_bytes(&t.messages[at], MAX_DOWNWARD).unwrap();
                signed.header.sender = site(3);
                t.messages[at] = signed.to_bytes();
            }),
        ),
        (
            "a message of nobody",
            "tr.format.invalid",
            "",
            edit(|t| {
                let at = message(t, Kind::Token, "site-002");
                let mut signed = Signed::from_bytes(&t.messages[at], MAX_DOWNWARD).unwrap();
                signed.header.sender = site(9);
                t.messages[at] = signed.to_bytes();
            }),
        ),
        ("garbage", "tr.format.invalid", "message 3", edit(|t| t.messages[2] = vec![0xff; 40])),
        (
            "no own verdict",
            "tr.format.invalid",
            "messages",
            edit(|t| {
                let at = message(t, Kind::Verdict, "site-001");
                t.messages.remove(at);
            }),
        ),
        (
            "no Publish",
            "tr.format.invalid",
            "messages",
            edit(|t| {
                let at = message(t, Kind::Publish, "server");
                t.messages.remove(at);
            }),
        ),
        (
            "another object",
            "tr.format.invalid",
            "file",
            edit(|t| t.objects.values_mut().next().unwrap().push(0)),
        ),
        (
            "an object of nobody",
            "tr.format.invalid",
            "file",
            edit(|t| drop(t.objects.insert(fed_proto::crypto::sha256(b"x"), b"x".to_vec()))),
        ),
        ("version", "tr.format.invalid", "file", edit(|t| t.head.version = 2)),
        ("descriptor", "tr.format.invalid", "descriptor", edit(|t| t.head.descriptor.push_str("more = 1"))),
    ];
    for (what, code, place, edit) in cases {
        let report = verify(&rig.resealed(&kept, edit), Some(rig.descriptor()), None);
        assert_eq!(report.outcome, Outcome::NotAuthentic, "{what}: {:?}", report.differences);
        let found = differences(&report);
        assert_eq!(found.len(), 1, "{what}");
        assert_eq!(found[0].0, code, "{what}: {:?}", report.differences);
        assert!(place.is_empty() || found[0].1 == place, "{what}: {:?}", report.differences);
    }
}

#[test]
fn what_can_be_judged_again_cannot_be_claimed_otherwise() {
    let (rig, kept) = rig();
    let cases: Vec<(&str, &str, &str, Edit)> = vec![
        (
            "a refusal where it was an acceptance",
            "tr.replay.differs",
            "judgement of site-002: outcome",
            edit(|t| {
                t.judgements[1].code = Some("snp.crl.missing".to_owned());
                t.judgements[1].detail = Some("no list".to_owned());
            }),
        ),
        (
            "floors that do not show in the verdict",
            "tr.replay.differs",
            "judgement of site-002: outcome",
            edit(|t| t.judgements[1].code = Some("coll.rollback".to_owned())),
        ),
        (
            "another instant",
            "snp.crl.expired",
            "judgement of site-003: outcome",
            edit(|t| t.judgements[2].at = Time(UNTIL)),
        ),
        (
            "other hardware",
            "tr.replay.differs",
            "judgement of site-002: hardware",
            edit(|t| t.judgements[1].identifiers.as_mut().unwrap().chip = Some(Blob(b"other".to_vec()))),
        ),
        (
            "another appraisal",
            "tr.replay.differs",
            "judgement of site-002: appraisals",
            edit(|t| drop(t.judgements[1].appraisals.pop())),
        ),
        (
            "another binding",
            "tr.replay.differs",
            "judgement of site-002: expected binding",
            edit(|t| t.judgements[1].expected = hex::encode([0; 64])),
        ),
        (
            "another floor",
            "tr.replay.differs",
            "judgement of site-002: the owner's policy",
            edit(|t| t.judgements[1].floor = None),
        ),
        (
            "other launch data",
            "tr.replay.differs",
            "judgement of server: init data",
            edit(|t| t.judgements[0].init_data = None),
        ),
        (
            "another trust class",
            "tr.replay.differs",
            "judgement of site-002: trust class",
            edit(|t| t.judgements[1].plugin.as_mut().unwrap().trust_class = "hardware".to_owned()),
        ),
        (
            "another policy",
            "tr.replay.differs",
            "judgement of server: the site's policy",
            edit(|t| t.policy.text = policy("a milder one")),
        ),
        (
            "no policy",
            "pol.format.invalid",
            "the site's policy",
            edit(|t| t.policy.text = "version = 1".to_owned()),
        ),
        (
            "a token less",
            "tr.replay.differs",
            "judgement of site-002",
            edit(|t| {
                let at = message(t, Kind::Token, "site-002");
                t.messages.remove(at);
            }),
        ),
        (
            "the verdict line",
            "tr.replay.differs",
            "verdict line",
            edit(|t| t.verdict.signature = Hex([1; 64])),
        ),
        (
            "the reasons",
            "tr.replay.differs",
            "reasons",
            edit(|t| {
                let refused = Refused { name: site(2), code: "x.y".to_owned(), detail: String::new() };
                t.verdict.refused.push(refused);
            }),
        ),
    ];
    for (what, code, place, edit) in cases {
        let report = verify(&rig.resealed(&kept, edit), Some(rig.descriptor()), None);
        assert_eq!(report.outcome, Outcome::Differs, "{what}");
        assert_eq!(differences(&report)[0], (code, place), "{what}: {:?}", report.differences);
    }
    // A judgement less: nothing is accepted on somebody's word.
    let gone = rig.resealed(&kept, |t| {
        let judging = t.judgements.remove(1);
        t.objects.remove(&fed_proto::crypto::Digest(judging.evidence.0));
        t.objects.remove(&fed_proto::crypto::sha256(b"certificate of site-002"));
    });
    let report = verify(&gone, Some(rig.descriptor()), None);
    assert_eq!(
        (report.outcome, differences(&report)),
        (Outcome::Differs, vec![("tr.replay.differs", "verdict on site-002")])
    );
    // What came with the token is judged with, whatever the file says was used.
    let hint = rig.resealed(&kept, |t| {
        t.judgements[1].endorsements.remove(0);
        t.objects.remove(&fed_proto::crypto::sha256(b"certificate of site-002"));
    });
    assert_eq!(verify(&hint, Some(rig.descriptor()), None).outcome, Outcome::Same);
    // What did not come with it and is not in the file is missing.
    let list = rig.resealed(&kept, |t| {
        for judging in &mut t.judgements {
            judging.endorsements.pop();
        }
        t.objects.retain(|_, bytes| !bytes.starts_with(b"list"));
    });
    let report = verify(&list, Some(rig.descriptor()), None);
    assert_eq!(differences(&report)[0], ("snp.crl.missing", "judgement of server: outcome"));
}

#[test]
fn a_verifier_that_accepts_what_it_must_not_is_found() {
    let mut rig = Rig::registered(2, |_| {});
    {
        let mut state = rig.state.borrow_mut();
        state.machines.insert(site(2), super::rig::Machine { chip: "site-002".to_owned(), firmware: "old" });
        state.liars.insert(site(1));
    }
    rig.job(2);
    let honest = rig.last(&name("server"), Purpose::JobStart);
    assert_eq!(verify(&honest.bytes, Some(rig.descriptor()), None).outcome, Outcome::Same);
    let kept = rig.last(&site(1), Purpose::JobStart);
    assert!(kept.concluded.accepted.contains(&site(2)));
    let report = verify(&kept.bytes, Some(rig.descriptor()), None);
    assert_eq!(report.outcome, Outcome::Differs);
    let found = differences(&report);
    assert!(found.contains(&("snp.tcb.below_minimum", "judgement of site-002: outcome")), "{found:?}");
    let verdict = report.differences.iter().find(|one| one.place == "verdict on site-002").unwrap();
    assert_eq!(verdict.recorded, "accepted");
    assert!(verdict.found.starts_with("refused: snp.tcb.below_minimum"));
    let verdicts = report.verdict.unwrap();
    assert_ne!(verdicts.recorded, verdicts.found);
}

/// Has the writer refuse a peer that it accepted, in a verdict that it signs.
fn refuse(rig: &Rig, t: &mut Transcript, subject: &str, code: &str) {
    let key = &rig.federation.sites[&site(1)].agent.as_ref().unwrap().me().key;
    let at = message(t, Kind::Verdict, "site-001");
    let signed = Signed::from_bytes(&t.messages[at], MAX_DOWNWARD).unwrap();
    let mut verdict = Verdict::parse(&signed.read::<VerdictMessage>().unwrap().bytes).unwrap();
    let code = Code::parse(code).unwrap();
    verdict.refused.push((name(subject), code.clone()));
    let bindings: Vec<(Name, cc_core::Binding)> = t
        .judgements
        .iter()
        .filter(|line| line.subject != subject)
        .map(|line| (name(&line.subject), cc_core::Binding::from_hex(&line.expected).unwrap()))
        .collect();
    verdict.accepted = accepted_digest(bindings.iter().map(|(name, binding)| (name, binding)));
    let bytes = verdict.bytes();
    let signature = key.sign(&bytes).0;
    t.verdict.bytes = Blob(bytes.clone());
    t.verdict.signature = Hex(signature);
    t.verdict.refused.push(Refused {
        name: name(subject),
        code: code.to_string(),
        detail: "as I say".to_owned(),
    });
    let payload =
        VerdictMessage { bytes: bytes.into(), signature: signature.to_vec().into(), lines: Vec::new() }
            .to_bytes();
    let federation_id = rig.descriptor().federation_id();
    t.messages[at] = Signed::new(&federation_id, signed.header, payload, key).to_bytes();
}

#[test]
fn a_refusal_on_the_verifiers_word_must_fit_the_file() {
    let (rig, kept) = rig();
    for (code, word) in [
        ("bind.token.too_old", true),
        ("fl.runtime.changed", true),
        ("clk.untrusted", false),
        ("coll.rollback", false),
        ("coll.floors.unavailable", false),
        ("fl.member.missing", false),
        ("fl.member.unknown", false),
        ("bind.root.mismatch", false),
        ("snp.crl.missing", false),
        ("fl.sybil.same_guest", false),
    ] {
        let edited = rig.resealed(&kept, |t| refuse(&rig, t, "site-002", code));
        let report = verify(&edited, Some(rig.descriptor()), None);
        let words: Vec<_> = report.words.iter().map(|word| word.code.as_str()).collect();
        if word {
            assert_eq!((report.outcome, words), (Outcome::Same, vec![code]), "{:?}", report.differences);
        } else {
            assert_eq!((report.outcome, words), (Outcome::Differs, vec![]), "{code}");
            assert_eq!(differences(&report), [("tr.replay.differs", "verdict on site-002")], "{code}");
        }
    }
    // Without a judgement, a clock that could not be trusted explains it.
    for (code, outcome) in [("clk.untrusted", Outcome::Same), ("snp.crl.missing", Outcome::Differs)] {
        let edited = rig.resealed(&kept, |t| {
            refuse(&rig, t, "site-002", code);
            t.judgements.retain(|line| line.subject != "site-002");
            let unused = |bytes: &[u8]| bytes.starts_with(b"site-002") || bytes == b"certificate of site-002";
            t.objects.retain(|_, bytes| !unused(bytes));
        });
        let report = verify(&edited, Some(rig.descriptor()), None);
        assert_eq!(report.outcome, outcome, "{code}: {:?}", report.differences);
    }
}

#[test]
fn silence_refuses_and_never_accepts() {
    let (rig, kept) = rig();
    // Without the server's word about absence, silence is still silence.
    let mut muted = Rig::registered(2, |_| {});
    muted.federation.sites.get_mut(&site(2)).unwrap().mute = true;
    muted.job(2);
    let silent = muted.last(&site(1), Purpose::JobStart);
    let without = muted.resealed(&silent, |t| t.messages.retain(|bytes| kind(bytes) != Kind::Closed));
    let report = verify(&without, Some(muted.descriptor()), None);
    assert_eq!((report.outcome, report.words.len()), (Outcome::Same, 1));
    // Nobody is accepted by silence.
    let gone = rig.resealed(&kept, |t| {
        let at = message(t, Kind::Token, "site-003");
        t.messages.remove(at);
        t.judgements.pop();
        let unused = |bytes: &[u8]| bytes.starts_with(b"site-003") || bytes == b"certificate of site-003";
        t.objects.retain(|_, bytes| !unused(bytes));
    });
    let report = verify(&gone, Some(rig.descriptor()), None);
    assert_eq!(report.outcome, Outcome::Differs);
    assert_eq!(differences(&report), [("bind.token.too_old", "verdict on site-003")]);
}
