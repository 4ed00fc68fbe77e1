//! What runs on a device: its firmware's identity, driver, VBIOS, and measurements that nothing is known of.

use cc_core::{Code, codes};

use super::Steps;
use crate::allowed::text_list;
use crate::facts::{Missing, show};
use crate::gpu::facts::DeviceFacts;

impl Steps<'_> {
    /// Reports of switches have none.
    pub(super) fn g5_firmware_identity(&mut self) {
        let required = &self.policy.require_fwid;
        if !required.value {
            return;
        }
        let want = "a firmware identity in the report";
        self.find_devices(codes::GPU_FWID_MISSING, want, &required.source, |device| {
            device.fwid.err().filter(|_| !device.is_switch()).map(|missing| missing.to_string())
        });
    }

    pub(super) fn g10_versions(&mut self) {
        self.driver();
        self.vbios();
    }

    /// Switches have firmware of their own and no driver in their reports.
    fn driver(&mut self) {
        let (least, denied) = (&self.policy.min_driver, &self.policy.denied_drivers);
        let shown = |device: &DeviceFacts| show(&device.driver_version, |version| version);
        let want = format!("at least {}", least.value);
        self.find_devices(codes::GPU_DRIVER_BELOW_MINIMUM, want, &least.source, |device| {
            let version = device.driver_version.as_ref();
            let fine = device.is_switch() || version.is_ok_and(|version| *version >= least.value);
            (!fine).then(|| shown(device))
        });
        if denied.value.is_empty() {
            return;
        }
        let want = format!("none of {}", text_list(&denied.value));
        self.find_devices(codes::GPU_DRIVER_DENIED, want, &denied.source, |device| {
            let version = device.driver_version.as_ref();
            let fine = device.is_switch() || version.is_ok_and(|version| !denied.value.contains(version));
            (!fine).then(|| shown(device))
        });
    }

    /// Each device is held to its architecture's floor; one whose architecture has none is below it.
    fn vbios(&mut self) {
        let (floors, denied) = (&self.policy.min_vbios, &self.policy.denied_vbios);
        let shown = |device: &DeviceFacts| show(&device.vbios_version, |version| version);
        let listed = floors.value.iter().map(|(arch, floor)| format!("{} for {arch}", floor.value));
        let want = format!("at least {}", text_list(listed));
        self.find_devices(codes::GPU_VBIOS_BELOW_MINIMUM, want, &floors.source, |device| {
            let floor = device.arch.ok().and_then(|arch| floors.value.get(&arch));
            let fine = floor.is_some_and(|floor| device.vbios_version.is_ok_and(|v| v >= floor.value));
            (!fine).then(|| format!("{} of {}", shown(device), show(&device.arch, |arch| arch)))
        });
        if denied.value.is_empty() {
            return;
        }
        let want = format!("none of {}", text_list(&denied.value));
        self.find_devices(codes::GPU_VBIOS_DENIED, want, &denied.source, |device| {
            let fine = device.vbios_version.is_ok_and(|version| !denied.value.contains(&version));
            (!fine).then(|| shown(device))
        });
    }

    /// An attestation service that judged anything must be permitted, whatever it said.
    pub(super) fn service(&mut self) {
        let allowed = &self.policy.allow_nras;
        let nobody = self.facts.nras == Err(Missing::Absent);
        let served = |device: &DeviceFacts| device.served;
        if allowed.value || (nobody && !self.facts.devices.iter().any(served)) {
            return;
        }
        let got = format!("verified by {}", show(&self.facts.nras, |issuer| issuer));
        self.find(codes::NRAS_NOT_ALLOWED, got, "devices that are verified locally", &allowed.source);
    }

    /// Where manifests were waived, or a permitted service compared with them, nothing is said of what they lack.
    pub(super) fn g17_unreferenced(&mut self, waived: &[Code]) {
        let allowed = &self.policy.allowed_unreferenced;
        let skipped = waived.contains(&codes::GPU_RIM_NOT_FOUND);
        let listed = |index: &&u64| !u8::try_from(**index).is_ok_and(|index| allowed.value.contains(&index));
        let want = format!("only measurements of [{}] without a reference value", text_list(&allowed.value));
        self.find_devices(codes::GPU_MEASUREMENT_UNREFERENCED, want, &allowed.source, |device| {
            let by_service = device.served && self.facts.nras.is_ok() && self.policy.allow_nras.value;
            if by_service || (skipped && !device.compared) {
                return None;
            }
            match &device.unreferenced {
                Err(missing) => Some(missing.to_string()),
                Ok(indices) => {
                    let others: Vec<_> = indices.iter().filter(listed).collect();
                    (!others.is_empty()).then(|| format!("measurements {}", text_list(others)))
                }
            }
        });
    }
}
