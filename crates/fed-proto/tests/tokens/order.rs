//! The order of 5.5 step 6: of two faults in one token, the earlier one gives the code.

use cc_core::{Code, codes};
use fed_proto::binding::{DeviceClass, Purpose, devices_digest};
use fed_proto::crypto::sha256;
use fed_proto::role::Role;

use super::fixture::{Case, EPOCH, devices, name, peer, profile};

type Fault = (&'static str, Code, fn(&mut Case));

/// One fault for each step, in the order of the steps; faults of one code that follow each other are told apart by what
/// comes between them only.
const FAULTS: &[Fault] = &[
    ("reflected", codes::FL_TOKEN_REFLECTED, |case| case.transcript.name = name("site-2")),
    ("sender", codes::BIND_NAME_MISMATCH, |case| case.sender.name = name("site-9")),
    ("late", codes::BIND_TOKEN_TOO_OLD, |case| case.late = true),
    ("tag 1", codes::BIND_FEDERATION_MISMATCH, |case| case.transcript.federation_id = sha256(b"other")),
    ("tag 2", codes::BIND_POLICY_MISMATCH, |case| case.transcript.policy_digest = sha256(b"other")),
    ("tag 4", codes::BIND_ROLE_MISMATCH, |case| case.transcript.role = Role::Relay),
    ("no processor", codes::GPU_CPU_TEE_MISSING, |case| {
        (case.transcript.profile, case.profile) = (profile("nv-spdm-1"), profile("nv-spdm-1"));
    }),
    ("tag 5", codes::ENV_PROFILE_NOT_ALLOWED, |case| case.transcript.profile = profile("tdx-quote-1")),
    ("not required", codes::ENV_PROFILE_NOT_ALLOWED, |case| {
        case.required.retain(|required| *required != case.profile);
    }),
    ("tag 6", codes::BIND_POP_INVALID, |case| case.transcript.instance_id = [9; 16]),
    ("tag 7", codes::BIND_POP_INVALID, |case| case.transcript.key = sha256(b"other")),
    ("tag 8", codes::BIND_POP_INVALID, |case| case.transcript.kem = None),
    ("proof", codes::BIND_POP_INVALID, |case| case.signer = "server"),
    ("tag 9", codes::BIND_PURPOSE_MISMATCH, |case| case.transcript.purpose = Purpose::Periodic),
    ("tag 10", codes::BIND_JOB_MISMATCH, |case| case.transcript.job_id = "cd".repeat(32)),
    ("tag 11", codes::BIND_NONCE_EXPIRED_OR_UNKNOWN, |case| case.transcript.epoch = EPOCH - 1),
    ("tag 12", codes::BIND_ROOT_MISMATCH, |case| case.transcript.members = sha256(b"other")),
    ("tag 13", codes::BIND_ROOT_MISMATCH, |case| case.transcript.root = sha256(b"other")),
    ("tag 14", codes::BIND_ROOT_MISMATCH, |case| case.transcript.leaf_count = 9),
    ("tag 15", codes::FL_RUNTIME_CHANGED, |case| case.transcript.runtime = None),
    ("tag 16", codes::BIND_GPU_DIGEST_MISMATCH, |case| {
        case.transcript.devices = devices_digest(&devices(DeviceClass::Gpu, 1));
    }),
    ("challenge", codes::BIND_ROOT_MISMATCH, |case| case.root = sha256(b"other")),
    ("no device", codes::POL_EVIDENCE_MISSING, |case| case.required.push(profile("nv-spdm-1"))),
];

#[test]
fn each_fault_alone_has_its_code() {
    for (what, code, fault) in FAULTS {
        let finding = Case::with(fault).check().expect_err(what);
        assert_eq!(finding.code, *code, "{what}: {finding}");
    }
}

#[test]
fn of_two_faults_the_earlier_one_is_found() {
    for (index, (first, code, one)) in FAULTS.iter().enumerate() {
        for (second, _, other) in &FAULTS[index + 1..] {
            let both = Case::with(|case| {
                one(case);
                other(case);
            });
            let finding = both.check().expect_err(first);
            assert_eq!(finding.code, *code, "{first}, then {second}: {finding}");
        }
    }
}

#[test]
fn all_faults_at_once() {
    let mut case = Case::new();
    for (index, (what, code, _)) in FAULTS.iter().enumerate() {
        case = Case::with(|case| FAULTS[index..].iter().for_each(|(_, _, fault)| fault(case)));
        let finding = case.check().expect_err(what);
        assert_eq!(finding.code, *code, "{what} and everything after it: {finding}");
    }
    case.sender = peer("server");
    case.refused(codes::BIND_NAME_MISMATCH);
}
