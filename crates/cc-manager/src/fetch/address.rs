//! Which addresses may be asked, and who is asked in their place (*verification.md* 0.10).

use std::collections::BTreeMap;

use url::{Host, Url};

use super::FetchFailure;
use super::client::LazyClient;
use crate::FetchConfig;

/// Hosts that may always be asked: Intel's provisioning certification service, the host of its root's revocation list,
/// AMD's key distribution service, NVIDIA's attestation service, OCSP responder and service of reference manifests.
const HOSTS: &[&str] = &[
    "api.trustedservices.intel.com",
    "certificates.trustedservices.intel.com",
    "kdsintf.amd.com",
    "nras.attestation.nvidia.com",
    "ocsp.ndis.nvidia.com",
    "rim.attestation.nvidia.com",
];

/// What the hosts of Microsoft Azure Attestation end in: each tenant and region has its own. Which of them is asked for keys
/// is the plugin's configuration.
const AZURE_ATTESTATION: &str = ".attest.azure.net";

/// The allowed hosts, and for each the client and base address that serve it.
#[derive(Debug)]
pub(super) struct Directory {
    hosts: BTreeMap<String, Route>,
    direct: LazyClient,
}

#[derive(Clone, Debug)]
struct Route {
    client: LazyClient,
    /// The mirror, where there is one.
    base: Option<Url>,
}

/// An address that may be asked.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) client: LazyClient,
    /// The host of the published address; back-off counts per host.
    pub(super) host: String,
    /// Where the request goes.
    pub(super) url: Url,
}

impl Directory {
    /// Puts the directory together: `direct` is asked, unless `client` has another one for the mirror at a
    /// position. `Err` has the key path and what is wrong there.
    pub(super) fn new(
        config: &FetchConfig,
        direct: &LazyClient,
        client: impl Fn(usize) -> Result<Option<LazyClient>, (String, String)>,
    ) -> Result<Self, (String, String)> {
        check(config)?;
        let names = HOSTS.iter().map(|&host| host.to_owned()).chain(config.allow.iter().cloned());
        let mut hosts: BTreeMap<_, _> =
            names.map(|name| (name, Route { client: direct.clone(), base: None })).collect();
        for (i, endpoint) in config.endpoints.iter().enumerate() {
            let base = base(&endpoint.url).map_err(|what| (format!("fetch.endpoint[{i}].url"), what))?;
            let client = client(i)?.unwrap_or_else(|| direct.clone());
            hosts.insert(endpoint.host.clone(), Route { client, base: Some(base) });
        }
        Ok(Self { hosts, direct: direct.clone() })
    }

    /// Checks an address from a plan: `https`, an allowed host, in its one spelling, nothing but host, path and
    /// query.
    pub(super) fn target(&self, address: &str) -> Result<Target, FetchFailure> {
        let refuse = |what: &str| FetchFailure::NotAllowed(what.to_owned());
        let url = Url::parse(address).map_err(|error| FetchFailure::NotAllowed(error.to_string()))?;
        if url.scheme() != "https" {
            return Err(refuse("the scheme is not https"));
        }
        if url.as_str() != address {
            return Err(refuse("the address has another canonical spelling"));
        }
        let bare = url.username().is_empty() && url.password().is_none();
        if !bare || url.port().is_some() || url.fragment().is_some() {
            return Err(refuse("the address has a user, port or fragment"));
        }
        let host = url.host_str().unwrap_or_default();
        let listed = self.hosts.get(host).cloned();
        let direct = || is_published(host).then(|| Route { client: self.direct.clone(), base: None });
        let Some(route) = listed.or_else(direct) else {
            return Err(FetchFailure::NotAllowed(format!("host {host} is not on the list")));
        };
        let host = host.to_owned();
        let url = route.base.as_ref().map_or_else(|| url.clone(), |base| rebase(base, &url));
        Ok(Target { client: route.client.clone(), host, url })
    }
}

/// Whether a host may be asked without being configured.
fn is_published(host: &str) -> bool {
    HOSTS.contains(&host) || (is_host(host) && host.ends_with(AZURE_ATTESTATION))
}

/// Checks the `[fetch]` table as far as that needs no files. `Err` has the key path and what is wrong there.
pub(crate) fn check(config: &FetchConfig) -> Result<(), (String, String)> {
    for (i, host) in config.allow.iter().enumerate() {
        if !is_host(host) {
            return Err((format!("fetch.allow[{i}]"), format!("{host:?} is not a lower-case host name")));
        }
    }
    for (i, endpoint) in config.endpoints.iter().enumerate() {
        let key = |name: &str| format!("fetch.endpoint[{i}].{name}");
        let host = &endpoint.host;
        if !is_published(host) && !config.allow.contains(host) {
            return Err((key("host"), format!("{host:?} is not on the list of allowed hosts")));
        }
        if config.endpoints.iter().take(i).any(|other| other.host == *host) {
            return Err((key("host"), format!("{host} has two endpoints")));
        }
        base(&endpoint.url).map_err(|what| (key("url"), what))?;
    }
    Ok(())
}

/// A name as an address has it: nothing that a parser would read differently.
fn is_host(text: &str) -> bool {
    matches!(Host::parse(text), Ok(Host::Domain(name)) if name == text)
}

fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if url.scheme() != "https" {
        return Err(format!("scheme is {}, expected https", url.scheme()));
    }
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.query().is_some() || url.fragment().is_some() {
        return Err("a user, query or fragment has no place in the address of a mirror".to_owned());
    }
    Ok(url)
}

/// The published path and query under the mirror's address.
fn rebase(base: &Url, published: &Url) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{}", base.path().trim_end_matches('/'), published.path()));
    url.set_query(published.query());
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Endpoint;
    use crate::fetch::Roots;

    fn directory(config: &FetchConfig) -> Result<Directory, String> {
        let direct = LazyClient::of(&Roots::Only(Vec::new()));
        Directory::new(config, &direct, |_| Ok(None)).map_err(|(key, _)| key)
    }

    fn endpoint(host: &str, url: &str) -> Endpoint {
        Endpoint { host: host.to_owned(), url: url.to_owned(), ca_file: None }
    }

    #[test]
    fn only_listed_hosts_in_their_one_spelling() {
        let config = FetchConfig { allow: vec!["mirror.example".to_owned()], ..FetchConfig::default() };
        let directory = directory(&config).unwrap();
        for good in [
            "https://kdsintf.amd.com/vcek/v1/Milan/crl",
            "https://api.trustedservices.intel.com/tdx/certification/v4/tcb?fmspc=00806f050000&update=early",
            "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der",
            "https://mirror.example/a?b=c",
            "https://sharedweu.weu.attest.azure.net/certs",
        ] {
            assert_eq!(directory.target(good).unwrap().url.as_str(), good);
        }
        for bad in [
            "http://kdsintf.amd.com/",
            "https://kdsintf.amd.com",
            "https://KDSINTF.amd.com/",
            "https://kdsintf.amd.com./",
            "https://kdsintf.amd.com:443/",
            "https://kdsintf.amd.com:8443/",
            "https://user@kdsintf.amd.com/",
            "https://kdsintf.amd.com@evil.example/",
            "https://kdsintf.amd.com/#fragment",
            "https://kdsintf.amd.com/a/../b",
            "https://kdsintf.amd.com.evil.example/",
            "https://evil.example/",
            "https://attest.azure.net/certs",
            "https://evilattest.azure.net/certs",
            "https://sharedweu.weu.attest.azure.net.evil.example/certs",
            "https://trustedservices.intel.com/",
            "https://sbx.api.trustedservices.intel.com/",
            "https://127.0.0.1/",
            "file:///etc/passwd",
            "kdsintf.amd.com",
            "",
        ] {
            assert!(matches!(directory.target(bad), Err(FetchFailure::NotAllowed(_))), "{bad}");
        }
    }

    #[test]
    fn a_mirror_takes_the_place_of_its_host() {
        for (base, expected) in [
            ("https://m.example", "https://m.example/vcek/v1/Milan/crl?a=1"),
            ("https://m.example:8443/kds/", "https://m.example:8443/kds/vcek/v1/Milan/crl?a=1"),
        ] {
            let endpoints = vec![endpoint("kdsintf.amd.com", base)];
            let directory = directory(&FetchConfig { endpoints, ..FetchConfig::default() }).unwrap();
            let target = directory.target("https://kdsintf.amd.com/vcek/v1/Milan/crl?a=1").unwrap();
            assert_eq!((target.url.as_str(), target.host.as_str()), (expected, "kdsintf.amd.com"));
        }
    }

    #[test]
    fn configuration_errors_name_the_key() {
        let amd = "kdsintf.amd.com";
        for (allow, endpoints, key) in [
            (vec!["Mirror.example"], vec![], "fetch.allow[0]"),
            (vec!["a.example", "b.example/c"], vec![], "fetch.allow[1]"),
            (vec!["10.0.0.1"], vec![], "fetch.allow[0]"),
            (vec![""], vec![], "fetch.allow[0]"),
            (vec![], vec![endpoint("other.example", "https://m.example")], "fetch.endpoint[0].host"),
            (vec![], vec![endpoint(amd, "http://m.example")], "fetch.endpoint[0].url"),
            (vec![], vec![endpoint(amd, "m.example")], "fetch.endpoint[0].url"),
            (vec![], vec![endpoint(amd, "https://u:p@m.example")], "fetch.endpoint[0].url"),
            (vec![], vec![endpoint(amd, "https://m.example/?a")], "fetch.endpoint[0].url"),
            (
                vec![],
                vec![endpoint(amd, "https://m.example"), endpoint(amd, "https://n.example")],
                "fetch.endpoint[1].host",
            ),
        ] {
            let allow = allow.into_iter().map(str::to_owned).collect();
            let config = FetchConfig { allow, endpoints, ..FetchConfig::default() };
            assert_eq!(directory(&config).unwrap_err(), key);
        }
    }
}
