//! The one HTTP client: fetches the endorsements that plans ask for (*verification.md* 0.10).
//!
//! Transport security is defence in depth: nothing that is fetched is trusted without its own signature. So
//! the rules here protect the host and the vendor's service rather than the outcome: HTTPS to listed hosts
//! only, no redirect to another host, caps on size and time, exponential back-off which honours
//! `Retry-After`, one request at a time for an address, a cache on disk. The environment's proxy variables
//! are not read: who needs a detour configures a mirror. A failure to fetch is a note to people; what its
//! absence means is the plugin's to say.

mod address;
mod backoff;
mod cache;
mod client;
mod environment;
mod exchange;
mod issuer_chain;
mod waits;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cc_core::codes;
use cc_core::message::{EndorsementRequest, Post};
use reqwest::Client;
use tokio::sync::OnceCell;

use crate::{FetchConfig, LoadError, Sha256};
pub(crate) use address::check as check_config;
use address::{Directory, Target};
use backoff::Backoff;
use cache::Cache;
use client::LazyClient;
pub use environment::{Environment, SystemEnvironment, Wait};
use exchange::Failed;
use waits::Waits;

/// Longest time for one attempt, redirects and body included.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(20);
/// For how long a definite refusal is remembered.
const REFUSAL_MEMORY: Duration = Duration::from_secs(30);
/// Most refusals that are remembered.
const MAX_REFUSALS: usize = 1024;

/// Which authorities may have issued the certificates of the published hosts.
#[derive(Clone, Debug)]
pub enum Roots {
    /// Those that this machine trusts.
    System,
    /// These alone, in DER.
    Only(Vec<Vec<u8>>),
}

/// Whether what is fetched may be written to the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// Yes.
    Yes,
    /// No: a replay leaves no trace.
    No,
}

/// Whether the cache may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Yes, if what it has is not too old.
    Any,
    /// No, the address itself: what the cache has did not do.
    Address,
}

/// What was fetched from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The body, exactly as it was sent.
    pub body: Vec<u8>,
    /// Certificates of who signed the body, in PEM, where the service sends them in a header.
    pub issuer_chain: Option<String>,
}

/// What was fetched, and how old it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// What was fetched.
    pub content: Content,
    /// For how many seconds the cache has had it; nothing when it comes from its address.
    pub age: Option<u64>,
}

/// Why an endorsement could not be fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    /// The connection broke, or there are no means to make one.
    #[error("connection: {0}")]
    Connection(String),
    /// The answer was empty.
    #[error("the answer is empty")]
    Empty,
    /// The issuer chain in a header is not one.
    #[error("issuer chain in the header: {0}")]
    IssuerChain(String),
    /// The address may not be asked.
    #[error("address refused: {0}")]
    NotAllowed(String),
    /// Nothing may be fetched, and the cache does not have it.
    #[error("offline, and not in the cache")]
    Offline,
    /// The answer to a question is a text for people.
    #[error("the answer is of media type {0}")]
    MediaType(String),
    /// The answer is larger than an endorsement may be.
    #[error("the answer is larger than {} bytes", cc_core::limits::MAX_ENDORSEMENT)]
    Oversize,
    /// A redirect that is not followed.
    #[error("redirect {0}")]
    Redirect(String),
    /// The server answered with another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// There was no answer in time.
    #[error("no answer in time")]
    Timeout,
    /// No connection could be made. It is not tried again at once: who has no network should hear so now.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The host failed before and is left alone for this many more seconds.
    #[error("the host failed before and is not asked again for {0} s")]
    Waiting(u64),
}

impl FetchFailure {
    /// Whether asking again later may help.
    const fn passes(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Empty | Self::Timeout | Self::Unreachable(_) => true,
            Self::Status(status) => matches!(status, 408 | 429 | 500..=599),
            Self::IssuerChain(_)
            | Self::MediaType(_)
            | Self::NotAllowed(_)
            | Self::Offline
            | Self::Oversize
            | Self::Redirect(_)
            | Self::Waiting(_) => false,
        }
    }
}

/// Until when attempts may be made; from [`Fetcher::deadline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Duration);

type Flight = Arc<OnceCell<Result<Fetched, FetchFailure>>>;

/// Fetches endorsements.
pub struct Fetcher {
    directory: Directory,
    cache: Option<Cache>,
    waits: Option<Waits>,
    offline: bool,
    environment: Arc<dyn Environment>,
    flights: Mutex<BTreeMap<(String, Keep, Source), Flight>>,
    backoff: Mutex<Backoff>,
    refusals: Mutex<BTreeMap<String, (Duration, FetchFailure)>>,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher")
            .field("directory", &self.directory)
            .field("offline", &self.offline)
            .finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A fetcher with this configuration; reads the authorities of the mirrors.
    pub fn new(
        config: &FetchConfig,
        roots: &Roots,
        environment: Arc<dyn Environment>,
    ) -> Result<Self, LoadError> {
        let directory =
            Directory::new(config, &LazyClient::of(roots), |mirror| LazyClient::of_mirror(config, mirror))
                .map_err(|(key, what)| invalid(&key, &what))?;
        let waits = config.cache_dir.as_deref().map(Waits::new);
        let mut backoff = Backoff::default();
        for (host, wish) in waits.iter().flat_map(|waits| waits.read(environment.now())) {
            backoff.wished(host, environment.elapsed(), wish);
        }
        Ok(Self {
            directory,
            cache: config.cache_dir.as_deref().map(Cache::new),
            waits,
            offline: config.offline,
            environment,
            flights: Mutex::default(),
            backoff: Mutex::new(backoff),
            refusals: Mutex::default(),
        })
    }

    /// The deadline that `patience` gives from now on.
    pub fn deadline(&self, patience: Duration) -> Deadline {
        Deadline(self.environment.elapsed().saturating_add(patience))
    }

    /// Obtains what a plan asks for, from the cache or from its address. Attempts are repeated until
    /// `deadline`; a caller that comes while the same is being fetched shares that answer.
    pub async fn fetch(
        &self,
        request: &EndorsementRequest,
        deadline: Deadline,
        keep: Keep,
        source: Source,
    ) -> Result<Fetched, FetchFailure> {
        let target = self.directory.target(&request.url)?;
        let key = (identity(&target, request), keep, source);
        let (flight, joined) = {
            let mut flights = lock(&self.flights);
            let joined = flights.contains_key(&key);
            (Arc::clone(flights.entry(key.clone()).or_default()), joined)
        };
        let answer = flight.get_or_init(|| self.obtain(request, &target, deadline, keep, source));
        let result = if joined {
            // Who asked first may have more patience.
            let left = deadline.0.saturating_sub(self.environment.elapsed());
            tokio::select! {
                biased;
                answer = answer => answer.clone(),
                () = self.environment.limit(left) => return Err(FetchFailure::Timeout),
            }
        } else {
            answer.await.clone()
        };
        let mut flights = lock(&self.flights);
        if flights.get(&key).is_some_and(|current| Arc::ptr_eq(current, &flight)) {
            flights.remove(&key);
        }
        result
    }

    /// Notes that a verification succeeded with this body from the address: the cache may serve it for as long
    /// as the plan said.
    pub(crate) fn confirm(&self, request: &EndorsementRequest, body: Sha256) {
        let (Some(cache), Ok(target)) = (&self.cache, self.directory.target(&request.url)) else { return };
        if let Err(error) = cache.confirm(&identity(&target, request), body) {
            tracing::warn!(url = request.url, %error, "cache entry not confirmed");
        }
    }

    /// Whether nothing may be fetched.
    pub(crate) const fn is_offline(&self) -> bool {
        self.offline
    }

    /// Time that has passed since some fixed point.
    pub(crate) fn elapsed(&self) -> Duration {
        self.environment.elapsed()
    }

    async fn obtain(
        &self,
        request: &EndorsementRequest,
        target: &Target,
        deadline: Deadline,
        keep: Keep,
        source: Source,
    ) -> Result<Fetched, FetchFailure> {
        let url = &identity(target, request);
        let cache = self.cache.as_ref().filter(|_| source == Source::Any);
        let now = self.environment.now();
        if let Some((content, age)) = cache.and_then(|cache| cache.read(url, request.max_age, now)) {
            return Ok(Fetched { content, age: Some(age) });
        }
        if self.offline {
            return Err(FetchFailure::Offline);
        }
        self.refused(url)?;
        let result = self.attempts(target, request.post.as_ref(), deadline, keep).await;
        match (&result, &self.cache) {
            (Ok(content), Some(cache)) if keep == Keep::Yes && request.max_age > 0 => {
                if let Err(error) = cache.write(url, content, self.environment.now()) {
                    tracing::warn!(url, %error, "not cached");
                }
            }
            (Err(failure), _) if !failure.passes() => self.remember(url, failure),
            _ => {}
        }
        result.map(|content| Fetched { content, age: None })
    }

    async fn attempts(
        &self,
        target: &Target,
        post: Option<&Post>,
        Deadline(deadline): Deadline,
        keep: Keep,
    ) -> Result<Content, FetchFailure> {
        let client = target.client.get()?;
        let mut last = None;
        loop {
            let elapsed = self.environment.elapsed();
            let wait = lock(&self.backoff).wait(&target.host, elapsed);
            if elapsed.saturating_add(wait) >= deadline {
                let waiting =
                    FetchFailure::Waiting(wait.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX));
                return Err(last.unwrap_or(if wait.is_zero() { FetchFailure::Timeout } else { waiting }));
            }
            if !wait.is_zero() {
                let seconds = wait.as_secs().max(1);
                tracing::warn!(host = target.host, "asking again in {seconds} s");
                // Meanwhile another request may have prolonged the wait: ask again.
                self.environment.pause(wait).await;
                continue;
            }
            let limit = ATTEMPT_LIMIT.min(deadline.saturating_sub(elapsed));
            let failed = match self.attempt(client, target, post, limit).await {
                Ok(content) => {
                    lock(&self.backoff).succeeded(&target.host, self.environment.elapsed());
                    return Ok(content);
                }
                Err(failed) => failed,
            };
            tracing::info!(url = %target.url, failure = %failed.failure, "not fetched");
            if !failed.failure.passes() {
                return Err(failed.failure);
            }
            let (elapsed, chance) = (self.environment.elapsed(), self.environment.chance());
            lock(&self.backoff).failed(&target.host, elapsed, failed.wish, chance);
            if let (Some(wish), Some(waits), Keep::Yes) = (failed.wish, &self.waits, keep)
                && let Err(error) = waits.keep(&target.host, wish, self.environment.now())
            {
                tracing::warn!(host = target.host, %error, "the wish of the host is not kept");
            }
            if matches!(failed.failure, FetchFailure::Unreachable(_)) {
                return Err(failed.failure);
            }
            last = Some(failed.failure);
        }
    }

    async fn attempt(
        &self,
        client: &Client,
        target: &Target,
        post: Option<&Post>,
        limit: Duration,
    ) -> Result<Content, Failed> {
        let now = self.environment.now();
        let answer = async {
            match post {
                None => exchange::get(client, &target.url, now).await,
                Some(post) => exchange::post(client, &target.url, post, now).await,
            }
        };
        tokio::select! {
            biased;
            result = answer => result,
            () = self.environment.limit(limit) => Err(FetchFailure::Timeout.into()),
        }
    }

    /// Repeats a refusal that is still remembered.
    fn refused(&self, url: &str) -> Result<(), FetchFailure> {
        let elapsed = self.environment.elapsed();
        let mut refusals = lock(&self.refusals);
        refusals.retain(|_, (until, _)| *until > elapsed);
        refusals.get(url).map_or(Ok(()), |(_, failure)| Err(failure.clone()))
    }

    fn remember(&self, url: &str, failure: &FetchFailure) {
        let mut refusals = lock(&self.refusals);
        // `Waiting` is the memory of another request already.
        if refusals.len() < MAX_REFUSALS && !matches!(failure, FetchFailure::Waiting(_)) {
            let until = self.environment.elapsed().saturating_add(REFUSAL_MEMORY);
            refusals.insert(url.to_owned(), (until, failure.clone()));
        }
    }
}

/// What an answer is kept and shared under: the address that is really asked, since a mirror's answers are served as
/// nobody else's, and what a question is about. No address has a fragment of its own.
fn identity(target: &Target, request: &EndorsementRequest) -> String {
    match &request.post {
        None => target.url.to_string(),
        Some(post) => format!("{}#{}", target.url, Sha256::of(&post.key)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(key: &str, what: &str) -> LoadError {
    LoadError::new(codes::PLUG_CONFIG_INVALID, &PathBuf::from("[fetch]"), format!("`{key}`: {what}"))
}
