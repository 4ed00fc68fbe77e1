//! The keys of an attestation service: fetched once, kept, and fetched again when they no longer do; however many tokens
//! name however many keys.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cc_core::azure::{Token, runtime_data};
use cc_core::{Binding, Instant, Profile, UnixTime, Waivers};
use cc_manager::fetch::{Environment, Fetcher, Roots, Wait};
use cc_manager::{Config, Endpoint, Expectation, FetchConfig, Floors, Host, Request, verify};
use cc_testkit::https::Service;
use cc_testkit::jwt::{key_set, rsa_key};
use cc_testkit::maa::{self, CERTS, ISS};
use cc_testkit::snp::SignKey;
use muster_it::place::{config, entry, plugins, worker};

const PROFILES: [&str; 3] = ["aci-raw-1", "aci-maa-1", "az-cvm-vtpm-1"];
const NOW: i64 = 1_780_272_000;
const BINDING: [u8; 64] = [0x3c; 64];

/// A clock that the test moves, in seconds.
#[derive(Default)]
struct Clock(AtomicU64);

impl Environment for Clock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(NOW.unsigned_abs().saturating_add(self.0.load(Ordering::SeqCst)))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn pause(&self, _: Duration) -> Wait {
        Box::pin(std::future::ready(()))
    }

    fn limit(&self, _: Duration) -> Wait {
        Box::pin(std::future::pending())
    }

    fn chance(&self) -> u8 {
        0
    }
}

struct Scene {
    host: Host,
    fetcher: Fetcher,
    service: Service,
    clock: Arc<Clock>,
}

impl Scene {
    fn new(folder: &Path) -> Self {
        let service = Service::start();
        service.route(CERTS, &maa::jwks());
        let settings = format!("maa_issuers = [{ISS:?}]");
        let plugin = entry(&plugins().join("libcc_aci.so"), &PROFILES, &settings);
        let loaded = Config::load_file(&config(folder, &[plugin])).unwrap();
        let host = ISS.trim_start_matches("https://").to_owned();
        let fetch = FetchConfig {
            cache_dir: Some(folder.join("cache")),
            endpoints: vec![Endpoint { host, url: service.url(), ca_file: None }],
            ..FetchConfig::default()
        };
        let clock = Arc::<Clock>::default();
        let roots = Roots::Only(vec![service.ca_der().to_vec()]);
        let fetcher = Fetcher::new(&fetch, &roots, Arc::<Clock>::clone(&clock)).unwrap();
        Self { host: Host::load(&loaded, &worker()).unwrap(), fetcher, service, clock }
    }

    /// The outcome of a token that names that key and is signed with that one.
    async fn judge(&self, kid: &str, key: &SignKey) -> String {
        let data = runtime_data(&BINDING);
        let at = self.clock.now();
        let issued = i64::try_from(at.as_secs()).unwrap();
        let mut token = maa::token(ISS, &report(&data), &data, issued);
        token.header.set_text("kid", kid);
        let token = token.sign(key).into_bytes();
        let request = Request {
            profile: Profile::aci_maa_1(),
            evidence: Token { token, runtime_data: data, report: Vec::new() }.encode(),
            endorsements: Vec::new(),
            waivers: Waivers::none(),
            at: Instant::Present(at),
            expected: Expectation::Compare(Binding::new(BINDING)),
            patience: Duration::from_secs(60),
        };
        let verification = verify(&self.host, &self.fetcher, &Floors::open(None), request).await.unwrap();
        verification.result.map_or_else(|finding| finding.code.to_string(), |_| "accept".to_owned())
    }

    fn fetched(&self) -> usize {
        self.service.count(CERTS)
    }
}

/// A report over the digest of runtime data; the token's claims are read from it.
fn report(data: &[u8]) -> Vec<u8> {
    let mut report = vec![0; 1184];
    report.splice(0x50..0x70, cc_testkit::aci::mint::sha256(data));
    report
}

#[tokio::test]
async fn keys_are_fetched_once() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    for _ in 0..3 {
        assert_eq!(scene.judge(maa::KID, maa::key()).await, "accept");
    }
    assert_eq!(scene.fetched(), 1);
}

#[tokio::test]
async fn n_maa_08_tokens_with_random_kids_have_keys_fetched_once() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    for number in 0..100_u32 {
        let kid = format!("{:08x}", number.wrapping_mul(2_654_435_761));
        assert_eq!(scene.judge(&kid, maa::key()).await, "jwt.kid.unknown", "{kid}");
    }
    assert_eq!(scene.fetched(), 1);
    // Five minutes later one of them has them fetched again, and the others do not.
    scene.clock.0.fetch_add(300, Ordering::SeqCst);
    for kid in ["a", "b", "c"] {
        assert_eq!(scene.judge(kid, maa::key()).await, "jwt.kid.unknown", "{kid}");
    }
    assert_eq!(scene.fetched(), 2);
}

#[tokio::test]
async fn keys_that_were_replaced_are_found_and_retired_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::new(folder.path());
    assert_eq!(scene.judge(maa::KID, maa::key()).await, "accept");
    scene.service.route(CERTS, &key_set(&[rsa_key(maa::NEXT_KID, maa::next_key())]));
    assert_eq!(scene.judge(maa::NEXT_KID, maa::next_key()).await, "jwt.kid.unknown", "the cache is young");
    scene.clock.0.fetch_add(300, Ordering::SeqCst);
    assert_eq!(scene.judge(maa::NEXT_KID, maa::next_key()).await, "accept");
    assert_eq!(scene.judge(maa::KID, maa::key()).await, "jwt.kid.unknown");
    assert_eq!(scene.fetched(), 2);
}

#[tokio::test]
async fn without_keys_nothing_is_decided() {
    let folder = tempfile::tempdir().unwrap();
    let mut scene = Scene::new(folder.path());
    scene.service.go_down();
    assert_eq!(scene.judge(maa::KID, maa::key()).await, "jwt.jwks.unavailable");
}
