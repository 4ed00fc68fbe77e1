//! What the endorsements prove, independent of the report and of time: the part of S10 to S14 that can be
//! remembered.
//!
//! Results that deny are kept as findings, to be raised at their step. Spans of validity are kept, to be compared
//! with the time of each verification.

use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::limits::{MAX_CERTIFICATE, MAX_ENDORSEMENT, MAX_LEAF_CANDIDATES};
use cc_core::{Code, Finding, UnixTime, codes};

use super::anchors::{Anchor, Anchors};
use super::cache::Key;
use super::extensions::LeafExtensions;
use super::product::{Kind, Product};
use super::role::Role;
use super::slots::Slots;
use crate::pki::{Certificate, Crl, RsaKey, Window, common_name, is_pss_sha384, p384_key};

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

/// An ASK or ASVK that the root signed.
#[derive(Debug)]
pub(super) struct Issuer {
    subject: Vec<u8>,
    serial: Vec<u8>,
    key: RsaKey,
    pub(super) window: Window,
    /// Whether any authentic list has its serial number.
    pub(super) revoked: bool,
}

/// A revocation list that the root signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Revocations {
    pub(super) this_update: UnixTime,
    pub(super) next_update: Option<UnixTime>,
    /// Big-endian.
    pub(super) number: [u8; 20],
    /// Index in the slot.
    pub(super) index: usize,
}

/// A candidate for the key that signed the report.
#[derive(Debug)]
pub(super) struct Leaf {
    /// By its common name.
    pub(super) kind: Option<Kind>,
    /// By its issuer's common name.
    pub(super) product: Option<Product>,
    /// Index of its product line.
    pub(super) line: Option<usize>,
    /// S11 without its issuer.
    pub(super) judged: Result<LeafKey, Finding>,
    /// S11: the signature, for each issuer of the line.
    pub(super) links: Vec<Result<(), Finding>>,
    /// S14.
    pub(super) extensions: Result<LeafExtensions, Finding>,
}

/// The key of a leaf and when it may be used.
#[derive(Debug)]
pub(super) struct LeafKey {
    pub(super) key: ParsedPublicKey,
    pub(super) window: Window,
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
        within_limits(slots)?;
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

/// Sizes and numbers, before anything is parsed.
fn within_limits(slots: &Slots<'_>) -> Result<(), Finding> {
    let exceeded = |detail: String| Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
    for (what, count) in
        [("leaf candidates", slots.leaves.len()), ("intermediates", slots.intermediates.len())]
    {
        let limit = if what == "leaf candidates" { MAX_LEAF_CANDIDATES } else { MAX_INTERMEDIATES };
        if count > limit {
            return exceeded(format!("{count} {what}, the limit is {limit}"));
        }
    }
    let certificates = slots.leaves.iter().chain(&slots.intermediates).chain(&slots.roots);
    if let Some(large) = certificates.map(|der| der.len()).find(|length| *length > MAX_CERTIFICATE) {
        return exceeded(format!("certificate of {large} bytes, the limit is {MAX_CERTIFICATE}"));
    }
    match slots.crls.iter().map(|der| der.len()).find(|length| *length > MAX_ENDORSEMENT) {
        Some(large) => exceeded(format!("revocation list of {large} bytes, the limit is {MAX_ENDORSEMENT}")),
        None => Ok(()),
    }
}

/// Most intermediates: two for each product line, and as many again for renewals.
const MAX_INTERMEDIATES: usize = 12;

/// The product line of a version 2 report for which no leaf is at hand, as far as other endorsements tell.
fn product_without_leaf(slots: &Slots<'_>, anchors: &Anchors, kind: Kind) -> Option<Product> {
    let by_issuer = slots.intermediates.iter().find_map(|der| match role(der) {
        Some(Role::Issuer(of, product)) if of == kind => Some(product),
        _ => None,
    });
    let by_root = || PRODUCTS_OF_VERSION_2.into_iter().find(|p| anchors.is_among(&slots.roots, *p));
    by_issuer.or_else(by_root).filter(|product| PRODUCTS_OF_VERSION_2.contains(product))
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

fn finding(code: Code, whose: &str, what: impl std::fmt::Display) -> Finding {
    Finding::new(code, format!("{whose}: {what}"))
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

impl Issuer {
    /// Judges an intermediate. `None` when by its name it belongs to another product line or kind of leaf.
    fn judge(der: &[u8], anchor: &Anchor, kind: Kind, product: Product) -> Result<Option<Self>, Finding> {
        let whose = format!("{} of {product}", kind.issuer_name());
        let role = |what: &dyn std::fmt::Display| finding(codes::SNP_CHAIN_ROLE, &whose, what);
        let certificate = Certificate::parse(der).map_err(|error| role(&error))?;
        let name = common_name(certificate.subject).map_err(|error| role(&error))?;
        match Role::of(name) {
            Some(named) if named == Role::Issuer(kind, product) => {}
            Some(_) => return Ok(None),
            None => return Err(role(&"its common name has no role in the chain")),
        }
        if !certificate.is_v3 {
            return Err(role(&"not an X.509 v3 certificate"));
        }
        certificate.judge_issuer_of_leaves().map_err(|what| role(&what))?;
        let key = RsaKey::of(certificate.spki)
            .map_err(|_| finding(codes::SNP_CHAIN_ALGORITHM, &whose, "its key is not RSA of 4096 bits"))?;
        judge_link(&certificate, &anchor.subject, &anchor.key, &whose)?;
        Ok(Some(Self {
            subject: certificate.subject.to_vec(),
            serial: certificate.serial.to_vec(),
            key,
            window: certificate.window,
            revoked: false,
        }))
    }
}

/// Algorithm, issuer name and signature of a certificate (S11).
fn judge_link(
    certificate: &Certificate<'_>,
    issuer_name: &[u8],
    issuer_key: &RsaKey,
    whose: &str,
) -> Result<(), Finding> {
    if certificate.inner_algorithm != certificate.outer_algorithm
        || !is_pss_sha384(certificate.outer_algorithm)
    {
        let what = "not signed with RSASSA-PSS, SHA-384 and a salt of 48 bytes";
        return Err(finding(codes::SNP_CHAIN_ALGORITHM, whose, what));
    }
    if certificate.issuer != issuer_name {
        return Err(finding(codes::SNP_CHAIN_ROLE, whose, "its issuer is not the certificate above it"));
    }
    if !issuer_key.verifies(certificate.tbs, certificate.signature) {
        let what = "its signature does not verify with the key of the certificate above it";
        return Err(finding(codes::SNP_CHAIN_SIGNATURE, whose, what));
    }
    Ok(())
}

impl Revocations {
    /// Judges a revocation list and marks the issuers that it revokes. `None` when neither the root nor an issuer
    /// claims to have made it.
    fn judge(
        der: &[u8],
        index: usize,
        anchor: &Anchor,
        issuers: &mut [Result<Issuer, Finding>],
    ) -> Result<Option<Self>, Finding> {
        let refuse =
            |what: &dyn std::fmt::Display| finding(codes::SNP_CRL_SIGNATURE, "revocation list", what);
        let crl = Crl::parse(der).map_err(|error| refuse(&error))?;
        let from_root = crl.issuer == anchor.subject;
        if !from_root && issuers.iter().flatten().all(|issuer| issuer.subject != crl.issuer) {
            return Ok(None);
        }
        if crl.inner_algorithm != crl.outer_algorithm || !is_pss_sha384(crl.outer_algorithm) {
            return Err(refuse(&"not signed with RSASSA-PSS, SHA-384 and a salt of 48 bytes"));
        }
        if !from_root || !anchor.key.verifies(crl.tbs, crl.signature) {
            return Err(refuse(&"not signed by the root of the product line"));
        }
        crl.judge_extensions().map_err(|what| refuse(&what))?;
        let number = crl.number().ok_or_else(|| refuse(&"no number of at most 20 bytes"))?;
        for issuer in issuers.iter_mut().flatten() {
            issuer.revoked |= crl.revokes(&issuer.serial);
        }
        Ok(Some(Self { this_update: crl.this_update, next_update: crl.next_update, number, index }))
    }
}

/// A leaf candidate before it is judged: its certificate and its names.
struct Candidate<'a> {
    certificate: Result<Certificate<'a>, Finding>,
    role: Option<Role>,
    issuer_role: Option<Role>,
}

impl<'a> Candidate<'a> {
    fn read(der: &'a [u8]) -> Self {
        match Certificate::parse(der) {
            Ok(certificate) => Self {
                role: common_name(certificate.subject).ok().and_then(Role::of),
                issuer_role: common_name(certificate.issuer).ok().and_then(Role::of),
                certificate: Ok(certificate),
            },
            Err(error) => Self {
                certificate: Err(finding(codes::SNP_CHAIN_ROLE, "leaf", error)),
                role: None,
                issuer_role: None,
            },
        }
    }

    fn kind(&self) -> Option<Kind> {
        match self.role {
            Some(Role::Leaf(kind)) => Some(kind),
            _ => None,
        }
    }

    fn product(&self) -> Option<Product> {
        match self.issuer_role {
            Some(Role::Issuer(_, product)) => Some(product),
            _ => None,
        }
    }

    fn product_of_version_2(&self) -> Option<Product> {
        self.product().filter(|product| PRODUCTS_OF_VERSION_2.contains(product))
    }

    fn judge(&self, kind: Kind, product: Option<Product>, lines: &[(Key, Arc<Line>)]) -> Leaf {
        let product = product.or(self.product());
        let line = lines.iter().position(|(_, line)| Some(line.product) == product);
        let issuers = line.and_then(|i| lines.get(i)).map_or(&[][..], |(_, line)| &line.issuers);
        let unreadable = || finding(codes::SNP_CHAIN_ROLE, "leaf", "its names have no role in the chain");
        let (links, extensions) = match (&self.certificate, self.kind(), product) {
            (Ok(certificate), Some(kind), Some(product)) => (
                issuers.iter().map(|issuer| link(certificate, issuer)).collect(),
                LeafExtensions::read(&certificate.extensions, kind, product),
            ),
            _ => (issuers.iter().map(|_| Err(unreadable())).collect(), Err(unreadable())),
        };
        Leaf {
            kind: self.kind(),
            product: self.product(),
            line,
            judged: self.judge_alone(kind, line.is_some()),
            links,
            extensions,
        }
    }

    /// S11 as far as it needs no issuer.
    fn judge_alone(&self, kind: Kind, has_line: bool) -> Result<LeafKey, Finding> {
        let certificate = self.certificate.as_ref().map_err(Clone::clone)?;
        let role = |what: &str| finding(codes::SNP_CHAIN_ROLE, "leaf", what);
        let own = self.kind().ok_or_else(|| role("its common name is neither SEV-VCEK nor SEV-VLEK"))?;
        match self.issuer_role {
            Some(Role::Issuer(issues, _)) if issues == own => {}
            _ => return Err(role("its issuer by name is not an authority for leaves of its kind")),
        }
        if !certificate.is_v3 {
            return Err(role("not an X.509 v3 certificate"));
        }
        certificate.judge_end_entity().map_err(role)?;
        if own != kind {
            let detail = format!("the leaf is a {own}, the report is signed by a {kind}");
            return Err(Finding::new(codes::SNP_CHAIN_KIND_MISMATCH, detail));
        }
        if !has_line {
            let detail = "a report of version 2 with a leaf of a product line that never made such reports";
            return Err(Finding::new(codes::SNP_PRODUCT_MISMATCH, detail));
        }
        let key = p384_key(certificate.spki)
            .map_err(|_| finding(codes::SNP_CHAIN_ALGORITHM, "leaf", "its key is not on P-384"))?;
        Ok(LeafKey { key, window: certificate.window })
    }
}

/// S11: whether the issuer signed the leaf. Of no account when the issuer itself is no good.
fn link(certificate: &Certificate<'_>, issuer: &Result<Issuer, Finding>) -> Result<(), Finding> {
    match issuer {
        Ok(issuer) => judge_link(certificate, &issuer.subject, &issuer.key, "leaf"),
        Err(finding) => Err(finding.clone()),
    }
}
