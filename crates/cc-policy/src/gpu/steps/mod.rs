//! The appraisal steps of *verification.md* 3.2 in their order. G7 and G20 (nonce and binding) are the host's, not here;
//! what *decisions.md* 6 gives to verification is not judged again.
//!
//! A step has one finding for all devices that differ.

mod device;
mod firmware;
mod node;
mod state;

use std::fmt::Display;

use cc_core::Code;

use super::facts::{DeviceFacts, Facts};
use super::policy::{GpuPolicy, waivable};
use crate::Finding;
use crate::allowed::text_list;
use crate::steps::Subject;

type Steps<'a> = crate::steps::Steps<'a, Facts, GpuPolicy>;

/// Takes every step.
pub(crate) fn appraise(subject: Subject<'_>, policy: &GpuPolicy) -> Vec<Finding> {
    let facts = Facts::read(subject.claims);
    let mut steps = Steps::new(&facts, policy);
    steps.g1_devices();
    steps.g3_architecture();
    steps.g5_firmware_identity();
    // G8, G12: what was not waived was judged by verification.
    steps.used_waivers(subject.waived, &waivable(policy));
    steps.service();
    steps.g10_versions();
    steps.g17_unreferenced(subject.waived);
    steps.g18_mode();
    steps.g19_state();
    steps.findings
}

impl Steps<'_> {
    /// Reports the devices for which `fault` has a text.
    fn find_devices(
        &mut self,
        code: Code,
        want: impl Display,
        source: &str,
        fault: impl Fn(&DeviceFacts) -> Option<String>,
    ) {
        let faults = self
            .facts
            .numbered()
            .filter_map(|(number, device)| fault(device).map(|fault| format!("device {number}: {fault}")));
        let faults: Vec<_> = faults.collect();
        if !faults.is_empty() {
            self.find(code, text_list(faults), want, source);
        }
    }
}
