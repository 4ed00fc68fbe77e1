//! The report of the quoting enclave (*verification.md* 2.1; Intel SDM, volume 3D, 38.15 "REPORT").

use crate::bytes::field;

/// Length of an enclave report, in bytes.
pub const ENCLAVE_REPORT_LENGTH: usize = 384;
/// DEBUG of the attribute flags, in their first byte.
const DEBUG: u8 = 0b10;

/// An enclave report, not copied, not authenticated. Byte fields are returned as they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EnclaveReport<'a>(&'a [u8; ENCLAVE_REPORT_LENGTH]);

impl<'a> EnclaveReport<'a> {
    pub(super) const fn new(bytes: &'a [u8; ENCLAVE_REPORT_LENGTH]) -> Self {
        Self(bytes)
    }

    /// All bytes, which the PCK signs.
    pub const fn as_bytes(&self) -> &'a [u8; ENCLAVE_REPORT_LENGTH] {
        self.0
    }

    fn at<const OFFSET: usize, const LENGTH: usize>(&self) -> &'a [u8; LENGTH] {
        field::<OFFSET, LENGTH, ENCLAVE_REPORT_LENGTH>(self.0)
    }

    /// MISCSELECT.
    pub fn misc_select(&self) -> &'a [u8; 4] {
        self.at::<0x010, 4>()
    }

    /// ATTRIBUTES: flags, then XFRM.
    pub fn attributes(&self) -> &'a [u8; 16] {
        self.at::<0x030, 16>()
    }

    /// Whether the enclave can be debugged.
    pub fn is_debug(&self) -> bool {
        let [flags, ..] = self.attributes();
        flags & DEBUG != 0
    }

    /// MRSIGNER.
    pub fn mr_signer(&self) -> &'a [u8; 32] {
        self.at::<0x080, 32>()
    }

    /// ISVPRODID.
    pub fn isv_prod_id(&self) -> u16 {
        u16::from_le_bytes(*self.at::<0x100, 2>())
    }

    /// ISVSVN.
    pub fn isv_svn(&self) -> u16 {
        u16::from_le_bytes(*self.at::<0x102, 2>())
    }

    /// REPORTDATA: the digest of the attestation key and what was authenticated with it, then zeros.
    pub fn report_data(&self) -> &'a [u8; 64] {
        self.at::<0x140, 64>()
    }
}
