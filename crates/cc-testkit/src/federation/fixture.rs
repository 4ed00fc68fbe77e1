//! An owner with a certificate authority, and participants enrolled by it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use cc_core::{Profile, UnixTime};
use fed_proto::bundle::{Bundle, NameBinding, RoleFloor, SignedBundle};
use fed_proto::crypto::{AttKey, Digest};
use fed_proto::descriptor::{Descriptor, FederationProfile};
use fed_proto::enrol::{Claim, statement};
use fed_proto::message::Identity;
use fed_proto::name::Name;
use fed_proto::role::Role;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};

/// The wall clock at the start of every emulated federation: 2026-06-01T00:00:00Z.
pub const WALL: UnixTime = UnixTime::from_secs(1_780_272_000);

/// A name that is known to be one.
pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// The name of the n-th site: `site-001`, so that names sort as numbers do.
pub fn site(number: usize) -> Name {
    name(&format!("site-{number:03}"))
}

/// The owner of a federation.
pub struct Owner {
    key: AttKey,
    ca: CertifiedIssuer<'static, KeyPair>,
    /// What every kit contains.
    pub descriptor: Descriptor,
}

/// A participant's enrolment.
#[derive(Clone)]
pub struct Enrolled {
    /// Who.
    pub name: Name,
    /// In which role.
    pub role: Role,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    pkcs8: Vec<u8>,
    /// Certificate and key as a kit has them.
    pem: [String; 2],
}

impl Owner {
    /// A development federation whose server is called `server`.
    pub fn new() -> Self {
        let key = AttKey::from_seed(&[0x0a; 32]).unwrap();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "test enrolment CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let spki = key.public();
        let descriptor = Descriptor {
            name: "test".to_owned(),
            random: [7; 16],
            owner: spki.spki()[12..].try_into().unwrap(),
            enrolment_cas: vec![ca.der().to_vec()],
            profile: FederationProfile::Development,
            server: name("server"),
        };
        Self { key, ca, descriptor }
    }

    /// A bundle that every role of this federation can meet.
    pub fn bundle(&self, version: u64) -> Bundle {
        let floor = || RoleFloor {
            profiles: vec![Profile::snp_raw_1()],
            policy: "version = 1".to_owned(),
            name_binding: NameBinding::Enrolment,
        };
        Bundle {
            federation_id: self.descriptor.federation_id(),
            version,
            not_after: UnixTime::from_secs(WALL.as_secs() + 365 * 86_400),
            revoked_names: BTreeSet::new(),
            revoked_certificates: BTreeSet::new(),
            roles: BTreeMap::from([(Role::Server, floor()), (Role::Client, floor())]),
            members: BTreeMap::new(),
            chip_quota: 1,
            verdict_lifetime: Duration::from_secs(600),
        }
    }

    /// Signs a bundle.
    pub fn sign(&self, bundle: &Bundle) -> SignedBundle {
        SignedBundle::sign(&bundle.to_text(), |bytes| self.key.sign(bytes))
    }

    /// Issues a certificate for a name in a role.
    pub fn enrol(&self, name: &Name, role: Role) -> Enrolled {
        self.enrol_until(name, role, None)
    }

    /// The same, ending at a second of Unix time.
    pub fn enrol_until(&self, name: &Name, role: Role, end: Option<u64>) -> Enrolled {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        params.subject_alt_names = vec![SanType::URI(format!("muster:{role}:{name}").try_into().unwrap())];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if role == Role::Server {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
            params.subject_alt_names.push(SanType::DnsName("muster-server".try_into().unwrap()));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        if let Some(end) = end {
            let since_2026 = Duration::from_secs(end - 1_767_225_600);
            params.not_after = rcgen::date_time_ymd(2026, 1, 1) + since_2026;
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.ca).unwrap();
        Enrolled {
            name: name.clone(),
            role,
            certificate: certificate.der().to_vec(),
            pkcs8: key.serialized_der().to_vec(),
            pem: [certificate.pem(), key.serialize_pem()],
        }
    }
}

impl Default for Owner {
    fn default() -> Self {
        Self::new()
    }
}

impl Enrolled {
    /// Writes what a kit has of the federation: descriptor, certificate, key and bundle. Configuration, policy and plugins
    /// are the caller's.
    pub fn write_kit(&self, owner: &Owner, bundle: &SignedBundle, folder: &Path) {
        let [certificate, key] = &self.pem;
        std::fs::write(folder.join("descriptor.toml"), owner.descriptor.to_text()).unwrap();
        std::fs::write(folder.join("enrolment.pem"), certificate).unwrap();
        let secret = folder.join("enrolment.key");
        std::fs::write(&secret, key).unwrap();
        std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).unwrap();
        std::fs::write(folder.join("bundle.cbor"), bundle.to_bytes()).unwrap();
    }

    /// The identity of an instance under this enrolment.
    pub fn identity(&self, federation_id: &Digest, key: &AttKey, instance_id: [u8; 16]) -> Identity {
        let claim = Claim {
            name: self.name.clone(),
            role: self.role,
            instance_id,
            key: key.public().digest(),
            kem: None,
        };
        let enrolment = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &self.pkcs8).unwrap();
        let signature = enrolment.sign(&SystemRandom::new(), &statement(federation_id, &claim)).unwrap();
        Identity {
            spki: key.public().spki().to_vec().into(),
            kem: Vec::new().into(),
            instance_id: instance_id.to_vec().into(),
            chain: vec![self.certificate.clone().into()],
            enrolment: signature.as_ref().to_vec().into(),
        }
    }
}
