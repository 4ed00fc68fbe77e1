//! Any bytes as an envelope: what is read is written as the same bytes, and its transcript is compared without a panic
//! and equal to nothing but itself.

#![no_main]

use fed_proto::binding::Transcript;
use fed_proto::envelope::{Envelope, MAX_ENVELOPE};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::federation::TRANSCRIPT;

fuzz_target!(|bytes: &[u8]| {
    let Ok(envelope) = Envelope::parse(bytes) else { return };
    assert!(bytes.len() <= MAX_ENVELOPE);
    assert_eq!(envelope.to_bytes(), bytes);
    let own = TRANSCRIPT.bytes();
    assert_eq!(TRANSCRIPT.compare(&envelope.transcript).is_ok(), envelope.transcript == own);
    let _ = Transcript::stated_name(&envelope.transcript);
    let _ = Transcript::stated_runtime(&envelope.transcript);
});
