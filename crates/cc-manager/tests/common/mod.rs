//! A fetcher against the fake key distribution service, with virtual time.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cc_core::UnixTime;
use cc_core::message::EndorsementRequest;
use cc_manager::fetch::{Environment, Fetcher, Roots, Wait};
use cc_manager::{Endpoint, FetchConfig};
use cc_testkit::kds::Kds;
use tokio::sync::watch;

/// The host whose requests go to the fake service.
pub(crate) const HOST: &str = "kdsintf.amd.com";
/// The instant at which the virtual clock starts.
pub(crate) const START: u64 = 1_780_272_000;

/// Time that passes only when somebody waits for it, and attempts that end only when a test says so.
pub(crate) struct Virtual {
    elapsed: Mutex<Duration>,
    pauses: Mutex<Vec<u64>>,
    limits: Mutex<Vec<u64>>,
    expired: watch::Sender<bool>,
}

impl Virtual {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            elapsed: Mutex::default(),
            pauses: Mutex::default(),
            limits: Mutex::default(),
            expired: watch::Sender::new(false),
        })
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, seconds: u64) {
        *self.elapsed.lock().unwrap() += Duration::from_secs(seconds);
    }

    /// Ends every attempt from here on.
    pub(crate) fn expire(&self) {
        self.expired.send_replace(true);
    }

    /// How many seconds were waited between attempts, wait by wait.
    pub(crate) fn pauses(&self) -> Vec<u64> {
        self.pauses.lock().unwrap().clone()
    }

    /// How many seconds each attempt was given.
    pub(crate) fn limits(&self) -> Vec<u64> {
        self.limits.lock().unwrap().clone()
    }
}

impl Environment for Virtual {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(START + self.elapsed().as_secs())
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }

    fn pause(&self, duration: Duration) -> Wait {
        self.pauses.lock().unwrap().push(duration.as_secs());
        *self.elapsed.lock().unwrap() += duration;
        Box::pin(std::future::ready(()))
    }

    fn limit(&self, duration: Duration) -> Wait {
        self.limits.lock().unwrap().push(duration.as_secs());
        let mut expired = self.expired.subscribe();
        Box::pin(async move {
            let _ = expired.wait_for(|&expired| expired).await;
        })
    }

    fn chance(&self) -> u8 {
        0
    }
}

/// A configuration that sends requests for AMD's host to the fake service.
pub(crate) fn config(kds: &Kds, cache: Option<&Path>) -> FetchConfig {
    FetchConfig {
        cache_dir: cache.map(Path::to_owned),
        endpoints: vec![Endpoint { host: HOST.to_owned(), url: kds.url(), ca_file: None }],
        ..FetchConfig::default()
    }
}

/// A fetcher that trusts the fake service's authority.
pub(crate) fn fetcher(config: &FetchConfig, kds: &Kds, time: &Arc<Virtual>) -> Fetcher {
    let roots = Roots::Only(vec![kds.ca_der().to_vec()]);
    Fetcher::new(config, &roots, Arc::<Virtual>::clone(time)).unwrap()
}

/// A request for a path of AMD's host, cached for a day.
pub(crate) fn request(path: &str) -> EndorsementRequest {
    EndorsementRequest {
        kind: "snp.crl".to_owned(),
        url: format!("https://{HOST}{path}"),
        max_age: 86_400,
        post: None,
    }
}
