//! From a report and endorsements to an outcome.

use std::sync::Arc;

use cc_core::message::Floor;
use cc_core::{Accepted, BoundField, BoundKind, Finding, Outcome, UnixTime, Waivers};

use super::anchors::Anchors;
use super::cache::{self, ChainCache, Known};
use super::chain::Chains;
use super::claims;
use super::extensions::Owner;
use super::form::{self, Form};
use super::leaf::Leaf;
use super::slots::{Labels, Slots};
use super::steps::{self, Passed, Path};
use crate::memory::Key;
use crate::verification::Verification;

/// Verifies that a genuine SEV-SNP processor of one of AMD's product lines signed `evidence`, and says what it says.
///
/// Steps of *verification.md* 1.2, as far as they are not policy (*decisions.md* 6): S1 to S7 and S9 (form),
/// S10 root, S11 chain, S12 validity, S13 revocation, S14 extensions, S15 product name, S16 signature, S17 chip id,
/// S19 reported TCB, S20 consistency. The first rejection in this order is the outcome; without one, the first
/// missing endorsement; without that, the claims. With several leaf candidates each is tried in the order
/// supplied; the first with which nothing is wrong or missing counts, otherwise the first with which nothing is
/// wrong, otherwise the one that fits the report best.
///
/// Does not judge measurements, minimum TCBs, policy bits, masked chip ids, cloud providers or the binding, and does not
/// know older revocation lists: see the claims and [`Verification::floors`], where positions are those in [`Slots::crls`]. `anchors` and `now` must come from a
/// source which the caller trusts. The answer is the same with any state of `cache`.
pub fn verify(
    evidence: &[u8],
    slots: &Slots<'_>,
    anchors: &Anchors,
    waivers: &Waivers,
    now: UnixTime,
    cache: &ChainCache,
) -> Verification {
    let form = match form::check(evidence) {
        Ok(form) => form,
        Err(finding) => return Verification::denied(finding),
    };
    let lists = [&slots.leaves, &slots.intermediates, &slots.roots, &slots.crls];
    let key = cache.is_enabled().then(|| {
        let start = cache::key("slots", anchors, form.kind, form.product);
        lists.iter().fold(start, |key, list| key.list(list.iter().copied())).finish()
    });
    let known = key.as_ref().and_then(|key| cache.chain(key)).map_or_else(
        || {
            let crl_positions = (0..).zip(&slots.crls).map(|(position, _)| position).collect();
            let labels = Labels { names: Vec::new(), crl_positions };
            learn(&form, slots, labels, anchors, cache)
        },
        Ok,
    );
    let known = match known {
        Ok(known) => known,
        Err(finding) => return Verification::denied(finding),
    };
    let verification = conclude(&form, &known, waivers, now);
    if let (Some(key), Outcome::Accept(_)) = (key, &verification.outcome) {
        cache.keep(key, &known);
    }
    verification
}

/// Judges endorsements that are not remembered.
pub(super) fn learn(
    form: &Form<'_>,
    slots: &Slots<'_>,
    labels: Labels,
    anchors: &Anchors,
    cache: &ChainCache,
) -> Result<Arc<Known>, Finding> {
    let chains = Chains::judge(slots, anchors, form.kind, form.product, |product, judge| {
        if !cache.is_enabled() {
            return (Key::none(), Arc::new(judge()));
        }
        let start = cache::key("line", anchors, form.kind, Some(product));
        let lists = [&slots.intermediates, &slots.roots, &slots.crls];
        let key = lists.iter().fold(start, |key, list| key.list(list.iter().copied())).finish();
        let line = cache.line(&key).unwrap_or_else(|| Arc::new(judge()));
        (key, line)
    })?;
    Ok(Arc::new(Known { chains, labels }))
}

/// Tries all paths and makes the outcome: the first acceptance, otherwise the first that only lacks something,
/// otherwise the best-ranked rejection.
pub(super) fn conclude(form: &Form<'_>, known: &Known, waivers: &Waivers, now: UnixTime) -> Verification {
    let mut missing: Option<Finding> = None;
    let mut best: Option<(Rank, Finding)> = None;
    for path in paths(&known.chains) {
        match steps::check(form, path, waivers, now) {
            Ok(Passed { missing: Some(finding), .. }) => missing = missing.or(Some(finding)),
            Ok(passed) => return accept(form, &known.labels, passed),
            Err(finding) => {
                let rank = rank(form, path);
                if best.as_ref().is_none_or(|(other, _)| rank > *other) {
                    best = Some((rank, finding));
                }
            }
        }
    }
    match missing.or(best.map(|(_, finding)| finding)) {
        Some(finding) => Verification::denied(finding),
        // There is always a path, if only one of which everything is missing.
        None => Verification::denied(Finding::new(cc_core::codes::SNP_CHAIN_MISSING, "no endorsements")),
    }
}

fn accept(form: &Form<'_>, labels: &Labels, passed: Passed<'_>) -> Verification {
    let (Some(product), Some((extensions, window))) = (passed.product, passed.leaf) else {
        return Verification::denied(Finding::new(cc_core::codes::SNP_CHAIN_MISSING, "no leaf was checked"));
    };
    let mut claims = claims::of_report(form, Some(product));
    claims::add_leaf(&mut claims, extensions, product, window);
    let mut floors = Vec::new();
    if let Some(crl) = passed.crl {
        claims::add_crl(&mut claims, crl);
        floors.extend(labels.crl_positions.get(crl.index).map(|position| Floor {
            name: format!("snp.crl.{product}"),
            number: crl.number,
            endorsement: *position,
        }));
    }
    let bound = BoundField { kind: BoundKind::ReportData, bytes: form.report.report_data().to_vec() };
    Verification { outcome: Outcome::Accept(Accepted { claims, bound, waived: passed.waived }), floors }
}

/// Every leaf under every issuer of its product line, in the order supplied; what is absent is left out.
fn paths(chains: &Chains) -> impl Iterator<Item = Path<'_>> {
    let none = Path { chains, line: None, issuer: None, leaf: None, link: None };
    let leaves: Vec<Option<&Leaf>> =
        if chains.leaves.is_empty() { vec![None] } else { chains.leaves.iter().map(Some).collect() };
    leaves.into_iter().flat_map(move |leaf| {
        let index = leaf.map_or(Some(0), |leaf| leaf.line);
        let line = index.and_then(|index| chains.lines.get(index)).map(|(_, line)| line.as_ref());
        let issuers = line.map_or(&[][..], |line| &line.issuers);
        let path = Path { line, leaf, ..none };
        let under_issuers = issuers.iter().enumerate().map(move |(i, issuer)| Path {
            issuer: Some(issuer),
            link: leaf.and_then(|leaf| leaf.links.get(i)),
            ..path
        });
        under_issuers.chain(issuers.is_empty().then_some(path))
    })
}

/// How well a path fits the report: kind of leaf, product line, processor, and whether its issuer signed it.
type Rank = (bool, bool, bool, bool);

fn rank(form: &Form<'_>, path: Path<'_>) -> Rank {
    let Some(leaf) = path.leaf else { return Rank::default() };
    let line = path.line.map(|line| line.product);
    let same_chip = leaf.extensions.as_ref().is_ok_and(|extensions| match &extensions.owner {
        Owner::Chip(hwid) => form.report.chip_id().starts_with(hwid),
        Owner::Provider(_) => false,
    });
    (
        leaf.kind == Some(form.kind),
        line.is_some() && leaf.product == line,
        same_chip,
        path.link.is_some_and(Result::is_ok),
    )
}
