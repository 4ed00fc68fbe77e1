//! Transcripts as they are written: they verify to the same verdict, and to another one for another instant.

use std::time::Duration;

use cc_core::{Code, UnixTime, codes};
use cc_testkit::federation::{Owner, name, site};
use fed_proto::binding::Purpose;

use super::super::report::{DescriptorFrom, Outcome, Report, Tokens};
use super::rig::{Machine, Rig, SINCE, UNTIL, differences, verify};

fn machine(chip: &str, firmware: &'static str) -> Machine {
    Machine { chip: chip.to_owned(), firmware }
}

fn refused(report: &Report) -> Vec<(&str, &str)> {
    let refused = report
        .judged
        .iter()
        .filter_map(|one| Some((one.subject.as_str(), one.found.as_ref()?.code.as_str())));
    refused.collect()
}

#[test]
fn every_transcript_of_a_federation_verifies_to_the_same_verdict() {
    let mut rig = Rig::registered(4, |_| {});
    // So that messages of a round come at different times.
    rig.federation.faults.delay = Duration::from_millis(400);
    rig.job(4);
    rig.federation.run(Duration::from_secs(400));
    let kept = rig.kept();
    for purpose in [Purpose::Register, Purpose::Periodic, Purpose::JobStart] {
        for verifier in [name("server"), site(1), site(4)] {
            assert!(
                kept.iter().any(|kept| kept.purpose == purpose && kept.verifier == verifier),
                "{purpose}"
            );
        }
    }
    let mut others = 0;
    for kept in &kept {
        let report = verify(&kept.bytes, Some(rig.descriptor()), None);
        assert_eq!(differences(&report), [], "{} {}", kept.verifier, kept.purpose);
        assert_eq!((report.outcome, report.descriptor), (Outcome::Same, DescriptorFrom::Given));
        let verdicts = report.verdict.unwrap();
        assert_eq!(verdicts.recorded, verdicts.found);
        assert_eq!(verdicts.recorded, kept.transcript.verdict.bytes.0);
        assert_eq!(report.words, []);
        let expected = match (kept.purpose, kept.verifier == name("server")) {
            (Purpose::Register, false) => 1,
            _ => kept.concluded.accepted.len(),
        };
        assert_eq!(report.judged.len(), expected);
        others += report.others.len();
        for other in report.others {
            assert_eq!(
                (other.accepts, other.refused.len()),
                (Tokens::Same, 0),
                "{} of {}",
                other.verifier,
                kept.verifier
            );
        }
    }
    assert!(others > 0, "some verdicts of others come before the own one");
}

#[test]
fn whatever_the_network_does_the_verdict_comes_out_again() {
    let (mut transcripts, mut refusals, mut words) = (0, 0, 0);
    for seed in 0..24 {
        let mut rig = Rig::new(seed, 4, |state| {
            state.machines.insert(site(2), machine("shared", "new"));
            state.machines.insert(site(3), machine("shared", "new"));
            state.machines.insert(site(4), machine("site-004", "old"));
        });
        let faults = &mut rig.federation.faults;
        faults.delay = Duration::from_millis(100 * (seed % 8));
        (faults.loss, faults.duplication, faults.reorder) = (seed % 6, seed % 3 * 10, seed % 2 == 1);
        rig.federation.start_all();
        rig.federation.run(Duration::from_secs(60));
        rig.federation.sites.get_mut(&site(1)).unwrap().mute = seed % 5 == 0;
        rig.job(4);
        rig.federation.run(Duration::from_secs(900));
        for kept in rig.kept() {
            let report = verify(&kept.bytes, Some(rig.descriptor()), None);
            let what = format!("{} {} {}", kept.verifier, kept.purpose, kept.concluded.epoch);
            assert_eq!(differences(&report), [], "{what}, seed {seed}");
            assert_eq!(report.outcome, Outcome::Same, "{what}, seed {seed}");
            transcripts += 1;
            refusals += refused(&report).len();
            words += report.words.len();
        }
    }
    println!("{transcripts} transcripts, {refusals} refusals, {words} of them on word");
    assert!(transcripts > 100 && refusals > 100 && words > 10);
}

#[test]
fn refusals_are_verified_like_acceptances() {
    let mut rig = Rig::registered(3, |state| {
        state.machines.insert(site(2), machine("site-002", "new"));
    });
    rig.state.borrow_mut().machines.insert(site(2), machine("site-002", "old"));
    rig.job(3);
    for verifier in [name("server"), site(1), site(3)] {
        let kept = rig.last(&verifier, Purpose::JobStart);
        let report = verify(&kept.bytes, Some(rig.descriptor()), None);
        assert_eq!((report.outcome, differences(&report)), (Outcome::Same, vec![]));
        assert_eq!(refused(&report), [("site-002", "snp.tcb.below_minimum")]);
    }
}

#[test]
fn rules_over_the_whole_round_are_applied_again() {
    let mut rig = Rig::registered(3, |_| {});
    for number in [2, 3] {
        rig.state.borrow_mut().machines.insert(site(number), machine("one-chip", "new"));
    }
    rig.job(3);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let report = verify(&kept.bytes, Some(rig.descriptor()), None);
    assert_eq!((report.outcome, differences(&report)), (Outcome::Same, vec![]));
    assert_eq!(
        refused(&report),
        [("site-002", "fl.platform.concurrent"), ("site-003", "fl.platform.concurrent")]
    );
}

#[test]
fn silence_is_the_verifiers_word() {
    let mut rig = Rig::registered(3, |_| {});
    rig.federation.sites.get_mut(&site(3)).unwrap().mute = true;
    rig.job(3);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let report = verify(&kept.bytes, Some(rig.descriptor()), None);
    assert_eq!((report.outcome, differences(&report)), (Outcome::Same, vec![]));
    let words: Vec<_> = report.words.iter().map(|word| (word.subject.as_str(), word.code.clone())).collect();
    assert_eq!(words, [("site-003", codes::FL_MEMBER_MISSING)]);
}

#[test]
fn floors_are_the_verifiers_word() {
    let mut rig = Rig::registered(2, |_| {});
    rig.state.borrow_mut().floors.insert(site(1));
    rig.job(2);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let report = verify(&kept.bytes, Some(rig.descriptor()), None);
    assert_eq!((report.outcome, differences(&report)), (Outcome::Same, vec![]));
    assert_eq!(report.words.len(), 2);
    assert!(report.words.iter().all(|word| word.code == codes::COLL_ROLLBACK));
}

#[test]
fn another_instant_is_judged_for_itself_and_its_differences_are_explained() {
    let mut rig = Rig::registered(2, |_| {});
    rig.job(2);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let within = UnixTime::from_secs(UNTIL.as_secs() - 1);
    let report = verify(&kept.bytes, Some(rig.descriptor()), Some(within));
    assert_eq!((report.outcome, report.replayed_at), (Outcome::Same, Some(within)));
    for outside in [UnixTime::from_secs(SINCE.as_secs() - 1), UNTIL] {
        let report = verify(&kept.bytes, Some(rig.descriptor()), Some(outside));
        assert_eq!(report.outcome, Outcome::Differs);
        assert_eq!(refused(&report), [("server", "snp.crl.expired"), ("site-002", "snp.crl.expired")]);
        let first = &report.differences[0];
        assert_eq!(
            (first.code.clone(), first.place.as_str()),
            (codes::SNP_CRL_EXPIRED, "judgement of server: outcome")
        );
        assert!(first.recorded.starts_with("accepted as of 2026-06-01T"), "{first:?}");
        assert!(first.found.contains(&format!("as of {outside}: the list is not of that time")), "{first:?}");
        assert_eq!(differences(&report).last(), Some(&("snp.crl.expired", "verdict on site-002")));
    }
    // The owner's bundle ends a year after it was made.
    let late = UnixTime::from_secs(UNTIL.as_secs() + 366 * 86_400);
    let report = verify(&kept.bytes, Some(rig.descriptor()), Some(late));
    assert_eq!(differences(&report)[0], ("pol.rollback", "bundle"));
}

#[test]
fn the_callers_descriptor_is_believed_and_not_the_files() {
    let mut rig = Rig::registered(1, |_| {});
    rig.job(1);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let report = verify(&kept.bytes, None, None);
    assert_eq!((report.outcome, report.descriptor), (Outcome::Same, DescriptorFrom::File));
    assert!(report.notes[0].contains("the one that the file names"));
    let other = Owner::new().descriptor;
    let report = verify(&kept.bytes, Some(&other), None);
    assert_eq!(report.outcome, Outcome::NotAuthentic);
    assert_eq!(differences(&report), [("bind.federation.mismatch", "descriptor")]);
    let mut server = rig.descriptor().clone();
    server.server = name("site-001");
    let report = verify(&kept.bytes, Some(&server), None);
    assert_eq!(differences(&report), [("fl.name.unauthenticated", "Open")]);
}

#[test]
fn a_summary_says_what_it_is_about() {
    let mut rig = Rig::registered(1, |_| {});
    rig.job(1);
    let kept = rig.last(&site(1), Purpose::JobStart);
    let summary = verify(&kept.bytes, None, None).summary.unwrap();
    assert_eq!(summary.federation_id, rig.descriptor().federation_id());
    assert_eq!((summary.epoch, &summary.job_id), (kept.concluded.epoch, &kept.concluded.job_id));
    assert_eq!(summary.root, kept.concluded.root);
    let shown = super::super::show(&kept.bytes).unwrap();
    assert_eq!(shown.summary, summary);
    assert_eq!(shown.judgements.len(), 1);
    assert_eq!(shown.judgements[0].subject, "server");
    assert_eq!(shown.verdicts[0].verifier, site(1));
    assert_eq!(Code::parse("tr.chain.broken"), Ok(codes::TR_CHAIN_BROKEN));
}
