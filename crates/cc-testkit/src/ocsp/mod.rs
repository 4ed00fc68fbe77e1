//! OCSP answers (RFC 6960) as specifications which are edited and then signed, and the authorities that give them, in the
//! form of NVIDIA's responders.
//!
//! Every field is public and nothing is checked, so that wrong answers can be made.

pub mod answer;
pub mod authority;

pub use answer::{Answer, CertStatus, Single};
pub use authority::{Authority, Hash, authority_key, name, responder_key};

/// Identifier of extendedKeyUsage.
pub const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
/// id-kp-OCSPSigning.
pub const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// id-pkix-ocsp-nonce.
pub const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";
/// id-pkix-ocsp-nocheck.
pub const NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
/// id-pkix-ocsp-basic.
pub const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
