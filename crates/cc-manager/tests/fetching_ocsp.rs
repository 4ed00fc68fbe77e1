//! Questions that are posted, against the fake OCSP responder, and manifests from the fake service beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_core::exchange;
use cc_core::message::{EndorsementRequest, Post};
use cc_manager::fetch::{FetchFailure, Fetched, Fetcher, Keep, Roots, Source};
use cc_manager::{Endpoint, FetchConfig};
use cc_testkit::https::Fault;
use cc_testkit::nvidia::{self, Manner, Nvidia, OCSP, OCSP_HOST, RIM_HOST};
use cc_testkit::ocsp::{Authority, Hash};

use crate::common::Virtual;

const DAY: u64 = 86_400;

fn fetcher(service: &Nvidia, cache: Option<&Path>, time: &Arc<Virtual>) -> Fetcher {
    let endpoint =
        |host: &str| Endpoint { host: host.to_owned(), url: service.service().url(), ca_file: None };
    let config = FetchConfig {
        cache_dir: cache.map(Path::to_owned),
        endpoints: vec![endpoint(OCSP_HOST), endpoint(RIM_HOST)],
        ..FetchConfig::default()
    };
    let roots = Roots::Only(vec![service.service().ca_der().to_vec()]);
    Fetcher::new(&config, &roots, Arc::<Virtual>::clone(time)).unwrap()
}

/// Asks about the certificate with this serial number.
fn question(serial: u8, nonce: u8) -> EndorsementRequest {
    let authority = Authority::test();
    EndorsementRequest {
        kind: "gpu.ocsp".to_owned(),
        url: format!("https://{OCSP_HOST}/"),
        max_age: DAY,
        post: Some(Post {
            media_type: "application/ocsp-request".to_owned(),
            body: authority.question(&[serial], &[nonce; 32]),
            key: authority.cert_id(Hash::Sha384, &[serial]),
        }),
    }
}

fn manifest(id: &str) -> EndorsementRequest {
    let url = format!("https://{RIM_HOST}{}", nvidia::rim(id));
    EndorsementRequest { kind: "gpu.rim".to_owned(), url, max_age: DAY, post: None }
}

async fn get(fetcher: &Fetcher, request: &EndorsementRequest) -> Result<Fetched, FetchFailure> {
    fetcher.fetch(request, fetcher.deadline(Duration::from_secs(30)), Keep::Yes, Source::Any).await
}

/// The nonce byte of the question in an exchange.
fn nonce(fetched: &Fetched) -> u8 {
    *exchange::decode(&fetched.content.body).unwrap().0.last().unwrap()
}

fn start() -> Nvidia {
    Nvidia::start(vec![Authority::test()])
}

#[tokio::test]
async fn an_exchange_is_question_and_answer() {
    let (service, time) = (start(), Virtual::new());
    let fetched = get(&fetcher(&service, None, &time), &question(7, 1)).await.unwrap();
    let (asked, answer) = exchange::decode(&fetched.content.body).unwrap();
    assert_eq!(asked, question(7, 1).post.unwrap().body);
    let echoed = |nonce: u8| answer.windows(32).any(|part| part == [nonce; 32]);
    assert!(echoed(1) && !echoed(0));
    assert_eq!((fetched.age, fetched.content.issuer_chain), (None, None));
    assert_eq!(service.service().log(), [OCSP]);
}

#[tokio::test]
async fn the_cache_answers_what_a_question_is_about() {
    let (service, time, folder) = (start(), Virtual::new(), tempfile::tempdir().unwrap());
    let fetcher = fetcher(&service, Some(folder.path()), &time);
    assert_eq!(get(&fetcher, &question(7, 1)).await.unwrap().age, None);
    time.advance(200);
    // Another nonce, the same certificate; another certificate; the address without a question.
    let again = get(&fetcher, &question(7, 2)).await.unwrap();
    assert_eq!((nonce(&again), again.age), (1, Some(200)));
    let other = get(&fetcher, &question(8, 2)).await.unwrap();
    assert_eq!((nonce(&other), other.age), (2, None));
    let bare = EndorsementRequest { post: None, ..question(7, 2) };
    assert_eq!(get(&fetcher, &bare).await, Err(FetchFailure::Status(404)));
    assert_eq!(
        get(&fetcher, &question(7, 3)).await.unwrap().age,
        Some(200),
        "a refusal is of its own question"
    );
    assert_eq!(service.service().count(OCSP), 3);
    time.advance(101);
    assert_eq!(nonce(&get(&fetcher, &question(7, 3)).await.unwrap()), 3, "nobody confirmed it");
}

#[tokio::test]
async fn what_did_not_do_is_asked_for_anew() {
    let (service, time, folder) = (start(), Virtual::new(), tempfile::tempdir().unwrap());
    let fetcher = fetcher(&service, Some(folder.path()), &time);
    let deadline = fetcher.deadline(Duration::from_secs(30));
    get(&fetcher, &question(7, 1)).await.unwrap();
    let anew = fetcher.fetch(&question(7, 2), deadline, Keep::Yes, Source::Address).await.unwrap();
    assert_eq!((nonce(&anew), anew.age), (2, None));
    assert_eq!(nonce(&get(&fetcher, &question(7, 3)).await.unwrap()), 2, "the cache has the new one");
    assert_eq!(service.service().count(OCSP), 2);
}

#[tokio::test]
async fn questions_that_are_not_answered() {
    for (what, fault, expected) in [
        ("error", Fault::Status(400), FetchFailure::Status(400)),
        (
            "redirect",
            Fault::Redirect("/other".to_owned()),
            FetchFailure::Redirect("of a question".to_owned()),
        ),
        ("too large", Fault::Oversize(1024 * 1024, true), FetchFailure::Oversize),
        ("too large and unannounced", Fault::Oversize(1024 * 1024, false), FetchFailure::Oversize),
    ] {
        let (service, time) = (start(), Virtual::new());
        service.service().fault(OCSP, fault);
        assert_eq!(get(&fetcher(&service, None, &time), &question(7, 1)).await, Err(expected), "{what}");
    }
    let (mut service, time) = (start(), Virtual::new());
    service.answer(Manner::Page);
    let page = get(&fetcher(&service, None, &time), &question(7, 1)).await;
    assert_eq!(page, Err(FetchFailure::MediaType("text/html".to_owned())));
    // Whether it is an answer says the plugin.
    for manner in [Manner::Garbage, Manner::OtherNonce, Manner::WrongId, Manner::Stale] {
        service.answer(manner);
        assert!(get(&fetcher(&service, None, &time), &question(7, 1)).await.is_ok(), "{manner:?}");
    }
    let down = fetcher(&service, None, &time);
    service.service_mut().go_down();
    assert!(matches!(get(&down, &question(7, 1)).await, Err(FetchFailure::Unreachable(_))));
}

#[tokio::test]
async fn a_question_is_repeated_as_any_request_is() {
    let (service, time) = (start(), Virtual::new());
    service.service().fault(OCSP, Fault::Throttle(Some("20".to_owned())));
    assert_eq!(nonce(&get(&fetcher(&service, None, &time), &question(7, 1)).await.unwrap()), 1);
    assert_eq!((service.service().count(OCSP), time.pauses()), (2, vec![20]));
}

#[tokio::test]
async fn manifests_are_handed_on_as_they_came() {
    let (service, time) = (start(), Virtual::new());
    service.serve_rim("NV_GPU_DRIVER_GH100_550.90.07", b"<xml/>");
    service.serve_rim_as("NV_GPU_DRIVER_GH100_550.90.08", "NV_GPU_DRIVER_GH100_550.90.07", b"<xml/>");
    let fetcher = fetcher(&service, None, &time);
    let body = nvidia::rim_body("NV_GPU_DRIVER_GH100_550.90.07", b"<xml/>");
    for id in ["NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_DRIVER_GH100_550.90.08"] {
        assert_eq!(get(&fetcher, &manifest(id)).await.unwrap().content.body, body, "{id}");
    }
    let unknown = get(&fetcher, &manifest("NV_GPU_DRIVER_GH100_1")).await;
    assert_eq!(unknown, Err(FetchFailure::Status(404)));
}
