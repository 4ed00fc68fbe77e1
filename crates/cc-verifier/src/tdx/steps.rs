//! Steps T4 to T22, in order.

use cc_core::{Code, Finding, UnixTime, Waivers, codes};

use super::chain::Chain;
use super::collateral::{Collateral, Selected};
use super::crl::Revocations;
use super::document::Signed;
use super::level::SvnLevel;
use super::qe::{self, AttestationKey};
use super::qe_identity::QeIdentity;
use super::quote::Quote;
use super::signature;
use super::status::TcbStatus;
use super::tcb::{self, Levels};
use super::tcb_info::TcbInfo;
use crate::ccel::Replay;

/// A quote which no step rejects.
#[derive(Default)]
pub(super) struct Passed<'a> {
    /// The first thing that was missing and not waived: the outcome, if there is one.
    pub(super) missing: Option<Finding>,
    /// Waivers that were used, in the order of their steps.
    pub(super) waived: Vec<Code>,
    pub(super) root_crl: Option<&'a Revocations>,
    pub(super) pck_crl: Option<&'a Revocations>,
    pub(super) tcb: Option<Tcb<'a>>,
    pub(super) event_log: Option<&'a Replay>,
}

/// The TCB, when nothing was missing to judge it.
pub(super) struct Tcb<'a> {
    pub(super) info: Document<'a, TcbInfo>,
    pub(super) identity: Document<'a, QeIdentity>,
    pub(super) levels: Levels<'a>,
    pub(super) status: TcbStatus,
}

/// A document that was used, and its index in the slot.
pub(super) struct Document<'a, T> {
    pub(super) index: usize,
    pub(super) signed: &'a Signed<T>,
}

impl<T> Clone for Document<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Document<'_, T> {}

impl Passed<'_> {
    fn miss(&mut self, finding: Finding) {
        self.missing.get_or_insert(finding);
    }
}

/// Checks a quote. `Err` is the first rejection in the order of the steps; what is missing is noted, and every step that
/// does not need it is taken (*decisions.md* 1).
pub(super) fn check<'a>(
    quote: &Quote<'_>,
    key: &'a AttestationKey,
    collateral: &'a Collateral,
    waivers: &Waivers,
    now: UnixTime,
) -> Result<Passed<'a>, Finding> {
    let mut passed = Passed::default();
    let (chain, body, pck) = (key.chain.as_ref(), quote.body(), &key.chain.pck.extension);
    chain.validity(now)?; // T4
    let info = collateral.tcb_info(pck.fmspc, now);
    let identity = collateral.qe_identity(now);
    revoked(chain, collateral, info.signer_is_revoked || identity.signer_is_revoked)?; // T5
    lists(collateral, waivers, now, &mut passed)?;
    let info = document(info, &mut passed)?; // T6
    let identity = document(identity, &mut passed)?; // T7
    if let Some(info) = info {
        platform(chain, &info.signed.content)?; // T9
    }
    let qe_level = enclave(quote, key, identity.map(|identity| &identity.signed.content))?; // T10 to T12
    signature::well_formed(quote)?; // T13
    signature::verify(quote, key.key.as_ref().map_err(Clone::clone)?)?;
    let levels = match info {
        Some(info) => {
            let info = &info.signed.content;
            let module = tcb::module(&body, info)?; // T14
            let platform = tcb::platform(&body, pck, info)?; // T15
            Some((platform, tcb::module_level(&body, module)?)) // T16
        }
        None => None,
    };
    let (platform, module) = levels.map_or((None, None), |(platform, module)| (Some(platform), module));
    let grades = [platform.map(|l| &l.grade), module.map(|l| &l.grade), qe_level.map(|l| &l.grade)];
    grades.into_iter().flatten().try_for_each(|grade| tcb::recognized(grade).map(drop))?; // T17
    if let (Some(info), Some(identity), Some(platform), Some(qe)) = (info, identity, platform, qe_level) {
        let levels = Levels { platform, module, qe };
        let status = tcb::combined(levels, &body, pck, &info.signed.content)?;
        passed.tcb = Some(Tcb { info, identity, levels, status });
    }
    passed.event_log = event_log(quote, collateral)?; // T22
    Ok(passed)
}

/// The steps that need no endorsement: T10, T11, of T12 that the enclave is none for debugging, and T13.
pub(super) fn check_alone(quote: &Quote<'_>, key: &AttestationKey) -> Result<(), Finding> {
    enclave(quote, key, None)?;
    signature::well_formed(quote)?;
    signature::verify(quote, key.key.as_ref().map_err(Clone::clone)?)
}

/// T5: no authentic list, current or not, revokes anything that takes part.
fn revoked(chain: &Chain, collateral: &Collateral, signer_is_revoked: bool) -> Result<(), Finding> {
    if collateral.issuer_is_revoked {
        let detail = "the intermediate's serial number is on the root's revocation list";
        return Err(Finding::new(codes::TDX_CA_REVOKED, detail));
    }
    if collateral.pck_crls.revoke(&chain.pck.serial) {
        let detail = "the PCK certificate's serial number is on its issuer's revocation list";
        return Err(Finding::new(codes::TDX_PCK_REVOKED, detail));
    }
    if signer_is_revoked {
        let detail =
            "the serial number of the signer of TCB info or QE identity is on the root's revocation list";
        return Err(Finding::new(codes::TDX_TCB_SIGNER_REVOKED, detail));
    }
    Ok(())
}

/// T5: current lists of the root and of the PCK's issuer are there.
fn lists<'a>(
    collateral: &'a Collateral,
    waivers: &Waivers,
    now: UnixTime,
    passed: &mut Passed<'a>,
) -> Result<(), Finding> {
    passed.root_crl = collateral.root_crls.current(now)?;
    passed.pck_crl = collateral.pck_crls.current(now)?;
    let absent = match (passed.root_crl, passed.pck_crl) {
        (Some(_), Some(_)) => return Ok(()),
        (None, _) => "root",
        (Some(_), None) => "PCK certificate's issuer",
    };
    if waivers.covers(&codes::TDX_CRL_MISSING) {
        passed.waived.push(codes::TDX_CRL_MISSING);
    } else {
        let detail = format!("no revocation list of the {absent} among the endorsements");
        passed.miss(Finding::new(codes::TDX_CRL_MISSING, detail));
    }
    Ok(())
}

/// T6, T7: the document, if there is one.
fn document<'a, T>(
    selected: Selected<'a, T>,
    passed: &mut Passed<'_>,
) -> Result<Option<Document<'a, T>>, Finding> {
    let Selected { index, document, .. } = selected;
    match document {
        Ok(signed) => Ok(Some(Document { index, signed })),
        Err(finding) => match finding.code.class() {
            cc_core::Class::Indeterminate => {
                passed.miss(finding);
                Ok(None)
            }
            _ => Err(finding),
        },
    }
}

/// T9: the TCB info is for the platform.
fn platform(chain: &Chain, info: &TcbInfo) -> Result<(), Finding> {
    let pck = &chain.pck.extension;
    for (what, code, found, expected) in [
        ("FMSPC", codes::TDX_FMSPC_MISMATCH, info.fmspc.as_slice(), pck.fmspc.as_slice()),
        ("PCEID", codes::TDX_PCEID_MISMATCH, &info.pceid, &pck.pceid),
    ] {
        if found != expected {
            let detail = format!(
                "the TCB info is for {what} {}, the PCK certificate has {}",
                hex::encode(found),
                hex::encode(expected)
            );
            return Err(Finding::new(code, detail));
        }
    }
    Ok(())
}

/// T10 to T12. Returns the level that the enclave reaches.
fn enclave<'a>(
    quote: &Quote<'_>,
    key: &AttestationKey,
    identity: Option<&'a QeIdentity>,
) -> Result<Option<&'a SvnLevel>, Finding> {
    key.qe_signature.clone()?; // T10
    key.qe_report_data.clone()?; // T11
    let report = quote.attestation().qe_report;
    if let Some(identity) = identity {
        qe::identity(report, identity)?; // T12
    }
    qe::not_debuggable(report)?;
    identity.map(|identity| qe::level(report, identity)).transpose()
}

/// T22: one of the event logs, if there are any, gives the quote's registers.
fn event_log<'a>(quote: &Quote<'_>, collateral: &'a Collateral) -> Result<Option<&'a Replay>, Finding> {
    let mut rejection = None;
    for log in &collateral.event_logs {
        match log.as_ref().map_err(Clone::clone).and_then(|replay| same_registers(quote, replay)) {
            Ok(replay) => return Ok(Some(replay)),
            Err(finding) => rejection = rejection.or(Some(finding)),
        }
    }
    rejection.map_or(Ok(None), Err)
}

fn same_registers<'a>(quote: &Quote<'_>, replay: &'a Replay) -> Result<&'a Replay, Finding> {
    for (number, (quoted, replayed)) in quote.body().rtmrs().into_iter().zip(&replay.rtmrs).enumerate() {
        if quoted != replayed {
            let (quoted, replayed) = (hex::encode(quoted), hex::encode(replayed));
            let detail = format!("RTMR{number} is {quoted}, the event log gives {replayed}");
            return Err(Finding::new(codes::TDX_EVENTLOG_REPLAY_MISMATCH, detail));
        }
    }
    Ok(replay)
}
