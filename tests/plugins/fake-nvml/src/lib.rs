//! A management library of NVIDIA GPUs that answers as a file beside it says, for the tests of the collector.
//!
//! The layouts are written down here a second time, from `nvml.h`: they are what the collector's bindings are tested
//! against; a pointer that may be null is an optional reference. See `told` for the file. A test copies the library into a folder of its own, so that tests do not see
//! each other's.
#![allow(unsafe_code, reason = "names are exported, and the loader says where the library lies")]
#![allow(non_snake_case, missing_docs, reason = "names and contracts are those of nvml.h")]

mod report;
mod told;

use std::ffi::{c_char, c_uint, c_void};

use told::Told;

const SUCCESS: c_uint = 0;
const INVALID_ARGUMENT: c_uint = 2;
const ARGUMENT_VERSION_MISMATCH: c_uint = 25;

/// `nvmlSystemConfComputeSettings_v1_t`.
#[repr(C)]
pub struct Settings {
    version: c_uint,
    environment: c_uint,
    cc_feature: c_uint,
    dev_tools_mode: c_uint,
    multi_gpu_mode: c_uint,
}

/// `nvmlConfComputeGpuCertificate_t`.
#[repr(C)]
pub struct Certificate {
    cert_chain_size: c_uint,
    attestation_cert_chain_size: c_uint,
    cert_chain: [u8; 0x1000],
    attestation_cert_chain: [u8; 0x1400],
}

/// `nvmlConfComputeGpuAttestationReport_t`.
#[repr(C)]
pub struct Report {
    is_cec_attestation_report_present: c_uint,
    attestation_report_size: c_uint,
    cec_attestation_report_size: c_uint,
    nonce: [u8; 32],
    attestation_report: [u8; 0x2000],
    cec_attestation_report: [u8; 0x1000],
}

/// What the call answers: `f` with what the library was told, unless it was told to fail.
fn call(name: &str, f: impl FnOnce(&Told) -> c_uint) -> c_uint {
    let told = Told::enter(name);
    let code = told.failure(name).unwrap_or_else(|| f(&told));
    told.leave(name);
    code
}

/// Writes an answer to the caller's memory.
fn put<T>(to: Option<&mut T>, value: T) -> c_uint {
    let Some(to) = to else { return INVALID_ARGUMENT };
    *to = value;
    SUCCESS
}

/// Fills the front of a buffer; returns how many bytes that were.
fn fill(buffer: &mut [u8], bytes: &[u8]) -> c_uint {
    for (to, from) in buffer.iter_mut().zip(bytes) {
        *to = *from;
    }
    c_uint::try_from(bytes.len().min(buffer.len())).unwrap_or(0)
}

/// A handle is the index, and one more so that it is not null.
fn index(device: *mut c_void) -> usize {
    device.addr().wrapping_sub(1)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_uint {
    call("nvmlInit_v2", |_| SUCCESS)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> c_uint {
    call("nvmlShutdown", |_| SUCCESS)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlErrorString(code: c_uint) -> *const c_char {
    let text = match code {
        3 => c"Not Supported",
        9 => c"Driver Not Loaded",
        10 => c"Timeout",
        15 => c"GPU is lost",
        18 => c"RM has detected an NVML/RM version mismatch.",
        77 => return std::ptr::null(),
        _ => c"Unknown Error",
    };
    text.as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetConfComputeSettings(settings: Option<&mut Settings>) -> c_uint {
    call("nvmlSystemGetConfComputeSettings", |told| {
        let version = 0x0100_0014;
        if settings.as_ref().is_some_and(|settings| settings.version != version) {
            return ARGUMENT_VERSION_MISMATCH;
        }
        let [environment, cc_feature, dev_tools_mode, multi_gpu_mode] = told.settings();
        put(settings, Settings { version, environment, cc_feature, dev_tools_mode, multi_gpu_mode })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemSetConfComputeGpusReadyState(accepting: c_uint) -> c_uint {
    call("nvmlSystemSetConfComputeGpusReadyState", |told| {
        told.note(&format!("ready {accepting}"));
        SUCCESS
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCount_v2(count: Option<&mut c_uint>) -> c_uint {
    call("nvmlDeviceGetCount_v2", |told| put(count, c_uint::try_from(told.gpus().len()).unwrap_or(0)))
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: Option<&mut *mut c_void>) -> c_uint {
    call("nvmlDeviceGetHandleByIndex_v2", |told| match usize::try_from(index) {
        Ok(index) if index < told.gpus().len() => {
            put(device, std::ptr::without_provenance_mut(index.wrapping_add(1)))
        }
        _ => INVALID_ARGUMENT,
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetArchitecture(
    device: *mut c_void,
    architecture: Option<&mut c_uint>,
) -> c_uint {
    call("nvmlDeviceGetArchitecture", |told| match told.gpus().get(index(device)) {
        Some(told) => put(architecture, *told),
        None => INVALID_ARGUMENT,
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetConfComputeGpuCertificate(
    device: *mut c_void,
    certificate: Option<&mut Certificate>,
) -> c_uint {
    call("nvmlDeviceGetConfComputeGpuCertificate", |told| {
        let mut answer = Certificate {
            cert_chain_size: 3,
            attestation_cert_chain_size: 0,
            cert_chain: [0xEE; 0x1000],
            attestation_cert_chain: [0; 0x1400],
        };
        let size = fill(&mut answer.attestation_cert_chain, &told.chain(index(device)));
        answer.attestation_cert_chain_size = told.number("chain size").unwrap_or(size);
        put(certificate, answer)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetConfComputeGpuAttestationReport(
    device: *mut c_void,
    report: Option<&mut Report>,
) -> c_uint {
    call("nvmlDeviceGetConfComputeGpuAttestationReport", |told| {
        let nonce = report.as_ref().map_or([0; 32], |report| report.nonce);
        let mut answer = Report {
            is_cec_attestation_report_present: 0,
            attestation_report_size: 0,
            cec_attestation_report_size: 5,
            nonce,
            attestation_report: [0; 0x2000],
            cec_attestation_report: [0xEE; 0x1000],
        };
        let size = fill(&mut answer.attestation_report, &told.report(index(device), nonce));
        answer.attestation_report_size = told.number("report size").unwrap_or(size);
        put(report, answer)
    })
}
