//! A stand-in for Intel's provisioning certification service (version 4 of its interface), for the host that serves
//! the root's revocation list, and so for a caching service (PCCS) that is asked in their place.
//!
//! Bodies are the caller's, current or stale, well signed or not. The issuer chain of a signed document goes into a
//! header, as the service sends it.

use crate::https::Service;

/// The published host of everything but the root's list.
pub const HOST: &str = "api.trustedservices.intel.com";
/// The published host of the root's list.
pub const ROOT_HOST: &str = "certificates.trustedservices.intel.com";
/// Path of the root's list.
pub const ROOT_CRL: &str = "/IntelSGXRootCA.der";
/// Path of the identity of the quoting enclave, with the query of early updates.
pub const QE_IDENTITY: &str = "/tdx/certification/v4/qe/identity?update=early";
/// The header beside TCB info.
pub const TCB_INFO_CHAIN: &str = "TCB-Info-Issuer-Chain";
/// The same as older services call it.
pub const OLD_TCB_INFO_CHAIN: &str = "SGX-TCB-Info-Issuer-Chain";
/// The header beside an identity.
pub const IDENTITY_CHAIN: &str = "SGX-Enclave-Identity-Issuer-Chain";
/// The header beside a revocation list.
pub const CRL_CHAIN: &str = "SGX-PCK-CRL-Issuer-Chain";

/// Path of the TCB info for an FMSPC (12 hexadecimal digits), with the query of early updates.
pub fn tcb_info(fmspc: &str) -> String {
    format!("/tdx/certification/v4/tcb?fmspc={fmspc}&update=early")
}

/// Path of the revocation list of an authority, `platform` or `processor`, in DER.
pub fn pck_crl(authority: &str) -> String {
    format!("/sgx/certification/v4/pckcrl?ca={authority}&encoding=der")
}

/// The running service.
pub struct Pcs(Service);

impl Pcs {
    /// Starts the service on a free port; it has nothing yet.
    pub fn start() -> Self {
        Self(Service::start())
    }

    /// The server behind it: its address, its authority, its log, and how it misbehaves.
    pub const fn service(&self) -> &Service {
        &self.0
    }

    /// Serves TCB info, with its issuer chain in PEM.
    pub fn serve_tcb_info(&self, fmspc: &str, body: &[u8], chain: &str) {
        self.0.route_with(&tcb_info(fmspc), &[(TCB_INFO_CHAIN, &percent_encoded(chain))], body);
    }

    /// Serves the identity of the quoting enclave, with its issuer chain in PEM.
    pub fn serve_qe_identity(&self, body: &[u8], chain: &str) {
        self.0.route_with(QE_IDENTITY, &[(IDENTITY_CHAIN, &percent_encoded(chain))], body);
    }

    /// Serves the revocation list of an authority, with its issuer chain in PEM.
    pub fn serve_pck_crl(&self, authority: &str, der: &[u8], chain: &str) {
        self.0.route_with(&pck_crl(authority), &[(CRL_CHAIN, &percent_encoded(chain))], der);
    }

    /// Serves the root's revocation list.
    pub fn serve_root_crl(&self, der: &[u8]) {
        self.0.route(ROOT_CRL, der);
    }
}

/// The text as it stands in a header: everything but letters, digits, `-`, `.`, `_` and `~` as `%XX` (RFC 3986).
pub fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}
