//! A federation's genuine objects.

use std::sync::LazyLock;

use cc_core::Profile;
use fed_proto::binding::{
    Device, DeviceClass, Leaf, Purpose, Transcript, devices_digest, leaf_hash, pop, root,
};
use fed_proto::crypto::{AttKey, Digest, sha256};
use fed_proto::envelope::Envelope;
use fed_proto::name::Name;
use fed_proto::role::Role;
use fed_proto::signed::{Header, Signed};

/// The federation.
pub static FEDERATION: LazyLock<Digest> = LazyLock::new(|| sha256(b"federation"));
/// The attestation key of [`message`] and [`envelope`].
pub static KEY: LazyLock<AttKey> = LazyLock::new(|| AttKey::from_seed(&[7; 32]).unwrap());

/// A genuine leaf.
pub fn leaf() -> Leaf {
    Leaf {
        federation_id: *FEDERATION,
        epoch: 7,
        name: Name::new("site-1").unwrap(),
        role: Role::Client,
        nonce: [5; 32],
        key: KEY.public().digest(),
    }
}

/// The transcript that a verifier expects.
pub static TRANSCRIPT: LazyLock<Transcript> = LazyLock::new(|| Transcript {
    federation_id: *FEDERATION,
    policy_digest: sha256(b"bundle"),
    name: Name::new("site-1").unwrap(),
    role: Role::Client,
    profile: Profile::snp_raw_1(),
    instance_id: [1; 16],
    key: KEY.public().digest(),
    kem: None,
    purpose: Purpose::JobStart,
    job_id: "ab".repeat(32),
    epoch: 7,
    members: sha256(b"members"),
    root: root(&[leaf_hash(&leaf().bytes())]),
    leaf_count: 1,
    runtime: Some(sha256(b"runtime")),
    devices: devices_digest(&devices()),
});

fn devices() -> Vec<Device> {
    let device = |class, report: &[u8]| Device {
        class,
        report: report.to_vec(),
        cert_chain: b"CHAIN".to_vec(),
        cc_state: [1, 1, 0, 0],
    };
    let mut devices = vec![device(DeviceClass::Gpu, b"GPU"), device(DeviceClass::Switch, b"SWITCH")];
    devices.sort_by_key(|device| sha256(&device.report));
    devices
}

/// A genuine token with every key.
pub fn envelope() -> Envelope {
    Envelope {
        profile: TRANSCRIPT.profile.clone(),
        transcript: TRANSCRIPT.bytes(),
        evidence: b"report".to_vec(),
        aux: vec![b"table".to_vec()],
        devices: devices(),
        endorsements: vec![b"certificate".to_vec()],
        root: TRANSCRIPT.root,
        leaf_count: TRANSCRIPT.leaf_count,
        pop: pop::sign_token(&KEY, &TRANSCRIPT.binding()),
    }
}

/// A message with this payload.
pub fn message(kind: u16, payload: Vec<u8>) -> Signed {
    let header = Header {
        epoch: 7,
        job_id: "ab".repeat(32),
        sender: Name::new("site-1").unwrap(),
        recipient: Some(Name::new("server").unwrap()),
        kind,
        sequence: 5,
    };
    Signed::new(&FEDERATION, header, payload, &KEY)
}
