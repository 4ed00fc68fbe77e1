//! Keys and certificates: the owner's Ed25519 key, the enrolment CA and the enrolment certificates, both P-256.

use std::ops::Add as _;
use std::time::Duration;

use cc_core::{SECONDS_PER_DAY, UnixTime};
use fed_proto::crypto::{PublicKey, Signature};
use fed_proto::enrol::Subject;
use fed_proto::role::Role;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData as _, SanType,
    SigningKey as _,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// How long the enrolment CA is valid, in seconds: ten years.
pub(super) const AUTHORITY_LIFETIME: u64 = SECONDS_PER_DAY * 3650;
/// How long an enrolment certificate is valid, in seconds: a year.
const LEAF_LIFETIME: u64 = SECONDS_PER_DAY * 365;
/// How far validity reaches back, in seconds, for participants whose clocks are behind.
const BACKDATED: u64 = 300;
/// The name for which every client asks TLS; who the server is says its URI.
const SERVER_DNS: &str = "muster-server";

/// The owner's key: signs bundles.
pub(super) struct OwnerKey(KeyPair);

impl OwnerKey {
    /// A new one.
    pub(super) fn generate() -> Result<Self, rcgen::Error> {
        KeyPair::generate_for(&PKCS_ED25519).map(Self)
    }

    /// Reads one from PKCS#8.
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_ED25519).map(Self).map_err(|error| error.to_string())
    }

    /// As PKCS#8.
    pub(super) fn to_pem(&self) -> String {
        self.0.serialize_pem()
    }

    /// The public half, raw.
    pub(super) fn public(&self) -> Option<[u8; 32]> {
        self.0.der_bytes().try_into().ok()
    }

    /// Signs; nothing if the key made no signature of the right length.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Signature> {
        self.0.sign(message).ok()?.try_into().ok().map(Signature)
    }
}

/// The enrolment CA.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(super) der: Vec<u8>,
    pem: String,
}

impl Authority {
    /// A new one for the federation with these random bytes.
    pub(super) fn generate(federation: &[u8; 16], now: UnixTime) -> Result<Self, rcgen::Error> {
        let mut params = authority(federation);
        valid(&mut params, now, AUTHORITY_LIFETIME);
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.self_signed(&key)?;
        let (der, pem) = (certificate.der().to_vec(), certificate.pem());
        Ok(Self { issuer: Issuer::new(params, key), der, pem })
    }

    /// The one that was made before: its certificate, from [`certificate`], and its key in PKCS#8.
    pub(super) fn from_parts(
        federation: &[u8; 16],
        pem: String,
        der: Vec<u8>,
        key: &str,
    ) -> Result<Self, String> {
        Ok(Self { issuer: Issuer::new(authority(federation), p256(key)?), der, pem })
    }

    /// Its certificate.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// Its key as PKCS#8.
    pub(super) fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A new enrolment key and its certificate, valid for a year, but not beyond the end of the CA.
    pub(super) fn enrol(
        &self,
        subject: &Subject,
        now: UnixTime,
        end: UnixTime,
    ) -> Result<Enrolled, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let name = match subject {
            Subject::Participant { name, .. } | Subject::Admin { name } => name,
        };
        params.distinguished_name.push(DnType::CommonName, name.as_str());
        params.subject_alt_names = vec![SanType::URI(subject.to_string().try_into()?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        if matches!(subject, Subject::Participant { role: Role::Server, .. }) {
            params.subject_alt_names.push(SanType::DnsName(SERVER_DNS.try_into()?));
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        }
        params.use_authority_key_identifier_extension = true;
        valid(&mut params, now, LEAF_LIFETIME.min(end.seconds_since(now)));
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Enrolled { pem: certificate.pem(), der: certificate.der().to_vec(), key: key.serialize_pem() })
    }
}

/// What enrols one participant or administrator.
pub(super) struct Enrolled {
    pub(super) pem: String,
    pub(super) der: Vec<u8>,
    /// PKCS#8.
    pub(super) key: String,
}

/// The one certificate of a PEM text.
pub(super) fn certificate(pem: &str) -> Result<Vec<u8>, String> {
    let mut certificates = CertificateDer::pem_slice_iter(pem.as_bytes());
    match (certificates.next(), certificates.next()) {
        (Some(Ok(der)), None) => Ok(der.to_vec()),
        _ => Err("not exactly one certificate".to_owned()),
    }
}

/// The public half of a P-256 key in PKCS#8.
pub(super) fn public_of(pem: &str) -> Result<PublicKey, String> {
    PublicKey::from_spki(&p256(pem)?.subject_public_key_info()).map_err(|error| error.to_string())
}

fn p256(pem: &str) -> Result<KeyPair, String> {
    KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_ECDSA_P256_SHA256).map_err(|error| error.to_string())
}

/// What the CA's certificate says; its subject follows from the federation, so that the CA can be used again with its key.
fn authority(federation: &[u8; 16]) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, format!("muster enrolment {}", hex::encode(federation)));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn valid(params: &mut CertificateParams, now: UnixTime, lifetime: u64) {
    // Instants beyond what certificates can say do not come from a clock; capped, nothing here can overflow.
    let at = |seconds: u64| {
        rcgen::date_time_ymd(1970, 1, 1).add(Duration::from_secs(seconds.min(253_402_300_799)))
    };
    params.not_before = at(now.as_secs().saturating_sub(BACKDATED));
    params.not_after = at(now.as_secs().saturating_add(lifetime));
}

#[cfg(test)]
mod tests {
    use fed_proto::name::Name;

    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

    #[test]
    fn an_authority_works_again_from_its_parts() {
        let made = Authority::generate(&[7; 16], NOW).unwrap();
        let again = Authority::from_parts(
            &[7; 16],
            made.pem().to_owned(),
            certificate(made.pem()).unwrap(),
            &made.key_pem(),
        )
        .unwrap();
        let subject = Subject::Admin { name: Name::new("alice").unwrap() };
        let end = UnixTime::from_secs(NOW.as_secs() + AUTHORITY_LIFETIME);
        let enrolled = again.enrol(&subject, NOW, end).unwrap();
        assert_eq!(fed_proto::enrol::subject(&enrolled.der), Ok(subject));
        let issuer =
            |der: &[u8]| der.windows(50).filter(|bytes| bytes.starts_with(b"muster enrolment 0707")).count();
        assert_eq!((issuer(&made.der), issuer(&enrolled.der)), (2, 1));
    }

    #[test]
    fn keys_are_of_their_own_kind_only() {
        let owner = OwnerKey::generate().unwrap();
        assert!(public_of(&owner.to_pem()).is_err());
        let authority = Authority::generate(&[7; 16], NOW).unwrap();
        assert!(OwnerKey::from_pem(&authority.key_pem()).is_err());
        assert_eq!(OwnerKey::from_pem(&owner.to_pem()).unwrap().public(), owner.public());
    }

    #[test]
    fn the_owners_key_signs_as_bundles_are_verified() {
        let owner = OwnerKey::generate().unwrap();
        let public = PublicKey::from_ed25519(&owner.public().unwrap());
        assert!(public.verify(b"message", &owner.sign(b"message").unwrap()).is_ok());
    }
}
