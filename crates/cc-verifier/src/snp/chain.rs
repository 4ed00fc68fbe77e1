//! What the endorsements prove, independent of the report and of time: the part of S10 to S14 that can be
//! remembered.
//!
//! Results that deny are kept as findings, to be raised at their step. Spans of validity are kept, to be compared
//! with the time of each verification.

use std::sync::Arc;

use cc_core::{Finding, codes};

use super::anchors::Anchors;
use super::issuer::{Issuer, Revocations};
use super::leaf::{Candidate, Leaf};
use super::product::{Kind, Product};
use super::role::Role;
use super::slots::Slots;
use crate::memory::Key;
use crate::pki::{Certificate, Window, common_name};

/// The endorsements, judged for reports of one kind of key and one product line (or of version 2).
#[derive(Debug)]
pub(super) struct Chains {
    /// The product lines that leaves belong to; only version 2 can have more than one, or none.
    pub(super) lines: Vec<(Key, Arc<Line>)>,
    /// The candidates, in the order supplied.
    pub(super) leaves: Vec<Leaf>,
    /// S10 for the case that no product line is known.
    pub(super) root_without_line: Result<(), Finding>,
}

/// Everything above the leaf, of one product line, for one kind of key.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) product: Product,
    /// S10, and when the root is valid.
    pub(super) root: Result<Window, Finding>,
    /// S11: the intermediates which have the right role, in the order supplied.
    pub(super) issuers: Vec<Result<Issuer, Finding>>,
    /// S13: the relevant revocation lists.
    pub(super) crls: Vec<Result<Revocations, Finding>>,
}

impl Chains {
    /// Judges the endorsements for reports signed by a key of `kind`, of the product line `product` (`None` for
    /// reports of version 2). Lines come from `remembered` where it has them.
    pub(super) fn judge(
        slots: &Slots<'_>,
        anchors: &Anchors,
        kind: Kind,
        product: Option<Product>,
        mut remembered: impl FnMut(Product, &dyn Fn() -> Line) -> (Key, Arc<Line>),
    ) -> Result<Self, Finding> {
        slots.within_limits()?;
        let parsed: Vec<_> = slots.leaves.iter().map(|der| Candidate::read(der)).collect();
        let mut products: Vec<Product> = match product {
            Some(product) => vec![product],
            None => parsed.iter().filter_map(Candidate::product_of_version_2).collect(),
        };
        products.sort_unstable();
        products.dedup();
        if parsed.is_empty() && product.is_none() {
            products.extend(product_without_leaf(slots, anchors, kind));
        }
        let lines: Vec<_> = products
            .iter()
            .map(|product| remembered(*product, &|| Line::judge(slots, anchors, kind, *product)))
            .collect();
        let leaves = parsed.iter().map(|candidate| candidate.judge(kind, product, &lines)).collect();
        Ok(Self { lines, leaves, root_without_line: root_of_any(slots, anchors) })
    }
}

/// The product line of a version 2 report for which no leaf is at hand, if the intermediates, or else the roots,
/// are of one only.
fn product_without_leaf(slots: &Slots<'_>, anchors: &Anchors, kind: Kind) -> Option<Product> {
    let roles: Vec<_> = slots.intermediates.iter().filter_map(|der| role(der)).collect();
    let by_issuer = |product: &Product| roles.contains(&Role::Issuer(kind, *product));
    let by_root = |product: &Product| anchors.is_among(&slots.roots, *product);
    only_one(by_issuer).or_else(|| only_one(by_root))
}

fn only_one(told: impl Fn(&Product) -> bool) -> Option<Product> {
    let mut told = PRODUCTS_OF_VERSION_2.into_iter().filter(told);
    told.next().filter(|_| told.next().is_none())
}

/// The product lines whose firmware makes reports of version 2, all with the older TCB layout.
pub(super) const PRODUCTS_OF_VERSION_2: [Product; 2] = [Product::Milan, Product::Genoa];

fn role(der: &[u8]) -> Option<Role> {
    common_name(Certificate::parse(der).ok()?.subject).ok().and_then(Role::of)
}

fn root_of_any(slots: &Slots<'_>, anchors: &Anchors) -> Result<(), Finding> {
    let any = PRODUCTS_OF_VERSION_2.into_iter().any(|product| anchors.is_among(&slots.roots, product));
    if slots.roots.is_empty() || any { Ok(()) } else { Err(untrusted_root("Milan or Genoa")) }
}

fn untrusted_root(product: &str) -> Finding {
    let detail = format!("none of the root certificates supplied is the trust anchor of {product}");
    Finding::new(codes::SNP_CHAIN_UNTRUSTED_ROOT, detail)
}

impl Line {
    fn judge(slots: &Slots<'_>, anchors: &Anchors, kind: Kind, product: Product) -> Self {
        let anchor = match anchors.of(product) {
            Ok(anchor) => anchor,
            Err(unusable) => {
                return Self { product, root: Err(unusable.clone()), issuers: Vec::new(), crls: Vec::new() };
            }
        };
        let trusted = slots.roots.is_empty() || anchors.is_among(&slots.roots, product);
        let root = if trusted { Ok(anchor.window) } else { Err(untrusted_root(product.name())) };
        let issuers = slots
            .intermediates
            .iter()
            .filter_map(|der| Issuer::judge(der, anchor, kind, product).transpose());
        let mut issuers: Vec<_> = issuers.collect();
        let crls = slots.crls.iter().enumerate();
        let crls = crls
            .filter_map(|(index, der)| Revocations::judge(der, index, anchor, &mut issuers).transpose())
            .collect();
        Self { product, root, issuers, crls }
    }
}
