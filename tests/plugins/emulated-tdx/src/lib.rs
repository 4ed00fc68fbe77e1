//! The TDX authorizer with the test kit's synthetic root in place of Intel's. It declares itself emulated:
//! a host refuses it unless its configuration says `[danger] allow_emulated = true`, and no production policy
//! affirms what it accepts.
//!
//! With a `guest` table in its settings (`settings`) it is also the machine: `collect` signs a quote in process
//! (`guest`). Without one it asks the kernel's interfaces, as the real authorizer does.

#[path = "../../../../plugins/cc-tdx/src/authorizer.rs"]
mod authorizer;
mod guest;
mod settings;
#[path = "../../shared/settings.rs"]
mod shared;

use cc_core::message::{CollectRequest, Collected, Identity, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::sdk::Authorizer;
use cc_core::{Finding, Settings, TrustClass};
use cc_testkit::tdx::ca::root_der;
use cc_verifier::tdx::Anchors;

use authorizer::{Hardware, TdxAuthorizer};
use guest::Guest;
use settings::Machine;

/// Platforms that exist in the test kit only.
#[derive(Debug)]
pub(crate) struct Emulated;

impl Hardware for Emulated {
    const NAME: &'static str = "emulated-tdx";
    const TRUST_CLASS: TrustClass = TrustClass::Emulated;

    fn anchors() -> Anchors {
        Anchors::new(root_der())
    }
}

/// The authorizer, and the machine where there is one.
pub(crate) struct EmulatedTdx {
    authorizer: TdxAuthorizer<Emulated>,
    guest: Option<Guest>,
}

impl Authorizer for EmulatedTdx {
    fn identity() -> Identity {
        TdxAuthorizer::<Emulated>::identity()
    }

    fn create(settings: Settings) -> Result<Self, Finding> {
        let (guest, settings) = shared::split(&settings, Machine::read)?;
        Ok(Self { authorizer: TdxAuthorizer::create(settings)?, guest: guest.map(Guest::new) })
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

cc_core::export_authorizer!(EmulatedTdx);
