//! The TD report in a quote (*verification.md* 2.1).

use crate::bytes::field;

/// Length of a TD report of TDX 1.0, in bytes.
pub const TD10_LENGTH: usize = 584;
/// Length of a TD report of TDX 1.5, in bytes: that of TDX 1.0 and two more fields.
pub const TD15_LENGTH: usize = 648;

/// The TD report, with the form that it has in the quote. Byte fields are returned as they stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Version 4: always TDX 1.0.
    V4(&'a [u8; TD10_LENGTH]),
    /// Version 5, body type 2: TDX 1.0.
    V5Td10(&'a [u8; TD10_LENGTH]),
    /// Version 5, body type 3: TDX 1.5.
    V5Td15(&'a [u8; TD15_LENGTH]),
}

impl<'a> Body<'a> {
    /// The fields that every report has.
    fn common(&self) -> &'a [u8; TD10_LENGTH] {
        match self {
            Self::V4(body) | Self::V5Td10(body) => body,
            Self::V5Td15(body) => field::<0, TD10_LENGTH, TD15_LENGTH>(body),
        }
    }

    fn at<const OFFSET: usize, const LENGTH: usize>(&self) -> &'a [u8; LENGTH] {
        field::<OFFSET, LENGTH, TD10_LENGTH>(self.common())
    }

    /// The number of the body type; version 4 does not have it.
    pub const fn kind(&self) -> Option<u16> {
        match self {
            Self::V4(_) => None,
            Self::V5Td10(_) => Some(2),
            Self::V5Td15(_) => Some(3),
        }
    }

    /// TEE_TCB_SVN at launch: ISVSVN and version of the TDX module, then the SEAM loader and others.
    pub fn tee_tcb_svn(&self) -> &'a [u8; 16] {
        self.at::<0x000, 16>()
    }

    /// MRSEAM, the digest of the TDX module.
    pub fn mr_seam(&self) -> &'a [u8; 48] {
        self.at::<0x010, 48>()
    }

    /// MRSIGNERSEAM, the signer of the TDX module; zero is Intel.
    pub fn mrsigner_seam(&self) -> &'a [u8; 48] {
        self.at::<0x040, 48>()
    }

    /// SEAMATTRIBUTES.
    pub fn seam_attributes(&self) -> &'a [u8; 8] {
        self.at::<0x070, 8>()
    }

    /// TDATTRIBUTES; a little-endian number.
    pub fn td_attributes(&self) -> &'a [u8; 8] {
        self.at::<0x078, 8>()
    }

    /// XFAM, a little-endian number.
    pub fn xfam(&self) -> &'a [u8; 8] {
        self.at::<0x080, 8>()
    }

    /// MRTD, the digest of the initial contents.
    pub fn mr_td(&self) -> &'a [u8; 48] {
        self.at::<0x088, 48>()
    }

    /// MRCONFIGID, chosen by the host at launch.
    pub fn mr_config_id(&self) -> &'a [u8; 48] {
        self.at::<0x0b8, 48>()
    }

    /// MROWNER, chosen by the host at launch.
    pub fn mr_owner(&self) -> &'a [u8; 48] {
        self.at::<0x0e8, 48>()
    }

    /// MROWNERCONFIG, chosen by the host at launch.
    pub fn mr_owner_config(&self) -> &'a [u8; 48] {
        self.at::<0x118, 48>()
    }

    /// RTMR0 to RTMR3.
    pub fn rtmrs(&self) -> [&'a [u8; 48]; 4] {
        [self.at::<0x148, 48>(), self.at::<0x178, 48>(), self.at::<0x1a8, 48>(), self.at::<0x1d8, 48>()]
    }

    /// REPORTDATA, chosen by the guest.
    pub fn report_data(&self) -> &'a [u8; 64] {
        self.at::<0x208, 64>()
    }

    /// TEE_TCB_SVN2, that of now; TDX 1.5 only.
    pub fn tee_tcb_svn_2(&self) -> Option<&'a [u8; 16]> {
        match self {
            Self::V4(_) | Self::V5Td10(_) => None,
            Self::V5Td15(body) => Some(field::<0x248, 16, TD15_LENGTH>(body)),
        }
    }

    /// MRSERVICETD, the digest of bound service TDs; TDX 1.5 only.
    pub fn mr_service_td(&self) -> Option<&'a [u8; 48]> {
        match self {
            Self::V4(_) | Self::V5Td10(_) => None,
            Self::V5Td15(body) => Some(field::<0x258, 48, TD15_LENGTH>(body)),
        }
    }
}
