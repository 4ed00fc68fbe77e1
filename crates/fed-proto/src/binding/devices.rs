//! Evidence of GPUs and switches, chained into the CPU's report (*verification.md* 5.3).

use cc_core::gpu::DeviceClass;
use cc_core::{Finding, codes, gpu};

use crate::crypto::{Digest, sha256};
use crate::tlv::Tlv;

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

impl Device {
    /// What a collector gave, in the order of the envelope. A GPU whose state nobody read, a report that came twice and an
    /// empty list are none of an agent that measured its devices (`plug.contract`).
    pub fn collected(evidence: &[u8]) -> Result<Vec<Self>, Finding> {
        let broken = |text: &str| Finding::new(codes::PLUG_CONTRACT, format!("collected devices: {text}"));
        let mut devices = Vec::new();
        for gpu::Device { class, report, cert_chain, cc_state, .. } in gpu::decode(evidence)? {
            let cc_state = match (class, cc_state) {
                (_, Some(state)) => state,
                (DeviceClass::Switch, None) => [0; 4],
                (DeviceClass::Gpu, None) => {
                    return Err(broken("a GPU without its confidential-computing state"));
                }
            };
            devices.push(Self { class, report, cert_chain, cc_state });
        }
        devices.sort_by_cached_key(|device| sha256(&device.report));
        if !devices.is_sorted_by(|a, b| a.report != b.report) {
            return Err(broken("one report twice"));
        }
        Ok(devices)
    }

    /// The evidence of profile `nv-spdm-1` that devices of an envelope are.
    pub fn evidence(devices: &[Self]) -> Vec<u8> {
        let devices = devices.iter().map(|device| gpu::Device {
            class: device.class,
            report: device.report.clone(),
            cert_chain: device.cert_chain.clone(),
            cc_state: Some(device.cc_state),
            arch: None,
        });
        gpu::encode(&devices.collect::<Vec<_>>())
    }
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
