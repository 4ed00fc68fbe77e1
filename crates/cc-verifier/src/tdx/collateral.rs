//! What the endorsements prove, independent of the quote and of time: the part of T5 to T7, and of T22, that can be
//! remembered.
//!
//! Results that deny are kept as findings, to be raised at their step. Spans of validity are kept, to be compared
//! with the time of each verification.

use cc_core::{Finding, UnixTime};

use super::anchors::Anchor;
use super::chain::Issuer;
use super::crl::Lists;
use super::document::{Content, Currency, Signed, missing};
use super::qe_identity::QeIdentity;
use super::signer::Signers;
use super::slots::Slots;
use super::tcb_info::TcbInfo;
use crate::ccel::{self, Replay};

/// The endorsements, judged for platforms of one issuer.
#[derive(Debug)]
pub(super) struct Collateral {
    pub(super) root_crls: Lists,
    pub(super) pck_crls: Lists,
    /// Whether any authentic list of the root revokes the issuer.
    pub(super) issuer_is_revoked: bool,
    signers: Signers,
    tcb_infos: Vec<Result<Signed<TcbInfo>, Finding>>,
    qe_identities: Vec<Result<Signed<QeIdentity>, Finding>>,
    pub(super) event_logs: Vec<Result<Replay, Finding>>,
}

/// The document that counts: of those with which nothing is wrong the newest, otherwise the first.
pub(super) struct Selected<'a, T> {
    /// Index in the slot.
    pub(super) index: usize,
    /// T5: whether its signer is revoked.
    pub(super) signer_is_revoked: bool,
    /// T6 or T7.
    pub(super) document: Result<&'a Signed<T>, Finding>,
}

impl Collateral {
    /// Judges endorsements. `Err` when there are too many or too large ones.
    pub(super) fn judge(slots: &Slots<'_>, anchor: &Anchor, issuer: &Issuer) -> Result<Self, Finding> {
        slots.within_limits()?;
        let root_crls = Lists::judge(&slots.root_crls, &anchor.subject, &anchor.key);
        let pck_crls = Lists::judge(&slots.pck_crls, &issuer.subject, &issuer.key);
        let signers = Signers::judge(&slots.signers, &slots.roots, anchor, |serial| root_crls.revoke(serial));
        let tcb_infos = slots.tcb_infos.iter().map(|bytes| Signed::judge(bytes, &signers)).collect();
        let qe_identities = slots.qe_identities.iter().map(|bytes| Signed::judge(bytes, &signers)).collect();
        let event_logs = slots.event_logs.iter().map(|log| ccel::replay(log)).collect();
        let issuer_is_revoked = root_crls.revoke(&issuer.serial);
        Ok(Self { root_crls, pck_crls, issuer_is_revoked, signers, tcb_infos, qe_identities, event_logs })
    }

    /// The TCB info for a platform. Those of other platforms count only when there is no other: T9 rejects them.
    pub(super) fn tcb_info(&self, fmspc: [u8; 6], now: UnixTime) -> Selected<'_, TcbInfo> {
        self.select(&self.tcb_infos, |info| info.fmspc == fmspc, now)
    }

    /// The QE identity.
    pub(super) fn qe_identity(&self, now: UnixTime) -> Selected<'_, QeIdentity> {
        self.select(&self.qe_identities, |_| true, now)
    }

    fn select<'a, T: Content>(
        &self,
        documents: &'a [Result<Signed<T>, Finding>],
        fits: impl Fn(&T) -> bool,
        now: UnixTime,
    ) -> Selected<'a, T> {
        let mut best: Option<(Rank, Selected<'a, T>)> = None;
        for (index, document) in documents.iter().enumerate() {
            let selected = self.at(index, document, now);
            let good = selected.document.as_ref().ok().filter(|_| !selected.signer_is_revoked);
            let fits = document.as_ref().is_ok_and(|document| fits(&document.content));
            let rank = (fits, good.map(|document| document.currency));
            if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                best = Some((rank, selected));
            }
        }
        best.map_or_else(
            || Selected {
                index: 0,
                signer_is_revoked: false,
                document: Err(missing::<T>(&format!("no {} among the endorsements", T::WHAT))),
            },
            |(_, selected)| selected,
        )
    }

    fn at<'a, T: Content>(
        &self,
        index: usize,
        document: &'a Result<Signed<T>, Finding>,
        now: UnixTime,
    ) -> Selected<'a, T> {
        let document = match document {
            Ok(document) => document,
            Err(finding) => {
                return Selected { index, signer_is_revoked: false, document: Err(finding.clone()) };
            }
        };
        let judged = self.signers.window::<T>(&document.signers, now).and_then(|()| document.window(now));
        Selected {
            index,
            signer_is_revoked: self.signers.any_revoked(&document.signers),
            document: judged.map(|()| document),
        }
    }
}

/// Whether a document is for the platform, and how new it is if nothing is wrong with it.
type Rank = (bool, Option<Currency>);
