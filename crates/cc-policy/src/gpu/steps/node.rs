//! How the devices work together: their mode, and whether they are all of one system.

use std::collections::BTreeSet;

use cc_core::codes;

use super::Steps;
use crate::allowed::text_list;
use crate::facts::{show, show_hex};
use crate::gpu::facts::{Class, DeviceFacts};
use crate::gpu::values::{GpuMode, PPCIE_GPUS, Pdi};

impl Steps<'_> {
    /// The flag is signed by each GPU. One that does not say its mode is in none.
    pub(super) fn g18_mode(&mut self) {
        let mode = &self.policy.mode;
        let gpus = || self.facts.devices.iter().filter(|device| !device.is_switch());
        let shown: BTreeSet<_> = gpus().filter_map(|device| device.feature_flag.as_ref().ok()).collect();
        if shown.len() > 1 {
            self.find_devices(codes::GPU_MODE_MIXED, "one mode for all", &mode.source, |device| {
                (!device.is_switch()).then(|| show(&device.feature_flag, |flag| flag))
            });
        }
        self.find_devices(codes::GPU_MODE_MISMATCH, mode.value, &mode.source, |device| {
            let flag = device.feature_flag.as_deref();
            let fine = device.is_switch() || flag == Ok(mode.value.name());
            (!fine).then(|| show(&device.feature_flag, |flag| flag))
        });
        if mode.value == GpuMode::Ppcie {
            self.topology();
        }
    }

    /// Over plain NVLink the guest's secrets pass all devices of the system, so that each must be the guest's: every GPU
    /// sees exactly the switches that show evidence, and every switch exactly the GPUs.
    fn topology(&mut self) {
        let (mode, facts) = (&self.policy.mode, self.facts);
        for (class, name, wanted) in
            [(Class::Gpu, "GPUs", PPCIE_GPUS), (Class::Switch, "switches", mode.value.switches())]
        {
            let of_class =
                || facts.devices.iter().filter(|device| device.is_switch() == (class == Class::Switch));
            let found = of_class().filter_map(|device| device.pdi.ok()).collect::<BTreeSet<_>>().len();
            if found != wanted || of_class().count() != wanted {
                let got =
                    format!("{name}: {}, with different identifiers on NVLink: {found}", of_class().count());
                let want = format!("{name}: {wanted}, each with its own identifier");
                self.find(codes::GPU_PPCIE_TOPOLOGY, got, want, &mode.source);
            }
        }
        let own = |of_switches| {
            let devices = facts.devices.iter().filter(move |device| device.is_switch() == of_switches);
            devices.filter_map(|device| device.pdi.ok()).collect::<BTreeSet<Pdi>>()
        };
        let (gpus, switches) = (own(false), own(true));
        let others = |device: &DeviceFacts| if device.is_switch() { &gpus } else { &switches };
        let want = "every GPU linked to exactly these switches, every switch to exactly these GPUs";
        self.find_devices(codes::GPU_PPCIE_TOPOLOGY, want, &mode.source, |device| {
            let fine = device.neighbours.as_ref().is_ok_and(|neighbours| neighbours == others(device));
            (!fine).then(|| {
                let links =
                    show(&device.neighbours, |neighbours| text_list(neighbours.iter().map(hex::encode)));
                format!("{} linked to {links}", show_hex(&device.pdi))
            })
        });
    }
}
