//! Trust anchors: the root certificate (ARK) of each product line.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use cc_core::{Finding, codes};

use super::product::Product;
use crate::pki::{Certificate, RsaKey, Window};

/// One root certificate for each product line, compared byte for byte (*decisions.md* 9).
#[derive(Debug)]
pub struct Anchors {
    milan: Result<Anchor, Finding>,
    genoa: Result<Anchor, Finding>,
    turin: Result<Anchor, Finding>,
    digest: Digest,
}

/// A root certificate; its self-signature is not verified, being the anchor is what makes it trusted.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) der: Vec<u8>,
    /// The subject's name, all bytes.
    pub(super) subject: Vec<u8>,
    pub(super) window: Window,
    pub(super) key: RsaKey,
}

impl Anchors {
    /// AMD's roots, as they are compiled in; `anchors/amd/README.md` has their origin.
    pub fn amd() -> Self {
        Self::new(
            include_bytes!("../../anchors/amd/ark-milan.der"),
            include_bytes!("../../anchors/amd/ark-genoa.der"),
            include_bytes!("../../anchors/amd/ark-turin.der"),
        )
    }

    /// Other roots, DER: for tests and for emulated plugins. Whoever calls this says that what they sign is real.
    /// Bytes that are no usable root certificate leave their product line without an anchor: all its reports are
    /// rejected.
    pub fn new(milan: &[u8], genoa: &[u8], turin: &[u8]) -> Self {
        let digests = [milan, genoa, turin].map(|der| digest(&SHA256, der));
        let digests = digests.each_ref().map(AsRef::as_ref);
        Self {
            milan: Anchor::new(milan, Product::Milan),
            genoa: Anchor::new(genoa, Product::Genoa),
            turin: Anchor::new(turin, Product::Turin),
            digest: digest(&SHA256, &digests.concat()),
        }
    }

    /// The anchor of a product line.
    pub(super) const fn of(&self, product: Product) -> &Result<Anchor, Finding> {
        match product {
            Product::Milan => &self.milan,
            Product::Genoa => &self.genoa,
            Product::Turin => &self.turin,
        }
    }

    /// Whether one of `roots` is the anchor of a product line.
    pub(super) fn is_among(&self, roots: &[&[u8]], product: Product) -> bool {
        self.of(product).as_ref().is_ok_and(|anchor| roots.contains(&anchor.der.as_slice()))
    }

    /// Stands for all anchors in the keys of a cache.
    pub(super) fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

impl Anchor {
    fn new(der: &[u8], product: Product) -> Result<Self, Finding> {
        let unusable = |error| {
            let detail = format!("the trust anchor of {product} cannot be used: {error}");
            Finding::new(codes::SNP_CHAIN_UNTRUSTED_ROOT, detail)
        };
        let certificate = Certificate::parse(der).map_err(unusable)?;
        let key = RsaKey::of(certificate.spki).map_err(unusable)?;
        Ok(Self { der: der.to_vec(), subject: certificate.subject.to_vec(), window: certificate.window, key })
    }
}
