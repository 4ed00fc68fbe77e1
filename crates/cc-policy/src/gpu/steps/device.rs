//! Which devices: how many, which ones, of what architecture.

use cc_core::codes;

use super::Steps;
use crate::allowed::{Allowed, text_list};
use crate::facts::show;
use crate::gpu::facts::{Class, DeviceFacts};
use crate::gpu::values::Arch;

impl Steps<'_> {
    /// Switches are counted with the mode that needs them.
    pub(super) fn g1_devices(&mut self) {
        let (found, count) = (self.facts.count(Class::Gpu), &self.policy.gpu_count);
        if found != Ok(count.value) {
            let got = format!("GPUs: {}", show(&found, |found| found));
            self.find(codes::GPU_DEVICES_COUNT, got, format!("GPUs: {}", count.value), &count.source);
        }
        let (allowed, denied) = (&self.policy.device_allowlist, &self.policy.device_denylist);
        let shown = |device: &DeviceFacts| show(&device.ueid, |ueid| ueid);
        if !denied.value.is_empty() {
            let want = "devices that are not on the deny list";
            self.find_devices(codes::GPU_DEVICE_DENIED, want, &denied.source, |device| {
                let on = device.ueid.as_ref().is_ok_and(|ueid| !denied.value.contains(ueid));
                (!on).then(|| shown(device))
            });
        }
        if let Allowed::Only(list) = &allowed.value {
            let want = "devices on the allow list";
            self.find_devices(codes::GPU_DEVICE_DENIED, want, &allowed.source, |device| {
                let on = device.ueid.as_ref().is_ok_and(|ueid| list.contains(ueid));
                (!on).then(|| shown(device))
            });
        }
    }

    pub(super) fn g3_architecture(&mut self) {
        let (archs, mode) = (&self.policy.archs, &self.policy.mode);
        let want = format!("GPUs of {}", text_list(&archs.value));
        self.find_devices(codes::GPU_ARCH_NOT_ALLOWED, want, &archs.source, |device| {
            let fine = device.is_switch() || device.arch.is_ok_and(|arch| archs.value.contains(&arch));
            (!fine).then(|| show(&device.arch, |arch| arch))
        });
        let (permits, want) = match mode.value.switches() {
            0 => (false, format!("no switch in mode {}", mode.value)),
            _ => (true, format!("switches of {}", Arch::Ls10)),
        };
        self.find_devices(codes::GPU_ARCH_NOT_ALLOWED, want, &mode.source, |device| {
            let fine = !device.is_switch() || (permits && device.arch == Ok(Arch::Ls10));
            (!fine).then(|| format!("a switch of {}", show(&device.arch, |arch| arch)))
        });
    }
}
