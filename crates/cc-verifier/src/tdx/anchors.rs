//! Trust anchor: the root certificate of Intel's provisioning certification.

use aws_lc_rs::digest::{Digest, SHA256, digest};
use cc_core::{Finding, codes};

use crate::pki::{Certificate, Curve, EcdsaKey, Window};

/// The one root certificate, compared byte for byte (*verification.md* 0.5, T4).
#[derive(Debug)]
pub struct Anchors {
    root: Result<Anchor, Finding>,
    digest: Digest,
}

/// A root certificate; its self-signature is not verified, being the anchor is what makes it trusted.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) der: Vec<u8>,
    /// The subject's name, all bytes.
    pub(super) subject: Vec<u8>,
    pub(super) window: Window,
    pub(super) key: EcdsaKey,
}

impl Anchors {
    /// Intel's SGX Root CA, as it is compiled in; `anchors/intel/README.md` has its origin.
    pub fn intel() -> Self {
        Self::new(include_bytes!("../../anchors/intel/sgx-root-ca.der"))
    }

    /// Another root, DER: for tests and for emulated plugins. Whoever calls this says that what it signs is real.
    /// Bytes that are no usable root certificate make an anchor under which every quote is rejected.
    pub fn new(root: &[u8]) -> Self {
        Self { root: Anchor::new(root), digest: digest(&SHA256, root) }
    }

    /// The root, if it is usable.
    pub(super) fn root(&self) -> Result<&Anchor, Finding> {
        self.root.as_ref().map_err(Clone::clone)
    }

    /// Stands for the anchor in the keys of a cache.
    pub(super) fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

impl Anchor {
    fn new(der: &[u8]) -> Result<Self, Finding> {
        let unusable = |error| {
            let detail = format!("the trust anchor cannot be used: {error}");
            Finding::new(codes::TDX_PCK_CHAIN_UNTRUSTED_ROOT, detail)
        };
        let certificate = Certificate::parse(der).map_err(unusable)?;
        let key = EcdsaKey::on(Curve::P256, certificate.spki).map_err(unusable)?;
        Ok(Self { der: der.to_vec(), subject: certificate.subject.to_vec(), window: certificate.window, key })
    }
}
