//! Any objects as endorsements of a genuine report whose processor's certificate is not among them: never accepted.
//!
//! Input: one byte, bit 0 set to add the rest of the genuine chain; then endorsements.

#![no_main]

use std::sync::LazyLock;

use cc_core::message::{Blob, WireOutcome};
use cc_verifier::snp::{Anchors, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::{CHAIN, REPORT, blobs, plan_request, verify_request};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(Anchors::amd(), 0));

fuzz_target!(|input: &[u8]| {
    let Some((flags, rest)) = input.split_first() else { return };
    let mut endorsements = blobs(rest);
    if flags & 1 != 0 {
        endorsements.extend(CHAIN.iter().cloned().map(Blob));
    }
    if let Ok(plan) = VERIFIER.plan(&plan_request(REPORT, endorsements.clone())) {
        assert!(plan.requests.iter().all(|request| request.url.starts_with("https://kdsintf.amd.com/")));
    }
    let request = verify_request(REPORT, endorsements);
    let reply = VERIFIER.verify(&request);
    assert_eq!(reply.recognised.len(), request.endorsements.len());
    assert!(!matches!(reply.outcome, WireOutcome::Accept { .. }), "accepted without its leaf");
    assert!(reply.floors.is_empty());
});
