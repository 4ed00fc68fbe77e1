//! The evidence: a list of devices with their reports.

use cc_core::Finding;
use cc_core::gpu::{Device, DeviceClass, common_nonce, decode};

use super::spdm::Report;

/// Reads the list; see [`decode`].
pub(super) fn devices(evidence: &[u8]) -> Result<Vec<Device>, Finding> {
    decode(evidence)
}

/// A list whose reports are well formed (G2) and carry one nonce.
pub(super) struct Evidence<'a> {
    pub(super) devices: &'a [Device],
    /// In the order of the devices.
    pub(super) reports: Vec<Report<'a>>,
    /// The bound field.
    pub(super) nonce: [u8; 32],
}

impl<'a> Evidence<'a> {
    pub(super) fn new(devices: &'a [Device]) -> Result<Self, Finding> {
        let reports = devices.iter().map(|device| Report::new(&device.report)).collect::<Result<_, _>>()?;
        Ok(Self { devices, reports, nonce: common_nonce(devices)? })
    }

    /// How many of the devices are GPUs.
    pub(super) fn gpus(&self) -> usize {
        self.devices.iter().filter(|device| device.class == DeviceClass::Gpu).count()
    }
}
