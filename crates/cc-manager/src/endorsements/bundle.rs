//! Bundles of Intel's collateral: one JSON document with everything for one quote, as dcap-qvl and others write it.
//!
//! The signed texts stand in it as strings. They go on verbatim, inside the document in which Intel publishes them.
//! The chain of the revocation list's issuer and that of the PCK certificate are left out: a quote brings its own.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{hex_der, pem};

/// Length of a signature in hexadecimal digits: r and s of ECDSA on P-256.
const SIGNATURE: usize = 128;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundle {
    tcb_info: Option<String>,
    tcb_info_signature: Option<String>,
    tcb_info_issuer_chain: Option<String>,
    qe_identity: Option<String>,
    qe_identity_signature: Option<String>,
    qe_identity_issuer_chain: Option<String>,
    root_ca_crl: Option<String>,
    pck_crl: Option<String>,
    #[serde(rename = "pck_crl_issuer_chain")]
    _pck_crl_issuer_chain: Option<String>,
    #[serde(rename = "pck_certificate_chain")]
    _pck_certificate_chain: Option<String>,
}

/// What tells a bundle from other documents.
#[derive(Deserialize)]
struct Marks {
    tcb_info: Option<String>,
    qe_identity: Option<String>,
}

/// Whether a file is a bundle, perhaps a damaged one.
pub(super) fn is_bundle(file: &[u8]) -> bool {
    let marks = serde_json::from_slice::<Marks>(file);
    marks.is_ok_and(|marks| marks.tcb_info.is_some() || marks.qe_identity.is_some())
}

/// The objects of a bundle, or what is wrong with it.
pub(super) fn objects(file: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let bundle: Bundle = serde_json::from_slice(file).map_err(|error| format!("bundle: {error}"))?;
    let mut objects = Vec::new();
    for (name, member, text, signature) in [
        ("tcb_info", "tcbInfo", &bundle.tcb_info, &bundle.tcb_info_signature),
        ("qe_identity", "enclaveIdentity", &bundle.qe_identity, &bundle.qe_identity_signature),
    ] {
        if let Some(text) = text {
            let signature =
                signature.as_ref().ok_or_else(|| format!("bundle: {name} without a signature"))?;
            objects.push(published(name, member, text, signature)?);
        }
    }
    for (name, chain) in [
        ("tcb_info_issuer_chain", &bundle.tcb_info_issuer_chain),
        ("qe_identity_issuer_chain", &bundle.qe_identity_issuer_chain),
    ] {
        if let Some(chain) = chain {
            objects.append(&mut sections(name, chain)?);
        }
    }
    for (name, crl) in [("root_ca_crl", &bundle.root_ca_crl), ("pck_crl", &bundle.pck_crl)] {
        match crl.as_ref().map(|crl| (hex_der(crl.as_bytes()), crl)) {
            Some((Some(der), _)) => objects.push(der),
            Some((None, crl)) => objects.append(&mut sections(name, crl)?),
            None => {}
        }
    }
    Ok(objects)
}

/// The document that Intel publishes: the text and the signature over it.
fn published(name: &str, member: &str, text: &str, signature: &str) -> Result<Vec<u8>, String> {
    // One JSON value, so that it cannot bring members of its own into the document.
    if !text.starts_with('{') || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Err(format!("bundle: {name} is not a JSON object"));
    }
    if signature.len() != SIGNATURE || !signature.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(format!("bundle: the signature of {name} is not {SIGNATURE} hexadecimal digits"));
    }
    Ok(format!("{{\"{member}\":{text},\"signature\":\"{signature}\"}}").into_bytes())
}

fn sections(name: &str, text: &str) -> Result<Vec<Vec<u8>>, String> {
    let mut notes = Vec::new();
    let objects = pem(text.as_bytes(), &mut notes).map_err(|error| format!("bundle: {name}: {error}"))?;
    match notes.first() {
        None => Ok(objects),
        Some(note) => Err(format!("bundle: {name}: {note}")),
    }
}
