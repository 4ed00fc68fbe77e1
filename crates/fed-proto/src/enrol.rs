//! Enrolment: a certificate of the descriptor's CAs authorises one name in one role, and its key signs the attestation
//! key of an instance once (*verification.md* 5.1).
//!
//! Role and name come from that certificate and are never taken from a leaf, a message or a token.

use std::fmt;
use std::time::Duration;

use cc_core::{Finding, UnixTime, codes};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter};

use crate::bundle::Bundle;
use crate::crypto::{Digest, PublicKey, Signature, sha256};
use crate::descriptor::Descriptor;
use crate::name::Name;
use crate::role::Role;
use crate::tlv::Tlv;

/// Longest chain in certificates: the leaf and three issuers below the descriptor's CA. Bounds the search for a path.
const MAX_CHAIN: usize = 4;
/// Longest certificate, in bytes (*verification.md* 0.6).
const MAX_CERTIFICATE: usize = 16 * 1024;

const ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] =
    &[webpki::aws_lc_rs::ECDSA_P256_SHA256, webpki::aws_lc_rs::ED25519];

/// id-kp-serverAuth and id-kp-clientAuth (RFC 5280, 4.2.1.12).
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// What an enrolment key says once: this instance, with these keys, is this name in this role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The participant.
    pub name: Name,
    /// Its role.
    pub role: Role,
    /// 16 random bytes of the process.
    pub instance_id: [u8; 16],
    /// SHA-256 of the attestation key's SubjectPublicKeyInfo.
    pub key: Digest,
    /// SHA-256 of the key-encapsulation key, if it has one.
    pub kem: Option<Digest>,
}

/// The bytes that the enrolment key signs.
pub fn statement(federation_id: &Digest, claim: &Claim) -> Vec<u8> {
    Tlv::new(b"MUSTER-ENROL\0")
        .field(1, &federation_id.0)
        .field(2, claim.name.as_str().as_bytes())
        .field(3, &[claim.role.as_u8()])
        .field(4, &claim.instance_id)
        .field(5, &claim.key.0)
        .field(6, claim.kem.as_ref().map_or(&[], |digest| digest.0.as_slice()))
        .finish()
}

/// What a participant shows for its claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// DER certificates, the leaf first; the descriptor's CA need not be among them.
    pub chain: Vec<Vec<u8>>,
    /// The leaf key's signature over the statement: Ed25519, or P-256 as r‖s; 64 bytes.
    pub signature: Vec<u8>,
}

/// Whom a certificate of an enrolment CA names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A participant.
    Participant {
        /// Its role.
        role: Role,
        /// Its name.
        name: Name,
    },
    /// Somebody who submits and stops jobs, and takes no part in them.
    Admin {
        /// Its name.
        name: Name,
    },
}

impl fmt::Display for Subject {
    /// As in the URI.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Participant { role, name } => write!(f, "muster:{role}:{name}"),
            Self::Admin { name } => write!(f, "muster:admin:{name}"),
        }
    }
}

/// Reads whom a certificate names from its one URI, `muster:<role>:<name>` or `muster:admin:<name>`;
/// `fl.name.unauthenticated`. Whether the certificate may be believed is not decided here.
pub fn subject(leaf_der: &[u8]) -> Result<Subject, Finding> {
    let unauthenticated = |text: String| Finding::new(codes::FL_NAME_UNAUTHENTICATED, text);
    let der = CertificateDer::from(leaf_der);
    let leaf = EndEntityCert::try_from(&der)
        .map_err(|error| unauthenticated(format!("not a certificate: {error}")))?;
    let mut uris = leaf.valid_uri_names();
    let (Some(uri), None) = (uris.next(), uris.next()) else {
        let text = "the enrolment certificate does not have exactly one URI as subject alternative name";
        return Err(unauthenticated(text.to_owned()));
    };
    parse_uri(uri).ok_or_else(|| unauthenticated(format!("{uri:?} names nobody in a role")))
}

fn parse_uri(uri: &str) -> Option<Subject> {
    let (role, name) = uri.strip_prefix("muster:")?.split_once(':')?;
    let name = Name::new(name).ok()?;
    match role {
        "admin" => Some(Subject::Admin { name }),
        role => Some(Subject::Participant { role: Role::parse(role).ok()?, name }),
    }
}

/// Verifies that an instance is enrolled as what it claims.
///
/// Steps (names match the tests): 1 `size`  2 `revocation`  3 `chain`  4 `subject`  5 `roster`  6 `signature`.
///
/// `fl.member.unknown` when the chain does not lead to a CA of the descriptor at `now`, the name or a certificate is
/// revoked, or the key did not sign this claim; `fl.name.unauthenticated` when the certificate, the descriptor or the
/// roster has another name or role. `descriptor` is the caller's own, `bundle` the one in force.
pub fn verify(
    descriptor: &Descriptor,
    bundle: &Bundle,
    claim: &Claim,
    enrolment: &Enrolment,
    now: UnixTime,
) -> Result<(), Finding> {
    let unknown = |text: String| Finding::new(codes::FL_MEMBER_UNKNOWN, format!("{}: {text}", claim.name));
    let leaf = size(&enrolment.chain).map_err(unknown)?;
    revocation(bundle, Some(&claim.name), &enrolment.chain).map_err(unknown)?;
    let key = chain(descriptor, bundle, &enrolment.chain, claim.role, now).map_err(unknown)?;
    let unauthenticated = |text| Finding::new(codes::FL_NAME_UNAUTHENTICATED, text);
    let claimed = Subject::Participant { role: claim.role, name: claim.name.clone() };
    let stated = subject(leaf)?;
    if stated != claimed {
        return Err(unauthenticated(format!("{claimed} claimed, the enrolment certificate has {stated}")));
    }
    roster(descriptor, bundle, &claim.name, claim.role).map_err(unauthenticated)?;
    signature(descriptor, claim, &key, &enrolment.signature).map_err(unknown)
}

/// Verifies an enrolment certificate alone, as TLS and whoever keeps kits need it: whom it names, and its key. The same
/// checks and codes as in [`verify`], without a claim.
pub fn certified(
    descriptor: &Descriptor,
    bundle: &Bundle,
    chain: &[Vec<u8>],
    now: UnixTime,
) -> Result<(Subject, PublicKey), Finding> {
    let unknown = |text| Finding::new(codes::FL_MEMBER_UNKNOWN, text);
    let unauthenticated = |text| Finding::new(codes::FL_NAME_UNAUTHENTICATED, text);
    let stated = subject(size(chain).map_err(unknown)?);
    let (name, role) = match &stated {
        Ok(Subject::Participant { name, role }) => (Some(name), *role),
        Ok(Subject::Admin { name }) => (Some(name), Role::Client),
        Err(_) => (None, Role::Client),
    };
    revocation(bundle, name, chain).map_err(unknown)?;
    let key = self::chain(descriptor, bundle, chain, role, now).map_err(unknown)?;
    let stated = stated?;
    match &stated {
        Subject::Participant { name, role } => roster(descriptor, bundle, name, *role),
        Subject::Admin { name } if *name == descriptor.server || bundle.members.contains_key(name) => {
            Err(format!("{name} enrolled as administrator, it is a participant's name"))
        }
        Subject::Admin { .. } => Ok(()),
    }
    .map_err(unauthenticated)?;
    Ok((stated, key))
}

/// At least a leaf, and nothing that is costly to look at. Returns the leaf.
fn size(chain: &[Vec<u8>]) -> Result<&[u8], String> {
    let leaf = chain.first().ok_or("no enrolment certificate")?;
    if chain.len() > MAX_CHAIN {
        return Err(format!("{} enrolment certificates, at most {MAX_CHAIN} are allowed", chain.len()));
    }
    match chain.iter().map(Vec::len).find(|length| *length > MAX_CERTIFICATE) {
        Some(length) => {
            Err(format!("a certificate of {length} bytes, at most {MAX_CERTIFICATE} are allowed"))
        }
        None => Ok(leaf),
    }
}

fn revocation(bundle: &Bundle, name: Option<&Name>, chain: &[Vec<u8>]) -> Result<(), String> {
    if let Some(name) = name.filter(|name| bundle.revoked_names.contains(*name)) {
        return Err(format!("the name {name} is revoked by bundle version {}", bundle.version));
    }
    match chain.iter().map(|der| sha256(der)).find(|digest| bundle.revoked_certificates.contains(digest)) {
        Some(digest) => Err(format!("certificate {digest} is revoked by bundle version {}", bundle.version)),
        None => Ok(()),
    }
}

/// A path from the leaf to a CA of the descriptor which is itself valid and not revoked, every certificate of it for
/// the usage that the role needs. Returns the leaf's key.
fn chain(
    descriptor: &Descriptor,
    bundle: &Bundle,
    chain: &[Vec<u8>],
    role: Role,
    now: UnixTime,
) -> Result<PublicKey, String> {
    let time = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()));
    let mut certificates = chain.iter().map(|der| CertificateDer::from(der.as_slice()));
    let leaf = certificates.next().unwrap_or_else(|| CertificateDer::from([].as_slice()));
    let issuers: Vec<CertificateDer<'_>> = certificates.collect();
    let cas: Vec<CertificateDer<'_>> =
        descriptor.enrolment_cas.iter().map(|der| CertificateDer::from(der.as_slice())).collect();
    let mut anchors = Vec::new();
    let mut unfit = Vec::new();
    for ca in &cas {
        match anchor(bundle, ca, time) {
            Ok(anchor) => anchors.push(anchor),
            Err(text) => unfit.push(format!("; enrolment CA {}: {text}", sha256(ca))),
        }
    }
    let leaf = EndEntityCert::try_from(&leaf).map_err(|error| format!("enrolment certificate: {error}"))?;
    leaf.verify_for_usage(ALGORITHMS, &anchors, &issuers, time, Usage(role), None, None)
        .map_err(|error| format!("enrolment certificate: {error}{}", unfit.concat()))?;
    PublicKey::from_spki(leaf.subject_public_key_info().as_ref())
        .map_err(|error| format!("enrolment certificate: {error}"))
}

/// A CA of the descriptor as trust anchor. An anchor is only a name and a key to webpki, so that its validity and its
/// being a CA are judged here: as an end entity it is refused for being a CA, which comes after its validity.
fn anchor<'a>(
    bundle: &Bundle,
    ca: &'a CertificateDer<'a>,
    time: rustls_pki_types::UnixTime,
) -> Result<TrustAnchor<'a>, String> {
    if bundle.revoked_certificates.contains(&sha256(ca)) {
        return Err(format!("revoked by bundle version {}", bundle.version));
    }
    let certificate = EndEntityCert::try_from(ca).map_err(|error| error.to_string())?;
    match certificate.verify_for_usage(ALGORITHMS, &[], &[], time, Usage(Role::Client), None, None) {
        Err(webpki::Error::CaUsedAsEndEntity) => {}
        Err(error) => return Err(error.to_string()),
        Ok(_) => return Err("not a CA".to_owned()),
    }
    webpki::anchor_from_trusted_cert(ca).map_err(|error| error.to_string())
}

/// Every certificate of the path says that it is for TLS clients, and for the server's path also for TLS servers.
/// Saying nothing is not enough.
struct Usage(Role);

impl ExtendedKeyUsageValidator for Usage {
    fn validate(&self, iter: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let stated = iter.collect::<Result<Vec<_>, _>>()?;
        let needed: &[&'static [u8]] = match self.0 {
            Role::Server => &[CLIENT_AUTH, SERVER_AUTH],
            Role::Client | Role::Relay | Role::KeyBroker => &[CLIENT_AUTH],
        };
        match needed.iter().find(|oid| !stated.contains(&KeyPurposeId::new(oid))) {
            None => Ok(()),
            Some(oid) => {
                let required = webpki::KeyUsage::required(oid);
                let present = stated.iter().map(KeyPurposeId::to_decoded_oid).collect();
                let context = webpki::RequiredEkuNotFoundContext { required, present };
                Err(webpki::Error::RequiredEkuNotFoundContext(context))
            }
        }
    }
}

/// What the owner says of names: one server, and roles as rostered.
fn roster(descriptor: &Descriptor, bundle: &Bundle, name: &Name, role: Role) -> Result<(), String> {
    if (*name == descriptor.server) != (role == Role::Server) {
        return Err(format!("{name} enrolled as {role}, the server is {}", descriptor.server));
    }
    match bundle.members.get(name) {
        Some(entry) if entry.role != role => {
            Err(format!("{name} enrolled as {role}, the roster has it as {}", entry.role))
        }
        _ => Ok(()),
    }
}

fn signature(
    descriptor: &Descriptor,
    claim: &Claim,
    key: &PublicKey,
    signature: &[u8],
) -> Result<(), String> {
    let length = signature.len();
    let signature =
        signature.try_into().map_err(|_| format!("enrolment signature of {length} bytes, not 64"))?;
    key.verify(&statement(&descriptor.federation_id(), claim), &Signature(signature))
        .map_err(|error| format!("enrolment statement: {error}"))
}

/// Launch data that names a participant: HOST_DATA is its SHA-256, MRCONFIGID its SHA-384.
pub fn init_data(federation_id: &Digest, name: &Name, role: Role) -> Vec<u8> {
    Tlv::new(b"MUSTER-INIT\0")
        .field(1, &federation_id.0)
        .field(2, name.as_str().as_bytes())
        .field(3, &[role.as_u8()])
        .finish()
}

#[cfg(test)]
mod tests;
