//! Any bytes: nothing panics, and whatever is read is written as it was.

use cc_core::Profile;
use fed_proto::binding::{Device, DeviceClass};
use fed_proto::crypto::{Digest, Signature, sha256};
use fed_proto::envelope::Envelope;
use fed_proto::signed::Signed;
use proptest::prelude::*;
use proptest::sample::Index;

use super::fixture::Case;
use super::messages::message;

fn blob() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn device() -> impl Strategy<Value = Device> {
    (any::<bool>(), blob(), blob(), any::<[u8; 4]>()).prop_map(|(gpu, report, cert_chain, cc_state)| Device {
        class: if gpu { DeviceClass::Gpu } else { DeviceClass::Switch },
        report,
        cert_chain,
        cc_state,
    })
}

fn envelope() -> impl Strategy<Value = Envelope> {
    let profile = prop_oneof![Just("snp-raw-1"), Just("tdx-quote-1"), Just("az-cvm-vtpm-1")];
    let lists = (prop::collection::vec(blob(), 0..3), prop::collection::vec(blob(), 0..3));
    let devices = prop::collection::vec(device(), 0..4);
    (profile, blob(), blob(), lists, devices, any::<([u8; 32], u32)>(), any::<[[u8; 32]; 2]>()).prop_map(
        |(profile, transcript, evidence, (aux, endorsements), mut devices, (root, leaf_count), pop)| {
            devices.sort_by_key(|device| sha256(&device.report));
            devices.dedup_by_key(|device| sha256(&device.report));
            Envelope {
                profile: Profile::parse(profile).unwrap(),
                transcript,
                evidence,
                aux,
                devices,
                endorsements,
                root: Digest(root),
                leaf_count,
                pop: Signature(pop.concat().try_into().unwrap()),
            }
        },
    )
}

/// A change somewhere in bytes: where, what is put there, how much is taken away.
fn edit() -> impl Strategy<Value = (Index, Vec<u8>, usize)> {
    (any::<Index>(), prop::collection::vec(any::<u8>(), 0..4), 0..4_usize)
}

fn edited(mut bytes: Vec<u8>, edits: &[(Index, Vec<u8>, usize)]) -> Vec<u8> {
    for (at, put, taken) in edits {
        let at = at.index(bytes.len() + 1);
        let end = (at + taken).min(bytes.len());
        bytes.splice(at..end, put.iter().copied());
    }
    bytes
}

proptest! {
    #[test]
    fn what_is_written_is_read(envelope in envelope()) {
        prop_assert_eq!(Envelope::parse(&envelope.to_bytes()), Ok(envelope));
    }

    #[test]
    fn altered_envelopes_are_refused_or_are_other_envelopes(
        envelope in envelope(),
        edits in prop::collection::vec(edit(), 1..4),
    ) {
        let bytes = edited(envelope.to_bytes(), &edits);
        if let Ok(read) = Envelope::parse(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_an_envelope_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(read) = Envelope::parse(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }

    #[test]
    fn an_altered_transcript_is_never_accepted(edits in prop::collection::vec(edit(), 1..4)) {
        let case = Case::new();
        let mut envelope = case.envelope();
        let whole = envelope.transcript.clone();
        envelope.transcript = edited(whole.clone(), &edits);
        prop_assert_eq!(case.check_envelope(&envelope).is_ok(), envelope.transcript == whole);
    }

    #[test]
    fn altered_messages_do_not_verify(edits in prop::collection::vec(edit(), 1..4)) {
        let (message, federation, key) = message();
        let bytes = message.to_bytes();
        if let Some(read) = Signed::from_bytes(&edited(bytes.clone(), &edits), 1000) {
            prop_assert_eq!(read.verify(&federation, &key).is_ok(), read == message);
        }
        prop_assert_eq!(Signed::from_bytes(&bytes, 1000), Some(message));
    }
}
