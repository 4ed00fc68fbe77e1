//! The committed test keys of the synthetic NVIDIA's devices (`keys/gpu-*.p8`), all P-384.

use crate::snp::SignKey;
use crate::snp::keys::key;

pub use crate::snp::keys::stranger_p384 as stranger;

/// The root of device identities.
pub fn root() -> &'static SignKey {
    key!(SignKey::p384, "gpu-root.p8")
}

/// The authority of a model.
pub fn model() -> &'static SignKey {
    key!(SignKey::p384, "gpu-model.p8")
}

/// The authority of a production line.
pub fn provisioner() -> &'static SignKey {
    key!(SignKey::p384, "gpu-provisioner.p8")
}

/// The identity of a device.
pub fn device() -> &'static SignKey {
    key!(SignKey::p384, "gpu-device.p8")
}

/// The attestation key of a device.
pub fn leaf() -> &'static SignKey {
    key!(SignKey::p384, "gpu-leaf.p8")
}
