//! Claims of devices that the service found good, named as those of devices that are verified locally.

use cc_core::Claims;
use cc_core::gpu::DeviceClass;

use super::device::Good;

/// Claims of all devices.
pub(super) fn of(nonce: &[u8; 32], iss: &str, class: DeviceClass, devices: &[Good]) -> Claims {
    let count = u64::try_from(devices.len()).unwrap_or(u64::MAX);
    let (gpus, switches) = match class {
        DeviceClass::Gpu => (count, 0),
        DeviceClass::Switch => (0, count),
    };
    let devices: Vec<_> = devices.iter().map(|device| of_device(class, device)).collect();
    let mut claims = Claims::new();
    claims.insert("devices", devices);
    claims.insert("gpu_count", gpus);
    claims.insert_bytes("nonce", nonce);
    claims.insert("nras_issuer", iss);
    claims.insert("switch_count", switches);
    claims
}

fn of_device(class: DeviceClass, device: &Good) -> Claims {
    let mut claims = Claims::new();
    claims.insert("arch", device.arch);
    let class = match class {
        DeviceClass::Gpu => "gpu",
        DeviceClass::Switch => "switch",
    };
    claims.insert("class", class);
    if let Some(version) = &device.driver_version {
        claims.insert("driver_version", version.as_str());
    }
    claims.insert("hwmodel", device.model.as_str());
    claims.insert_bytes("ueid", &device.ueid);
    claims.insert("vbios_version", device.vbios_version.as_str());
    claims
}
