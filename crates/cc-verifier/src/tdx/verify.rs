//! From a quote and endorsements to an outcome.

use std::sync::Arc;

use cc_core::message::Floor;
use cc_core::{Accepted, BoundField, BoundKind, Finding, Outcome, UnixTime, Waivers};

use super::anchors::{Anchor, Anchors};
use super::cache::{Known, QuoteCache};
use super::chain::{Chain, Issuer};
use super::claims;
use super::collateral::Collateral;
use super::crl::Revocations;
use super::qe::AttestationKey;
use super::quote::Quote;
use super::role::Ca;
use super::slots::{Labels, Slots};
use super::steps::{self, Passed, Tcb};
use crate::memory::KeyBuilder;
use crate::verification::Verification;

/// Verifies that the quoting enclave of a genuine Intel platform signed `evidence`, and says what it says.
///
/// Steps of *verification.md* 2.2, as far as they are not policy (*decisions.md* 6): T1 to T3 (form), T4 certificates of
/// the platform, T5 revocation, T6 TCB info, T7 QE identity, T9 platform, T10 to T12 quoting enclave, T13 signature,
/// T14 TDX module, T15 and T16 TCB levels, T17 statuses that are not known or revoked, and with an event log T22. The
/// first rejection in this order is the outcome; without one, the first missing endorsement; without that, the claims.
///
/// Does not judge other statuses, attributes, measurements or the binding, and does not know older collateral: see the
/// claims and [`Verification::floors`], where positions are those in the slot. `anchors` and `now` must come from a
/// source which the caller trusts. The answer is the same with any state of `cache`.
pub fn verify(
    evidence: &[u8],
    slots: &Slots<'_>,
    anchors: &Anchors,
    waivers: &Waivers,
    now: UnixTime,
    cache: &QuoteCache,
) -> Verification {
    let add_key = |key: KeyBuilder| {
        let lists = slots.lists();
        lists.iter().fold(key.part(b"slots"), |key, (_, list, _)| key.list(list.iter().copied()))
    };
    let learn = |anchor: &Anchor, issuer: &Issuer| {
        let collateral = Collateral::judge(slots, anchor, issuer)?;
        Ok(Known { collateral, labels: Labels::of_slots(slots) })
    };
    let quote = match Quote::new(evidence) {
        Ok(quote) => quote,
        Err(finding) => return Verification::denied(finding),
    };
    answer(&quote, anchors, waivers, now, cache, add_key, learn).1
}

/// Verifies a quote with endorsements that `learn` judges and `add_key` adds to the key of a memory. Returns what the
/// endorsements are, if it came to that.
pub(super) fn answer(
    quote: &Quote<'_>,
    anchors: &Anchors,
    waivers: &Waivers,
    now: UnixTime,
    cache: &QuoteCache,
    add_key: impl FnOnce(KeyBuilder) -> KeyBuilder,
    learn: impl FnOnce(&Anchor, &Issuer) -> Result<Known, Finding>,
) -> (Option<Arc<Known>>, Verification) {
    let denied = |finding| (None, Verification::denied(finding));
    let key_lookup = cache.attestation_key(anchors, &quote.attestation());
    let key = match key_lookup.or_judge(|| attestation_key(quote, anchors, cache)) {
        Ok(key) => key,
        Err(finding) => return denied(finding),
    };
    let lookup = cache.collateral(anchors, &key.chain.issuer, add_key);
    let known = match lookup.or_judge(|| learn(anchors.root()?, &key.chain.issuer)) {
        Ok(known) => known,
        Err(finding) => return denied(finding),
    };
    let verification = match steps::check(quote, &key, &known.collateral, waivers, now) {
        Ok(passed) => accept(quote, &key.chain, &known.labels, passed),
        Err(finding) => Verification::denied(finding),
    };
    if let Outcome::Accept(_) = &verification.outcome {
        if !key_lookup.is_remembered() {
            cache.chain(anchors, quote.attestation().pck_chain).keep(&key.chain);
        }
        key_lookup.keep(&key);
        lookup.keep(&known);
    }
    (Some(known), verification)
}

/// T3 and T4, and what of T10 to T13 does not depend on the signed bytes.
pub(super) fn attestation_key(
    quote: &Quote<'_>,
    anchors: &Anchors,
    cache: &QuoteCache,
) -> Result<AttestationKey, Finding> {
    let attestation = quote.attestation();
    let chain = cache
        .chain(anchors, attestation.pck_chain)
        .or_judge(|| Chain::judge(attestation.pck_chain, anchors))?;
    Ok(AttestationKey::judge(&attestation, chain))
}

fn accept(quote: &Quote<'_>, chain: &Chain, labels: &Labels, passed: Passed<'_>) -> Verification {
    let tcb = match (&passed.missing, &passed.tcb) {
        (Some(finding), _) => return Verification::denied(finding.clone()),
        (None, Some(tcb)) => tcb,
        // Without a TCB something was missing.
        (None, None) => {
            let detail = "the TCB was not judged";
            return Verification::denied(Finding::new(cc_core::codes::TDX_TCB_INFO_MISSING, detail));
        }
    };
    let claims = claims::of(quote, chain, Some((&passed, tcb)));
    let floors = floors(chain, labels, &passed, tcb);
    let bound = BoundField { kind: BoundKind::ReportData, bytes: quote.body().report_data().to_vec() };
    Verification { outcome: Outcome::Accept(Accepted { claims, bound, waived: passed.waived }), floors }
}

/// The numbers of what was used.
fn floors(chain: &Chain, labels: &Labels, passed: &Passed<'_>, tcb: &Tcb<'_>) -> Vec<Floor> {
    let floor = |name: String, number, positions: &[u32], index: usize| {
        positions.get(index).map(|position| Floor { name, number, endorsement: *position })
    };
    let list = |name, list: Option<&Revocations>, positions| {
        list.and_then(|list| floor(name, list.number, positions, list.index))
    };
    let pck_crl = match chain.issuer.ca {
        Ca::Platform => "tdx.pck_crl.platform",
        Ca::Processor => "tdx.pck_crl.processor",
    };
    let info_name = ["tdx.tcb_info.", &hex::encode(tcb.info.signed.content.fmspc)].concat();
    let (info, identity) = (tcb.info.signed.currency, tcb.identity.signed.currency);
    let floors = [
        list("tdx.root_crl".to_owned(), passed.root_crl, &labels.root_crls),
        list(pck_crl.to_owned(), passed.pck_crl, &labels.pck_crls),
        floor(info_name, info.floor(), &labels.tcb_infos, tcb.info.index),
        floor("tdx.qe_identity".to_owned(), identity.floor(), &labels.qe_identities, tcb.identity.index),
    ];
    floors.into_iter().flatten().collect()
}
