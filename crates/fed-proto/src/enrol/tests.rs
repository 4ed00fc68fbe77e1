use std::collections::{BTreeMap, BTreeSet};

use cc_core::{Code, Profile};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType, date_time_ymd,
};

use super::*;
use crate::bundle::{NameBinding, RoleFloor, RosterEntry};
use crate::descriptor::FederationProfile;

/// 2026-06-01, inside the validity of every certificate here.
const NOW: UnixTime = UnixTime::from_secs(1_780_272_000);

struct Ca {
    der: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn ca(params: CertificateParams) -> Ca {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let der = params.self_signed(&key).unwrap().der().to_vec();
    Ca { der, issuer: Issuer::new(params, key) }
}

fn leaf(uri: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, uri);
    params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// A federation with one CA, `server` and `site-1`, both of whom are enrolled properly; each test changes one thing.
struct World {
    ca: Ca,
    descriptor: Descriptor,
    bundle: Bundle,
    claim: Claim,
    key: KeyPair,
    params: CertificateParams,
    now: UnixTime,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn world() -> World {
    world_of(ca(authority("ca")))
}

fn world_of(ca: Ca) -> World {
    let descriptor = Descriptor {
        name: "test".to_owned(),
        random: [1; 16],
        owner: [2; 32],
        enrolment_cas: vec![ca.der.clone()],
        profile: FederationProfile::Production,
        server: name("server"),
    };
    let floor = RoleFloor {
        profiles: vec![Profile::snp_raw_1()],
        policy: String::new(),
        name_binding: NameBinding::Both,
    };
    let entry = RosterEntry { role: Role::Client, organisation: "clinic".to_owned(), replaceable: false };
    let bundle = Bundle {
        federation_id: descriptor.federation_id(),
        version: 1,
        not_after: UnixTime::from_secs(u64::MAX),
        revoked_names: BTreeSet::new(),
        revoked_certificates: BTreeSet::new(),
        roles: BTreeMap::from([(Role::Server, floor.clone()), (Role::Client, floor)]),
        members: BTreeMap::from([(name("site-1"), entry)]),
        chip_quota: 1,
        verdict_lifetime: Duration::from_secs(600),
    };
    let claim = Claim {
        name: name("site-1"),
        role: Role::Client,
        instance_id: [3; 16],
        key: Digest([4; 32]),
        kem: None,
    };
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    World { ca, descriptor, bundle, claim, key, params: leaf("muster:client:site-1"), now: NOW }
}

/// Signs as a participant does: Ed25519, or P-256 as r‖s.
fn sign(key: &KeyPair, message: &[u8]) -> Vec<u8> {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
    let pkcs8 = key.serialize_der();
    if key.algorithm() == &PKCS_ED25519 {
        return Ed25519KeyPair::from_pkcs8(&pkcs8).unwrap().sign(message).as_ref().to_vec();
    }
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8).unwrap();
    key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
}

impl World {
    fn leaf(&self) -> Vec<u8> {
        self.params.signed_by(&self.key, &self.ca.issuer).unwrap().der().to_vec()
    }

    fn signature(&self) -> Vec<u8> {
        sign(&self.key, &statement(&self.descriptor.federation_id(), &self.claim))
    }

    fn enrolment(&self) -> Enrolment {
        Enrolment { chain: vec![self.leaf()], signature: self.signature() }
    }

    fn verify(&self, enrolment: &Enrolment) -> Result<(), Code> {
        verify(&self.descriptor, &self.bundle, &self.claim, enrolment, self.now)
            .map_err(|finding| finding.code)
    }

    fn check(&self) -> Result<(), Code> {
        self.verify(&self.enrolment())
    }

    fn text(&self) -> String {
        verify(&self.descriptor, &self.bundle, &self.claim, &self.enrolment(), self.now).unwrap_err().detail
    }

    /// The server instead of site-1.
    fn server(mut self) -> Self {
        self.claim = Claim { name: name("server"), role: Role::Server, ..self.claim };
        self.params = leaf("muster:server:server");
        self.params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        self
    }
}

const UNKNOWN: Result<(), Code> = Err(codes::FL_MEMBER_UNKNOWN);
const UNAUTHENTICATED: Result<(), Code> = Err(codes::FL_NAME_UNAUTHENTICATED);

#[test]
fn enrolled_clients_and_servers_accepted() {
    assert_eq!(world().check(), Ok(()));
    assert_eq!(world().server().check(), Ok(()));
    let mut ed25519 = world();
    ed25519.key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    assert_eq!(ed25519.check(), Ok(()));
    let mut kem = world();
    kem.claim.kem = Some(Digest([5; 32]));
    assert_eq!(kem.check(), Ok(()));
}

#[test]
fn n_fl_16_member_without_enrolment_certificate() {
    let world = world();
    assert_eq!(world.verify(&Enrolment { chain: Vec::new(), ..world.enrolment() }), UNKNOWN);
}

#[test]
fn n_fl_23_peer_calls_itself_an_exempt_name() {
    // Nobody is exempt: not the server's name, not one that no roster has.
    for exempt in ["server", "site-2", "admin"] {
        let mut world = world();
        world.claim.name = name(exempt);
        assert_eq!(world.check(), UNAUTHENTICATED, "{exempt}");
    }
}

#[test]
fn size_too_many_or_too_long_certificates_refused() {
    let world = world();
    let chain_of = |count| Enrolment { chain: vec![world.leaf(); count], signature: world.signature() };
    assert_eq!(world.verify(&chain_of(4)), Ok(()));
    assert_eq!(world.verify(&chain_of(5)), UNKNOWN);
    let with_filler = |length| {
        let mut world = world_of(ca(authority("ca")));
        let filler = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![0; length]);
        world.params.custom_extensions.push(filler);
        (world.leaf().len(), world.check())
    };
    let (length, checked) = with_filler(15_000);
    assert!(length <= MAX_CERTIFICATE);
    assert_eq!(checked, Ok(()));
    let (length, checked) = with_filler(16_300);
    assert!(length > MAX_CERTIFICATE);
    assert_eq!(checked, UNKNOWN);
}

#[test]
fn revocation_of_the_name() {
    let mut world = world();
    world.bundle.revoked_names.insert(name("site-1"));
    assert_eq!(world.check(), UNKNOWN);
    world.bundle.revoked_names = BTreeSet::from([name("site-2")]);
    assert_eq!(world.check(), Ok(()));
}

#[test]
fn revocation_of_the_leaf() {
    let mut world = world();
    let enrolment = world.enrolment();
    world.bundle.revoked_certificates.insert(sha256(&enrolment.chain[0]));
    assert_eq!(world.verify(&enrolment), UNKNOWN);
    // The same name with a new certificate is somebody again.
    world.params.serial_number = Some(77_u64.into());
    assert_eq!(world.check(), Ok(()));
}

#[test]
fn revocation_of_the_authority() {
    let mut world = world();
    world.bundle.revoked_certificates.insert(sha256(&world.ca.der));
    assert_eq!(world.check(), UNKNOWN);
    assert!(world.text().contains("revoked by bundle version 1"), "{}", world.text());
}

#[test]
fn chain_through_an_issuer() {
    let mut world = world();
    let mut params = authority("issuer");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let between = params.signed_by(&key, &world.ca.issuer).unwrap().der().to_vec();
    let issuer = Issuer::new(params, key);
    let leaf = world.params.signed_by(&world.key, &issuer).unwrap().der().to_vec();
    let enrolment = Enrolment { chain: vec![leaf.clone(), between.clone()], signature: world.signature() };
    assert_eq!(world.verify(&enrolment), Ok(()));
    let without = Enrolment { chain: vec![leaf], ..enrolment.clone() };
    assert_eq!(world.verify(&without), UNKNOWN);
    world.bundle.revoked_certificates.insert(sha256(&between));
    assert_eq!(world.verify(&enrolment), UNKNOWN);
}

#[test]
fn chain_to_another_authority_refused() {
    let mut world = world();
    let theirs = ca(authority("ca"));
    world.ca.issuer = theirs.issuer;
    assert_eq!(world.check(), UNKNOWN);
    // The authority that the peer brings along counts for nothing.
    let brought = Enrolment { chain: vec![world.leaf(), theirs.der], signature: world.signature() };
    assert_eq!(world.verify(&brought), UNKNOWN);
}

#[test]
fn chain_self_signed_refused() {
    let world = world();
    let leaf = world.params.self_signed(&world.key).unwrap().der().to_vec();
    assert_eq!(world.verify(&Enrolment { chain: vec![leaf], signature: world.signature() }), UNKNOWN);
}

#[test]
fn chain_any_of_several_authorities() {
    let mut world = world();
    let second = ca(authority("second"));
    world.descriptor.enrolment_cas.push(second.der);
    assert_eq!(world.check(), Ok(()));
    world.ca.issuer = second.issuer;
    assert_eq!(world.check(), Ok(()));
    world.descriptor.enrolment_cas.clear();
    assert_eq!(world.check(), UNKNOWN);
}

#[test]
fn chain_leaf_outside_its_validity_refused() {
    let mut world = world();
    let start = UnixTime::parse("2026-01-01T00:00:00Z").unwrap();
    let end = UnixTime::parse("2027-01-01T00:00:00Z").unwrap();
    for (now, wanted) in [
        (start, Ok(())),
        (UnixTime::from_secs(start.as_secs() - 1), UNKNOWN),
        (end, Ok(())),
        (UnixTime::from_secs(end.as_secs() + 1), UNKNOWN),
    ] {
        world.now = now;
        assert_eq!(world.check(), wanted, "{now}");
    }
}

#[test]
fn chain_authority_outside_its_validity_refused() {
    for (from, until) in [(2026, 2027), (2020, 2026)] {
        let mut params = authority("ca");
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let mut world = world_of(ca(params));
        world.params.not_before = date_time_ymd(2020, 1, 1);
        world.params.not_after = date_time_ymd(2036, 1, 1);
        let inside = UnixTime::parse(&format!("{from}-06-01T00:00:00Z")).unwrap();
        let before = UnixTime::parse("2020-01-01T00:00:00Z").unwrap();
        let after = UnixTime::parse(&format!("{until}-01-01T00:00:01Z")).unwrap();
        world.now = inside;
        assert_eq!(world.check(), Ok(()));
        world.now = after;
        assert_eq!(world.check(), UNKNOWN);
        if from > 2020 {
            world.now = before;
            assert_eq!(world.check(), UNKNOWN);
        }
    }
}

#[test]
fn chain_authority_must_be_one() {
    let mut params = authority("ca");
    params.is_ca = IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    assert_eq!(world_of(ca(params.clone())).check(), UNKNOWN);
    params.is_ca = IsCa::NoCa;
    assert_eq!(world_of(ca(params)).check(), UNKNOWN);
}

#[test]
fn chain_leaf_must_not_be_an_authority() {
    let mut world = world();
    world.params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_eq!(world.check(), UNKNOWN);
}

#[test]
fn chain_usage_follows_the_role() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, CodeSigning, ServerAuth};
    for (server, usages, wanted) in [
        (false, vec![], UNKNOWN),
        (false, vec![CodeSigning], UNKNOWN),
        (false, vec![Any], UNKNOWN),
        (false, vec![ServerAuth], UNKNOWN),
        (false, vec![CodeSigning, ClientAuth], Ok(())),
        (true, vec![], UNKNOWN),
        (true, vec![ServerAuth], UNKNOWN),
        (true, vec![ClientAuth], UNKNOWN),
        (true, vec![ServerAuth, ClientAuth], Ok(())),
    ] {
        let mut world = if server { world().server() } else { world() };
        world.params.extended_key_usages = usages.clone();
        assert_eq!(world.check(), wanted, "{server} {usages:?}");
    }
}

#[test]
fn chain_unknown_critical_extension_refused() {
    let mut world = world();
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    world.params.custom_extensions.push(extension);
    assert_eq!(world.check(), UNKNOWN);
}

#[test]
fn chain_of_garbage_refused() {
    let world = world();
    let mut trailing = world.leaf();
    trailing.push(0);
    for leaf in [Vec::new(), vec![0x30], trailing] {
        assert_eq!(world.verify(&Enrolment { chain: vec![leaf], ..world.enrolment() }), UNKNOWN);
    }
    let mut flipped = world.leaf();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert_eq!(world.verify(&Enrolment { chain: vec![flipped], ..world.enrolment() }), UNKNOWN);
}

#[test]
fn chain_key_of_another_algorithm_refused() {
    let mut world = world();
    world.key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let enrolment = Enrolment { chain: vec![world.leaf()], signature: vec![1; 64] };
    let finding = verify(&world.descriptor, &world.bundle, &world.claim, &enrolment, world.now).unwrap_err();
    assert_eq!(finding.code, codes::FL_MEMBER_UNKNOWN);
    assert!(finding.detail.contains("Ed25519 or P-256"), "{finding}");
}

#[test]
fn subject_of_another_name_or_role_refused() {
    for uri in [
        "muster:client:site-2",
        "muster:relay:site-1",
        "muster:server:site-1",
        "muster:admin:site-1",
        "muster:client:site-1 ",
        "muster:client:Site-1",
        "MUSTER:client:site-1",
        "muster:client:site-1:more",
        "muster:2:site-1",
        "muster:site-1",
        "https://site-1",
    ] {
        let mut world = world();
        world.params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
        assert_eq!(world.check(), UNAUTHENTICATED, "{uri}");
    }
}

#[test]
fn subject_is_the_only_uri() {
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let dns = SanType::DnsName("site-1".try_into().unwrap());
    for (names, wanted) in [
        (vec![], UNAUTHENTICATED),
        (vec![dns.clone()], UNAUTHENTICATED),
        (vec![uri("muster:client:site-1"), uri("muster:client:site-2")], UNAUTHENTICATED),
        (vec![uri("muster:client:site-1"), uri("https://example.org")], UNAUTHENTICATED),
        (vec![uri("muster:client:site-1"), uri("muster:client:site-1")], UNAUTHENTICATED),
        (vec![dns, uri("muster:client:site-1")], Ok(())),
    ] {
        let mut world = world();
        world.params.subject_alt_names = names.clone();
        assert_eq!(world.check(), wanted, "{names:?}");
    }
}

#[test]
fn subject_is_read_from_the_uri() {
    let world = world();
    let of = |uri: &str| {
        let der = leaf(uri).signed_by(&world.key, &world.ca.issuer).unwrap().der().to_vec();
        subject(&der).map_err(|finding| finding.code)
    };
    let client = Subject::Participant { role: Role::Client, name: name("a.b") };
    let broker = Subject::Participant { role: Role::KeyBroker, name: name("b") };
    assert_eq!(of("muster:client:a.b"), Ok(client));
    assert_eq!(of("muster:key-broker:b"), Ok(broker));
    assert_eq!(of("muster:admin:alice"), Ok(Subject::Admin { name: name("alice") }));
    assert_eq!(of("muster:client:"), Err(codes::FL_NAME_UNAUTHENTICATED));
    assert_eq!(subject(b"").unwrap_err().code, codes::FL_NAME_UNAUTHENTICATED);
}

#[test]
fn roster_has_the_last_word_on_roles() {
    let mut world = world();
    world.bundle.members.get_mut(&name("site-1")).unwrap().role = Role::Relay;
    assert_eq!(world.check(), UNAUTHENTICATED);
    world.bundle.members.clear();
    assert_eq!(world.check(), Ok(()));
}

#[test]
fn roster_has_one_server() {
    let mut second = world().server();
    second.descriptor.server = name("other");
    assert_eq!(second.check(), UNAUTHENTICATED);
    // And the server's name is nobody else's.
    let mut client = world();
    client.descriptor.server = name("site-1");
    assert_eq!(client.check(), UNAUTHENTICATED);
}

#[test]
fn signature_over_something_else_refused() {
    let world = world();
    let claim = &world.claim;
    for other in [
        Claim { name: name("site-2"), ..claim.clone() },
        Claim { role: Role::Relay, ..claim.clone() },
        Claim { instance_id: [9; 16], ..claim.clone() },
        Claim { key: Digest([9; 32]), ..claim.clone() },
        Claim { kem: Some(Digest([9; 32])), ..claim.clone() },
    ] {
        let signature = sign(&world.key, &statement(&world.descriptor.federation_id(), &other));
        assert_eq!(world.verify(&Enrolment { signature, ..world.enrolment() }), UNKNOWN, "{other:?}");
    }
    let elsewhere = sign(&world.key, &statement(&Digest([0; 32]), claim));
    assert_eq!(world.verify(&Enrolment { signature: elsewhere, ..world.enrolment() }), UNKNOWN);
}

#[test]
fn signature_by_another_key_refused() {
    let world = world();
    let other = KeyPair::generate().unwrap();
    let signature = sign(&other, &statement(&world.descriptor.federation_id(), &world.claim));
    assert_eq!(world.verify(&Enrolment { signature, ..world.enrolment() }), UNKNOWN);
}

#[test]
fn signature_is_64_bytes() {
    let world = world();
    let signature = world.signature();
    assert_eq!(signature.len(), 64);
    for bad in [Vec::new(), signature[..63].to_vec(), [signature.as_slice(), &[0]].concat()] {
        assert_eq!(world.verify(&Enrolment { signature: bad, ..world.enrolment() }), UNKNOWN);
    }
}

#[test]
fn certificates_alone_are_verified_as_with_a_claim() {
    let check = |world: &World, chain: &[Vec<u8>]| {
        certified(&world.descriptor, &world.bundle, chain, world.now)
            .map(|(subject, _)| subject)
            .map_err(|finding| finding.code)
    };
    let mut world = world();
    let good = [world.leaf()];
    let (subject, key) = certified(&world.descriptor, &world.bundle, &good, NOW).unwrap();
    assert_eq!(subject, Subject::Participant { role: Role::Client, name: name("site-1") });
    assert_eq!(key.spki(), rcgen::PublicKeyData::subject_public_key_info(&world.key));

    assert_eq!(check(&world, &[]), Err(codes::FL_MEMBER_UNKNOWN));
    world.bundle.revoked_names.insert(name("site-1"));
    assert_eq!(check(&world, &good), Err(codes::FL_MEMBER_UNKNOWN));
    world.bundle.revoked_names.clear();
    world.bundle.revoked_certificates.insert(sha256(&good[0]));
    assert_eq!(check(&world, &good), Err(codes::FL_MEMBER_UNKNOWN));
    world.bundle.revoked_certificates.clear();
    world.now = UnixTime::from_secs(0);
    assert_eq!(check(&world, &good), Err(codes::FL_MEMBER_UNKNOWN));
    world.now = NOW;
    world.bundle.members.get_mut(&name("site-1")).unwrap().role = Role::Relay;
    assert_eq!(check(&world, &good), Err(codes::FL_NAME_UNAUTHENTICATED));
    // A certificate of nobody's, and one that names nobody.
    let of =
        |world: &World, uri: &str| leaf(uri).signed_by(&world.key, &world.ca.issuer).unwrap().der().to_vec();
    let theirs = leaf("muster:client:site-1").self_signed(&world.key).unwrap().der().to_vec();
    assert_eq!(check(&world, &[theirs]), Err(codes::FL_MEMBER_UNKNOWN));
    assert_eq!(check(&world, &[of(&world, "https://site-1")]), Err(codes::FL_NAME_UNAUTHENTICATED));
    // The server's certificate must be one for servers.
    assert_eq!(check(&world, &[of(&world, "muster:server:server")]), Err(codes::FL_MEMBER_UNKNOWN));
    let server = world.server();
    assert!(check(&server, &[server.leaf()]).is_ok());
}

#[test]
fn administrators_have_names_of_their_own() {
    let world = world();
    let check = |uri: &str| {
        let leaf = leaf(uri).signed_by(&world.key, &world.ca.issuer).unwrap().der().to_vec();
        certified(&world.descriptor, &world.bundle, &[leaf], NOW).map_err(|finding| finding.code)
    };
    assert_eq!(check("muster:admin:alice").unwrap().0, Subject::Admin { name: name("alice") });
    for taken in ["muster:admin:server", "muster:admin:site-1"] {
        assert_eq!(check(taken).unwrap_err(), codes::FL_NAME_UNAUTHENTICATED, "{taken}");
    }
}

#[test]
fn statement_and_init_data_are_the_stated_bytes() {
    let claim = Claim { kem: Some(Digest([5; 32])), ..world().claim };
    let id = Digest([6; 32]);
    let head = |domain: &[u8]| {
        let mut bytes = domain.to_vec();
        bytes.extend(b"\x01\0\0\0\x20");
        bytes.extend([6; 32]);
        bytes.extend(b"\x02\0\0\0\x06site-1\x03\0\0\0\x01\x02");
        bytes
    };
    let tail = |mut bytes: Vec<u8>, kem: &[u8]| {
        bytes.extend(b"\x04\0\0\0\x10");
        bytes.extend([3; 16]);
        bytes.extend(b"\x05\0\0\0\x20");
        bytes.extend([4; 32]);
        bytes.extend(b"\x06\0\0\0");
        bytes.push(u8::try_from(kem.len()).unwrap());
        bytes.extend(kem);
        bytes
    };
    assert_eq!(statement(&id, &claim), tail(head(b"MUSTER-ENROL\0"), &[5; 32]));
    assert_eq!(statement(&id, &Claim { kem: None, ..claim }), tail(head(b"MUSTER-ENROL\0"), &[]));
    assert_eq!(init_data(&id, &name("site-1"), Role::Client), head(b"MUSTER-INIT\0"));
}
