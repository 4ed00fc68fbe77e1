//! `token::check`: each row of the catalogue, one fault at a time.

use cc_core::{Binding, Code, codes};
use fed_proto::binding::{DeviceClass, Purpose, devices_digest, gpu_nonce};
use fed_proto::crypto::sha256;
use fed_proto::role::Role;
use fed_proto::token::{Checked, RoundTerms};

use super::fixture::{Case, EPOCH, devices, key, name, peer, profile, root_of, terms};

#[track_caller]
fn refused(code: Code, change: impl FnOnce(&mut Case)) {
    Case::with(change).refused(code);
}

#[test]
fn a_healthy_token_gives_what_its_evidence_is_bound_to() {
    let case = Case::new();
    let runtime = Some(sha256(b"runtime"));
    let expected = Checked {
        binding: case.transcript.binding(),
        gpu_nonce: Binding::Nonce(gpu_nonce(&case.transcript).0),
        runtime,
    };
    assert_eq!(case.check(), Ok(expected));
    // The first token of an instance says what it runs, or says nothing.
    assert_eq!(Case::with(|case| case.runtime = None).check().unwrap().runtime, runtime);
    let silent = Case::with(|case| (case.runtime, case.transcript.runtime) = (None, None));
    assert_eq!(silent.check().unwrap().runtime, None);
}

#[test]
fn a_healthy_token_with_devices() {
    let case = Case::with(|case| {
        case.devices = devices(DeviceClass::Gpu, 2);
        case.transcript.devices = devices_digest(&case.devices);
        case.required.push(profile("nv-spdm-1"));
    });
    let checked = case.check().unwrap();
    assert_eq!(checked.binding, case.transcript.binding());
    // The devices answer a nonce that does not depend on what they answer.
    assert_eq!(checked.gpu_nonce, Case::new().check().unwrap().gpu_nonce);
    assert_ne!(checked.binding, Case::new().check().unwrap().binding);
    // Who need not show a device may.
    let unasked = Case { required: vec![profile("snp-raw-1")], ..case };
    assert!(unasked.check().is_ok());
}

#[test]
fn n_fl_01_b_presents_as_token() {
    refused(codes::BIND_NAME_MISMATCH, |case| case.sender = peer("server"));
}

#[test]
fn n_fl_02_names_key_and_proof_are_one_members() {
    // B's name with A's key, then B's key with A's proof, then both A's under B's name.
    refused(codes::BIND_POP_INVALID, |case| case.transcript.key = key("server").public().digest());
    refused(codes::BIND_POP_INVALID, |case| case.signer = "server");
    refused(codes::BIND_POP_INVALID, |case| {
        case.signer = "server";
        case.transcript.key = key("server").public().digest();
    });
    // The other two things that an instance contributed.
    refused(codes::BIND_POP_INVALID, |case| case.transcript.instance_id = [2; 16]);
    refused(codes::BIND_POP_INVALID, |case| case.transcript.kem = None);
    refused(codes::BIND_POP_INVALID, |case| case.transcript.kem = Some(sha256(b"another")));
    refused(codes::BIND_POP_INVALID, |case| case.sender.kem = None);
}

#[test]
fn n_fl_02_a_proof_over_another_transcript() {
    let other = Case::with(|case| case.transcript.epoch = 8).envelope();
    let case = Case::new();
    let mut envelope = case.envelope();
    envelope.pop = other.pop;
    assert_eq!(case.check_envelope(&envelope).unwrap_err().code, codes::BIND_POP_INVALID);
    let mut envelope = case.envelope();
    envelope.pop.0[63] ^= 1;
    assert_eq!(case.check_envelope(&envelope).unwrap_err().code, codes::BIND_POP_INVALID);
}

#[test]
fn n_fl_03_token_of_another_federation() {
    refused(codes::BIND_FEDERATION_MISMATCH, |case| case.transcript.federation_id = sha256(b"other"));
}

#[test]
fn n_fl_04_register_token_at_job_start() {
    refused(codes::BIND_PURPOSE_MISMATCH, |case| case.transcript.purpose = Purpose::Register);
    refused(codes::BIND_PURPOSE_MISMATCH, |case| case.terms.purpose = Purpose::KeyRelease);
}

#[test]
fn n_fl_05_token_of_another_job() {
    refused(codes::BIND_JOB_MISMATCH, |case| case.transcript.job_id = "cd".repeat(32));
    refused(codes::BIND_JOB_MISMATCH, |case| case.transcript.job_id.clear());
}

#[test]
fn n_fl_06_client_token_with_role_server() {
    refused(codes::BIND_ROLE_MISMATCH, |case| case.transcript.role = Role::Server);
}

#[test]
fn n_fl_07_token_of_the_round_before() {
    refused(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN, |case| case.transcript.epoch = EPOCH - 1);
    // Everything else of such a token belongs to the other round too.
    refused(codes::BIND_NONCE_EXPIRED_OR_UNKNOWN, |case| {
        let earlier = RoundTerms { epoch: EPOCH - 1, root: root_of(&["server", "site-1"]), ..terms() };
        case.transcript =
            earlier.transcript(&case.sender, case.profile.clone(), case.transcript.runtime, None);
        (case.root, case.leaf_count) = (earlier.root, 2);
    });
}

#[test]
fn n_fl_08_root_without_the_verifiers_leaf() {
    let without_me = root_of(&["server", "site-1"]);
    refused(codes::BIND_ROOT_MISMATCH, |case| {
        (case.transcript.root, case.transcript.leaf_count) = (without_me, 2);
        (case.root, case.leaf_count) = (without_me, 2);
    });
    refused(codes::BIND_ROOT_MISMATCH, |case| case.transcript.root = without_me);
    refused(codes::BIND_ROOT_MISMATCH, |case| case.transcript.leaf_count = 2);
    refused(codes::BIND_ROOT_MISMATCH, |case| case.transcript.members = sha256(b"others"));
    // What the envelope says beside the transcript is the same.
    refused(codes::BIND_ROOT_MISMATCH, |case| case.root = without_me);
    refused(codes::BIND_ROOT_MISMATCH, |case| case.leaf_count = 2);
}

#[test]
fn n_fl_09_token_after_the_deadline() {
    refused(codes::BIND_TOKEN_TOO_OLD, |case| case.late = true);
}

#[test]
fn n_fl_22_site_that_has_to_show_devices_shows_none() {
    refused(codes::POL_EVIDENCE_MISSING, |case| case.required.push(profile("nv-spdm-1")));
}

#[test]
fn n_fl_24_own_token_reflected() {
    refused(codes::FL_TOKEN_REFLECTED, |case| {
        case.transcript = case.terms.transcript(&peer("site-2"), case.profile.clone(), None, None);
        case.signer = "site-2";
    });
    // Over whichever connection it comes.
    refused(codes::FL_TOKEN_REFLECTED, |case| {
        case.sender = peer("site-2");
        case.transcript.name = name("site-2");
    });
}

#[test]
fn n_fl_25_policy_of_an_older_version() {
    refused(codes::BIND_POLICY_MISMATCH, |case| case.transcript.policy_digest = sha256(b"older bundle"));
}

#[test]
fn n_fl_28_runtime_changed_since_registration() {
    refused(codes::FL_RUNTIME_CHANGED, |case| case.transcript.runtime = Some(sha256(b"another")));
    refused(codes::FL_RUNTIME_CHANGED, |case| case.transcript.runtime = None);
    refused(codes::FL_RUNTIME_CHANGED, |case| case.runtime = Some(None));
}

#[test]
fn n_env_08_profile_that_the_role_does_not_allow() {
    refused(codes::ENV_PROFILE_NOT_ALLOWED, |case| case.required = vec![profile("tdx-quote-1")]);
    refused(codes::ENV_PROFILE_NOT_ALLOWED, |case| case.required.clear());
    // The label of the envelope is the one of the transcript.
    refused(codes::ENV_PROFILE_NOT_ALLOWED, |case| {
        case.required.push(profile("tdx-quote-1"));
        case.profile = profile("tdx-quote-1");
    });
}

#[test]
fn n_gpu_57_devices_that_no_processor_vouches_for() {
    // Whatever the role has to show.
    refused(codes::GPU_CPU_TEE_MISSING, |case| {
        let devices_only = profile("nv-spdm-1");
        case.required.push(devices_only.clone());
        case.transcript.profile = devices_only.clone();
        case.profile = devices_only;
        case.devices = devices(DeviceClass::Gpu, 1);
        case.transcript.devices = devices_digest(&case.devices);
    });
}

/// A genuine device elsewhere that was asked with the same nonce: it is not among those that the processor vouches for.
#[test]
fn n_gpu_58_devices_of_another_machine() {
    refused(codes::BIND_GPU_DIGEST_MISMATCH, |case| {
        case.transcript.devices = devices_digest(&devices(DeviceClass::Gpu, 1));
        case.devices = devices(DeviceClass::Gpu, 2).split_off(1);
    });
}

/// Swapped after the processor's report: not the bytes that it vouches for.
#[test]
fn n_gpu_56_devices_are_those_of_the_transcript() {
    let gpus = || devices(DeviceClass::Gpu, 2);
    refused(codes::BIND_GPU_DIGEST_MISMATCH, |case| case.devices = gpus());
    refused(codes::BIND_GPU_DIGEST_MISMATCH, |case| case.transcript.devices = devices_digest(&gpus()));
    refused(codes::BIND_GPU_DIGEST_MISMATCH, |case| {
        case.transcript.devices = devices_digest(&gpus());
        case.devices = gpus();
        case.devices[1].cc_state[2] = 1;
    });
}
