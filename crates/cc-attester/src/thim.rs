//! The processor's certificates as Azure hands them out: the file `host-amd-cert-base64` of a container group and the
//! metadata service of a machine have the same JSON (*verification.md* 4.1).

use cc_core::message::Blob;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;

/// Most certificates of a chain (*verification.md* 0.6).
const MAX_CHAIN: usize = 10;

/// The JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HostCertificates {
    /// The VCEK, PEM.
    pub(crate) vcek_cert: String,
    /// The TCB that the VCEK is of: 16 hexadecimal digits, the most significant byte first.
    pub(crate) tcbm: String,
    /// ASK and ARK, PEM.
    pub(crate) certificate_chain: String,
}

impl HostCertificates {
    /// The certificates, VCEK first, each an endorsement; `Err` says why they are not of the known form.
    pub(crate) fn endorsements(&self) -> Result<Vec<Blob>, String> {
        let tcb = self.tcbm.len() == 16 && self.tcbm.bytes().all(|digit| digit.is_ascii_hexdigit());
        if !tcb {
            return Err(format!("tcbm is {:?}, expected 16 hexadecimal digits", self.tcbm));
        }
        let leaf = certificates(self.vcek_cert.as_bytes())?;
        if leaf.len() != 1 {
            return Err(format!("vcekCert has {} certificates, expected one", leaf.len()));
        }
        Ok([leaf, certificates(self.certificate_chain.as_bytes())?].concat())
    }

    /// The whole chain, PEM.
    pub(crate) fn pem(&self) -> String {
        [self.vcek_cert.as_str(), self.certificate_chain.as_str()].concat()
    }
}

/// The certificates in PEM, one at least.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<Blob>, String> {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem).take(MAX_CHAIN.saturating_add(1)).collect();
    let certificates = certificates.map_err(|error| format!("certificates: {error}"))?;
    if certificates.is_empty() || certificates.len() > MAX_CHAIN {
        return Err(format!("{} certificates, expected 1 to {MAX_CHAIN}", certificates.len()));
    }
    Ok(certificates.into_iter().map(|certificate| Blob(certificate.to_vec())).collect())
}
