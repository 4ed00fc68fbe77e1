//! The state of confidential computing: which one there can be evidence in (*verification.md* G19).

use cc_core::{Code, Finding, codes};
use nvml_wrapper_sys::bindings as sys;

use super::nvml::Settings;

/// How to switch it on.
const SWITCH_ON: &str = "switch it on from the host with NVIDIA's gpu-admin-tools \
    (`nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch`) and start the guest again";

/// That it is off, and how to switch it on.
pub(crate) fn disabled(why: &str) -> Finding {
    Finding::new(codes::GPU_CC_DISABLED, format!("{why}: {SWITCH_ON}"))
}

/// The state's four bytes: environment, ccFeature, devToolsMode, multiGpuMode. Refused are a GPU that is not
/// confidential, developer mode, and an environment other than production.
///
/// In the multi-GPU modes the driver protects the GPUs and says that ccFeature is off; whether such a mode will do is
/// for the policy, which reads it in the signed report too.
pub(crate) fn judge(settings: Settings) -> Result<[u8; 4], Finding> {
    let Settings { environment, cc_feature, dev_tools_mode, multi_gpu_mode } = settings;
    let of_several = [sys::NVML_CC_SYSTEM_MULTIGPU_PROTECTED_PCIE, sys::NVML_CC_SYSTEM_MULTIGPU_NVLE];
    if cc_feature != sys::NVML_CC_SYSTEM_FEATURE_ENABLED && !of_several.contains(&multi_gpu_mode) {
        return Err(disabled(&format!("ccFeature is {cc_feature} and multiGpuMode {multi_gpu_mode}")));
    }
    expect(codes::GPU_CC_DEVTOOLS, "devToolsMode", dev_tools_mode, sys::NVML_CC_SYSTEM_DEVTOOLS_MODE_OFF)?;
    expect(codes::GPU_CC_ENVIRONMENT, "environment", environment, sys::NVML_CC_SYSTEM_ENVIRONMENT_PROD)?;
    let byte = |name: &str, value: u32| {
        let unknown =
            |_| Finding::new(codes::GPU_COLLECT_FAILED, format!("{name} is {value}, which no driver has"));
        u8::try_from(value).map_err(unknown)
    };
    Ok([
        byte("environment", environment)?,
        byte("ccFeature", cc_feature)?,
        byte("devToolsMode", dev_tools_mode)?,
        byte("multiGpuMode", multi_gpu_mode)?,
    ])
}

fn expect(code: Code, name: &str, found: u32, expected: u32) -> Result<(), Finding> {
    if found == expected {
        return Ok(());
    }
    Err(Finding::new(code, format!("{name} is {found}, expected {expected}")))
}
