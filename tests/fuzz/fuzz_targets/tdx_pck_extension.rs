//! Any bytes as the SGX extension of a PCK certificate that is otherwise genuine, signature and all.

#![no_main]

use cc_testkit::tdx::pck::SGX_EXTENSION;
use cc_verifier::tdx::{Anchors, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::tdx::{WORLD, verify_request};

fuzz_target!(|extension: &[u8]| {
    let mut world = WORLD.clone();
    world.edit_pck(|pck| pck.set_ext(SGX_EXTENSION, extension.to_vec()));
    let verifier = Verifier::new(Anchors::new(cc_testkit::tdx::root_der()), 0);
    let reply = verifier.verify(&verify_request(&world.quote.bytes(), &world.endorsements()));
    assert_eq!(reply.recognised.len(), world.endorsements().len());
});
