//! The driver's library while it answers, and what its errors mean.

use std::path::PathBuf;

use cc_core::gpu::{Device, DeviceClass};
use cc_core::limits::MAX_GPUS;
use cc_core::{Finding, codes};
use nvml_wrapper_sys::bindings as sys;

use super::nvml::{Error, Nvml};
use super::ready::premature;
use super::{evidence, state};

/// The library, loaded by the first call that needs it and until one fails.
pub(crate) struct Session {
    library: PathBuf,
    nvml: Option<Nvml>,
}

/// What a machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Survey {
    /// The state of confidential computing, in which there can be evidence.
    pub(crate) state: [u8; 4],
    /// Number of GPUs, at least one.
    pub(crate) gpus: u32,
}

impl Session {
    pub(crate) const fn new(library: PathBuf) -> Self {
        Self { library, nvml: None }
    }

    /// What this machine has.
    pub(crate) fn survey(&mut self) -> Result<Survey, Finding> {
        self.with(survey)
    }

    /// The evidence of one GPU.
    pub(crate) fn evidence(&mut self, gpu: u32, nonce: &[u8; 32], state: [u8; 4]) -> Result<Device, Finding> {
        let device = self.with(|nvml| {
            let gpu = nvml.gpu(gpu).map_err(meaning)?;
            let architecture = name(gpu.architecture().map_err(meaning)?)?;
            let cert_chain = evidence::chain(gpu.certificate_chain().map_err(meaning)?)?;
            let report = evidence::report(gpu.report(nonce).map_err(meaning)?, nonce)?;
            Ok(Device {
                class: DeviceClass::Gpu,
                report,
                cert_chain,
                cc_state: Some(state),
                arch: Some(architecture.to_owned()),
            })
        });
        device.map_err(|finding| Finding::new(finding.code, format!("GPU {gpu}: {}", finding.detail)))
    }

    /// Lets the GPUs accept work, if they are as many as `gpus` and their state is one in which there can be evidence:
    /// never in developer mode.
    pub(crate) fn set_ready(&mut self, gpus: usize) -> Result<(), Finding> {
        self.with(|nvml| {
            let now = survey(nvml).map_err(|finding| {
                let of_state = [codes::GPU_CC_DISABLED, codes::GPU_CC_DEVTOOLS, codes::GPU_CC_ENVIRONMENT];
                if of_state.contains(&finding.code) { premature(&finding.to_string()) } else { finding }
            })?;
            if usize::try_from(now.gpus) != Ok(gpus) {
                return Err(premature(&format!(
                    "there are {} GPUs, evidence was collected of {gpus}",
                    now.gpus
                )));
            }
            nvml.set_ready().map_err(meaning)
        })
    }

    /// Asks the library. After a failure the next call starts over: what is wrong may be put right meanwhile.
    fn with<T>(&mut self, ask: impl FnOnce(&Nvml) -> Result<T, Finding>) -> Result<T, Finding> {
        let nvml = match self.nvml.take() {
            Some(nvml) => nvml,
            None => Nvml::open(&self.library).map_err(meaning)?,
        };
        let answer = ask(&nvml)?;
        self.nvml = Some(nvml);
        Ok(answer)
    }
}

fn survey(nvml: &Nvml) -> Result<Survey, Finding> {
    let gpus = nvml.count().map_err(meaning)?;
    if gpus == 0 {
        let detail = "the driver shows no GPU".to_owned();
        return Err(Finding::new(codes::GPU_COLLECT_NO_DEVICE, detail));
    }
    if usize::try_from(gpus).is_ok_and(|gpus| gpus > MAX_GPUS) {
        let detail = format!("the driver shows {gpus} GPUs, the limit is {MAX_GPUS}");
        return Err(Finding::new(codes::ENV_SIZE_EXCEEDED, detail));
    }
    let settings = nvml.settings().map_err(|error| match error {
        // A GPU without the feature, and a driver without it.
        Error::Refused { code: sys::nvmlReturn_enum_NVML_ERROR_NOT_SUPPORTED, .. } => {
            state::disabled(&error.to_string())
        }
        other => meaning(other),
    })?;
    Ok(Survey { state: state::judge(settings)?, gpus })
}

/// NVIDIA's name of an architecture that gives evidence.
fn name(architecture: u32) -> Result<&'static str, Finding> {
    match architecture {
        sys::NVML_DEVICE_ARCH_HOPPER => Ok("HOPPER"),
        sys::NVML_DEVICE_ARCH_BLACKWELL => Ok("BLACKWELL"),
        other => {
            let detail = format!("architecture {other} of NVML; Hopper (9) and Blackwell (10) give evidence");
            Err(Finding::new(codes::GPU_COLLECT_FAILED, detail))
        }
    }
}

/// What an error of the library means.
fn meaning(error: Error) -> Finding {
    let code = match error {
        Error::NoLibrary(_)
        | Error::Refused {
            code:
                sys::nvmlReturn_enum_NVML_ERROR_DRIVER_NOT_LOADED
                | sys::nvmlReturn_enum_NVML_ERROR_LIBRARY_NOT_FOUND,
            ..
        } => codes::GPU_COLLECT_NO_DRIVER,
        Error::Refused { code: sys::nvmlReturn_enum_NVML_ERROR_TIMEOUT, .. } => codes::GPU_COLLECT_TIMEOUT,
        Error::NoFunction(_) | Error::Refused { .. } | Error::Size { .. } => codes::GPU_COLLECT_FAILED,
    };
    Finding::new(code, error.to_string())
}
