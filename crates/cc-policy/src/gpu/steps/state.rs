//! What the driver in the guest says of confidential computing. No report says it: measured software read it where it
//! drives the device, and the guest's own evidence commits to it (*verification.md* 3.2, G19).

use cc_core::{Code, codes};

use super::Steps;
use crate::facts::{Fact, show};
use crate::gpu::facts::CcState;

/// `NVML_CC_SYSTEM_FEATURE_ENABLED`.
const ENABLED: u64 = 1;
/// `NVML_CC_SYSTEM_DEVTOOLS_MODE_OFF`.
const DEVTOOLS_OFF: u64 = 0;
/// `NVML_CC_SYSTEM_ENVIRONMENT_PROD`.
const PRODUCTION: u64 = 2;

impl Steps<'_> {
    /// A state that is there must be right, also where none is required. Switches have none.
    pub(super) fn g19_state(&mut self) {
        let (required, mode) = (&self.policy.require_cc_state.source, &self.policy.mode);
        self.state(codes::GPU_CC_DISABLED, "cc_feature", |s| s.cc_feature, ENABLED, required);
        self.state(codes::GPU_CC_DEVTOOLS, "dev_tools_mode", |s| s.dev_tools_mode, DEVTOOLS_OFF, required);
        self.state(codes::GPU_CC_ENVIRONMENT, "environment", |s| s.environment, PRODUCTION, required);
        let multi_gpu_mode = mode.value.multi_gpu_mode();
        let code = codes::GPU_MODE_MISMATCH;
        self.state(code, "multi_gpu_mode", |s| s.multi_gpu_mode, multi_gpu_mode, &mode.source);
    }

    fn state(&mut self, code: Code, name: &str, part: fn(&CcState) -> Fact<u64>, wanted: u64, source: &str) {
        let required = self.policy.require_cc_state.value;
        self.find_devices(code, format!("{name} {wanted}"), source, |device| {
            let (state, found) = (&device.cc_state, part(&device.cc_state));
            let fine = device.is_switch() || found == Ok(wanted) || (state.is_absent && !required);
            (!fine).then(|| format!("{name} {}", show(&found, |number| number)))
        });
    }
}
