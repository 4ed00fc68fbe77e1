//! The SEV-SNP authorizer with the test kit's synthetic roots in place of AMD's. It declares itself emulated:
//! a host refuses it unless its configuration says `[danger] allow_emulated = true`, and no production policy
//! affirms what it accepts.
//!
//! With a `guest` table in its settings (`settings`) it is also the machine: `collect` signs a report in process
//! (`guest`). Without one it asks the kernel's interfaces, as the real authorizer does.

#[path = "../../../../plugins/cc-snp/src/authorizer.rs"]
mod authorizer;
mod guest;
mod settings;
#[path = "../../shared/settings.rs"]
mod shared;

use cc_core::message::{CollectRequest, Collected, Identity, Plan, PlanRequest, VerifyReply, VerifyRequest};
use cc_core::sdk::Authorizer;
use cc_core::{Finding, Settings, TrustClass};
use cc_testkit::snp::{Product, ark_der};
use cc_verifier::snp::Anchors;

use authorizer::{Hardware, SnpAuthorizer};
use guest::Guest;
use settings::Machine;

/// Processors that exist in the test kit only.
#[derive(Debug)]
pub(crate) struct Emulated;

impl Hardware for Emulated {
    const NAME: &'static str = "emulated-snp";
    const TRUST_CLASS: TrustClass = TrustClass::Emulated;

    fn anchors() -> Anchors {
        Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin))
    }
}

/// The authorizer, and the machine where there is one.
pub(crate) struct EmulatedSnp {
    authorizer: SnpAuthorizer<Emulated>,
    guest: Option<Guest>,
}

impl Authorizer for EmulatedSnp {
    fn identity() -> Identity {
        SnpAuthorizer::<Emulated>::identity()
    }

    fn create(settings: Settings) -> Result<Self, Finding> {
        let (guest, settings) = shared::split(&settings, Machine::read)?;
        Ok(Self { authorizer: SnpAuthorizer::create(settings)?, guest: guest.map(Guest::new) })
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

cc_core::export_authorizer!(EmulatedSnp);
