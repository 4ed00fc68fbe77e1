//! TCB info: what Intel says of the platforms of one FMSPC (Intel PCS API, "TCB Info V3").

use std::cmp::Reverse;

use cc_core::{Finding, codes};
use serde::Deserialize;

use super::document::{Content, DocumentCodes, TCB_INFO_CODES};
use super::level::{Grade, LevelFields, SvnFields, SvnLevel, svn_levels};
use crate::json::Hex;

/// What is judged of a TCB info; levels are sorted, the highest first.
#[derive(Debug)]
pub(super) struct TcbInfo {
    pub(super) fmspc: [u8; 6],
    pub(super) pceid: [u8; 2],
    tcb_type: u64,
    /// For modules of version 0.
    pub(super) module: Option<Module>,
    /// For modules of other versions.
    pub(super) modules: Vec<Module>,
    /// T15: `Err` when a level does not have 16 components of each kind.
    pub(super) levels: Result<Vec<Level>, Finding>,
}

/// What Intel says of a TDX module.
#[derive(Debug)]
pub(super) struct Module {
    /// `TDX_` and two hexadecimal digits; empty for version 0.
    pub(super) id: String,
    pub(super) mrsigner: [u8; 48],
    pub(super) attributes: [u8; 8],
    pub(super) attributes_mask: [u8; 8],
    /// The highest first; none for version 0, which is judged by [`Level`]s.
    pub(super) levels: Vec<SvnLevel>,
}

/// A TCB level of the platform.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) sgx: [u8; 16],
    pub(super) pcesvn: u16,
    pub(super) tdx: [u8; 16],
    pub(super) grade: Grade,
}

impl Content for TcbInfo {
    const WHAT: &'static str = "TCB info";
    const ID: &'static str = "TDX";
    const VERSIONS: &'static [u64] = &[3];
    const CODES: DocumentCodes = TCB_INFO_CODES;

    fn read(body: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body).map(Fields::into)
    }

    /// The type of the TCB, which says how components are compared, is the one known type.
    fn judge(&self) -> Result<(), Finding> {
        match self.tcb_type {
            0 => Ok(()),
            other => {
                let detail = format!("TCB info: type {other}, supported is 0");
                Err(Finding::new(codes::TDX_TCB_INFO_VERSION, detail))
            }
        }
    }
}

impl TcbInfo {
    /// What is said of the module with that version, which is the second byte of a TEE_TCB_SVN.
    pub(super) fn module_of(&self, version: u8) -> Option<&Module> {
        if version == 0 {
            return self.module.as_ref();
        }
        let id = format!("TDX_{version:02X}");
        self.modules.iter().find(|module| module.id.eq_ignore_ascii_case(&id))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    fmspc: Hex<6>,
    pce_id: Hex<2>,
    tcb_type: u64,
    tdx_module: Option<ModuleFields>,
    #[serde(default)]
    tdx_module_identities: Vec<IdentityFields>,
    tcb_levels: Vec<LevelFields<TcbFields>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModuleFields {
    mrsigner: Hex<48>,
    attributes: Hex<8>,
    attributes_mask: Hex<8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdentityFields {
    id: String,
    mrsigner: Hex<48>,
    attributes: Hex<8>,
    attributes_mask: Hex<8>,
    tcb_levels: Vec<LevelFields<SvnFields>>,
}

#[derive(Deserialize)]
struct TcbFields {
    #[serde(default)]
    sgxtcbcomponents: Vec<Component>,
    pcesvn: u16,
    #[serde(default)]
    tdxtcbcomponents: Vec<Component>,
}

#[derive(Deserialize)]
struct Component {
    svn: u8,
}

impl From<Fields> for TcbInfo {
    fn from(fields: Fields) -> Self {
        let module = fields.tdx_module.map(|module| Module {
            id: String::new(),
            mrsigner: module.mrsigner.0,
            attributes: module.attributes.0,
            attributes_mask: module.attributes_mask.0,
            levels: Vec::new(),
        });
        let modules = fields.tdx_module_identities.into_iter().map(|identity| Module {
            id: identity.id,
            mrsigner: identity.mrsigner.0,
            attributes: identity.attributes.0,
            attributes_mask: identity.attributes_mask.0,
            levels: svn_levels(identity.tcb_levels),
        });
        let levels: Result<Vec<_>, _> = fields.tcb_levels.into_iter().map(level).collect();
        let levels = levels.map(|mut levels| {
            levels.sort_by_key(|level| Reverse((level.sgx, level.pcesvn, level.tdx)));
            levels
        });
        Self {
            fmspc: fields.fmspc.0,
            pceid: fields.pce_id.0,
            tcb_type: fields.tcb_type,
            module,
            modules: modules.collect(),
            levels,
        }
    }
}

fn level(fields: LevelFields<TcbFields>) -> Result<Level, Finding> {
    let (tcb, grade) = fields.split();
    let components = |what: &str, components: &[Component]| {
        let svns: Vec<_> = components.iter().map(|component| component.svn).collect();
        let count = svns.len();
        <[u8; 16]>::try_from(svns).map_err(|_| {
            let detail = format!("a TCB level of {} has {count} {what} components, not 16", grade.date);
            Finding::new(codes::TDX_TCB_MALFORMED, detail)
        })
    };
    let sgx = components("SGX", &tcb.sgxtcbcomponents)?;
    let tdx = components("TDX", &tcb.tdxtcbcomponents)?;
    Ok(Level { sgx, pcesvn: tcb.pcesvn, tdx, grade })
}
