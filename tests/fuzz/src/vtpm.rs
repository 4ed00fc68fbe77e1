//! Synthetic confidential machines and requests about them.

use std::sync::LazyLock;

use cc_core::azure::Machine;
use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyRequest, WireOutcome};
use cc_core::{Profile, UnixTime};
use cc_testkit::snp::{NOW, Product, ark_der};
use cc_testkit::tdx::{Form, root_der};
use cc_testkit::vtpm::World;
use cc_verifier::vtpm::Verifier;
use cc_verifier::{snp, tdx};

/// A machine of AMD's and one of Intel's.
pub static WORLDS: LazyLock<[World; 2]> = LazyLock::new(|| [World::snp(), World::tdx(Form::V4)]);

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let [milan, genoa, turin] = Product::ALL.map(ark_der);
    Verifier::new(snp::Anchors::new(milan, genoa, turin), tdx::Anchors::new(root_der()), 16)
});

/// Plans for and verifies evidence with the endorsements of a world, at the instant of these. Whether it is accepted; what
/// is, could be planned for.
pub fn accepts(machine: &Machine, world: &World) -> bool {
    let request = VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::az_cvm_vtpm_1(),
        evidence: machine.encode(),
        endorsements: world.endorsements().into_iter().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    };
    let plan = VERIFIER.plan(&PlanRequest {
        version: MESSAGE_VERSION,
        profile: request.profile.clone(),
        evidence: request.evidence.clone(),
        endorsements: Vec::new(),
    });
    let accepted = matches!(VERIFIER.verify(&request).outcome, WireOutcome::Accept { .. });
    assert!(!accepted || plan.is_ok());
    accepted
}
