//! Any text as TCB info, signed as Intel would sign it.

#![no_main]

use cc_verifier::tdx::{Anchors, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::tdx::{WORLD, verify_request};

fuzz_target!(|text: String| {
    let mut world = WORLD.clone();
    world.sign_tcb_info(text);
    let verifier = Verifier::new(Anchors::new(cc_testkit::tdx::root_der()), 0);
    let reply = verifier.verify(&verify_request(&world.quote.bytes(), &world.endorsements()));
    assert_eq!(reply.recognised.len(), world.endorsements().len());
});
