//! Signed messages, their sequence, and proofs over a connection.

use cc_core::{Binding, codes};
use fed_proto::binding::pop;
use fed_proto::crypto::{Digest, PublicKey, Signature, sha256};
use fed_proto::message::{Challenge, Identity, Kind, Payload};
use fed_proto::signed::{Header, Sequences, Signed};

use super::fixture::{EPOCH, key, name};

fn header() -> Header {
    Header {
        epoch: EPOCH,
        job_id: "ab".repeat(32),
        sender: name("site-1"),
        recipient: Some(name("server")),
        kind: 14,
        sequence: 5,
    }
}

/// A message of site-1, the federation, and site-1's key.
pub(crate) fn message() -> (Signed, Digest, PublicKey) {
    let federation = sha256(b"federation");
    let key = key("site-1");
    (Signed::new(&federation, header(), b"a model update".to_vec(), &key), federation, key.public())
}

#[test]
fn n_fl_41_unsigned_model_update() {
    let (message, federation, key) = message();
    assert_eq!(message.verify(&federation, &key), Ok(()));
    let unsigned = Signed { signature: Signature([0; 64]), ..message.clone() };
    assert_eq!(unsigned.verify(&federation, &key).unwrap_err().code, codes::FL_MESSAGE_UNSIGNED);
    // Signed by somebody else, for another federation, with another payload.
    let stranger = super::fixture::key("site-2").public();
    assert_eq!(message.verify(&federation, &stranger).unwrap_err().code, codes::FL_MESSAGE_UNSIGNED);
    assert_eq!(message.verify(&sha256(b"other"), &key).unwrap_err().code, codes::FL_MESSAGE_UNSIGNED);
    let changed = Signed { payload: b"a model updatf".to_vec(), ..message };
    assert_eq!(changed.verify(&federation, &key).unwrap_err().code, codes::FL_MESSAGE_UNSIGNED);
}

#[test]
fn n_fl_41_every_field_of_the_header_is_signed() {
    let changes: [fn(&mut Header); 7] = [
        |header| header.epoch += 1,
        |header| header.job_id.clear(),
        |header| header.sender = name("site-2"),
        |header| header.recipient = None,
        |header| header.recipient = Some(name("site-2")),
        |header| header.kind += 1,
        |header| header.sequence += 1,
    ];
    let (message, federation, key) = message();
    for change in changes {
        let mut changed = message.clone();
        change(&mut changed.header);
        assert_eq!(changed.verify(&federation, &key).unwrap_err().code, codes::FL_MESSAGE_UNSIGNED);
    }
}

#[test]
fn n_fl_31_repeated_sequence() {
    let (message, _, key) = message();
    let (site_1, site_2) = (key.digest(), super::fixture::key("site-2").public().digest());
    let of = |sequence, recipient: Option<&str>| Header {
        sequence,
        recipient: recipient.map(name),
        ..message.header.clone()
    };
    let mut seen = Sequences::default();
    assert_eq!(seen.admit(&site_1, &of(5, Some("server"))), Ok(()));
    for sequence in [5, 4, 0] {
        let replayed = seen.admit(&site_1, &of(sequence, Some("server"))).unwrap_err();
        assert_eq!(replayed.code, codes::FL_MESSAGE_REPLAYED);
    }
    assert_eq!(seen.admit(&site_1, &of(6, Some("server"))), Ok(()), "a refusal used nothing up");
    // Each key counts for itself, and for each recipient.
    assert_eq!(seen.admit(&site_2, &of(5, Some("server"))), Ok(()));
    assert_eq!(seen.admit(&site_1, &of(0, None)), Ok(()));
    assert_eq!(seen.admit(&site_1, &of(0, Some("site-2"))), Ok(()));
    assert_eq!(seen.admit(&site_1, &of(0, None)).unwrap_err().code, codes::FL_MESSAGE_REPLAYED);
    assert_eq!(seen.admit(&site_1, &of(u64::MAX, None)), Ok(()));
    assert_eq!(seen.admit(&site_1, &of(u64::MAX, None)).unwrap_err().code, codes::FL_MESSAGE_REPLAYED);
    // Who left and comes back has another key; its old numbers are no longer needed.
    seen.forget(&site_1);
    assert_eq!(seen.admit(&site_1, &of(1, Some("server"))), Ok(()));
    assert_eq!(seen.admit(&site_2, &of(5, Some("server"))).unwrap_err().code, codes::FL_MESSAGE_REPLAYED);
}

#[test]
fn remembered_sequences_have_a_limit() {
    let mut seen = Sequences::default();
    let key = |number: u32| sha256(&number.to_be_bytes());
    for number in 0..16_384 {
        assert_eq!(seen.admit(&key(number), &header()), Ok(()));
    }
    assert_eq!(seen.admit(&key(16_384), &header()).unwrap_err().code, codes::FL_PEER_QUARANTINED);
    assert_eq!(seen.admit(&key(0), &Header { sequence: 6, ..header() }), Ok(()), "known ones go on");
    seen.forget(&key(7));
    assert_eq!(seen.admit(&key(16_384), &header()), Ok(()));
}

#[test]
fn n_fl_30_proof_over_another_connection() {
    let (site, stranger) = (key("site-1"), key("site-2"));
    let (binding, here, there) = (Binding::new([3; 64]), [1; 32], [2; 32]);
    let verify = |key: &PublicKey, stated, own, pop: &Signature| {
        pop::verify_channel(key, &binding, stated, own, pop).map_err(|finding| finding.code)
    };
    let proof = pop::sign_channel(&site, &binding, &here);
    assert_eq!(verify(&site.public(), &here, &here, &proof), Ok(()));
    // The proof is genuine, of another connection.
    assert_eq!(verify(&site.public(), &here, &there, &proof), Err(codes::BIND_CHANNEL_MISMATCH));
    // It cannot be passed off as one of this connection, by another key, or for another transcript.
    assert_eq!(verify(&site.public(), &there, &there, &proof), Err(codes::BIND_POP_INVALID));
    assert_eq!(verify(&stranger.public(), &here, &here, &proof), Err(codes::BIND_POP_INVALID));
    assert_eq!(verify(&stranger.public(), &here, &there, &proof), Err(codes::BIND_POP_INVALID));
    let other = pop::sign_channel(&site, &Binding::new([4; 64]), &here);
    assert_eq!(verify(&site.public(), &here, &here, &other), Err(codes::BIND_POP_INVALID));
    // Nor is the proof of the envelope one, though the same key made it over the same transcript.
    let token = pop::sign_token(&site, &binding);
    assert_eq!(verify(&site.public(), &here, &here, &token), Err(codes::BIND_POP_INVALID));
    let crossed = pop::verify_token(&site.public(), &binding, &proof);
    assert_eq!(crossed.unwrap_err().code, codes::BIND_POP_INVALID);
}

#[test]
fn frames_have_one_length_and_a_limit() {
    let (message, ..) = message();
    let bytes = message.to_bytes();
    assert_eq!(Signed::from_bytes(&bytes, bytes.len()), Some(message.clone()));
    assert_eq!(Signed::from_bytes(&bytes, bytes.len() - 1), None);
    assert_eq!(Signed::from_bytes(&[&bytes[..], &[0]].concat(), 1000), None);
    for length in 0..bytes.len() {
        assert_eq!(Signed::from_bytes(&bytes[..length], 1000), None);
    }
    let to_all = Signed { header: Header { recipient: None, ..header() }, ..message.clone() };
    assert_eq!(Signed::from_bytes(&to_all.to_bytes(), 1000), Some(to_all));
    let long = Signed { header: Header { job_id: "a".repeat(65), ..header() }, ..message };
    assert_eq!(Signed::from_bytes(&long.to_bytes(), 1000), None);
}

#[test]
fn a_payload_is_read_as_what_its_kind_says() {
    let challenge = Challenge { nonce: vec![1; 32].into() };
    let (message, ..) = message();
    let of_kind = |kind: Kind| {
        let header = Header { kind: kind.number(), ..header() };
        Signed { header, payload: challenge.to_bytes(), ..message.clone() }.read::<Challenge>()
    };
    assert_eq!(of_kind(Kind::Challenge), Some(challenge.clone()));
    assert_eq!(of_kind(Kind::Alive), None);
}

#[test]
fn an_instance_is_its_keys_and_its_id() {
    let identity = || Identity {
        spki: key("site-1").public().spki().to_vec().into(),
        kem: vec![1; 32].into(),
        instance_id: vec![2; 16].into(),
        chain: vec![vec![3].into()],
        enrolment: vec![4; 64].into(),
    };
    let others: [fn(&mut Identity); 3] = [
        |other| other.spki = key("site-2").public().spki().to_vec().into(),
        |other| other.kem = vec![9; 32].into(),
        |other| other.instance_id = vec![9; 16].into(),
    ];
    for change in others {
        let mut other = identity();
        change(&mut other);
        assert!(!identity().is(&other) && !other.is(&identity()));
    }
    // A certificate that was renewed is no other instance.
    let renewed = Identity { chain: vec![vec![5].into()], enrolment: vec![6; 64].into(), ..identity() };
    assert!(identity().is(&renewed));
}
