//! HTTP clients, and which authorities each trusts.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::{Certificate, Client};

use super::exchange::causes;
use super::{FetchFailure, Roots};
use crate::{FetchConfig, disk};

/// Longest time for opening a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Largest file of authorities, in bytes.
const MAX_CA_FILE: usize = 1024 * 1024;

type Build = Box<dyn FnOnce() -> Result<Client, String> + Send>;

/// A client that is built when it is first needed: on a machine without authorities that fails, and must not
/// trouble who asks nobody, or only a mirror with authorities of its own.
#[derive(Clone, Debug)]
pub(super) struct LazyClient(Arc<LazyLock<Result<Client, String>, Build>>);

impl LazyClient {
    fn new(build: impl FnOnce() -> Result<Client, String> + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(build))))
    }

    /// The client for the published hosts and for mirrors without authorities of their own.
    pub(super) fn of(roots: &Roots) -> Self {
        let roots = roots.clone();
        Self::new(move || match roots {
            Roots::System => build(None),
            Roots::Only(list) => {
                let list = list.iter().map(|der| Certificate::from_der(der)).collect::<Result<_, _>>();
                build(Some(list.map_err(|error| causes(&error))?))
            }
        })
    }

    /// The client for a mirror with authorities of its own, built at once: what is wrong with the file is wrong
    /// with the configuration. `Err` has the key path and what is wrong there.
    pub(super) fn of_mirror(config: &FetchConfig, mirror: usize) -> Result<Option<Self>, (String, String)> {
        let file = config.endpoints.get(mirror).and_then(|endpoint| endpoint.ca_file.as_ref());
        let Some(file) = file else { return Ok(None) };
        let wrong = |what: String| (format!("fetch.endpoint[{mirror}].ca_file"), what);
        let pem = disk::read(file, MAX_CA_FILE).map_err(|e| wrong(format!("{}: {e}", file.display())))?;
        let list = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(causes(&error)))?;
        let client = build(Some(list)).map_err(wrong)?;
        Ok(Some(Self::new(move || Ok(client))))
    }

    /// The client, or why there can be none.
    pub(super) fn get(&self) -> Result<&Client, FetchFailure> {
        self.0.as_ref().as_ref().map_err(|cause| FetchFailure::Connection(cause.clone()))
    }
}

/// A client that trusts these authorities, or those of the system.
fn build(authorities: Option<Vec<Certificate>>) -> Result<Client, String> {
    let mut builder = Client::builder()
        .https_only(true)
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_LIMIT)
        .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")));
    if let Some(authorities) = authorities {
        if authorities.is_empty() {
            return Err("there is no certificate".to_owned());
        }
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|error| causes(&error))
}
