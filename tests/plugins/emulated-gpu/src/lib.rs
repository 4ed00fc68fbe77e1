//! The NVIDIA GPU authorizer with the test kit's synthetic roots in place of NVIDIA's. It declares itself emulated: a host
//! refuses it unless its configuration says `[danger] allow_emulated = true`, and no production policy affirms what it
//! accepts.
//!
//! With a `guest` table in its settings (`settings`) it is also the machine: `collect` signs reports in process
//! (`guest`). Without one it asks the driver, as the real authorizer does.

#[path = "../../../../plugins/cc-gpu/src/authorizer.rs"]
mod authorizer;
mod guest;
mod settings;
#[path = "../../shared/settings.rs"]
mod shared;

use cc_core::message::{CollectRequest, Collected, Identity, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::sdk::Authorizer;
use cc_core::{Finding, Settings, TrustClass};
use cc_testkit::gpu::device_chain;
use cc_testkit::gpu::rim;
use cc_verifier::gpu::{Anchors, RootCertificates};

use authorizer::{GpuAuthorizer, Hardware};
use guest::Guest;
use settings::Machine;

/// Devices that exist in the test kit only.
#[derive(Debug)]
pub(crate) struct Emulated;

impl Hardware for Emulated {
    const NAME: &'static str = "emulated-gpu";
    const TRUST_CLASS: TrustClass = TrustClass::Emulated;

    fn anchors() -> Anchors {
        let (device, manifest) = (device_chain::root_der(), rim::root_der());
        Anchors::new(RootCertificates { device, switch_device: device, rim: manifest, switch_rim: manifest })
    }
}

/// The authorizer, and the machine where there is one.
pub(crate) struct EmulatedGpu {
    authorizer: GpuAuthorizer<Emulated>,
    guest: Option<Guest>,
}

impl Authorizer for EmulatedGpu {
    fn identity() -> Identity {
        GpuAuthorizer::<Emulated>::identity()
    }

    fn create(settings: Settings) -> Result<Self, Finding> {
        let (guest, settings) = shared::split(&settings, Machine::read)?;
        Ok(Self { authorizer: GpuAuthorizer::create(settings)?, guest: guest.map(Guest::new) })
    }

    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        match &self.guest {
            Some(guest) => guest.collect(&request.binding),
            None => self.authorizer.collect(request),
        }
    }

    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        self.authorizer.plan(request)
    }

    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        self.authorizer.verify(request)
    }
}

cc_core::export_authorizer!(EmulatedGpu);
