//! Genuine evidence and endorsements, altered: nothing but the genuine is accepted, and a verifier that remembers
//! the genuine chain answers like one that remembers nothing.
//!
//! Input: one byte, its bits 0 to 5 the number of patches, bit 7 set to leave out the genuine endorsements; patches
//! of four bytes (object, position as 16 bits little-endian, bits to flip); then further endorsements.

#![no_main]

use std::sync::LazyLock;

use cc_core::message::{Blob, WireOutcome};
use cc_verifier::snp::{Anchors, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::{CHAIN, LEAF, MIRRORED, REPORT, blobs, verify_request};

static FORGETFUL: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(Anchors::amd(), 0));

fuzz_target!(|input: &[u8]| {
    let Some((flags, rest)) = input.split_first() else { return };
    let genuine = [REPORT, LEAF, &CHAIN[0], &CHAIN[1]].map(<[u8]>::to_vec);
    let mut altered = genuine.clone();
    let count = rest.len().min(4 * usize::from(flags & 0x3f)) / 4;
    let (patches, further) = rest.split_at(4 * count);
    for [object, low, high, bits] in patches.as_chunks::<4>().0 {
        let object = &mut altered[usize::from(object & 3)];
        let position = usize::from(u16::from_le_bytes([*low, *high])) % object.len();
        object[position] ^= bits;
    }
    let kept = if flags & 0x80 == 0 { &altered[1..] } else { &[] };
    let mut endorsements: Vec<Blob> = kept.iter().cloned().map(Blob).collect();
    endorsements.extend(blobs(further));

    let request = verify_request(&altered[0], endorsements);
    let reply = FORGETFUL.verify(&request);
    assert_eq!(reply.recognised.len(), request.endorsements.len());
    let remembering = Verifier::new(Anchors::amd(), 4);
    remembering.verify(&verify_request(REPORT, genuine[1..].iter().cloned().map(Blob).collect()));
    assert_eq!(remembering.verify(&request), reply);

    match reply.outcome {
        WireOutcome::Accept { bound, waived, .. } => {
            assert!(request.evidence == REPORT || request.evidence == *MIRRORED, "altered report accepted");
            assert_eq!(bound.bytes, REPORT[0x50..0x90]);
            assert_eq!(waived, ["snp.crl.missing"]);
            // The root is the anchor's, so that of the chain does not matter. In PEM there are many ways to write
            // the same certificate.
            let has = |blob: &Blob, needed: &[u8]| blob.0.windows(needed.len()).any(|part| part == needed);
            for needed in &genuine[1..3] {
                let holds = |blob: &Blob| has(blob, needed) || has(blob, b"-----BEGIN ");
                assert!(request.endorsements.iter().any(holds), "accepted with an altered chain");
            }
        }
        WireOutcome::Reject(denial) | WireOutcome::Indeterminate(denial) => {
            let unaltered = altered == genuine && !kept.is_empty() && further.is_empty();
            assert!(!unaltered, "genuine report refused: {}", denial.code);
        }
    }
});
