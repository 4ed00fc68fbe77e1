//! Intel TDX verification: in the library, through the loaded plugin, and by the `dcap-qvl` crate.

use std::hint::black_box;
use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use cc_core::message::{Blob, MESSAGE_VERSION, VerifyRequest, WireOutcome};
use cc_core::{Profile, UnixTime};
use cc_testkit::tdx::{Ca, Form, NOW, World, root_der};
use cc_verifier::tdx::{Anchors, Verifier};

use crate::harness::Bench;
use crate::oracle;

const BARE: &str = "p256";
/// Bytes under a quote's signature: header and body of TD 1.5, with type and size of the body.
const SIGNED: usize = 48 + 6 + 648;

/// All benchmarks, the bare one first.
pub(crate) fn benches(plugins: &Path) -> Vec<Bench> {
    vec![bare(), known_key(), new_key(), abi(plugins), dcap_qvl()]
}

fn bench(name: &'static str, run: impl FnMut() + 'static) -> Bench {
    Bench { name, bare: BARE, run: Box::new(run) }
}

/// The physical limit: one ECDSA P-256 verification over as many bytes as a quote signs.
fn bare() -> Bench {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let message = vec![0x5a; SIGNED];
    let signature = key.sign(&SystemRandom::new(), &message).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key().as_ref().to_vec());
    bench(BARE, move || key.verify(black_box(&message), signature.as_ref()).unwrap())
}

fn request(world: &World) -> VerifyRequest {
    VerifyRequest {
        version: MESSAGE_VERSION,
        profile: Profile::tdx_quote_1(),
        evidence: world.quote.bytes(),
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

/// All checks; platform, collateral and attestation key were seen before.
fn known_key() -> Bench {
    let request = request(&World::new(Form::V5Td15, Ca::Platform));
    let verifier = Verifier::new(Anchors::new(root_der()), 16);
    bench("tdx.verify.known_key", move || accepted(&verifier, &request))
}

/// The same with an attestation key that was not seen before, of the same platform: two take turns under a memory for
/// one.
fn new_key() -> Bench {
    let first = World::new(Form::V5Td15, Ca::Platform);
    let mut second = first.clone();
    second.edit_quote(|quote| quote.auth_data[0] ^= 1).rebind();
    let requests = [&first, &second].map(request);
    let verifier = Verifier::new(Anchors::new(root_der()), 1);
    let mut turn = 0;
    bench("tdx.verify.new_key", move || {
        turn = 1 - turn;
        accepted(&verifier, &requests[turn]);
    })
}

/// A quote under a synthetic root is refused by Intel's; what is measured is how fast the loaded plugin finds that out,
/// contract checks by the host included. Published quotes may not be copied here.
fn abi(plugins: &Path) -> Bench {
    let host =
        cc_manager::Host::load(&cc_manager::Config::load(plugins).unwrap(), &muster_it::place::worker())
            .unwrap();
    let request = request(&World::new(Form::V5Td15, Ca::Platform));
    bench("tdx.refuse.abi", move || {
        let plugin = host.plugins().find(|plugin| plugin.identity().name == "cc-tdx").unwrap();
        let answer = plugin.verify(black_box(&request)).unwrap();
        assert!(answer.outcome.is_err());
    })
}

/// The `dcap-qvl` crate in its one-shot form, which remembers nothing, over the same provider of cryptography.
fn dcap_qvl() -> Bench {
    let world = World::new(Form::V5Td15, Ca::Platform);
    let (quote, collateral) = (world.quote.bytes(), oracle::collateral(&world));
    bench("tdx.dcap_qvl.one_shot", move || {
        let opinion = oracle::judge(root_der(), black_box(&quote), &collateral, NOW.unsigned_abs());
        assert!(matches!(opinion, oracle::Opinion::Accepted { .. }), "{opinion:?}");
    })
}
