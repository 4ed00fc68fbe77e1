//! The report of a TDX module on a trust domain (Intel TDX Module ABI, TDREPORT_STRUCT).
//!
//! Its MAC can be checked on its own platform only, which makes a quote of it. So nothing here is believed but what the
//! quote says too.

use cc_core::{Finding, codes};

use super::malformed;
use crate::bytes::field;
use crate::tdx::Body;

/// Length of a TD report, in bytes.
pub const TD_REPORT_LENGTH: usize = 1024;
/// REPORTTYPE of a trust domain: TDX, no subtype.
const TYPE_TDX: [u8; 2] = [0x81, 0];

/// A TD report, not copied, not authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TdReport<'a>(&'a [u8; TD_REPORT_LENGTH]);

impl<'a> TdReport<'a> {
    /// Takes a report of the type of trust domains; another is `vtpm.format.malformed`.
    pub fn new(bytes: &'a [u8; TD_REPORT_LENGTH]) -> Result<Self, Finding> {
        let kind = field::<0, 2, TD_REPORT_LENGTH>(bytes);
        if *kind != TYPE_TDX {
            return Err(malformed(format!("a TD report of type {}", hex::encode(kind))));
        }
        Ok(Self(bytes))
    }

    fn at<const OFFSET: usize, const LENGTH: usize>(&self) -> &'a [u8; LENGTH] {
        field::<OFFSET, LENGTH, TD_REPORT_LENGTH>(self.0)
    }

    /// REPORTDATA.
    pub fn report_data(&self) -> &'a [u8; 64] {
        self.at::<0x080, 64>()
    }

    /// Whether a quote is of this report: it says the same in every field that both have. `vtpm.hcl.mismatch` otherwise.
    pub(super) fn agrees(&self, body: &Body<'_>) -> Result<(), Finding> {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = body.rtmrs();
        let fields: [(&str, &[u8], &[u8]); 15] = [
            ("REPORTDATA", self.report_data(), body.report_data()),
            ("TEE_TCB_SVN", self.at::<0x108, 16>(), body.tee_tcb_svn()),
            ("MRSEAM", self.at::<0x118, 48>(), body.mr_seam()),
            ("MRSIGNERSEAM", self.at::<0x148, 48>(), body.mrsigner_seam()),
            ("SEAMATTRIBUTES", self.at::<0x178, 8>(), body.seam_attributes()),
            ("TDATTRIBUTES", self.at::<0x200, 8>(), body.td_attributes()),
            ("XFAM", self.at::<0x208, 8>(), body.xfam()),
            ("MRTD", self.at::<0x210, 48>(), body.mr_td()),
            ("MRCONFIGID", self.at::<0x240, 48>(), body.mr_config_id()),
            ("MROWNER", self.at::<0x270, 48>(), body.mr_owner()),
            ("MROWNERCONFIG", self.at::<0x2a0, 48>(), body.mr_owner_config()),
            ("RTMR0", self.at::<0x2d0, 48>(), rtmr0),
            ("RTMR1", self.at::<0x300, 48>(), rtmr1),
            ("RTMR2", self.at::<0x330, 48>(), rtmr2),
            ("RTMR3", self.at::<0x360, 48>(), rtmr3),
        ];
        // Fields of TDX 1.5, which quotes of 1.0 are without.
        let later = [
            body.tee_tcb_svn_2().map(|svn| ("TEE_TCB_SVN2", &self.at::<0x180, 16>()[..], &svn[..])),
            body.mr_service_td().map(|digest| ("MRSERVICETD", &self.at::<0x390, 48>()[..], &digest[..])),
        ];
        let mut all = fields.into_iter().chain(later.into_iter().flatten());
        match all.find(|(_, ours, theirs)| ours != theirs) {
            None => Ok(()),
            Some((name, ours, theirs)) => {
                let (ours, theirs) = (hex::encode(ours), hex::encode(theirs));
                let detail = format!("{name} is {ours} in the TD report and {theirs} in the quote");
                Err(Finding::new(codes::VTPM_HCL_MISMATCH, detail))
            }
        }
    }
}
