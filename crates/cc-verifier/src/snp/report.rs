//! The attestation report as a view over its bytes (AMD 56860, table "ATTESTATION_REPORT"; *verification.md* 1.1).

use cc_core::{Finding, codes};

use crate::bytes::field;

/// Length of a report, in bytes.
pub const REPORT_LENGTH: usize = 1184;
/// Length of the part under the signature, from offset 0.
pub const SIGNED_LENGTH: usize = 0x2a0;

/// A report, not copied, not authenticated. Numbers are little-endian in the report; byte fields are returned as
/// they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report<'a>(&'a [u8; REPORT_LENGTH]);

/// Version of the SNP firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FirmwareVersion {
    /// Major number of the firmware's interface version.
    pub major: u8,
    /// Minor number.
    pub minor: u8,
    /// Build number.
    pub build: u8,
}

impl std::fmt::Display for FirmwareVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.build)
    }
}

impl<'a> Report<'a> {
    /// Takes exactly one report.
    pub fn new(evidence: &'a [u8]) -> Result<Self, Finding> {
        evidence.try_into().map(Self).map_err(|_| {
            let detail = format!("evidence of {} bytes, a report has {REPORT_LENGTH}", evidence.len());
            Finding::new(codes::SNP_FORMAT_LENGTH, detail)
        })
    }

    /// All bytes.
    pub const fn as_bytes(&self) -> &'a [u8; REPORT_LENGTH] {
        self.0
    }

    /// The bytes under the signature, as received.
    pub fn signed(&self) -> &'a [u8; SIGNED_LENGTH] {
        self.field::<0, SIGNED_LENGTH>()
    }

    /// `LENGTH` bytes from `OFFSET`, both checked when compiled.
    pub(super) fn field<const OFFSET: usize, const LENGTH: usize>(&self) -> &'a [u8; LENGTH] {
        field::<OFFSET, LENGTH, REPORT_LENGTH>(self.0)
    }

    fn word<const OFFSET: usize>(&self) -> u32 {
        u32::from_le_bytes(*self.field::<OFFSET, 4>())
    }

    fn long<const OFFSET: usize>(&self) -> u64 {
        u64::from_le_bytes(*self.field::<OFFSET, 8>())
    }

    fn firmware<const OFFSET: usize>(&self) -> FirmwareVersion {
        let [build, minor, major] = *self.field::<OFFSET, 3>();
        FirmwareVersion { major, minor, build }
    }

    /// VERSION of the report format.
    pub fn version(&self) -> u32 {
        self.word::<0x000>()
    }

    /// GUEST_SVN, the security version of the guest image.
    pub fn guest_svn(&self) -> u32 {
        self.word::<0x004>()
    }

    /// POLICY of the guest; for its bits see [`super::bits`].
    pub fn policy(&self) -> u64 {
        self.long::<0x008>()
    }

    /// FAMILY_ID.
    pub fn family_id(&self) -> &'a [u8; 16] {
        self.field::<0x010, 16>()
    }

    /// IMAGE_ID.
    pub fn image_id(&self) -> &'a [u8; 16] {
        self.field::<0x020, 16>()
    }

    /// VMPL at which the report was requested; above 3 the host asked.
    pub fn vmpl(&self) -> u32 {
        self.word::<0x030>()
    }

    /// SIGNATURE_ALGO; 1 is ECDSA P-384 with SHA-384.
    pub fn signature_algo(&self) -> u32 {
        self.word::<0x034>()
    }

    /// CURRENT_TCB.
    pub fn current_tcb(&self) -> [u8; 8] {
        *self.field::<0x038, 8>()
    }

    /// PLATFORM_INFO; for its bits see [`super::bits`].
    pub fn platform_info(&self) -> u64 {
        self.long::<0x040>()
    }

    /// The word with AUTHOR_KEY_EN, MASK_CHIP_KEY and SIGNING_KEY; see [`super::bits`].
    pub fn key_info(&self) -> u32 {
        self.word::<0x048>()
    }

    /// REPORT_DATA, chosen by the guest.
    pub fn report_data(&self) -> &'a [u8; 64] {
        self.field::<0x050, 64>()
    }

    /// MEASUREMENT, the launch digest.
    pub fn measurement(&self) -> &'a [u8; 48] {
        self.field::<0x090, 48>()
    }

    /// HOST_DATA, chosen by the host at launch.
    pub fn host_data(&self) -> &'a [u8; 32] {
        self.field::<0x0c0, 32>()
    }

    /// ID_KEY_DIGEST.
    pub fn id_key_digest(&self) -> &'a [u8; 48] {
        self.field::<0x0e0, 48>()
    }

    /// AUTHOR_KEY_DIGEST; meaningful only with AUTHOR_KEY_EN.
    pub fn author_key_digest(&self) -> &'a [u8; 48] {
        self.field::<0x110, 48>()
    }

    /// REPORT_ID, of this run of the guest.
    pub fn report_id(&self) -> &'a [u8; 32] {
        self.field::<0x140, 32>()
    }

    /// REPORT_ID_MA, of the migration agent; all ones when there is none.
    pub fn report_id_ma(&self) -> &'a [u8; 32] {
        self.field::<0x160, 32>()
    }

    /// REPORTED_TCB: the TCB that the signing key is bound to.
    pub fn reported_tcb(&self) -> [u8; 8] {
        *self.field::<0x180, 8>()
    }

    /// CPUID family (combined), model (combined) and stepping; from version 3.
    pub fn cpuid(&self) -> [u8; 3] {
        *self.field::<0x188, 3>()
    }

    /// CHIP_ID; all zero when the host masks it.
    pub fn chip_id(&self) -> &'a [u8; 64] {
        self.field::<0x1a0, 64>()
    }

    /// COMMITTED_TCB.
    pub fn committed_tcb(&self) -> [u8; 8] {
        *self.field::<0x1e0, 8>()
    }

    /// CURRENT_BUILD, CURRENT_MINOR, CURRENT_MAJOR.
    pub fn current_version(&self) -> FirmwareVersion {
        self.firmware::<0x1e8>()
    }

    /// COMMITTED_BUILD, COMMITTED_MINOR, COMMITTED_MAJOR.
    pub fn committed_version(&self) -> FirmwareVersion {
        self.firmware::<0x1ec>()
    }

    /// LAUNCH_TCB.
    pub fn launch_tcb(&self) -> [u8; 8] {
        *self.field::<0x1f0, 8>()
    }

    /// LAUNCH_MIT_VECTOR, as it stands in the report; from version 5.
    pub fn launch_mit_vector(&self) -> &'a [u8; 8] {
        self.field::<0x1f8, 8>()
    }

    /// CURRENT_MIT_VECTOR, as it stands in the report; from version 5.
    pub fn current_mit_vector(&self) -> &'a [u8; 8] {
        self.field::<0x200, 8>()
    }

    /// R of the signature: little-endian, the upper 24 bytes zero.
    pub fn signature_r(&self) -> &'a [u8; 72] {
        self.field::<0x2a0, 72>()
    }

    /// S of the signature: little-endian, the upper 24 bytes zero.
    pub fn signature_s(&self) -> &'a [u8; 72] {
        self.field::<0x2e8, 72>()
    }
}
