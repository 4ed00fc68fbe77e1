//! Verification of NVIDIA's devices: in the library, of synthetic and of published evidence, and through the loaded plugin.

mod published;

use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest, WireOutcome};
use cc_core::{Profile, UnixTime};
use cc_testkit::gpu::device_chain;
use cc_testkit::gpu::mint::Member;
use cc_testkit::gpu::{Arch, NOW, World, rim};
use cc_testkit::ocsp::Answer;
use cc_verifier::gpu::rim::Rim;
use cc_verifier::gpu::{Anchors, RootCertificates, Verifier};

use crate::harness::Bench;

const BARE: &str = "p384.spdm";
/// A device with everything that it needs, all of it seen before.
pub(crate) const KNOWN_DEVICE: &str = "gpu.verify.known_device";
/// Results of each kind that are remembered where nothing is to be forgotten.
const ENTRIES: usize = 16;

/// All benchmarks, the bare one first.
pub(crate) fn benches(plugins: &Path) -> Vec<Bench> {
    let mut benches = vec![bare(), known_device(), new_device(), full(), manifest()];
    benches.extend(published::benches(plugins));
    benches
}

fn bench(name: &'static str, run: impl FnMut() + 'static) -> Bench {
    Bench { name, bare: BARE, run: Box::new(run) }
}

/// The physical limit: one ECDSA P-384 verification over the four kilobytes that a report signs.
fn bare() -> Bench {
    let Member { report, chain, .. } = Member::new(Arch::Hopper, 1);
    let (message, signature) = (report.signed(), report.signature);
    let point = chain.keys[0].spki();
    let key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point[point.len() - 97..].to_vec());
    bench(BARE, move || key.verify(black_box(&message), &signature).unwrap())
}

fn anchors() -> Anchors {
    let (device, rim) = (device_chain::root_der(), rim::root_der());
    Anchors::new(RootCertificates { device, switch_device: device, rim, switch_rim: rim })
}

/// Two manifests and six OCSP answers.
fn request(world: &World) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::nv_spdm_1(),
        evidence: world.evidence(),
        endorsements: world.endorsements().into_iter().map(Blob).collect(),
        waivers: Vec::new(),
        vouched: Vec::new(),
        now: UnixTime::from_secs(NOW.unsigned_abs()),
    }
}

fn accepted(verifier: &Verifier, request: &VerifyRequest) {
    let reply = verifier.verify(black_box(request));
    assert!(matches!(reply.outcome, WireOutcome::Accept { .. }), "{:?}", reply.outcome);
}

/// All checks; chain, manifests and OCSP answers were seen before.
fn known_device() -> Bench {
    let request = request(&World::new(Arch::Hopper, 1));
    let verifier = Verifier::new(anchors(), ENTRIES);
    bench(KNOWN_DEVICE, move || accepted(&verifier, &request))
}

/// The same with a device that was not seen before: its own two certificates are new, and the OCSP answer about one of
/// them; authorities, manifests and all other answers are what they were. Three devices take turns under a memory for
/// two.
fn new_device() -> Bench {
    let world = World::new(Arch::Hopper, 1);
    // Signed once: another signature over the same is another certificate.
    let authorities = world.members[0].chain.ders().split_off(2);
    let (manifests, answers) = (world.files(), world.answers());
    let known: Vec<_> = answers[1..].iter().map(Answer::sign).collect();
    let requests = [1, 2, 3].map(|number| {
        let mut member = Member::new(Arch::Hopper, number);
        let own = member.chain.ders().into_iter().take(2);
        member.pem = Some(device_chain::bundle(&own.chain(authorities.clone()).collect::<Vec<_>>()));
        let world = World { members: vec![member], ..world.clone() };
        let answer = world.answers()[0].sign();
        let endorsements = manifests.iter().chain([&answer]).chain(&known).cloned().map(Blob).collect();
        VerifyRequest { endorsements, ..request(&world) }
    });
    let verifier = Verifier::new(anchors(), 2);
    let mut turn = 0;
    bench("gpu.verify.new_device", move || {
        turn = (turn + 1) % requests.len();
        accepted(&verifier, &requests[turn]);
    })
}

/// Nothing is remembered: chain, two manifests and six OCSP answers are verified.
fn full() -> Bench {
    let request = request(&World::new(Arch::Hopper, 1));
    let verifier = Verifier::new(anchors(), 0);
    bench("gpu.verify.full", move || accepted(&verifier, &request))
}

/// One manifest alone.
fn manifest() -> Bench {
    let xml = World::new(Arch::Hopper, 1).files().remove(0);
    bench("gpu.rim.verify", move || drop(black_box(Rim::verify(black_box(&xml), rim::root_der()).unwrap())))
}
