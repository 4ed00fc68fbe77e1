//! The shell around collection and verification. Also compiled, with synthetic anchors, into the emulated
//! authorizer of the tests, so that what is tested there is this code.

use std::marker::PhantomData;

use cc_attester::gpu::{Collector, Options};
use cc_core::message::{
    CollectRequest, Collected, Identity, MESSAGE_VERSION, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use cc_core::sdk::Authorizer;
use cc_core::{Finding, Profile, ProfileInfo, Role, Settings, TrustClass, gpu};
use cc_verifier::gpu::{Anchors, Verifier};
use cc_verifier::nras;

/// Devices and manifests, each, that one instance remembers.
const REMEMBERED: usize = 1024;

/// Whose devices an authorizer speaks for.
pub(crate) trait Hardware: Send + Sync + 'static {
    /// The plugin's name.
    const NAME: &'static str;
    /// Whether the devices are real.
    const TRUST_CLASS: TrustClass;

    /// The roots of devices and manifests.
    fn anchors() -> Anchors;
}

/// The authorizer of `nv-spdm-1`.
pub(crate) struct GpuAuthorizer<H> {
    verifier: Verifier,
    collector: Collector,
    hardware: PhantomData<H>,
}

impl<H: Hardware> Authorizer for GpuAuthorizer<H> {
    fn identity() -> Identity {
        identity(H::NAME, H::TRUST_CLASS)
    }

    fn create(mut settings: Settings) -> Result<Self, Finding> {
        let defaults = Options::default();
        let options = Options {
            library: settings.take_path("library", &defaults.library)?,
            lock: settings.take_path("lock", &defaults.lock)?,
            timeout: settings.take_seconds("timeout_seconds", defaults.timeout)?,
        };
        let verifier = Verifier::new(H::anchors(), REMEMBERED);
        let verifier = match nras(&mut settings)? {
            Some(issuer) => verifier.with_nras(issuer),
            None => verifier,
        };
        settings.finish()?;
        Ok(Self { verifier, collector: Collector::new(options), hardware: PhantomData })
    }

    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        let devices = self.collector.collect(request.binding.nonce()?)?;
        Ok(Collected {
            version: MESSAGE_VERSION,
            evidence: gpu::encode(&devices),
            // The chains come with the devices; manifests and answers of OCSP are the verifiers' to fetch.
            endorsements: Vec::new(),
        })
    }

    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        self.verifier.plan(request)
    }

    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        self.verifier.verify(request)
    }
}

/// Who an authorizer of `nv-spdm-1` is.
pub(crate) fn identity(name: &str, trust_class: TrustClass) -> Identity {
    Identity {
        version: MESSAGE_VERSION,
        name: name.to_owned(),
        vendor: "Muster".to_owned(),
        plugin_version: env!("CARGO_PKG_VERSION").to_owned(),
        sdk_version: cc_core::sdk::VERSION.to_owned(),
        trust_class,
        profiles: vec![ProfileInfo {
            profile: Profile::nv_spdm_1(),
            namespace: "x-nv-gpu".to_owned(),
            media_types: vec!["application/cbor".to_owned()],
            roles: vec![Role::Collect, Role::Verify],
        }],
    }
}

/// The issuer of the attestation service, if it stands in for manifests and OCSP answers.
fn nras(settings: &mut Settings) -> Result<Option<String>, Finding> {
    let issuer = settings.take_text("nras_issuer", nras::Service::NVIDIA.iss)?;
    Ok(settings.take_flag("nras", false)?.then_some(issuer))
}

#[cfg(test)]
mod tests {
    use cc_core::{Claims, codes};

    use super::*;

    #[test]
    fn the_service_must_be_asked_for() {
        let read = |name: &str, value: cc_core::ClaimValue| {
            let mut claims = Claims::new();
            claims.insert(name, value);
            nras(&mut Settings::new(claims)).map_err(|finding| finding.code)
        };
        let nvidia = "https://nras.attestation.nvidia.com".to_owned();
        assert_eq!(read("nras", true.into()), Ok(Some(nvidia)));
        assert_eq!(read("nras", false.into()), Ok(None));
        assert_eq!(read("nras_issuer", "https://other".into()), Ok(None));
        assert_eq!(read("nras", "true".into()), Err(codes::PLUG_CONFIG_INVALID));
    }
}
