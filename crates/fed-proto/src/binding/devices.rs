//! Evidence of GPUs and switches, chained into the CPU's report (*verification.md* 5.3).

use crate::crypto::{Digest, sha256};
use crate::tlv::Tlv;

/// What kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceClass {
    /// 1.
    Gpu,
    /// 2.
    Switch,
}

impl DeviceClass {
    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        match self {
            Self::Gpu => 1,
            Self::Switch => 2,
        }
    }

    /// The class with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Gpu),
            2 => Some(Self::Switch),
            _ => None,
        }
    }
}

/// The evidence of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it is.
    pub class: DeviceClass,
    /// Its report, as received from the driver.
    pub report: Vec<u8>,
    /// Its certificate chain, as received from the driver.
    pub cert_chain: Vec<u8>,
    /// Environment, ccFeature, devToolsMode, multiGpuMode as NVML has them; zero for a switch.
    pub cc_state: [u8; 4],
}

/// Tag 16: digest over all devices in ascending order of their reports' SHA-256; nothing where there are none.
pub fn devices_digest(devices: &[Device]) -> Option<Digest> {
    if devices.is_empty() {
        return None;
    }
    let mut sorted: Vec<&Device> = devices.iter().collect();
    sorted.sort_by_key(|device| sha256(&device.report));
    let count = u32::try_from(sorted.len()).unwrap_or(u32::MAX);
    let all = sorted.into_iter().fold(Tlv::new(b"MUSTER-DEVICES\0").count(count), |tlv, device| {
        tlv.field(1, &[device.class.number()])
            .field(2, &device.report)
            .field(3, &device.cert_chain)
            .field(4, &device.cc_state)
    });
    Some(all.sha256())
}
