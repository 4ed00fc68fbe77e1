//! The fetcher against a provisioning certification service of Intel: bodies to the byte, issuer chains from headers,
//! and each fault with its outcome, in virtual time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_core::message::EndorsementRequest;
use cc_manager::fetch::{Content, FetchFailure, Fetcher, Keep, Roots, Source};
use cc_manager::{Endpoint, FetchConfig};
use cc_testkit::https::Fault;
use cc_testkit::pcs::{self, Pcs};

use crate::common::Virtual;

const FMSPC: &str = "90c06f000000";
/// Spaces, escapes and line ends that a parser would not give back.
const BODY: &[u8] = b"{\"tcbInfo\":{\"id\": \"TDX\",\r\n\"x\":\"\\u00e9\"} ,\"signature\":\"00\"}\n";
const CHAIN: &str = "-----BEGIN CERTIFICATE-----\nMAE+/w==\n-----END CERTIFICATE-----\n";

fn config(pcs: &Pcs, base: &str, cache: Option<&Path>) -> FetchConfig {
    let url = format!("{}{base}", pcs.service().url());
    let endpoint = |host: &str| Endpoint { host: host.to_owned(), url: url.clone(), ca_file: None };
    FetchConfig {
        cache_dir: cache.map(Path::to_owned),
        endpoints: vec![endpoint(pcs::HOST), endpoint(pcs::ROOT_HOST)],
        ..FetchConfig::default()
    }
}

fn fetcher(config: &FetchConfig, pcs: &Pcs, time: &Arc<Virtual>) -> Fetcher {
    let roots = Roots::Only(vec![pcs.service().ca_der().to_vec()]);
    Fetcher::new(config, &roots, Arc::<Virtual>::clone(time)).unwrap()
}

async fn get(fetcher: &Fetcher, host: &str, path: &str) -> Result<Content, FetchFailure> {
    let request = EndorsementRequest {
        kind: "tdx".to_owned(),
        url: format!("https://{host}{path}"),
        max_age: 86_400,
        post: None,
    };
    let deadline = fetcher.deadline(Duration::from_secs(30));
    fetcher.fetch(&request, deadline, Keep::Yes, Source::Any).await.map(|fetched| fetched.content)
}

fn content(body: &[u8], chain: Option<&str>) -> Content {
    Content { body: body.to_vec(), issuer_chain: chain.map(str::to_owned) }
}

#[tokio::test]
async fn every_object_as_it_was_sent() {
    let (pcs, time) = (Pcs::start(), Virtual::new());
    pcs.serve_tcb_info(FMSPC, BODY, CHAIN);
    pcs.serve_qe_identity(b"{\"enclaveIdentity\":{}}", CHAIN);
    pcs.serve_pck_crl("platform", b"platform list", CHAIN);
    pcs.serve_pck_crl("processor", b"processor list", CHAIN);
    pcs.serve_root_crl(b"root list");
    let fetcher = fetcher(&config(&pcs, "", None), &pcs, &time);
    for (host, path, expected) in [
        (pcs::HOST, pcs::tcb_info(FMSPC), content(BODY, Some(CHAIN))),
        (pcs::HOST, pcs::QE_IDENTITY.to_owned(), content(b"{\"enclaveIdentity\":{}}", Some(CHAIN))),
        (pcs::HOST, pcs::pck_crl("platform"), content(b"platform list", None)),
        (pcs::HOST, pcs::pck_crl("processor"), content(b"processor list", None)),
        (pcs::ROOT_HOST, pcs::ROOT_CRL.to_owned(), content(b"root list", None)),
    ] {
        assert_eq!(get(&fetcher, host, &path).await, Ok(expected), "{path}");
    }
    assert_eq!(
        get(&fetcher, pcs::HOST, &pcs::tcb_info("000000000000")).await,
        Err(FetchFailure::Status(404))
    );
    assert_eq!(pcs.service().log()[0], "/tdx/certification/v4/tcb?fmspc=90c06f000000&update=early");
}

/// What one fetch of TCB info gives after `faults`, and how it waited.
#[tokio::test]
async fn faults_have_exact_outcomes() {
    let path = pcs::tcb_info(FMSPC);
    let whole = || Ok(content(BODY, Some(CHAIN)));
    for (what, faults, expected, pauses) in [
        ("no fault", vec![], whole(), &[][..]),
        ("throttled", vec![Fault::Throttle(Some("20".to_owned()))], whole(), &[20]),
        (
            "throttled for long",
            vec![Fault::Throttle(Some("60".to_owned()))],
            Err(FetchFailure::Status(429)),
            &[],
        ),
        ("unavailable", vec![Fault::Status(503)], whole(), &[10]),
        ("unavailable for long", vec![Fault::Status(503); 4], Err(FetchFailure::Status(503)), &[10]),
        ("no longer available", vec![Fault::Status(410)], Err(FetchFailure::Status(410)), &[]),
        ("truncated, then well", vec![Fault::Truncate], whole(), &[10]),
        ("empty, then well", vec![Fault::Empty], whole(), &[10]),
        ("without its chain", vec![Fault::Bare], Ok(content(BODY, None)), &[]),
    ] {
        let (pcs, time) = (Pcs::start(), Virtual::new());
        pcs.serve_tcb_info(FMSPC, BODY, CHAIN);
        faults.into_iter().for_each(|fault| pcs.service().fault(&path, fault));
        let fetcher = fetcher(&config(&pcs, "", None), &pcs, &time);
        assert_eq!(
            (get(&fetcher, pcs::HOST, &path).await, time.pauses()),
            (expected, pauses.to_vec()),
            "{what}"
        );
    }
}

#[tokio::test]
async fn redirects_to_another_host_are_refused() {
    let (pcs, other, time) = (Pcs::start(), Pcs::start(), Virtual::new());
    let path = pcs::tcb_info(FMSPC);
    other.serve_tcb_info(FMSPC, BODY, CHAIN);
    for to in [format!("{}{path}", other.service().url()), format!("https://{}{path}", pcs::ROOT_HOST)] {
        pcs.service().fault(&path, Fault::Redirect(to));
        let fetcher = fetcher(&config(&pcs, "", None), &pcs, &time);
        assert!(matches!(get(&fetcher, pcs::HOST, &path).await, Err(FetchFailure::Redirect(_))));
    }
    assert!(other.service().log().is_empty());
    // Within the host one is followed, and the chain is that of where it leads.
    pcs.service().fault(&path, Fault::Redirect(pcs::QE_IDENTITY.to_owned()));
    pcs.serve_qe_identity(BODY, CHAIN);
    let fetcher = fetcher(&config(&pcs, "", None), &pcs, &time);
    assert_eq!(get(&fetcher, pcs::HOST, &path).await, Ok(content(BODY, Some(CHAIN))));
}

#[tokio::test]
async fn chains_are_read_under_each_name() {
    let path = pcs::tcb_info(FMSPC);
    let encoded = pcs::percent_encoded(CHAIN);
    let (other, large) = (pcs::percent_encoded(&CHAIN.repeat(2)), encoded.clone() + &"A".repeat(16 * 1024));
    let refused = || Err("refused");
    for (what, headers, expected) in [
        ("of today", vec![(pcs::TCB_INFO_CHAIN, &encoded)], Ok(Some(CHAIN))),
        ("of yesterday", vec![(pcs::OLD_TCB_INFO_CHAIN, &encoded)], Ok(Some(CHAIN))),
        ("of identities", vec![(pcs::IDENTITY_CHAIN, &encoded)], Ok(Some(CHAIN))),
        ("of lists, which nobody needs", vec![(pcs::CRL_CHAIN, &encoded)], Ok(None)),
        ("both", vec![(pcs::TCB_INFO_CHAIN, &encoded), (pcs::OLD_TCB_INFO_CHAIN, &encoded)], Ok(Some(CHAIN))),
        ("two", vec![(pcs::TCB_INFO_CHAIN, &encoded), (pcs::OLD_TCB_INFO_CHAIN, &other)], refused()),
        ("too large", vec![(pcs::TCB_INFO_CHAIN, &large)], refused()),
    ] {
        let (pcs, time, folder) = (Pcs::start(), Virtual::new(), tempfile::tempdir().unwrap());
        let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name, value.as_str())).collect();
        pcs.service().route_with(&path, &headers, BODY);
        let fetcher = fetcher(&config(&pcs, "", Some(folder.path())), &pcs, &time);
        let fetched = get(&fetcher, pcs::HOST, &path).await;
        match (&fetched, expected) {
            (Ok(fetched), Ok(chain)) => assert_eq!(*fetched, content(BODY, chain), "{what}"),
            (Err(FetchFailure::IssuerChain(_)), Err(_)) => {
                assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{what}: kept");
                assert!(time.pauses().is_empty(), "{what}: waiting does not help");
            }
            _ => unreachable!("{what}: {fetched:?}"),
        }
    }
}

#[tokio::test]
async fn the_cache_keeps_chain_and_body_together() {
    let (pcs, time, folder) = (Pcs::start(), Virtual::new(), tempfile::tempdir().unwrap());
    let path = pcs::tcb_info(FMSPC);
    let config = config(&pcs, "", Some(folder.path()));
    let fetcher = fetcher(&config, &pcs, &time);
    pcs.serve_tcb_info(FMSPC, BODY, CHAIN);
    pcs.serve_qe_identity(BODY, CHAIN);
    for _ in 0..3 {
        for path in [&path, pcs::QE_IDENTITY] {
            assert_eq!(get(&fetcher, pcs::HOST, path).await, Ok(content(BODY, Some(CHAIN))));
        }
    }
    assert_eq!(pcs.service().log().len(), 2);
    // An older service behind the same address has other content, with and without a chain.
    let other = CHAIN.repeat(2);
    pcs.serve_tcb_info(FMSPC, b"older", &other);
    pcs.service().fault(&path, Fault::Bare);
    for expected in [content(b"older", None), content(b"older", Some(&other))] {
        time.advance(301);
        assert_eq!(get(&fetcher, pcs::HOST, &path).await, Ok(expected));
    }
    // The object of a chain is checked like that of a body.
    let objects = folder.path().join("objects");
    for entry in std::fs::read_dir(&objects).unwrap() {
        let file = entry.unwrap().path();
        if std::fs::read(&file).unwrap() == other.as_bytes() {
            std::fs::write(&file, CHAIN).unwrap();
        }
    }
    let before = pcs.service().count(&path);
    assert_eq!(get(&fetcher, pcs::HOST, &path).await, Ok(content(b"older", Some(&other))));
    assert_eq!(pcs.service().count(&path), before + 1);
}

/// A caching service has the paths of the published one, below any address; only the root's list has another place
/// there and is loaded from a file (see `tdx_files.rs`), or fetched from the published host.
#[tokio::test]
async fn a_caching_service_is_a_mirror() {
    let (pcs, time) = (Pcs::start(), Virtual::new());
    let header = pcs::percent_encoded(CHAIN);
    let path = pcs::tcb_info(FMSPC);
    pcs.service().route_with(&format!("/pccs{path}"), &[(pcs::TCB_INFO_CHAIN, &header)], BODY);
    let fetcher = fetcher(&config(&pcs, "/pccs/", None), &pcs, &time);
    assert_eq!(get(&fetcher, pcs::HOST, &path).await, Ok(content(BODY, Some(CHAIN))));
    assert_eq!(get(&fetcher, pcs::ROOT_HOST, pcs::ROOT_CRL).await, Err(FetchFailure::Status(404)));
}
