//! Trust anchors: NVIDIA's roots of device identities and of reference manifests.

use aws_lc_rs::digest::{Context, Digest, SHA256};
use cc_core::gpu::DeviceClass;
use cc_core::{Finding, codes};

use crate::pki::{Certificate, Curve, EcdsaKey, Window};

/// The four root certificates, compared byte for byte (*verification.md* 0.5, G4, G12).
#[derive(Debug)]
pub struct Anchors {
    gpus: Roots,
    switches: Roots,
    digest: Digest,
}

/// The roots for one class of device.
#[derive(Debug)]
struct Roots {
    device: Result<Anchor, Finding>,
    manifests: Vec<u8>,
}

/// A root of device identities; its self-signature is not verified, being the anchor is what makes it trusted.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) der: Vec<u8>,
    /// The subject's name, all bytes.
    pub(super) subject: Vec<u8>,
    pub(super) window: Window,
    pub(super) key: EcdsaKey,
}

/// Root certificates of a set of anchors, DER.
#[derive(Clone, Copy, Debug)]
pub struct RootCertificates<'a> {
    /// Of the identities of GPUs.
    pub device: &'a [u8],
    /// Of the identities of switches.
    pub switch_device: &'a [u8],
    /// Of the reference manifests of GPUs.
    pub rim: &'a [u8],
    /// Of the reference manifests of switches.
    pub switch_rim: &'a [u8],
}

impl Anchors {
    /// NVIDIA's roots, as they are compiled in; `anchors/nvidia/README.md` has their origin. GPUs and switches have the
    /// same ones.
    pub fn nvidia() -> Self {
        let device = include_bytes!("../../anchors/nvidia/device-identity-ca.der");
        let rim = include_bytes!("../../anchors/nvidia/corim-signing-root-ca.der");
        Self::new(RootCertificates { device, switch_device: device, rim, switch_rim: rim })
    }

    /// Other roots: for tests and for emulated plugins. Whoever calls this says that what they sign is real. Bytes that are
    /// no usable root certificate make an anchor under which everything is rejected.
    pub fn new(roots: RootCertificates<'_>) -> Self {
        let RootCertificates { device, switch_device, rim, switch_rim } = roots;
        let mut digest = Context::new(&SHA256);
        for root in [device, switch_device, rim, switch_rim] {
            digest.update(&u64::try_from(root.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(root);
        }
        Self {
            gpus: Roots { device: Anchor::new(device), manifests: rim.to_vec() },
            switches: Roots { device: Anchor::new(switch_device), manifests: switch_rim.to_vec() },
            digest: digest.finish(),
        }
    }

    const fn roots(&self, class: DeviceClass) -> &Roots {
        match class {
            DeviceClass::Gpu => &self.gpus,
            DeviceClass::Switch => &self.switches,
        }
    }

    /// The root of identities of that class, if it is usable.
    pub(super) fn device(&self, class: DeviceClass) -> Result<&Anchor, Finding> {
        self.roots(class).device.as_ref().map_err(Clone::clone)
    }

    /// The root of reference manifests of that class, DER.
    pub(super) fn manifests(&self, class: DeviceClass) -> &[u8] {
        &self.roots(class).manifests
    }

    /// Stands for the anchors in the keys of a cache.
    pub(super) fn digest(&self) -> &[u8] {
        self.digest.as_ref()
    }
}

impl Anchor {
    fn new(der: &[u8]) -> Result<Self, Finding> {
        let unusable = |error| {
            let detail = format!("the trust anchor cannot be used: {error}");
            Finding::new(codes::GPU_CHAIN_UNTRUSTED_ROOT, detail)
        };
        let certificate = Certificate::parse(der).map_err(unusable)?;
        let key = EcdsaKey::on(Curve::P384, certificate.spki).map_err(unusable)?;
        Ok(Self { der: der.to_vec(), subject: certificate.subject.to_vec(), window: certificate.window, key })
    }
}
