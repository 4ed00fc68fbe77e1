//! The sixteen tags: one form, and a code for each.

use cc_core::codes;
use fed_proto::binding::{Purpose, Transcript};
use fed_proto::crypto::sha256;
use fed_proto::role::Role;

use super::fixture::{Case, name, profile};

const PREFIX: usize = b"MUSTER-ATT-BIND\0\x00\x01".len();

/// The fields of a transcript's bytes, each with tag and length.
fn fields(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &bytes[PREFIX..];
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_be_bytes(rest[1..5].try_into().unwrap());
        let (field, after) = rest.split_at(5 + usize::try_from(length).unwrap());
        fields.push(field.to_vec());
        rest = after;
    }
    fields
}

/// A healthy token whose transcript's fields were changed.
#[track_caller]
fn mismatched(what: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let case = Case::new();
    let mut envelope = case.envelope();
    let mut fields = fields(&envelope.transcript);
    assert_eq!(fields.len(), 16);
    change(&mut fields);
    envelope.transcript = [envelope.transcript[..PREFIX].to_vec(), fields.concat()].concat();
    let finding = case.check_envelope(&envelope).expect_err(what);
    assert_eq!(finding.code, codes::ENV_TRANSCRIPT_MISMATCH, "{what}: {finding}");
}

#[test]
fn n_env_10_tags_3_and_4_swapped() {
    mismatched("swapped", |fields| fields.swap(2, 3));
    for at in 0..15 {
        mismatched(&format!("swapped at {at}"), |fields| fields.swap(at, at + 1));
    }
}

#[test]
fn n_env_11_a_17th_field() {
    mismatched("tag 17", |fields| fields.push(b"\x11\0\0\0\x01x".to_vec()));
    mismatched("tag 16 again", |fields| fields.push(fields[15].clone()));
    mismatched("an empty tag 17", |fields| fields.push(b"\x11\0\0\0\0".to_vec()));
    mismatched("one more byte", |fields| fields.push(vec![0]));
}

#[test]
fn every_other_form_is_refused() {
    for at in 0..16 {
        mismatched(&format!("without tag {}", at + 1), |fields| drop(fields.remove(at)));
        mismatched(&format!("tag {} twice", at + 1), |fields| fields.insert(at, fields[at].clone()));
        mismatched(&format!("length of tag {}", at + 1), |fields| fields[at][1] = 0xff);
    }
    mismatched("no name", |fields| fields[2] = b"\x03\0\0\0\x01A".to_vec());
    mismatched("a runtime of 31 bytes", |fields| fields[14] = [&b"\x0f\0\0\0\x1f"[..], &[0; 31]].concat());
    let case = Case::new();
    let whole = case.envelope().transcript;
    for length in 0..whole.len() {
        let mut envelope = case.envelope();
        envelope.transcript.truncate(length);
        assert_eq!(case.check_envelope(&envelope).unwrap_err().code, codes::ENV_TRANSCRIPT_MISMATCH);
    }
    let mut other_version = case.envelope();
    other_version.transcript[PREFIX - 1] = 2;
    assert_eq!(case.check_envelope(&other_version).unwrap_err().code, codes::ENV_TRANSCRIPT_MISMATCH);
}

#[test]
fn bytes_of_another_form_state_neither_name_nor_runtime() {
    let whole = Case::new().transcript.bytes();
    assert!(Transcript::stated_name(&whole).is_ok() && Transcript::stated_runtime(&whole).is_ok());
    let longer = [whole.as_slice(), &[0]].concat();
    for other in [&whole[..whole.len() - 1], &longer] {
        assert!(Transcript::stated_name(other).is_err() && Transcript::stated_runtime(other).is_err());
    }
}

#[test]
fn each_tag_is_compared_and_has_its_code() {
    type Change = fn(&mut Transcript);
    let changes: [(Change, _); 16] = [
        (|t| t.federation_id = sha256(b"x"), codes::BIND_FEDERATION_MISMATCH),
        (|t| t.policy_digest = sha256(b"x"), codes::BIND_POLICY_MISMATCH),
        (|t| t.name = name("x"), codes::BIND_NAME_MISMATCH),
        (|t| t.role = Role::Relay, codes::BIND_ROLE_MISMATCH),
        (|t| t.profile = profile("aci-raw-1"), codes::ENV_PROFILE_NOT_ALLOWED),
        (|t| t.instance_id = [9; 16], codes::BIND_POP_INVALID),
        (|t| t.key = sha256(b"x"), codes::BIND_POP_INVALID),
        (|t| t.kem = None, codes::BIND_POP_INVALID),
        (|t| t.purpose = Purpose::Periodic, codes::BIND_PURPOSE_MISMATCH),
        (|t| t.job_id = "x".into(), codes::BIND_JOB_MISMATCH),
        (|t| t.epoch += 1, codes::BIND_NONCE_EXPIRED_OR_UNKNOWN),
        (|t| t.members = sha256(b"x"), codes::BIND_ROOT_MISMATCH),
        (|t| t.root = sha256(b"x"), codes::BIND_ROOT_MISMATCH),
        (|t| t.leaf_count += 1, codes::BIND_ROOT_MISMATCH),
        (|t| t.runtime = None, codes::FL_RUNTIME_CHANGED),
        (|t| t.devices = Some(sha256(b"x")), codes::BIND_GPU_DIGEST_MISMATCH),
    ];
    let expected = Case::new().transcript;
    assert_eq!(expected.compare(&expected.bytes()), Ok(()));
    for (tag, (change, code)) in (1_u8..).zip(changes) {
        let mut other = expected.clone();
        change(&mut other);
        let (found, finding) = expected.compare(&other.bytes()).unwrap_err();
        assert_eq!((found, finding.code), (tag, code));
    }
}

#[test]
fn devices_are_the_same_in_any_order() {
    let mut devices = super::fixture::devices(fed_proto::binding::DeviceClass::Gpu, 4);
    let digest = fed_proto::binding::devices_digest(&devices);
    devices.reverse();
    assert_eq!(fed_proto::binding::devices_digest(&devices), digest);
}
