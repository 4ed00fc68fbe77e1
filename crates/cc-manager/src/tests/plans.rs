//! The pipeline with plans that lead to further plans, and with a cache whose content does not do.

#![allow(clippy::arithmetic_side_effects, reason = "tests")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cc_core::message::{
    Blob, EndorsementRequest, Message, PlanRequest, Post, VerifyReply, VerifyRequest, WireOutcome,
};
use cc_core::{Binding, Instant, UnixTime, codes, exchange};
use cc_policy::InitData;
use cc_testkit::https::Fault;
use cc_testkit::nvidia::{self, Manner, Nvidia, OCSP, OCSP_HOST, RIM_HOST};
use cc_testkit::ocsp::{Authority, CertStatus, Hash};

use super::pipeline::{code, request};
use super::{accept, denied, plan, plugin, reply};
use crate::attest::{Federation, OwnerFloor, PolicyFile, Subject, Verifier, VerifierSetup};
use crate::fetch::{Environment, Fetcher, Roots, Wait};
use crate::plugin::Call;
use crate::{Endpoint, FetchConfig, Floors, Host, Plugin, Request, Verification, verify};

const START: u64 = 1_780_272_000;
const RIM: &str = "NV_GPU_DRIVER_GH100_550.90.07";

/// A clock that passes when it is told so, and while somebody waits.
#[derive(Default)]
struct Clock(Mutex<Duration>);

impl Clock {
    fn advance(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

impl Environment for Clock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(START + self.elapsed().as_secs())
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn pause(&self, duration: Duration) -> Wait {
        self.advance(duration);
        Box::pin(std::future::ready(()))
    }

    fn limit(&self, _: Duration) -> Wait {
        Box::pin(std::future::pending())
    }

    fn chance(&self) -> u8 {
        0
    }
}

fn fetcher(service: &Nvidia, cache: Option<&Path>, clock: &Arc<Clock>, offline: bool) -> Fetcher {
    let endpoint =
        |host: &str| Endpoint { host: host.to_owned(), url: service.service().url(), ca_file: None };
    let config = FetchConfig {
        cache_dir: cache.map(Path::to_owned),
        endpoints: vec![endpoint(OCSP_HOST), endpoint(RIM_HOST)],
        offline,
        ..FetchConfig::default()
    };
    let roots = Roots::Only(vec![service.service().ca_der().to_vec()]);
    Fetcher::new(&config, &roots, Arc::<Clock>::clone(clock)).unwrap()
}

fn manifest(id: &str) -> EndorsementRequest {
    let url = format!("https://{RIM_HOST}{}", nvidia::rim(id));
    EndorsementRequest { kind: "gpu.rim".to_owned(), url, max_age: 86_400, post: None }
}

fn question(serial: u8, nonce: u8) -> EndorsementRequest {
    let authority = Authority::test();
    EndorsementRequest {
        kind: "gpu.ocsp".to_owned(),
        url: format!("https://{OCSP_HOST}/"),
        max_age: 86_400,
        post: Some(Post {
            media_type: "application/ocsp-request".to_owned(),
            body: authority.question(&[serial], &[nonce; 32]),
            key: authority.cert_id(Hash::Sha384, &[serial]),
        }),
    }
}

fn is_exchange(blob: &Blob) -> bool {
    exchange::decode(&blob.0).is_some()
}

/// A plugin that plans by what is at hand, and says how often it was asked.
fn planning(
    plans: impl Fn(&[Blob], usize) -> Vec<EndorsementRequest> + Send + Sync + 'static,
    answer: impl Fn(VerifyRequest) -> VerifyReply + Send + Sync + 'static,
) -> (Plugin, Arc<Mutex<[usize; 2]>>) {
    let counts = Arc::new(Mutex::new([0; 2]));
    let counted = Arc::clone(&counts);
    let plugin = plugin(move |call, bytes| {
        let mut counts = counted.lock().unwrap();
        match call {
            Call::Plan => {
                counts[0] += 1;
                let request = PlanRequest::from_bytes(bytes).unwrap();
                Ok(plan(plans(&request.endorsements, counts[0])))
            }
            Call::Verify => {
                counts[1] += 1;
                Ok(answer(VerifyRequest::from_bytes(bytes).unwrap()).to_bytes())
            }
            Call::Identify | Call::Collect => unreachable!("{call:?}"),
        }
    });
    (plugin, counts)
}

fn everything(request: VerifyRequest) -> VerifyReply {
    reply(accept(), request.endorsements.len())
}

fn start() -> Nvidia {
    let service = Nvidia::start(vec![Authority::test()]);
    service.serve_rim(RIM, b"<xml/>");
    service
}

async fn run(plugin: Plugin, fetcher: &Fetcher, request: Request) -> Verification {
    verify(&Host::of(vec![plugin]), fetcher, &Floors::open(None), request).await.unwrap()
}

#[tokio::test]
async fn what_was_fetched_may_ask_for_more() {
    let (service, clock) = (start(), Arc::default());
    // Asks about a manifest's certificates once it is there, with another nonce each time: that is nothing new.
    let plans = |endorsements: &[Blob], count: usize| {
        let mut requests = vec![manifest(RIM), question(1, 1)];
        if endorsements.iter().any(|blob| blob.0.starts_with(b"{")) {
            requests.extend([question(2, u8::try_from(count).unwrap()), question(1, 3)]);
        }
        requests
    };
    let (plugin, counts) = planning(plans, everything);
    let judged = run(plugin, &fetcher(&service, None, &clock, false), request()).await;
    assert_eq!((code(&judged), &judged.notes), (None, &vec![]));
    assert_eq!(*counts.lock().unwrap(), [3, 1]);
    let exchanges = judged.endorsements.iter().filter(|used| exchange::decode(&used.bytes).is_some());
    assert_eq!((judged.endorsements.len(), exchanges.count()), (3, 2));
    assert_eq!(service.service().log(), [&nvidia::rim(RIM), OCSP, OCSP]);
}

#[tokio::test]
async fn there_are_no_more_than_three_plans() {
    let (service, clock) = (start(), Arc::default());
    let (plugin, counts) = planning(|_, count| vec![question(u8::try_from(count).unwrap(), 1)], everything);
    let judged = run(plugin, &fetcher(&service, None, &clock, false), request()).await;
    assert_eq!((*counts.lock().unwrap(), judged.endorsements.len()), ([3, 1], 3));

    // What cannot be had is asked for once, and a plan that got nothing is not repeated.
    let (plugin, counts) = planning(|_, _| vec![manifest("unknown")], everything);
    let judged = run(plugin, &fetcher(&service, None, &clock, false), request()).await;
    assert_eq!((*counts.lock().unwrap(), judged.notes.len()), ([1, 1], 1));
}

#[tokio::test]
async fn a_later_plan_may_refuse() {
    let (service, clock) = (start(), Arc::default());
    let counts = Mutex::new(0);
    let plugin = plugin(move |call, _| {
        assert_eq!(call, Call::Plan);
        *counts.lock().unwrap() += 1;
        if *counts.lock().unwrap() == 1 { Ok(plan(vec![manifest(RIM)])) } else { Err(super::refusal()) }
    });
    let judged = run(plugin, &fetcher(&service, None, &clock, false), request()).await;
    assert_eq!(code(&judged), Some(codes::SNP_FORMAT_LENGTH));
}

#[tokio::test]
async fn the_present_goes_on_while_fetching() {
    let present = Instant::Present(request().at.time());
    let replayed = Instant::Replayed(request().at.time());
    for (at, wait, later) in [(present, Some("20"), 20), (present, None, 0), (replayed, Some("20"), 0)] {
        let (service, clock) = (start(), Arc::default());
        if let Some(wait) = wait {
            service.service().fault(OCSP, Fault::Throttle(Some(wait.to_owned())));
        }
        let answer = move |request: VerifyRequest| {
            assert_eq!(request.now.as_secs(), at.time().as_secs() + later);
            everything(request)
        };
        let (plugin, _) = planning(|_, _| vec![question(1, 1)], answer);
        let request = Request { at, patience: Duration::from_secs(60), ..request() };
        let judged = run(plugin, &fetcher(&service, None, &clock, false), request).await;
        assert_eq!(code(&judged), None, "{wait:?}");
        let expected = UnixTime::from_secs(at.time().as_secs() + later);
        assert_eq!((judged.at.time(), judged.at.is_replayed()), (expected, at.is_replayed()));
    }
}

/// What is written down is when it was judged: an answer that was made meanwhile would be of the future before.
#[tokio::test]
async fn a_judgement_has_the_instant_at_which_it_was_judged() {
    let (service, clock) = (start(), Arc::default());
    service.service().fault(OCSP, Fault::Throttle(Some("20".to_owned())));
    let (plugin, _) = planning(|_, _| vec![question(1, 1)], everything);
    let policy = format!(
        "version = 1\nprofile = \"development\"\n[snp]\nproducts = [\"Genoa\"]\nmeasurements = [\"{}\"]\n\
         [snp.min_tcb.Genoa]\nbootloader = 10\ntee = 0\nsnp = 23\nmicrocode = 84\n",
        "5a".repeat(48)
    );
    let verifier = Verifier::new(VerifierSetup {
        host: Host::of(vec![plugin]),
        fetcher: fetcher(&service, None, &clock, false),
        floors: Floors::open(None),
        collateral: Vec::new(),
        patience: Duration::from_secs(60),
        federation: Federation::Development,
        site_policy: PolicyFile::parse(&policy, "policy.toml").unwrap(),
    });
    let Request { profile, evidence, .. } = request();
    let subject = Subject {
        name: "site-1".to_owned(),
        required: vec![profile.clone()],
        profile,
        evidence,
        devices: None,
        endorsements: Vec::new(),
        expected: Binding::new([0; 64]),
        floor: OwnerFloor::NoFederation,
        init_data: InitData::NotCarried,
    };
    let judgement = verifier.unwrap().judge(&subject, Instant::Present(UnixTime::from_secs(START))).await;
    assert_eq!(judgement.at, Instant::Present(UnixTime::from_secs(START + 20)), "{:?}", judgement.outcome());
}

#[test]
fn a_begun_second_has_passed() {
    let time = UnixTime::from_secs(START);
    for (millis, seconds) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
        let later = crate::pipeline::later(Instant::Present(time), Duration::from_millis(millis));
        assert_eq!(later, Instant::Present(UnixTime::from_secs(START + seconds)), "{millis}");
    }
}

/// Accepts with an answer that says good, as far as the fake responder's answers can be told apart by their length.
fn only_good(good: usize) -> impl Fn(VerifyRequest) -> VerifyReply {
    move |request| {
        let is_good = |blob: &Blob| exchange::decode(&blob.0).is_some_and(|(_, answer)| answer.len() >= good);
        if request.endorsements.iter().filter(|blob| is_exchange(blob)).all(is_good) {
            return everything(request);
        }
        let denial = denied(&codes::GPU_OCSP_STALE, "old");
        reply(WireOutcome::Reject(denial), request.endorsements.len())
    }
}

#[tokio::test]
async fn what_the_cache_has_had_for_long_is_fetched_anew_once() {
    struct Case {
        what: &'static str,
        /// Seconds between the first verification, which fills the cache, and the second one.
        later: u64,
        /// What the responder says the second time.
        second: Manner,
        offline: bool,
        replayed: bool,
        /// Requests, calls of `verify`, and whether it is accepted the second time.
        expected: (usize, usize, bool),
    }
    let good = Manner::Says(CertStatus::Good);
    let case = |what, later, second, expected| Case {
        what,
        later,
        second,
        offline: false,
        replayed: false,
        expected,
    };
    for Case { what, later, second, offline, replayed, expected } in [
        case("long ago", 300, good, (2, 2, true)),
        case("just now", 299, good, (1, 1, false)),
        case("no better", 300, Manner::Garbage, (2, 2, false)),
        Case { offline: true, ..case("offline", 300, good, (1, 1, false)) },
        Case { replayed: true, ..case("replayed", 300, good, (1, 1, false)) },
    ] {
        let (service, clock, folder) = (start(), Arc::<Clock>::default(), tempfile::tempdir().unwrap());
        service.answer(Manner::Garbage);
        let (plugin, _) = planning(|_, _| vec![question(1, 1), manifest(RIM)], everything);
        let filled = run(plugin, &fetcher(&service, Some(folder.path()), &clock, false), request()).await;
        assert_eq!(code(&filled), None, "{what}");

        clock.advance(Duration::from_secs(later));
        service.answer(second);
        let (plugin, counts) = planning(|_, _| vec![question(1, 2)], only_good(100));
        let time = request().at.time();
        let at = if replayed { Instant::Replayed(time) } else { Instant::Present(time) };
        let fetcher = fetcher(&service, Some(folder.path()), &clock, offline);
        let judged = run(plugin, &fetcher, Request { at, ..request() }).await;
        let [_, verified] = *counts.lock().unwrap();
        let found = (service.service().count(OCSP), verified, judged.result.is_ok());
        assert_eq!(found, expected, "{what}: {judged:?}");
        assert_eq!(judged.endorsements.len(), 1, "{what}: the new one takes the place of the old one");
        assert_eq!(judged.notes.len(), 0, "{what}");
    }
}

/// The time before the first judgement passes once, also for the second one.
#[tokio::test]
async fn time_that_passed_before_it_was_fetched_anew_counts_once() {
    let (service, clock, folder) = (start(), Arc::<Clock>::default(), tempfile::tempdir().unwrap());
    service.answer(Manner::Garbage);
    let (plugin, _) = planning(|_, _| vec![question(1, 1)], everything);
    run(plugin, &fetcher(&service, Some(folder.path()), &clock, false), request()).await;
    clock.advance(Duration::from_secs(300));
    service.answer(Manner::Says(CertStatus::Good));
    let planned = Arc::clone(&clock);
    let plans = move |_: &[Blob], count| {
        if count == 1 {
            planned.advance(Duration::from_secs(7));
        }
        vec![question(1, 2)]
    };
    let (instants, seen) = (Arc::new(Mutex::new(Vec::new())), only_good(100));
    let noted = Arc::clone(&instants);
    let answer = move |request: VerifyRequest| {
        noted.lock().unwrap().push(request.now.as_secs());
        seen(request)
    };
    let (plugin, _) = planning(plans, answer);
    let fetcher = fetcher(&service, Some(folder.path()), &clock, false);
    let patience = Duration::from_secs(60);
    let judged = run(plugin, &fetcher, Request { patience, ..request() }).await;
    assert_eq!(code(&judged), None);
    let expected = request().at.time().as_secs() + 7;
    assert_eq!((instants.lock().unwrap().clone(), judged.at.time().as_secs()), (vec![expected; 2], expected));
}

#[tokio::test]
async fn what_cannot_be_had_anew_stays() {
    let (mut service, clock, folder) = (start(), Arc::<Clock>::default(), tempfile::tempdir().unwrap());
    service.answer(Manner::Garbage);
    let fill = || planning(|_, _| vec![question(1, 1), question(2, 1)], everything).0;
    run(fill(), &fetcher(&service, Some(folder.path()), &clock, false), request()).await;
    clock.advance(Duration::from_secs(300));
    let fetcher = fetcher(&service, Some(folder.path()), &clock, false);
    service.service_mut().go_down();
    let (plugin, counts) = planning(|_, _| vec![question(1, 2), question(2, 2)], only_good(100));
    let judged = run(plugin, &fetcher, request()).await;
    assert_eq!((code(&judged), counts.lock().unwrap()[1]), (Some(codes::GPU_OCSP_STALE), 1));
    assert_eq!((judged.endorsements.len(), judged.notes.len()), (2, 1), "the first failure ends it");
}
