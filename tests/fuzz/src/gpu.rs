//! Synthetic devices and requests about them.

use std::sync::LazyLock;

use cc_core::gpu::encode;
use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyRequest};
use cc_core::{Profile, UnixTime};
use cc_testkit::gpu::{Arch, Member, NOW, World};

/// A device of each architecture, with the endorsements that it needs.
pub static WORLDS: LazyLock<Vec<(Member, Vec<Vec<u8>>)>> = LazyLock::new(|| {
    let world = |arch| World::new(arch, 1);
    Arch::ALL.map(world).map(|world| (world.members[0].clone(), world.endorsements())).into()
});

/// The evidence of a device with this report instead of its own.
fn evidence(member: &Member, report: &[u8]) -> Vec<u8> {
    let mut device = member.device();
    device.report = report.to_vec();
    encode(&[device])
}

/// A request to plan for a device with this report.
pub fn plan_request(member: &Member, report: &[u8], endorsements: &[Vec<u8>]) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: Profile::nv_spdm_1(),
        evidence: evidence(member, report),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
    }
}

/// A request to verify a device with this report, at the instant of the synthetic answers.
pub fn verify_request(member: &Member, report: &[u8], endorsements: &[Vec<u8>]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::nv_spdm_1(),
        evidence: evidence(member, report),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}
