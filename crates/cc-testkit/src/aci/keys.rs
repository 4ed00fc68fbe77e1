//! The committed test keys of the synthetic Microsoft (`keys/uvm-*.p8`).

use crate::snp::SignKey;
use crate::snp::keys::key;

/// The root (RSA-4096).
pub fn root() -> &'static SignKey {
    key!(SignKey::rsa, "uvm-root.p8")
}

/// The authority under it (RSA-4096).
pub fn authority() -> &'static SignKey {
    key!(SignKey::rsa, "uvm-authority.p8")
}

/// The signer of endorsements (RSA-3072).
pub fn signer() -> &'static SignKey {
    key!(SignKey::rsa, "uvm-signer.p8")
}

/// Another signer (P-521).
pub fn signer_p521() -> &'static SignKey {
    key!(SignKey::p521, "uvm-signer-p521.p8")
}
