//! What a participant remembers is bounded, whoever restarts however often.

use std::collections::BTreeSet;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ED25519, SanType, SigningKey,
};

use super::*;
use crate::bundle::{NameBinding, RoleFloor};
use crate::descriptor::FederationProfile;
use crate::message::MAX_MEMBERS;

/// Twice the members of a round.
const MOST: usize = 8192;
const NOW: Now = Now { mono: Duration::from_secs(1000), wall: UnixTime::from_secs(1_780_272_000) };

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// `site-1`, with the identity that its federation's CA enrolled.
fn participant() -> Participant {
    let owner = AttKey::from_seed(&[1; 32]).unwrap();
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
    let descriptor = Descriptor {
        name: "test".to_owned(),
        random: [1; 16],
        owner: owner.public().spki()[12..].try_into().unwrap(),
        enrolment_cas: vec![ca.der().to_vec()],
        profile: FederationProfile::Development,
        server: name("server"),
    };
    let floor = RoleFloor {
        profiles: vec![Profile::snp_raw_1()],
        policy: "version = 1".to_owned(),
        name_binding: NameBinding::Enrolment,
    };
    let bundle = Bundle {
        federation_id: descriptor.federation_id(),
        version: 1,
        not_after: UnixTime::from_secs(1_780_358_400),
        revoked_names: BTreeSet::new(),
        revoked_certificates: BTreeSet::new(),
        roles: BTreeMap::from([(Role::Server, floor.clone()), (Role::Client, floor)]),
        members: BTreeMap::new(),
        chip_quota: 1,
        verdict_lifetime: Duration::from_secs(600),
    };
    let mut leaf = CertificateParams::default();
    leaf.subject_alt_names = vec![SanType::URI("muster:client:site-1".try_into().unwrap())];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let enrolled = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let key = AttKey::from_seed(&[2; 32]).unwrap();
    let claim = enrol::Claim {
        name: name("site-1"),
        role: Role::Client,
        instance_id: [3; 16],
        key: key.public().digest(),
        kem: None,
    };
    let statement = enrol::statement(&descriptor.federation_id(), &claim);
    let identity = Identity {
        spki: key.public().spki().to_vec().into(),
        kem: Vec::new().into(),
        instance_id: vec![3; 16].into(),
        chain: vec![leaf.signed_by(&enrolled, &ca).unwrap().der().to_vec().into()],
        enrolment: enrolled.sign(&statement).unwrap().into(),
    };
    let signed = SignedBundle::sign(&bundle.to_text(), |bytes| owner.sign(bytes));
    let me = Me {
        descriptor,
        name: name("site-1"),
        role: Role::Client,
        profile: Profile::snp_raw_1(),
        key,
        identity,
        runtime: None,
        policy: Digest([4; 32]),
    };
    Participant::new(me, signed, None, NOW).unwrap()
}

/// The digest of the n-th key.
fn key(number: usize) -> Digest {
    crate::crypto::sha256(&number.to_be_bytes())
}

fn header(sequence: u64) -> Header {
    let sender = name("server");
    Header { epoch: 0, job_id: String::new(), sender, recipient: None, kind: 1, sequence }
}

#[test]
fn instances_that_no_round_needs_are_forgotten_when_they_become_many() {
    let mut participant = participant();
    let server = AttKey::from_seed(&[5; 32]).unwrap().public();
    participant.received.admit(&server.digest(), &header(7)).unwrap();
    participant.server_key = Some(server.clone());
    participant.runtimes.extend((1..MOST).map(|number| (key(number), None)));
    participant.tick(NOW, &mut Vec::new());
    assert_eq!(participant.runtimes.len(), MOST - 1);
    participant.runtimes.insert(server.digest(), None);
    participant.tick(NOW, &mut Vec::new());
    assert_eq!(participant.runtimes.keys().collect::<Vec<_>>(), [&server.digest()]);
    for number in 2..MOST {
        participant.received.admit(&key(number), &header(1)).unwrap();
    }
    participant.tick(NOW, &mut Vec::new());
    assert!(participant.received.admit(&key(2), &header(1)).is_err());
    participant.received.admit(&key(MOST), &header(1)).unwrap();
    participant.tick(NOW, &mut Vec::new());
    assert!(!participant.received.is_crowded());
    participant.received.admit(&key(2), &header(1)).unwrap();
    let replayed = participant.received.admit(&server.digest(), &header(7)).unwrap_err();
    assert_eq!(replayed.code, codes::FL_MESSAGE_REPLAYED, "the server of the last round is needed");
}

#[test]
fn no_more_identities_are_remembered_as_enrolled_than_two_rounds_have() {
    assert_eq!(MOST, 2 * MAX_MEMBERS);
    let mut participant = participant();
    let (me, identity) = (name("site-1"), participant.me.identity.clone());
    for (known, left) in [(MOST - 1, MOST), (MOST, 1)] {
        let verified = |number| ((key(number), key(number)), (me.clone(), Role::Client, NOW.mono));
        participant.enrolled = (0..known).map(verified).collect();
        participant.enrolled(NOW, &me, Role::Client, &identity).unwrap();
        assert_eq!(participant.enrolled.len(), left);
    }
}
