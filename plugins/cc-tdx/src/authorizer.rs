//! The shell around collection and verification. Also compiled, with synthetic anchors, into the emulated
//! authorizer of the tests, so that what is tested there is this code.

use std::marker::PhantomData;

use cc_attester::tdx::{Collector, Options};
use cc_core::message::{
    CollectRequest, Collected, Identity, MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use cc_core::sdk::Authorizer;
use cc_core::{Finding, Profile, ProfileInfo, Role, Settings, TrustClass};
use cc_verifier::tdx::{Anchors, Verifier};

/// Platforms, collateral and attestation keys, each, that one instance remembers.
const REMEMBERED: usize = 1024;

/// Whose platforms an authorizer speaks for.
pub(crate) trait Hardware: Send + Sync + 'static {
    /// The plugin's name.
    const NAME: &'static str;
    /// Whether the platforms are real.
    const TRUST_CLASS: TrustClass;

    /// The root of their certificates.
    fn anchors() -> Anchors;
}

/// The authorizer of `tdx-quote-1`.
pub(crate) struct TdxAuthorizer<H> {
    verifier: Verifier,
    collector: Collector,
    hardware: PhantomData<H>,
}

impl<H: Hardware> Authorizer for TdxAuthorizer<H> {
    fn identity() -> Identity {
        Identity {
            version: MESSAGE_VERSION,
            name: H::NAME.to_owned(),
            vendor: "Muster".to_owned(),
            plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
            sdk_version: cc_core::sdk::VERSION.to_owned(),
            trust_class: H::TRUST_CLASS,
            profiles: vec![ProfileInfo {
                profile: Profile::tdx_quote_1(),
                namespace: "x-tdx".to_owned(),
                media_types: vec!["application/octet-stream".to_owned()],
                roles: vec![Role::Collect, Role::Verify],
            }],
        }
    }

    fn create(mut settings: Settings) -> Result<Self, Finding> {
        let defaults = Options::default();
        let options = Options {
            configfs: settings.take_path("configfs", &defaults.configfs)?,
            ccel: settings.take_path("ccel", &defaults.ccel)?,
            lock: settings.take_path("lock", &defaults.lock)?,
            timeout: settings.take_seconds("timeout_seconds", defaults.timeout)?,
        };
        settings.finish()?;
        Ok(Self {
            verifier: Verifier::new(H::anchors(), REMEMBERED),
            collector: Collector::new(options),
            hardware: PhantomData,
        })
    }

    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        self.collector.collect(&request.binding)
    }

    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        self.verifier.plan(request)
    }

    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        self.verifier.verify(request)
    }
}
