//! QE identity: what Intel says of its quoting enclave for trust domains (Intel PCS API, "Enclave Identity V2").

use serde::Deserialize;

use super::document::{Content, DocumentCodes, QE_IDENTITY_CODES};
use super::level::{LevelFields, SvnFields, SvnLevel, svn_levels};
use crate::json::Hex;

/// What is judged of a QE identity. Byte fields are in the order of a report.
#[derive(Debug)]
pub(super) struct QeIdentity {
    pub(super) misc_select: [u8; 4],
    pub(super) misc_select_mask: [u8; 4],
    pub(super) attributes: [u8; 16],
    pub(super) attributes_mask: [u8; 16],
    pub(super) mr_signer: [u8; 32],
    pub(super) isv_prod_id: u16,
    /// The highest first.
    pub(super) levels: Vec<SvnLevel>,
}

impl Content for QeIdentity {
    const WHAT: &'static str = "QE identity";
    const ID: &'static str = "TD_QE";
    const VERSIONS: &'static [u64] = &[2, 3];
    const CODES: DocumentCodes = QE_IDENTITY_CODES;

    fn read(body: &str) -> Result<Self, serde_json::Error> {
        let fields: Fields = serde_json::from_str(body)?;
        Ok(Self {
            misc_select: fields.miscselect.0,
            misc_select_mask: fields.miscselect_mask.0,
            attributes: fields.attributes.0,
            attributes_mask: fields.attributes_mask.0,
            mr_signer: fields.mrsigner.0,
            isv_prod_id: fields.isvprodid,
            levels: svn_levels(fields.tcb_levels),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    miscselect: Hex<4>,
    miscselect_mask: Hex<4>,
    attributes: Hex<16>,
    attributes_mask: Hex<16>,
    mrsigner: Hex<32>,
    isvprodid: u16,
    tcb_levels: Vec<LevelFields<SvnFields>>,
}
