//! Any bytes as a quote: planned for only from Intel's services, and accepted only if what is signed is a genuine quote of
//! the synthetic platform.

#![no_main]

use std::sync::LazyLock;

use cc_core::message::WireOutcome;
use cc_verifier::tdx::{Anchors, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::tdx::{WORLD, WORLDS, plan_request, verify_request};

static VERIFIER: LazyLock<Verifier> =
    LazyLock::new(|| Verifier::new(Anchors::new(cc_testkit::tdx::root_der()), 16));

fuzz_target!(|evidence: &[u8]| {
    let endorsements = WORLD.endorsements();
    if let Ok(plan) = VERIFIER.plan(&plan_request(evidence, &endorsements)) {
        let intel =
            ["https://api.trustedservices.intel.com/", "https://certificates.trustedservices.intel.com/"];
        assert!(plan.requests.iter().all(|r| intel.iter().any(|service| r.url.starts_with(service))));
    }
    let reply = VERIFIER.verify(&verify_request(evidence, &endorsements));
    // ECDSA signatures can be mirrored, so that the rest may differ.
    let genuine = WORLDS.iter().any(|world| evidence.starts_with(&world.quote.signed()));
    assert!(genuine || !matches!(reply.outcome, WireOutcome::Accept { .. }));
});
