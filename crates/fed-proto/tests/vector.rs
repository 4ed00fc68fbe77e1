//! The test vector of *verification.md* 5.7.

use cc_core::{Binding, Profile};
use fed_proto::binding::{
    Device, DeviceClass, Leaf, Member, Purpose, Transcript, devices_digest, gpu_nonce, leaf_hash,
    members_digest, root,
};
use fed_proto::crypto::{Digest, sha256, sha512};
use fed_proto::name::Name;
use fed_proto::role::Role;

fn key(name: &str) -> Digest {
    sha256(format!("key-{name}").as_bytes())
}

fn role(name: &str) -> Role {
    if name == "server" { Role::Server } else { Role::Client }
}

fn leaves(names: &[&str]) -> Vec<Vec<u8>> {
    let leaf = |name: &&str| Leaf {
        federation_id: sha256(b"test-federation"),
        epoch: 7,
        name: Name::new(name).unwrap(),
        role: role(name),
        nonce: sha256(format!("nonce-{name}").as_bytes()).0,
        key: key(name),
    };
    names.iter().map(|name| leaf(name).bytes()).collect()
}

fn transcript(devices: Option<Digest>) -> Transcript {
    let members: Vec<Member> = ["server", "site-1", "site-2"]
        .map(|name| Member { name: Name::new(name).unwrap(), role: role(name), key: key(name) })
        .to_vec();
    let hashes: Vec<Digest> =
        leaves(&["server", "site-1", "site-2"]).iter().map(|leaf| leaf_hash(leaf)).collect();
    Transcript {
        federation_id: sha256(b"test-federation"),
        policy_digest: sha256(b"test-policy"),
        name: Name::new("site-1").unwrap(),
        role: Role::Client,
        profile: Profile::parse("snp-raw-1").unwrap(),
        instance_id: std::array::from_fn(|index| u8::try_from(index).unwrap()),
        key: key("site-1"),
        kem: None,
        purpose: Purpose::JobStart,
        job_id: "job-42".into(),
        epoch: 7,
        members: members_digest(&members),
        root: root(&hashes),
        leaf_count: 3,
        runtime: None,
        devices,
    }
}

#[test]
fn every_value_of_the_vector() {
    let three = leaves(&["server", "site-1", "site-2"]);
    assert_eq!(
        leaf_hash(&three[0]).to_string(),
        "a2fff7b66d56055f75df971d527477938353f40857b9a3920b1fa835a95bde3f"
    );
    let t0 = transcript(None);
    assert_eq!(t0.root.to_string(), "b62e27ba4f23bd3acbf39e4684ce967381963ad01e3254317b390ce0e3ef897f");
    assert_eq!(t0.members.to_string(), "d576595cda8fb65271a7f3b8da958929e887666e072b9e0ba300e4b563c8452f");
    assert_eq!(t0.bytes().len(), 309);
    assert_eq!(
        hex::encode(t0.binding().as_bytes()),
        "050d76dd6d81f856608ccaf44cc4522972a98a14d40421b76f23f6ff7cd918099d73a643635ac44e9c09b7b382b6bc8ede93166bd3a8b5b6e1fdfb1849bc16f5"
    );
    assert_eq!(
        gpu_nonce(&t0).to_string(),
        "48bf497f6a0caf22906073ebfa80d5a3401432f91cef140743898833b8330283"
    );

    let device = Device {
        class: DeviceClass::Gpu,
        report: b"REPORT".to_vec(),
        cert_chain: b"CHAIN".to_vec(),
        cc_state: [1, 1, 0, 0],
    };
    let digest = devices_digest(&[device]);
    assert_eq!(
        digest.unwrap().to_string(),
        "cb565549a2edf2b889e956a3848faaea64f52836a782a859ab1807573dbfbfa0"
    );
    let t = transcript(digest);
    assert_eq!(t.bytes().len(), 341);
    assert_eq!(gpu_nonce(&t), gpu_nonce(&t0), "the GPU nonce is of T with tag 16 empty");
    assert_eq!(
        hex::encode(t.binding().as_bytes()),
        "85dec8e805d6d9b9265e3f81bc0527a12fd19850e746ab2fae73e9ab7c8b1aeaf71776dc633562f4547d771aaf5f77b2882443292536bbfe8447061ffa12b39c"
    );
}

/// The quote of a virtual TPM has room for 32 bytes of ours, the report of its machine for 64 (*verification.md* 4.6).
#[test]
fn a_virtual_tpm_is_bound_by_both_digests() {
    let t = Transcript { profile: Profile::az_cvm_vtpm_1(), ..transcript(None) };
    assert_eq!(t.binding(), Binding::machine(sha256(&t.bytes()).0, &sha512(&t.bytes())));
    for other in ["snp-raw-1", "tdx-quote-1", "aci-raw-1", "aci-maa-1"] {
        let t = Transcript { profile: Profile::parse(other).unwrap(), ..transcript(None) };
        assert!(matches!(t.binding(), Binding::ReportData(_)), "{other}");
    }
}

#[test]
fn root_over_seven_leaves() {
    let seven = leaves(&["server", "site-1", "site-2", "site-3", "site-4", "site-5", "site-6"]);
    let hashes: Vec<Digest> = seven.iter().map(|leaf| leaf_hash(leaf)).collect();
    assert_eq!(root(&hashes).to_string(), "05e1d7ae2285aa96ac5b15ddbb45132d67f1714c8a2b661a0e94ce69b276b700");
}
