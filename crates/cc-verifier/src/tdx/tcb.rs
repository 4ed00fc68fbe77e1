//! Steps T14 to T17: the TDX module, the platform's TCB level, and the status that all together have.

use cc_core::{Finding, codes};

use super::body::Body;
use super::level::{Grade, SvnLevel, reached};
use super::pck::PckExtension;
use super::qe::masked;
use super::status::TcbStatus;
use super::tcb_info::{Level, Module, TcbInfo};

/// T14: the TDX module is one that Intel describes and made.
pub(super) fn module<'a>(body: &Body<'_>, info: &'a TcbInfo) -> Result<&'a Module, Finding> {
    let [_, version, ..] = *body.tee_tcb_svn();
    let module = info.module_of(version).ok_or_else(|| {
        let detail = format!("the TCB info knows no TDX module of version {version}");
        Finding::new(codes::TDX_MODULE_IDENTITY_MISSING, detail)
    })?;
    let signer = body.mrsigner_seam();
    if *signer != module.mrsigner {
        let detail =
            format!("MRSIGNERSEAM is {}, expected {}", hex::encode(signer), hex::encode(module.mrsigner));
        return Err(Finding::new(codes::TDX_MODULE_MRSIGNER_MISMATCH, detail));
    }
    let attributes = body.seam_attributes();
    if masked(attributes, &module.attributes_mask) != module.attributes || *attributes != [0; 8] {
        let detail = format!(
            "SEAMATTRIBUTES are {}, expected {} and zero",
            hex::encode(attributes),
            hex::encode(module.attributes)
        );
        return Err(Finding::new(codes::TDX_MODULE_ATTRIBUTES, detail));
    }
    Ok(module)
}

/// T15: the level that the platform reaches.
pub(super) fn platform<'a>(
    body: &Body<'_>,
    pck: &PckExtension,
    info: &'a TcbInfo,
) -> Result<&'a Level, Finding> {
    let levels = info.levels.as_ref().map_err(Clone::clone)?;
    let tee_tcb_svn = body.tee_tcb_svn();
    levels.iter().find(|level| reaches(pck, level) && reaches_tdx(tee_tcb_svn, level)).ok_or_else(|| {
        let detail = format!(
            "components {}, PCESVN {} and TEE_TCB_SVN {} are below every level",
            hex::encode(pck.components),
            pck.pcesvn,
            hex::encode(tee_tcb_svn)
        );
        Finding::new(codes::TDX_TCB_NOT_FOUND, detail)
    })
}

/// Whether the processor reaches a level; the SVNs of the TDX module and its loader are another matter.
fn reaches(pck: &PckExtension, level: &Level) -> bool {
    pck.components.iter().zip(&level.sgx).all(|(have, needed)| have >= needed) && pck.pcesvn >= level.pcesvn
}

/// Whether the TDX module and its loader reach a level. The first two components are the module's, which its own levels
/// judge where it has a version.
fn reaches_tdx(tee_tcb_svn: &[u8; 16], level: &Level) -> bool {
    let [_, version, ..] = *tee_tcb_svn;
    let start = if version > 0 { 2 } else { 0 };
    tee_tcb_svn.iter().zip(&level.tdx).skip(start).all(|(have, needed)| have >= needed)
}

/// T16: the level that the TDX module reaches. Version 0 has no levels of its own.
pub(super) fn module_level<'a>(body: &Body<'_>, module: &'a Module) -> Result<Option<&'a SvnLevel>, Finding> {
    let [isvsvn, version, ..] = *body.tee_tcb_svn();
    if version == 0 {
        return Ok(None);
    }
    reached(&module.levels, isvsvn.into()).map(Some).ok_or_else(|| {
        let detail = format!("TDX module {} with ISVSVN {isvsvn} is below every level", module.id);
        Finding::new(codes::TDX_MODULE_TCB_NOT_FOUND, detail)
    })
}

/// The levels that take part in the status.
#[derive(Clone, Copy)]
pub(super) struct Levels<'a> {
    pub(super) platform: &'a Level,
    pub(super) module: Option<&'a SvnLevel>,
    pub(super) qe: &'a SvnLevel,
}

impl<'a> Levels<'a> {
    /// What is said of them.
    pub(super) fn grades(&self) -> impl Iterator<Item = &'a Grade> {
        let module = self.module.map(|level| &level.grade);
        [Some(&self.platform.grade), module, Some(&self.qe.grade)].into_iter().flatten()
    }
}

/// T17: a status that is none, or that nobody may accept.
pub(super) fn recognized(grade: &Grade) -> Result<TcbStatus, Finding> {
    match &grade.status {
        Ok(TcbStatus::Revoked) => {
            let detail = format!("the TCB level of {} is revoked", grade.date);
            Err(Finding::new(codes::TDX_TCB_REVOKED, detail))
        }
        Ok(status) => Ok(*status),
        Err(text) => {
            let detail = format!("the TCB level of {} has the status {text:?}", grade.date);
            Err(Finding::new(codes::TDX_TCB_UNRECOGNIZED, detail))
        }
    }
}

/// T17: the status of all together (*verification.md* 2.3).
pub(super) fn combined(
    levels: Levels<'_>,
    body: &Body<'_>,
    pck: &PckExtension,
    info: &TcbInfo,
) -> Result<TcbStatus, Finding> {
    let mut status = TcbStatus::UpToDate;
    for grade in levels.grades() {
        status = status.and(recognized(grade)?);
    }
    Ok(relaunch(status, levels, body, pck, info).unwrap_or(status))
}

/// The status when nothing but the TDX module at launch is out of date and the platform has the newest now: the domain
/// runs on what it was launched with, so it should be launched again.
fn relaunch(
    status: TcbStatus,
    levels: Levels<'_>,
    body: &Body<'_>,
    pck: &PckExtension,
    info: &TcbInfo,
) -> Option<TcbStatus> {
    let now = body.tee_tcb_svn_2()?;
    let good = |grade: &Grade| grade.status.as_ref().ok().filter(|s| !s.is_at_least_out_of_date()).copied();
    good(&levels.qe.grade)?;
    levels.module.filter(|level| level.grade.status == Ok(TcbStatus::OutOfDate))?;
    let all = info.levels.as_ref().ok()?;
    let processor = good(&all.iter().find(|level| reaches(pck, level))?.grade)?;

    let newest = all.first()?;
    let [isvsvn, version, loader, ..] = *now;
    let [newest_isvsvn, _, newest_loader, ..] = newest.tdx;
    let module_is_newest = if version == 0 {
        isvsvn >= newest_isvsvn
    } else {
        let level = info.module_of(version)?.levels.first()?;
        good(&level.grade)?;
        u16::from(isvsvn) >= level.isvsvn
    };
    if !module_is_newest || loader < newest_loader {
        return None;
    }
    good(&newest.grade)?;
    if status.needs_configuration() || processor.needs_configuration() {
        Some(TcbStatus::TdRelaunchAdvisedConfigurationNeeded)
    } else {
        Some(TcbStatus::TdRelaunchAdvised)
    }
}
