//! The fetcher against a key distribution service that throttles, stalls, lies, redirects, truncates and goes
//! down: exact outcome and number of requests, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use cc_manager::fetch::{FetchFailure, Fetcher, Keep, Roots, Source};
use cc_manager::{Endpoint, FetchConfig};
use cc_testkit::kds::{Fault, Kds};

use crate::common::{HOST, Virtual, config, fetcher, request};

const CRL: &str = "/vcek/v1/Milan/crl";
const BODY: &[u8] = b"the revocation list";
const MIB: usize = 1024 * 1024;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn get(fetcher: &Fetcher, path: &str, patience: u64) -> Result<Vec<u8>, FetchFailure> {
    let fetched =
        fetcher.fetch(&request(path), fetcher.deadline(seconds(patience)), Keep::Yes, Source::Any).await;
    fetched.map(|fetched| fetched.content.body)
}

/// What one fetch gives after `faults`, how many requests it made and how it waited.
struct Case {
    what: &'static str,
    faults: Vec<Fault>,
    patience: u64,
    expected: Result<&'static [u8], FetchFailure>,
    requests: usize,
    pauses: &'static [u64],
}

#[tokio::test]
async fn faults_have_exact_outcomes() {
    let throttle = |after: &str| Fault::Throttle(Some(after.to_owned()));
    // 2026-06-01T00:00:00Z is the start of the virtual clock.
    let date = "Mon, 01 Jun 2026 00:00:45 GMT";
    let status = |status| Err(FetchFailure::Status(status));
    let case = |what, faults, patience, expected, requests, pauses| Case {
        what,
        faults,
        patience,
        expected,
        requests,
        pauses,
    };
    for Case { what, faults, patience, expected, requests, pauses } in [
        case("no fault", vec![], 30, Ok(BODY), 1, &[]),
        case("throttled once", vec![Fault::Throttle(None)], 30, Ok(BODY), 2, &[10]),
        case("throttled for seconds", vec![throttle("20")], 30, Ok(BODY), 2, &[20]),
        case("throttled until a date", vec![throttle(date)], 60, Ok(BODY), 2, &[45]),
        case("throttled beyond patience", vec![throttle("31")], 30, status(429), 1, &[]),
        case("throttled twice", vec![Fault::Throttle(None), throttle("5")], 60, Ok(BODY), 3, &[10, 20]),
        case("error, then well", vec![Fault::Status(500)], 30, Ok(BODY), 2, &[10]),
        case("unavailable", vec![Fault::Status(503); 3], 60, status(503), 3, &[10, 20]),
        case("no patience", vec![Fault::Status(500)], 1, status(500), 1, &[]),
        case("empty, then well", vec![Fault::Empty], 30, Ok(BODY), 2, &[10]),
        case("not found", vec![Fault::Status(404)], 30, status(404), 1, &[]),
        case("forbidden", vec![Fault::Status(403)], 30, status(403), 1, &[]),
        case("no content", vec![Fault::Status(204)], 30, status(204), 1, &[]),
        case("too large", vec![Fault::Oversize(MIB + 1, true)], 30, Err(FetchFailure::Oversize), 1, &[]),
        case(
            "too large unannounced",
            vec![Fault::Oversize(MIB + 1, false)],
            30,
            Err(FetchFailure::Oversize),
            1,
            &[],
        ),
    ] {
        let (kds, time) = (Kds::start(), Virtual::new());
        kds.route(CRL, BODY);
        faults.into_iter().for_each(|fault| kds.fault(CRL, fault));
        let fetcher = fetcher(&config(&kds, None), &kds, &time);
        let result = get(&fetcher, CRL, patience).await;
        assert_eq!(result.as_deref(), expected.as_deref(), "{what}");
        assert_eq!((kds.count(CRL), time.pauses()), (requests, pauses.to_vec()), "{what}");
    }
}

#[tokio::test]
async fn the_largest_body_is_taken() {
    let (kds, time) = (Kds::start(), Virtual::new());
    for announced in [true, false] {
        kds.fault(CRL, Fault::Oversize(MIB, announced));
        let fetcher = fetcher(&config(&kds, None), &kds, &time);
        assert_eq!(get(&fetcher, CRL, 30).await.unwrap().len(), MIB);
    }
}

#[tokio::test]
async fn truncated_answers_are_failures() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.route(CRL, BODY);
    kds.always(CRL, Fault::Truncate);
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    let failure = get(&fetcher, CRL, 15).await.unwrap_err();
    assert!(matches!(failure, FetchFailure::Connection(_)), "{failure:?}");
    assert_eq!(kds.count(CRL), 2);
}

#[tokio::test]
async fn a_stalled_answer_is_given_up() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.fault(CRL, Fault::Stall);
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    let stalled = async {
        kds.arrived(1).await;
        // The attempt takes all its time, and with it the patience.
        time.advance(20);
        time.expire();
    };
    let (result, ()) = tokio::join!(get(&fetcher, CRL, 25), stalled);
    assert_eq!(result, Err(FetchFailure::Timeout));
    assert_eq!((kds.count(CRL), time.limits()), (1, vec![20]));
}

#[tokio::test]
async fn a_server_that_never_speaks_is_given_up() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.silence();
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    let silent = async {
        kds.arrived(1).await;
        time.advance(8);
        time.expire();
    };
    let (result, ()) = tokio::join!(get(&fetcher, CRL, 8), silent);
    assert_eq!((result, time.limits()), (Err(FetchFailure::Timeout), vec![8]), "patience limits the attempt");
}

#[tokio::test]
async fn a_server_that_is_down_is_left_alone() {
    let (mut kds, time) = (Kds::start(), Virtual::new());
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    kds.go_down();
    assert!(matches!(get(&fetcher, CRL, 60).await, Err(FetchFailure::Unreachable(_))), "answered at once");
    assert_eq!(get(&fetcher, CRL, 5).await, Err(FetchFailure::Waiting(10)));
    time.advance(3);
    assert_eq!(get(&fetcher, "/vcek/v1/Genoa/crl", 5).await, Err(FetchFailure::Waiting(7)), "same host");
    time.advance(7);
    assert!(matches!(get(&fetcher, CRL, 5).await, Err(FetchFailure::Unreachable(_))));
    assert_eq!(get(&fetcher, CRL, 5).await, Err(FetchFailure::Waiting(20)), "the wait doubles");
}

#[tokio::test]
async fn a_success_ends_the_back_off() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.route(CRL, BODY);
    [Fault::Status(500), Fault::Status(500)].into_iter().for_each(|fault| kds.fault(CRL, fault));
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    assert_eq!(get(&fetcher, CRL, 100).await.unwrap(), BODY);
    kds.fault(CRL, Fault::Status(500));
    assert_eq!(get(&fetcher, CRL, 100).await.unwrap(), BODY);
    assert_eq!(time.pauses(), [10, 20, 10]);
}

#[tokio::test]
async fn redirects_stay_on_their_host() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.route("/there", BODY);
    let hop = |from: &str, to: &str| kds.always(from, Fault::Redirect(to.to_owned()));
    hop("/one", "/there");
    hop("/absolute", &format!("{}/there", kds.url()));
    hop("/three", "/two");
    hop("/two", "/one");
    hop("/four", "/three");
    hop("/loop", "/loop");
    hop("/name", &format!("{}/there", kds.other_name()));
    hop("/port", "https://127.0.0.1:1/there");
    hop("/plain", &format!("{}/there", kds.url().replace("https", "http")));
    hop("/user", &format!("{}/there", kds.url().replace("//", "//user@")));
    hop("/published", "https://kdsintf.amd.com/there");
    hop("/garbage", "https://[");
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    for (path, follows) in [
        ("/one", true),
        ("/absolute", true),
        ("/three", true),
        ("/four", false),
        ("/loop", false),
        ("/name", false),
        ("/port", false),
        ("/plain", false),
        ("/user", false),
        ("/published", false),
        ("/garbage", false),
    ] {
        let before = kds.count("/there");
        match get(&fetcher, path, 30).await {
            Ok(body) => assert!(follows && body == BODY, "{path}"),
            Err(failure) => {
                assert!(!follows && matches!(failure, FetchFailure::Redirect(_)), "{path}: {failure:?}");
                assert_eq!(kds.count("/there"), before, "{path}");
            }
        }
    }
    assert_eq!(kds.count("/loop"), 4, "the first request and three redirects");
}

#[tokio::test]
async fn refusals_are_remembered_for_half_a_minute() {
    let (kds, time) = (Kds::start(), Virtual::new());
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    for _ in 0..3 {
        assert_eq!(get(&fetcher, CRL, 30).await, Err(FetchFailure::Status(404)));
    }
    time.advance(29);
    assert_eq!(get(&fetcher, CRL, 30).await, Err(FetchFailure::Status(404)));
    assert_eq!(kds.count(CRL), 1);
    kds.route(CRL, BODY);
    time.advance(1);
    assert_eq!(get(&fetcher, CRL, 30).await.unwrap(), BODY);
}

#[tokio::test]
async fn one_request_serves_everybody_who_waits() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.route(CRL, BODY);
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    let one = || get(&fetcher, CRL, 30);
    let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
    for result in [a, b, c, d] {
        assert_eq!(result.unwrap(), BODY);
    }
    assert_eq!(kds.count(CRL), 1);
    get(&fetcher, CRL, 30).await.unwrap();
    assert_eq!(kds.count(CRL), 2, "without a cache the next one asks again");
}

#[tokio::test]
async fn who_joins_keeps_the_own_deadline() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.always(CRL, Fault::Stall);
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    let expire = async {
        kds.arrived(1).await;
        time.expire();
    };
    let (_, second, ()) = tokio::join!(get(&fetcher, CRL, 30), get(&fetcher, CRL, 5), expire);
    assert_eq!((second, &time.limits()[..2]), (Err(FetchFailure::Timeout), &[20, 5][..]));
}

#[tokio::test]
async fn a_host_is_left_alone_in_the_next_run_too() {
    let (kds, folder) = (Kds::start(), tempfile::tempdir().unwrap());
    kds.route(CRL, BODY);
    let config = config(&kds, Some(folder.path()));
    // Each run has a clock of its own for deadlines; that on the wall goes on.
    let (first, second) = (Virtual::new(), Virtual::new());
    second.advance(12);
    kds.fault(CRL, Fault::Throttle(Some("40".to_owned())));
    assert_eq!(get(&fetcher(&config, &kds, &first), CRL, 30).await, Err(FetchFailure::Status(429)));
    let next = fetcher(&config, &kds, &second);
    assert_eq!(get(&next, CRL, 20).await, Err(FetchFailure::Waiting(28)));
    second.advance(28);
    assert_eq!(get(&next, CRL, 20).await.unwrap(), BODY);
    std::fs::write(folder.path().join("waits.json"), "damaged").unwrap();
    assert_eq!(get(&fetcher(&config, &kds, &second), CRL, 20).await.unwrap(), BODY);
    assert_eq!(kds.count(CRL), 2, "the last one from the cache");
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_take_the_others_along() {
    let (kds, time) = (Kds::start(), Virtual::new());
    kds.route(CRL, BODY);
    kds.fault(CRL, Fault::Stall);
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    let mut first = Box::pin(get(&fetcher, CRL, 30));
    tokio::select! {
        biased;
        _ = &mut first => unreachable!("the service stalls"),
        () = kds.arrived(1) => {}
    }
    let mut second = Box::pin(get(&fetcher, CRL, 30));
    assert!(
        std::future::poll_fn(|context| std::task::Poll::Ready(second.as_mut().poll(context).is_pending()))
            .await
    );
    drop(first);
    assert_eq!(second.await.unwrap(), BODY);
    assert_eq!(kds.count(CRL), 2);
}

#[tokio::test]
async fn the_cache_answers_for_as_long_as_it_may() {
    let (kds, time, folder) = (Kds::start(), Virtual::new(), tempfile::tempdir().unwrap());
    kds.route(CRL, BODY);
    let config = config(&kds, Some(folder.path()));
    assert_eq!(get(&fetcher(&config, &kds, &time), CRL, 30).await.unwrap(), BODY);
    kds.route(CRL, b"newer");
    time.advance(300);
    let next = fetcher(&config, &kds, &time);
    assert_eq!(get(&next, CRL, 30).await.unwrap(), BODY, "another process has it too");
    assert_eq!(kds.count(CRL), 1);
    time.advance(1);
    assert_eq!(get(&next, CRL, 30).await.unwrap(), b"newer", "not confirmed by a verification");
    assert_eq!(kds.count(CRL), 2);
}

#[tokio::test]
async fn the_answers_of_a_mirror_are_its_own() {
    let (first, second) = (Kds::start(), Kds::start());
    let (time, folder) = (Virtual::new(), tempfile::tempdir().unwrap());
    for (kds, body) in [(&first, BODY), (&second, b"another list")] {
        kds.route(CRL, body);
        let fetcher = fetcher(&config(kds, Some(folder.path())), kds, &time);
        assert_eq!(get(&fetcher, CRL, 30).await.unwrap(), body);
    }
}

#[tokio::test]
async fn a_replay_leaves_no_trace() {
    let (kds, time, folder) = (Kds::start(), Virtual::new(), tempfile::tempdir().unwrap());
    kds.route(CRL, BODY);
    kds.fault(CRL, Fault::Throttle(Some("20".to_owned())));
    let fetcher = fetcher(&config(&kds, Some(folder.path())), &kds, &time);
    let fetched =
        fetcher.fetch(&request(CRL), fetcher.deadline(seconds(30)), Keep::No, Source::Any).await.unwrap();
    assert_eq!((fetched.content.body, fetched.content.issuer_chain), (BODY.to_vec(), None));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn offline_asks_nobody() {
    let (kds, time, folder) = (Kds::start(), Virtual::new(), tempfile::tempdir().unwrap());
    kds.route(CRL, BODY);
    let online = config(&kds, Some(folder.path()));
    let offline = fetcher(&FetchConfig { offline: true, ..online.clone() }, &kds, &time);
    assert_eq!(get(&offline, CRL, 30).await, Err(FetchFailure::Offline));
    get(&fetcher(&online, &kds, &time), CRL, 30).await.unwrap();
    assert_eq!(get(&offline, CRL, 30).await.unwrap(), BODY);
    time.advance(301);
    assert_eq!(get(&offline, CRL, 30).await, Err(FetchFailure::Offline), "too old offline as well");
    assert_eq!(kds.count(CRL), 1);
}

#[tokio::test]
async fn hosts_beyond_the_list_are_never_asked() {
    let (kds, time) = (Kds::start(), Virtual::new());
    let fetcher = fetcher(&config(&kds, None), &kds, &time);
    for url in [kds.url() + CRL, kds.other_name() + CRL, format!("http://{HOST}{CRL}")] {
        let mut request = request(CRL);
        request.url = url;
        let result = fetcher.fetch(&request, fetcher.deadline(seconds(30)), Keep::Yes, Source::Any).await;
        assert!(matches!(result, Err(FetchFailure::NotAllowed(_))), "{result:?}");
    }
    assert!(kds.log().is_empty());
}

#[tokio::test]
async fn unusable_authorities_trouble_only_who_needs_them() {
    let (kds, time, folder) = (Kds::start(), Virtual::new(), tempfile::tempdir().unwrap());
    kds.route(CRL, BODY);
    let file = folder.path().join("ca.pem");
    kds.write_ca(&file);
    let direct = FetchConfig::default();
    let offline = FetchConfig { offline: true, ..FetchConfig::default() };
    let endpoint = Endpoint { host: HOST.to_owned(), url: kds.url(), ca_file: Some(file) };
    let mirror = FetchConfig { endpoints: vec![endpoint], ..FetchConfig::default() };
    for roots in [Roots::Only(Vec::new()), Roots::Only(vec![b"no certificate".to_vec()])] {
        let with = |config| Fetcher::new(config, &roots, Arc::<Virtual>::clone(&time)).unwrap();
        assert_eq!(get(&with(&mirror), CRL, 30).await.unwrap(), BODY);
        assert_eq!(get(&with(&offline), CRL, 30).await, Err(FetchFailure::Offline));
        let failure = get(&with(&direct), CRL, 30).await.unwrap_err();
        let FetchFailure::Connection(cause) = &failure else { panic!("{failure:?}") };
        assert!(!cause.is_empty() && cause != "builder error", "{cause}");
        assert!(time.pauses().is_empty(), "waiting does not help");
    }
}

#[tokio::test]
async fn a_mirror_needs_a_certificate_of_its_authority() {
    let (kds, other, time) = (Kds::start(), Kds::start(), Virtual::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    kds.route(CRL, BODY);
    let untrusting = fetcher(&config(&kds, None), &other, &time);
    assert!(matches!(get(&untrusting, CRL, 5).await, Err(FetchFailure::Unreachable(_))));
    assert!(kds.log().is_empty());

    // The file of the endpoint takes the place of all other authorities.
    kds.write_ca(&file);
    let endpoint = Endpoint { host: HOST.to_owned(), url: kds.url(), ca_file: Some(file.clone()) };
    let config = FetchConfig { endpoints: vec![endpoint], ..FetchConfig::default() };
    assert_eq!(get(&fetcher(&config, &other, &time), CRL, 5).await.unwrap(), BODY);
    for content in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&file, content).unwrap();
        let error = Fetcher::new(&config, &Roots::System, Virtual::new()).unwrap_err();
        assert!(error.detail.contains("fetch.endpoint[0].ca_file"), "{content:?}: {error}");
    }
}
