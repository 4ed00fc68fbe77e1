//! Any bytes as a report: planned for only with the length of one, and only from the vendor's service.

#![no_main]

use cc_verifier::snp::{Anchors, REPORT_LENGTH, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::plan_request;

fuzz_target!(|evidence: &[u8]| {
    let verifier = Verifier::new(Anchors::amd(), 0);
    if let Ok(plan) = verifier.plan(&plan_request(evidence, Vec::new())) {
        assert_eq!(evidence.len(), REPORT_LENGTH);
        assert!(plan.requests.iter().all(|request| request.url.starts_with("https://kdsintf.amd.com/")));
        assert!(!plan.claims.is_empty());
    }
});
