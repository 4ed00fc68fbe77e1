//! A verifier with emulated hardware of its own, and what such hardware shows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cc_core::{Binding, Instant, Profile};
use cc_manager::attest::{Federation, Judgement, PolicyFile, Subject, Verifier, VerifierSetup};
use cc_manager::clock::Clock as _;
use cc_manager::fetch::{Fetcher, Roots, SystemEnvironment};
use cc_manager::{Config, Floors, Host, collect};

use crate::federation::Wall;
use crate::place::worker;

/// A verifier of a development federation with the plugins of a configuration, which trusts no server.
pub fn setup(plugins: &Path, policy: &str) -> VerifierSetup {
    let config = Config::load_file(plugins).unwrap();
    let environment = Arc::new(SystemEnvironment::new());
    VerifierSetup {
        host: Host::load(&config, &worker()).unwrap(),
        fetcher: Fetcher::new(&config.fetch, &Roots::Only(Vec::new()), environment).unwrap(),
        floors: Floors::open(None),
        collateral: Vec::new(),
        patience: Duration::ZERO,
        federation: Federation::Development,
        site_policy: PolicyFile::parse(policy, "policy.toml").unwrap(),
    }
}

/// Evidence for a binding, with the endorsements that come with it.
pub async fn collected(host: &Host, profile: &Profile, binding: Binding) -> (Vec<u8>, Vec<Vec<u8>>) {
    let collection = collect(host, profile, binding).await.unwrap();
    let (evidence, endorsements) = collection.result.unwrap();
    (evidence, endorsements.into_iter().map(|endorsement| endorsement.bytes).collect())
}

/// What a verifier makes of a subject now.
pub async fn judge(setup: VerifierSetup, subject: &Subject) -> Judgement {
    let verifier = Verifier::new(setup).unwrap();
    verifier.judge(subject, Instant::Present(Wall.now().unwrap())).await
}
