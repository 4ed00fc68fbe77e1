//! Evidence of synthetic machines and how it is verified.

use cc_core::message::{Blob, MESSAGE_VERSION, PlanRequest, VerifyReply, VerifyRequest, WireOutcome};
use cc_core::{Claims, Profile, UnixTime};
use cc_testkit::snp::{NOW, Product, ark_der};
use cc_testkit::tdx::{Form, root_der};
use cc_testkit::vtpm::{Processor, World};
use cc_testkit::{snp, tdx};
use cc_verifier::vtpm::Verifier;

use crate::common::codes::reply_code;

/// A verifier that trusts the synthetic roots.
pub(crate) fn verifier(cache_entries: usize) -> Verifier {
    let [milan, genoa, turin] = Product::ALL.map(ark_der);
    let snp_anchors = cc_verifier::snp::Anchors::new(milan, genoa, turin);
    Verifier::new(snp_anchors, cc_verifier::tdx::Anchors::new(root_der()), cache_entries)
}

/// Machines of both technologies, and of every form of quote.
pub(crate) fn worlds() -> Vec<(&'static str, World)> {
    let mut worlds = vec![("SNP", World::snp())];
    for (name, form) in [("TDX 4", Form::V4), ("TDX 5, 1.0", Form::V5Td10), ("TDX 5, 1.5", Form::V5Td15)] {
        worlds.push((name, World::tdx(form)));
    }
    worlds
}

/// Makes a request of evidence and endorsements.
pub(crate) fn request(evidence: &[u8], endorsements: &[Vec<u8>]) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::az_cvm_vtpm_1(),
        evidence: evidence.to_vec(),
        endorsements: endorsements.iter().cloned().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}

/// The same as a request to plan.
pub(crate) fn to_plan(request: &VerifyRequest) -> PlanRequest {
    PlanRequest {
        version: MESSAGE_VERSION,
        profile: request.profile.clone(),
        evidence: request.evidence.clone(),
        endorsements: request.endorsements.clone(),
    }
}

/// Verifies a world.
pub(crate) fn verify(world: &World) -> VerifyReply {
    verifier(0).verify(&request(&world.evidence(), &world.endorsements()))
}

/// The claims of a world that must be accepted.
pub(crate) fn claims(world: &World) -> Claims {
    match verify(world).outcome {
        WireOutcome::Accept { claims, .. } => claims,
        other => panic!("not accepted: {other:?}"),
    }
}

/// The processor of a world that has AMD's.
pub(crate) fn amd(world: &mut World, edit: impl FnOnce(&mut snp::World)) {
    world.edit_processor(|processor| match processor {
        Processor::Snp(world) => edit(world),
        Processor::Tdx(_) => panic!("not AMD's"),
    });
}

/// The processor of a world that has Intel's.
pub(crate) fn intel(world: &mut World, edit: impl FnOnce(&mut tdx::World)) {
    world.edit_processor(|processor| match processor {
        Processor::Tdx(world) => edit(world),
        Processor::Snp(_) => panic!("not Intel's"),
    });
}

/// What is done to a world, and the code that it then has.
pub(crate) type Row = (&'static str, fn(&mut World), &'static str);

/// Every row has its code when it is done to such a world. A plan may go on, and says nothing else.
pub(crate) fn assert_rows(healthy: &World, rows: &[Row]) {
    assert_eq!(reply_code(&verify(healthy)), "accept");
    let verifier = verifier(0);
    let mut wrong = Vec::new();
    for (what, edit, expected) in rows {
        let mut world = healthy.clone();
        edit(&mut world);
        let request = request(&world.evidence(), &world.endorsements());
        let reply = verifier.verify(&request);
        let planned = match verifier.plan(&to_plan(&request)) {
            Ok(_) => "accept".to_owned(),
            Err(finding) => finding.code.to_string(),
        };
        if reply_code(&reply) != *expected || !["accept", expected].contains(&planned.as_str()) {
            wrong.push(format!("{what}: {:?}, planned {planned}, expected {expected}", reply.outcome));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
