//! Resolution of the issuer's DID against the certificates (*verification.md* A2; did:x509).

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::{Finding, codes};

use super::super::anchors::Uvm;
use crate::pki::{Certificate, KeyUsage, Window, printed, signed_with_pkcs1};

/// What the resolution found.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub(super) leaf_spki: &'a [u8],
    pub(super) leaf_window: Window,
    /// The name of the certificate with the DID's fingerprint.
    pub(super) root_name: Option<String>,
    pub(super) root_sha256: [u8; 32],
}

/// Resolves the trusted DID: the certificates are a chain from the signer to the last one, one above the signer has the
/// DID's fingerprint, and the signer's key is for the DID's purpose. Time is not judged.
pub(super) fn resolve<'a>(ders: &[&'a [u8]], trust: &Uvm) -> Result<Resolved<'a>, Finding> {
    let certificates = parse(ders)?;
    let [leaf, above @ ..] = certificates.as_slice() else {
        return Err(refuse("no certificates"));
    };
    links(leaf, above)?;
    let Some(pin) = &trust.pin else {
        let detail = format!("the trusted DID {:?} pins nothing", trust.did);
        return Err(Finding::new(codes::ACI_UVM_FINGERPRINT, detail));
    };
    let pinned = |(der, _): &(&&[u8], _)| digest(&SHA256, der).as_ref() == pin.fingerprint;
    let Some((_, root)) = ders.iter().skip(1).zip(above).find(pinned) else {
        let detail = format!(
            "none of {} certificates above the signer has {}",
            above.len(),
            hex::encode(pin.fingerprint)
        );
        return Err(Finding::new(codes::ACI_UVM_FINGERPRINT, detail));
    };
    if !leaf.has_purpose(pin.purpose) {
        let detail = format!("the signer's certificate has no key usage {}", pin.purpose);
        return Err(Finding::new(codes::ACI_UVM_EKU, detail));
    }
    Ok(Resolved {
        leaf_spki: leaf.spki,
        leaf_window: leaf.window,
        root_name: printed(root.subject).ok(),
        root_sha256: pin.fingerprint,
    })
}

fn parse<'a>(ders: &[&'a [u8]]) -> Result<Vec<Certificate<'a>>, Finding> {
    let read = |(position, der): (usize, &&'a [u8])| {
        let certificate =
            Certificate::parse(der).map_err(|error| refuse(format!("certificate {position}: {error}")))?;
        if !certificate.is_v3 {
            return Err(refuse(format!("certificate {position} is not X.509 v3")));
        }
        Ok(certificate)
    };
    ders.iter().enumerate().map(read).collect()
}

/// Roles, names and signatures, from the signer upwards. The last certificate's own signature proves nothing.
fn links(leaf: &Certificate<'_>, above: &[Certificate<'_>]) -> Result<(), Finding> {
    let role = |position: usize, what: &str| refuse(format!("certificate {position}: {what}"));
    leaf.judge_end_entity().map_err(|what| role(0, what))?;
    if leaf.extensions.duplicate().is_some() {
        return Err(role(0, "an extension twice"));
    }
    if !leaf.allows(KeyUsage::DIGITAL_SIGNATURE) {
        return Err(role(0, "no critical keyUsage with digitalSignature"));
    }
    let mut below = leaf;
    for ((issuer, position), between) in above.iter().zip(1..).zip(0..) {
        issuer.judge_issuer(between).map_err(|what| role(position, what))?;
        if below.issuer != issuer.subject {
            return Err(role(position, "not the issuer named by the certificate below it"));
        }
        if !signed_with_pkcs1(below, issuer.spki) {
            return Err(role(position, "its key did not sign the certificate below it"));
        }
        below = issuer;
    }
    Ok(())
}

fn refuse(what: impl std::fmt::Display) -> Finding {
    Finding::new(codes::ACI_UVM_CHAIN, what.to_string())
}
