//! How the devices work together: their mode, and whether they are all of one system.

use std::collections::BTreeSet;

use cc_core::codes;

use super::Steps;
use crate::allowed::text_list;
use crate::facts::show;
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
        let of = |switch: bool| facts.devices.iter().filter(move |device| device.is_switch() == switch);
        let own = |switch| of(switch).filter_map(|device| device.pdi.ok()).collect::<BTreeSet<Pdi>>();
        let (gpus, switches) = (own(false), own(true));
        for (name, count, distinct, wanted) in [
            ("GPUs", of(false).count(), gpus.len(), PPCIE_GPUS),
            ("switches", of(true).count(), switches.len(), mode.value.switches()),
        ] {
            if count != wanted || distinct != wanted {
                let got = format!("{count} {name} with {distinct} different identifiers on NVLink");
                let want = format!("{wanted} {name}, each with its own");
                self.find(codes::GPU_PPCIE_TOPOLOGY, got, want, &mode.source);
            }
        }
        let list = |ids: &BTreeSet<Pdi>| text_list(ids.iter().map(hex::encode));
        let want = format!("each GPU linked to {}, each switch to {}", list(&switches), list(&gpus));
        self.find_devices(codes::GPU_PPCIE_TOPOLOGY, want, &mode.source, |device| {
            let others = if device.is_switch() { &gpus } else { &switches };
            let fine = device.neighbours.as_ref().is_ok_and(|neighbours| neighbours == others);
            (!fine).then(|| format!("linked to {}", show(&device.neighbours, |neighbours| list(&neighbours))))
        });
    }
}
