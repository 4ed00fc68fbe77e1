//! The PCK certificate of the test platform.

use aws_lc_rs::digest;

use super::ca::{self, Ca, USAGE_LEAF};
use super::keys;
use super::sgx::SgxExtension;
use crate::der;
use crate::snp::CertSpec;

/// Common name of PCK certificates.
pub const PCK_NAME: &str = "Intel SGX PCK Certificate";
/// Identifier of the extension that says which platform at which TCB the key belongs to.
pub const SGX_EXTENSION: &str = "1.2.840.113741.1.13.1";
/// Start of validity: 2023-01-01T00:00:00Z.
pub const PCK_NOT_BEFORE: i64 = 1_672_531_200;
/// End of validity: 2033-01-01T00:00:00Z.
pub const PCK_NOT_AFTER: i64 = 1_988_150_400;

/// The PCK certificate that this authority issues, with the extension [`SgxExtension::test_platform`].
pub fn pck(ca: Ca) -> CertSpec {
    let (key, issuer_key) = (keys::pck(), keys::pck_ca(ca));
    let no_authority = der::seq::<Vec<u8>>(&[]);
    let mut spec =
        ca::certificate(PCK_NAME, ca.name(), key, issuer_key, &ca.crl_address(), USAGE_LEAF, no_authority);
    // Not the subject key identifier: leaves have random serial numbers.
    let number = digest::digest(&digest::SHA256, b"muster test PCK serial number");
    spec.serial = ca::serial(&number.as_ref()[..20]);
    (spec.not_before, spec.not_after) = (PCK_NOT_BEFORE, PCK_NOT_AFTER);
    spec.set_ext(SGX_EXTENSION, SgxExtension::test_platform(ca).encode());
    spec
}
