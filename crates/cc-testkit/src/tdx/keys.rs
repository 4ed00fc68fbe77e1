//! The committed test keys of the synthetic Intel (`keys/tdx-*.p8`), all P-256.

use super::ca::Ca;
use crate::snp::SignKey;
use crate::snp::keys::key;

pub use crate::snp::keys::stranger_p256 as stranger;

/// The root key.
pub fn root() -> &'static SignKey {
    key!(SignKey::p256, "tdx-root.p8")
}

/// The key that signs PCK certificates of this authority.
pub fn pck_ca(ca: Ca) -> &'static SignKey {
    match ca {
        Ca::Platform => key!(SignKey::p256, "tdx-platform-ca.p8"),
        Ca::Processor => key!(SignKey::p256, "tdx-processor-ca.p8"),
    }
}

/// The key that signs TCB infos and QE identities.
pub fn tcb_signing() -> &'static SignKey {
    key!(SignKey::p256, "tdx-tcb-signing.p8")
}

/// The provisioning certification key of the test platform: signs QE reports.
pub fn pck() -> &'static SignKey {
    key!(SignKey::p256, "tdx-pck.p8")
}

/// The attestation key of the test platform's quoting enclave: signs quotes.
pub fn attestation() -> &'static SignKey {
    key!(SignKey::p256, "tdx-attestation.p8")
}
