//! The authorizer of Azure's container groups and machines with the test kit's synthetic roots in place of the vendors'. It
//! declares itself emulated: a host refuses it unless its configuration says `[danger] allow_emulated = true`, and no
//! production policy affirms what it accepts.
//!
//! With a `guest` table in its settings, that of the emulated SNP guest, it is also a container group: `collect` signs a
//! report in process, endorses its MEASUREMENT as a utility VM, and brings the CCE policy along (`policy.rego`, whose
//! SHA-256 the settings give as `host_data`); and it is a machine with a virtual TPM, whose paravisor the guest's MEASUREMENT
//! is of, and which makes its report anew with `fresh_hcl = true`. Tokens it asks the platform's interfaces for, as the real
//! authorizer does, and so for everything without the table. With `in_group = true` it takes the machine for the inside of a
//! group and asks the sidecar, which there is elsewhere in the test kit.

#[path = "../../../../plugins/cc-aci/src/authorizer.rs"]
mod authorizer;
#[path = "../../emulated-snp/src/guest.rs"]
mod guest;
mod machine;
#[path = "../../emulated-snp/src/settings.rs"]
mod settings;
#[path = "../../shared/settings.rs"]
mod shared;

use cc_attester::aci::{Collector, Options};
use cc_core::message::{
    Blob, CollectRequest, Collected, Identity, Plan, PlanRequest, VerifyReply, VerifyRequest,
};
use cc_core::sdk::Authorizer;
use cc_core::{Claims, Finding, Profile, Settings, TrustClass, codes};
use cc_testkit::aci::{Chain, Endorsement, FEED};
use cc_testkit::snp::{Product, ark_der};
use cc_verifier::aci::Uvm;
use cc_verifier::{snp, tdx};

use authorizer::{AciAuthorizer, Hardware};
use guest::Guest;
use settings::Machine;

/// What the emulated group may run: written by `cc_testkit::aci::Policy`.
const CCE_POLICY: &str = include_str!("../policy.rego");
/// Where MEASUREMENT stands in a report.
const MEASUREMENT: usize = 0x90;

/// Processors, utility VMs and their endorser that exist in the test kit only.
#[derive(Debug)]
pub(crate) struct Emulated;

impl Hardware for Emulated {
    const NAME: &'static str = "emulated-aci";
    const TRUST_CLASS: TrustClass = TrustClass::Emulated;

    fn snp() -> snp::Anchors {
        snp::Anchors::new(ark_der(Product::Milan), ark_der(Product::Genoa), ark_der(Product::Turin))
    }

    fn tdx() -> tdx::Anchors {
        tdx::Anchors::new(cc_testkit::tdx::ca::root_der())
    }

    fn uvm() -> Uvm {
        Uvm::new(&Chain::new().did(), FEED)
    }
}

/// The authorizer, and the group where there is one.
pub(crate) struct EmulatedAci {
    authorizer: AciAuthorizer<Emulated>,
    guest: Option<Guest>,
    fresh_hcl: bool,
    group: Option<Collector>,
}

impl Authorizer for EmulatedAci {
    fn identity() -> Identity {
        AciAuthorizer::<Emulated>::identity()
    }

    fn create(settings: Settings) -> Result<Self, Finding> {
        let (guest, settings) = shared::split(&settings, Machine::read)?;
        let (in_group, settings) = in_group(&settings)?;
        let fresh_hcl = settings.values().flag("fresh_hcl").unwrap_or_default();
        let group = if in_group { Some(collector(settings.clone())?) } else { None };
        let authorizer = AciAuthorizer::create(settings)?;
        Ok(Self { authorizer, guest: guest.map(Guest::new), fresh_hcl, group })
    }

    fn collect(&self, request: &CollectRequest) -> Result<Collected, Finding> {
        match &self.guest {
            Some(guest) if request.profile == Profile::aci_raw_1() => group(guest, request),
            Some(guest) if request.profile == Profile::az_cvm_vtpm_1() => {
                machine::collect(guest, &request.binding, self.fresh_hcl)
            }
            _ => match &self.group {
                Some(group) if request.profile == Profile::aci_raw_1() => group.report(&request.binding),
                Some(group) if request.profile == Profile::aci_maa_1() => group.token(&request.binding),
                _ => self.authorizer.collect(request),
            },
        }
    }

    fn plan(&self, request: &PlanRequest) -> Result<Plan, Finding> {
        self.authorizer.plan(request)
    }

    fn verify(&self, request: &VerifyRequest) -> VerifyReply {
        self.authorizer.verify(request)
    }
}

/// Takes the flag `in_group`.
fn in_group(settings: &Settings) -> Result<(bool, Settings), Finding> {
    let mut rest = Claims::new();
    let others = settings.values().iter().filter(|(name, _)| *name != "in_group");
    others.for_each(|(name, value)| rest.insert(name, value.clone()));
    Ok((settings.clone().take_flag("in_group", false)?, Settings::new(rest)))
}

/// The real collector, which takes any machine for the inside of a confidential guest.
fn collector(mut settings: Settings) -> Result<Collector, Finding> {
    let options = authorizer::group(&mut settings)?;
    Collector::new(Options { guest_devices: vec!["/dev/null".into()], ..options })
}

/// The guest's report, with what makes it a group's.
fn group(guest: &Guest, request: &CollectRequest) -> Result<Collected, Finding> {
    let mut collected = guest.collect(&request.binding)?;
    let measurement = collected.evidence.get(MEASUREMENT..).and_then(<[u8]>::first_chunk);
    let measurement =
        measurement.ok_or_else(|| Finding::new(codes::SNP_FORMAT_LENGTH, "a report without MEASUREMENT"))?;
    let endorsement = Endorsement::header(&Chain::new(), measurement).sign();
    collected.endorsements.extend([endorsement, CCE_POLICY.as_bytes().to_vec()].map(Blob));
    Ok(collected)
}

cc_core::export_authorizer!(EmulatedAci);

#[cfg(test)]
mod tests {
    use cc_testkit::aci::Policy;

    use super::*;

    #[test]
    fn the_policy_is_the_test_kits_without_openings() {
        assert_eq!(CCE_POLICY, Policy::tight().text());
        assert!(cc_verifier::aci::cce::lint(CCE_POLICY.as_bytes()).is_empty());
    }

    /// The demo has no part of the test kit, and names its endorser.
    #[test]
    fn the_demo_names_the_endorser() {
        let demo = include_str!("../../../../xtask/src/demo/federation.rs");
        assert!(demo.contains(&Chain::new().did()), "{}", Chain::new().did());
    }
}
