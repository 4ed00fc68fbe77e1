//! Step G12: the one form of XML signature that NVIDIA's manifests have (XML Signature Syntax and Processing 1.1).
//!
//! One signature, a child of the root, over the whole document without the signature; the algorithms are fixed; what
//! the document says of the key is a list of certificates and nothing else. There is nothing to find by identifier and
//! no transform to run that a document could choose, so nothing can be signed but what is read.

use aws_lc_rs::digest::{SHA384, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::{Finding, codes};

use super::canonical;
use super::chain::Chain;
use super::xml::Element;

const XMLDSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED_SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const CANONICAL_XML: &str = "http://www.w3.org/2006/12/xml-c14n11";
const ECDSA_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
const DIGEST_SHA384: &str = "http://www.w3.org/2001/04/xmldsig-more#sha384";

/// A document whose signature verified.
pub(super) struct Signed {
    /// The very bytes that were signed: the canonical form of the document without the signature. What the document
    /// says is read from these and from nothing else.
    pub(super) bytes: Vec<u8>,
    pub(super) chain: Chain,
}

impl Signed {
    /// Verifies the signature of a document under a root certificate, DER.
    pub(super) fn verify(xml: &[u8], root: &[u8]) -> Result<Self, Finding> {
        let document = read(xml)?;
        let signature = only_signature(&document)?;
        let Parts { signed_info, value, key_info } = Parts::of(signature)?;
        let signed_info = canonical::part(signed_info, &[&document, signature]);
        let expected = covered_digest(&read(&signed_info)?)?;
        let certificates = certificates(key_info)?;
        // First what costs little; all of it must hold before anything is read from the bytes.
        let bytes = canonical::document(&document, is_signature);
        if digest(&SHA384, &bytes).as_ref() != expected {
            return Err(unsigned("the digest of the document is not the one that is signed"));
        }
        let chain = Chain::judge(certificates, root)?;
        let is_signed = base64(value).is_some_and(|value| chain.signer_signed(&signed_info, &value));
        if !is_signed {
            return Err(unsigned("the signature does not verify with the key of the first certificate"));
        }
        Ok(Self { bytes, chain })
    }
}

/// Reads XML; what cannot be read has its own code.
pub(super) fn read(xml: &[u8]) -> Result<Element<'_>, Finding> {
    Element::parse(xml).map_err(|error| Finding::new(codes::GPU_RIM_XML, error.to_string()))
}

fn unsigned(what: &str) -> Finding {
    Finding::new(codes::GPU_RIM_SIGNATURE, what)
}

fn wrapped(what: &str) -> Finding {
    Finding::new(codes::GPU_RIM_WRAPPING, what)
}

fn unbound(what: &str) -> Finding {
    Finding::new(codes::GPU_RIM_KEY_BINDING, what)
}

fn is(element: &Element<'_>, local: &str) -> bool {
    element.name.is(XMLDSIG, local)
}

fn is_signature(element: &Element<'_>) -> bool {
    is(element, "Signature")
}

/// The one signature, which must be a child of the root.
fn only_signature<'e, 'a>(document: &'e Element<'a>) -> Result<&'e Element<'a>, Finding> {
    let signatures: Vec<_> = document.children().filter(|child| is_signature(child)).collect();
    match (signatures.as_slice(), document.count(&is_signature)) {
        ([signature], 1) => Ok(signature),
        (_, 0) => Err(unsigned("there is no signature")),
        _ => Err(wrapped("there is more than one signature, or one that is not a child of the root")),
    }
}

/// What a signature consists of.
struct Parts<'e, 'a> {
    signed_info: &'e Element<'a>,
    value: &'e Element<'a>,
    key_info: &'e Element<'a>,
}

impl<'e, 'a> Parts<'e, 'a> {
    fn of(signature: &'e Element<'a>) -> Result<Self, Finding> {
        let parts = bare(signature);
        let [signed_info, value, rest @ ..] = parts.as_slice() else {
            return Err(wrapped("the signature has not the parts of one"));
        };
        if !is(signed_info, "SignedInfo") || !is(value, "SignatureValue") {
            return Err(wrapped("the signature has not the parts of one"));
        }
        match rest {
            [] => Err(unbound("the signature has no certificates")),
            [key_info] if is(key_info, "KeyInfo") => Ok(Self { signed_info, value, key_info }),
            _ => Err(wrapped("the signature has parts that no manifest's has")),
        }
    }
}

/// The elements in an element that has neither attributes nor text; none in another.
fn bare<'e, 'a>(element: &'e Element<'a>) -> Vec<&'e Element<'a>> {
    if element.attributes.is_empty() { element.elements().unwrap_or_default() } else { Vec::new() }
}

/// Judges what is signed, and gives the digest in it: the only reference is to the whole document.
fn covered_digest(signed_info: &Element<'_>) -> Result<Vec<u8>, Finding> {
    let (references, methods): (Vec<_>, Vec<_>) =
        bare(signed_info).into_iter().partition(|element| is(element, "Reference"));
    let [reference] = references.as_slice() else {
        return Err(wrapped("there is not exactly one reference"));
    };
    if !matches!(reference.attributes.as_slice(), [uri] if uri.name.is("", "URI") && uri.value.is_empty()) {
        return Err(wrapped("the reference is not to the whole document"));
    }
    let parts = reference.elements().unwrap_or_default();
    let [transforms, digest_method, digest_value] = parts.as_slice() else {
        return Err(wrapped("the reference has not the parts of one"));
    };
    if !is(transforms, "Transforms") || !is(digest_value, "DigestValue") {
        return Err(wrapped("the reference has not the parts of one"));
    }
    let steps: Vec<_> = bare(transforms).into_iter().map(|step| algorithm(step, "Transform")).collect();
    if steps != [Some(ENVELOPED_SIGNATURE), Some(CANONICAL_XML)] {
        return Err(wrapped("what is signed is not the whole document without its signature"));
    }

    let methods: Vec<_> = match methods.as_slice() {
        [canonicalization, signature] => vec![
            algorithm(canonicalization, "CanonicalizationMethod"),
            algorithm(signature, "SignatureMethod"),
            algorithm(digest_method, "DigestMethod"),
        ],
        _ => Vec::new(),
    };
    if methods != [Some(CANONICAL_XML), Some(ECDSA_SHA384), Some(DIGEST_SHA384)] {
        return Err(unsigned("the algorithms are not Canonical XML 1.1, ECDSA with SHA-384, and SHA-384"));
    }
    base64(digest_value).ok_or_else(|| unsigned("the digest is not Base64"))
}

/// The algorithm of an element of that name that says nothing else.
fn algorithm<'a>(element: &Element<'a>, local: &str) -> Option<&'a str> {
    match element.attributes.as_slice() {
        [only] if is(element, local) && only.name.is("", "Algorithm") && element.content.is_empty() => {
            Some(only.value)
        }
        _ => None,
    }
}

/// The certificates, which must be all that there is on the key. What they are worth is another matter.
fn certificates(key_info: &Element<'_>) -> Result<Vec<Vec<u8>>, Finding> {
    let certificates = match bare(key_info).as_slice() {
        [data] if is(data, "X509Data") => bare(data),
        _ => return Err(unbound("what is said of the key is not one list of certificates")),
    };
    if certificates.is_empty()
        || !certificates.iter().all(|one| is(one, "X509Certificate") && one.attributes.is_empty())
    {
        return Err(unbound("the list of certificates is empty or has something else in it"));
    }
    certificates
        .into_iter()
        .map(|text| {
            base64(text).ok_or_else(|| Finding::new(codes::GPU_RIM_CHAIN, "a certificate is not Base64"))
        })
        .collect()
}

/// The bytes that the text of an element encodes, white space left out.
fn base64(element: &Element<'_>) -> Option<Vec<u8>> {
    if !element.attributes.is_empty() {
        return None;
    }
    let text: Vec<u8> = element.text()?.bytes().filter(|byte| !matches!(byte, b' ' | b'\n')).collect();
    STANDARD.decode(text).ok()
}
