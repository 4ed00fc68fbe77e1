//! Any bytes as what participants sign: leaf, verdict, transcript, signed bundle, enrolment certificate. Each has one
//! form: what is read is written as the same bytes.

#![no_main]

use fed_proto::binding::{Leaf, Transcript};
use fed_proto::bundle::SignedBundle;
use fed_proto::enrol;
use fed_proto::verdict::Verdict;
use libfuzzer_sys::fuzz_target;
use muster_fuzz::federation::TRANSCRIPT;

fuzz_target!(|bytes: &[u8]| {
    if let Some(leaf) = Leaf::parse(bytes) {
        assert_eq!(leaf.bytes(), bytes);
    }
    if let Some(verdict) = Verdict::parse(bytes) {
        assert_eq!(verdict.bytes(), bytes);
    }
    if let Some(bundle) = SignedBundle::from_bytes(bytes) {
        assert_eq!(SignedBundle::from_bytes(&bundle.to_bytes()), Some(bundle));
    }
    assert_eq!(TRANSCRIPT.compare(bytes).is_ok(), TRANSCRIPT.bytes() == bytes);
    let _ = Transcript::stated_name(bytes);
    let _ = enrol::subject(bytes);
});
