//! Steps S11 and S14 for leaf candidates, as far as they depend neither on time nor on the report.

use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use cc_core::{Finding, codes};

use super::chain::{Line, PRODUCTS_OF_VERSION_2};
use super::extensions::LeafExtensions;
use super::issuer::{Issuer, finding, judge_link};
use super::product::{Kind, Product};
use super::role::Role;
use crate::memory::Key;
use crate::pki::{Certificate, Window, common_name, p384_key};

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

/// A leaf candidate before it is judged: its certificate and its names.
pub(super) struct Candidate<'a> {
    certificate: Result<Certificate<'a>, Finding>,
    role: Option<Role>,
    issuer_role: Option<Role>,
}

impl<'a> Candidate<'a> {
    pub(super) fn read(der: &'a [u8]) -> Self {
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

    pub(super) fn product_of_version_2(&self) -> Option<Product> {
        self.product().filter(|product| PRODUCTS_OF_VERSION_2.contains(product))
    }

    pub(super) fn judge(&self, kind: Kind, product: Option<Product>, lines: &[(Key, Arc<Line>)]) -> Leaf {
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
            judged: self.judge_alone(kind),
            links,
            extensions,
        }
    }

    /// S11 as far as it needs no issuer.
    fn judge_alone(&self, kind: Kind) -> Result<LeafKey, Finding> {
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
