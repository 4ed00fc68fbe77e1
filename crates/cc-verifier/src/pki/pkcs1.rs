//! RSASSA-PKCS1-v1_5 on certificates (RFC 4055, section 5), as Microsoft's authorities make it.

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters,
};
use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Element, Elements, Malformed};
use super::cert::Certificate;
use super::key::rsa_numbers;

const WHAT: &str = "algorithm identifier";

const ALGORITHMS: [(ObjectIdentifier, &RsaParameters); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"), &RSA_PKCS1_2048_8192_SHA256),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"), &RSA_PKCS1_2048_8192_SHA384),
    (ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"), &RSA_PKCS1_2048_8192_SHA512),
];

/// Whether the key in a SubjectPublicKeyInfo, RSA of 2048 to 8192 bits, signed a certificate: RSASSA-PKCS1-v1_5 with
/// SHA-256, SHA-384 or SHA-512, the same in both algorithm identifiers.
pub(crate) fn signed_with_pkcs1(certificate: &Certificate<'_>, issuer_spki: &[u8]) -> bool {
    if certificate.inner_algorithm != certificate.outer_algorithm {
        return false;
    }
    match (parameters(certificate.outer_algorithm), rsa_numbers(issuer_spki)) {
        (Ok(Some(parameters)), Ok(key)) => {
            key.verify(parameters, certificate.tbs, certificate.signature).is_ok()
        }
        _ => false,
    }
}

/// The algorithm of an AlgorithmIdentifier (all its bytes), whose parameters are NULL.
fn parameters(algorithm: &[u8]) -> Result<Option<&'static RsaParameters>, Malformed> {
    let mut fields = Elements::of(Element::of(algorithm, WHAT)?.content_of(Tag::Sequence, WHAT)?, WHAT)?;
    let id = fields.expect(Tag::ObjectIdentifier)?.content;
    fields.expect(Tag::Null)?;
    fields.finish()?;
    Ok(ALGORITHMS.iter().find(|(known, _)| known.as_bytes() == id).map(|(_, parameters)| *parameters))
}
