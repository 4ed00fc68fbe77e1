//! Whatever fails at one participant ends nothing at another one, and what is said about it shows nothing.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use cc_core::{Finding, codes};
use cc_testkit::federation::{Federation, name, site};
use fed_proto::coordinator::{ServerEvent, Standing};
use fed_proto::envelope::Envelope;
use fed_proto::message::Kind;
use fed_proto::name::Name;
use fed_proto::round::Event;
use fed_proto::signed::Signed;

use super::support::{job, outcome, reason, registered, scheduled, seconds};

/// Four sites, and a job that runs at the first three of them.
fn running(seed: u64) -> (Federation, String) {
    let mut federation = registered(seed, 4);
    let three: Vec<Name> = (1..=3).map(site).collect();
    let id = federation.attempt(&job("one", ""), 1, &three.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(&mut federation, 1)).len(), 4);
    (federation, id)
}

fn runs_at_three(federation: &Federation, id: &str) -> bool {
    (1..=3).all(|number| federation.sites[&site(number)].running.contains_key(id))
        && federation.server.running.contains_key(id)
}

/// NVFlare's manager raised where it should have answered that it has no evidence.
#[test]
fn d7_a_collection_that_fails_is_an_absence_from_one_round() {
    let (mut federation, id) = running(301);
    let broken = Finding::new(codes::SNP_COLLECT_THROTTLED, "the firmware is busy");
    federation.sites.get_mut(&site(4)).unwrap().broken = Some(broken.clone());
    let all: Vec<Name> = (1..=4).map(site).collect();
    federation.attempt(&job("two", ""), 1, &all.iter().collect::<Vec<_>>());
    let why = reason(&outcome(&mut federation, 2));
    assert!(why.contains("site-004: fl.member.missing"), "{why}");
    let said = &federation.sites[&site(4)].abstained;
    assert!(matches!(said.as_slice(), [(_, finding)] if *finding == broken), "{said:?}");
    let server = federation.server.coordinator.as_ref().unwrap();
    let standing = server.sites().find(|(name, _)| **name == site(4)).map(|(_, site)| site.standing());
    assert_eq!(standing, Some(Standing::Grace), "nothing was said against it");
    assert!(federation.sites[&site(4)].turned_away.is_empty() && runs_at_three(&federation, &id));
    // It takes part again as soon as its hardware answers.
    federation.sites.get_mut(&site(4)).unwrap().broken = None;
    federation.run(seconds(20));
    federation.attempt(&job("three", ""), 1, &all.iter().collect::<Vec<_>>());
    assert_eq!(scheduled(&outcome(&mut federation, 3)).len(), 5);
}

/// NVFlare's server, and every client, ended the whole system when one site failed.
#[test]
fn corner_case_9_whatever_fails_at_one_site_ends_nobody_else() {
    let old = || Finding::new(codes::SNP_TCB_BELOW_MINIMUM, "old firmware");
    let everybody = || ["server", "site-001", "site-002", "site-003"].map(name);
    let faults: [(&str, Box<dyn Fn(&mut Federation)>); 7] = [
        (
            "is refuted by all",
            Box::new(move |federation| {
                federation.policy.extend(everybody().map(|verifier| ((verifier, site(4)), old())));
            }),
        ),
        (
            "refutes all, the server too",
            Box::new(move |federation| {
                federation.policy.extend(everybody().map(|subject| ((site(4), subject), old())));
            }),
        ),
        (
            "has no hardware",
            Box::new(|federation| {
                let made_up = |over: [u8; 64]| over.to_vec();
                federation.sites.get_mut(&site(4)).unwrap().forge = Some(Box::new(made_up));
            }),
        ),
        (
            "cannot collect",
            Box::new(|federation| {
                let broken = Finding::new(codes::SNP_COLLECT_NO_DEVICE, "no device");
                federation.sites.get_mut(&site(4)).unwrap().broken = Some(broken);
            }),
        ),
        ("says nothing", Box::new(|f| f.sites.get_mut(&site(4)).unwrap().mute = true)),
        (
            "says what is no message",
            Box::new(|federation| {
                let garbage = |_| vec![vec![0x9f; 100]];
                federation.sites.get_mut(&site(4)).unwrap().tamper = Some(Box::new(garbage));
            }),
        ),
        ("dies", Box::new(|federation| federation.crash(&site(4)))),
    ];
    for (seed, (fault, inject)) in (310..).zip(&faults) {
        let (mut federation, id) = running(seed);
        inject(&mut federation);
        // Periodic rounds, a job with it, one without it.
        federation.run(seconds(700));
        let all: Vec<Name> = (1..=4).map(site).collect();
        federation.attempt(&job("with", "min_sites = 4"), 1, &all.iter().collect::<Vec<_>>());
        reason(&outcome(&mut federation, 2));
        federation.run(seconds(700));
        assert!(runs_at_three(&federation, &id), "site-004 {fault}");
        assert!(all[..3].iter().all(|site| federation.online().contains(site)), "site-004 {fault}");
        assert!(all[..3].iter().all(|site| federation.sites[site].turned_away.is_empty()), "{fault}");
        federation.attempt(&job("without", "min_sites = 3"), 1, &all[..3].iter().collect::<Vec<_>>());
        assert_eq!(scheduled(&outcome(&mut federation, 3)).len(), 4, "site-004 {fault}");
    }
}

/// What shells write into their logs: the details of findings, and reasons.
fn words(federation: &Federation) -> Vec<String> {
    let mut words = Vec::new();
    for site in federation.sites.values() {
        let findings = site.turned_away.iter().chain(&site.refused);
        let findings = findings.chain(site.abstained.iter().map(|(_, finding)| finding));
        words.extend(findings.chain(site.stopped.iter().map(|(_, f)| f)).map(ToString::to_string));
        words.extend(site.not_admitted.iter().map(|(_, reason)| reason.clone()));
    }
    for event in &federation.server.events {
        match event {
            ServerEvent::Refused { finding, .. }
            | ServerEvent::Charged { finding, .. }
            | ServerEvent::Standing { reason: Some(finding), .. }
            | ServerEvent::StopJob { finding, .. }
            | ServerEvent::Own(Event::Judged { result: Err(finding), .. } | Event::Refused(finding)) => {
                words.push(finding.to_string());
            }
            ServerEvent::Own(Event::Verdict { verdict, .. }) => {
                words.extend(verdict.values().filter_map(|result| Some(result.as_ref().err()?.to_string())));
            }
            ServerEvent::Attempted { outcome, .. } => words.push(format!("{outcome:?}")),
            _ => {}
        }
    }
    words
}

/// NVFlare wrote tokens into its logs as they were.
#[test]
fn d13_what_is_said_about_tokens_has_nothing_of_them() {
    let mut federation = registered(320, 4);
    let seen: Rc<RefCell<Vec<Envelope>>> = Rc::default();
    for number in 1..=4 {
        let (recorder, mut spoilt) = (Rc::clone(&seen), number);
        federation.sites.get_mut(&site(number)).unwrap().tamper = Some(Box::new(move |bytes| {
            let mut message = Signed::from_bytes(&bytes, usize::MAX).unwrap();
            if message.header.kind == Kind::Token.number() {
                recorder.borrow_mut().extend(Envelope::parse(&message.payload));
                // Of some rounds one byte is another one on the way.
                spoilt += 1;
                if spoilt % 3 == 0 {
                    let middle = message.payload.len() / 2;
                    message.payload[middle] ^= 1;
                }
            }
            vec![message.to_bytes()]
        }));
    }
    federation.sites.get_mut(&site(4)).unwrap().forge = Some(Box::new(|over| over.to_vec()));
    federation.reconnect = true;
    for attempt in 1..=6 {
        let online: Vec<Name> = federation.online().into_iter().collect();
        federation.attempt(&job("one", ""), 1, &online.iter().collect::<Vec<_>>());
        federation.run_until("the attempt", seconds(300), |f| f.server.attempts.len() >= attempt);
        federation.run(seconds(310));
    }
    let said = words(&federation);
    let codes: BTreeSet<&str> = said.iter().filter_map(|word| word.split(':').next()).collect();
    assert!(codes.len() > 3, "something was said: {codes:?}");
    let seen = seen.borrow();
    assert!(seen.len() > 20);
    for envelope in seen.iter() {
        for part in [envelope.evidence.as_slice(), &envelope.pop.0] {
            let (plain, hex) = (String::from_utf8_lossy(&part[10..26]), hex::encode(&part[10..26]));
            let listed = format!("{:?}", &part[10..26]);
            for word in &said {
                assert!(!word.contains(&hex) && !word.contains(&*plain), "{word}");
                assert!(!word.contains(listed.trim_matches(['[', ']'])), "{word}");
            }
        }
    }
}
