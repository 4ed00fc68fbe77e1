//! The calls of NVIDIA's management library (`nvml.h`; *verification.md* 3.4).
//!
//! Layouts, the calls and the bounds of what they return, no judgement: [`super::session`] says what an answer means.
//! Of the safe wrapper over the same bindings nothing is used: it has no developer mode, no ready state, and panics on
//! a chain that claims to be longer than its buffer.
#![expect(unsafe_code, reason = "calls into a foreign library have no safe form")]

use std::ffi::CStr;
use std::fmt::Display;
use std::path::Path;

use nvml_wrapper_sys::bindings as sys;

/// Version 1 of the settings: the size of the structure, and the version above it.
const SETTINGS_VERSION: u32 = 0x0100_0014;

const _: () = {
    assert!(size_of::<sys::nvmlSystemConfComputeSettings_t>() == 0x14);
    assert!(size_of::<sys::nvmlConfComputeGpuCertificate_t>() == 8 + 0x1000 + 0x1400);
    assert!(size_of::<sys::nvmlConfComputeGpuAttestationReport_t>() == 12 + 32 + 0x2000 + 0x1000);
};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Error {
    /// There is no library that is NVIDIA's.
    NoLibrary(String),
    /// The library is older than this function.
    NoFunction(&'static str),
    /// The library refused.
    Refused {
        /// The function.
        call: &'static str,
        /// Its `nvmlReturn_t`.
        code: u32,
        /// What the library says about that.
        text: String,
    },
    /// The library says that an answer has more bytes than there is room for.
    Size {
        /// What has a size.
        what: &'static str,
        /// What the library says.
        size: u32,
        /// The room.
        room: usize,
    },
}

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoLibrary(text) => f.write_str(text),
            Self::NoFunction(name) => write!(f, "the driver's library has no {name}: the driver is too old"),
            Self::Refused { call, code, text } => write!(f, "{call}: {text} ({code})"),
            Self::Size { what, size, room } => {
                write!(f, "the driver says that the {what} has {size} bytes, there is room for {room}")
            }
        }
    }
}

/// What NVML calls the settings of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) environment: u32,
    pub(crate) cc_feature: u32,
    pub(crate) dev_tools_mode: u32,
    pub(crate) multi_gpu_mode: u32,
}

/// The library, loaded and initialised until it is dropped.
pub(crate) struct Nvml(sys::NvmlLib);

/// A GPU of an initialised library.
pub(crate) struct Gpu<'n> {
    nvml: &'n Nvml,
    handle: sys::nvmlDevice_t,
}

impl Nvml {
    /// Loads the library at `path`, or of that name where the system looks for libraries, and initialises it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        // SAFETY: loading runs the library's own initialisers; that this file may run code here is what the
        // administrator says by naming it, as for the driver itself.
        let loaded = unsafe { sys::NvmlLib::new(path) };
        let library = loaded.map_err(|error| Error::NoLibrary(error.to_string()))?;
        let Ok(init) = library.nvmlInit_v2 else {
            return Err(Error::NoLibrary(format!("{} has no nvmlInit_v2", path.display())));
        };
        // SAFETY: the function is that of the header and of a library which is loaded, and takes nothing.
        let code = unsafe { init() };
        if code == sys::nvmlReturn_enum_NVML_SUCCESS {
            return Ok(Self(library));
        }
        Err(Error::Refused { call: "nvmlInit_v2", code, text: text(&library, code) })
    }

    /// The state of confidential computing.
    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        let call = "nvmlSystemGetConfComputeSettings";
        let get = function(call, &self.0.nvmlSystemGetConfComputeSettings)?;
        let mut answer = sys::nvmlSystemConfComputeSettings_t {
            version: SETTINGS_VERSION,
            environment: 0,
            ccFeature: 0,
            devToolsMode: 0,
            multiGpuMode: 0,
        };
        // SAFETY: the function is that of the header and of a library which is loaded. It writes the structure, whose
        // size the version says, which lives and is unaliased for the call.
        let code = unsafe { get(&raw mut answer) };
        self.accept(call, code)?;
        Ok(Settings {
            environment: answer.environment,
            cc_feature: answer.ccFeature,
            dev_tools_mode: answer.devToolsMode,
            multi_gpu_mode: answer.multiGpuMode,
        })
    }

    /// How many GPUs there are.
    pub(crate) fn count(&self) -> Result<u32, Error> {
        let call = "nvmlDeviceGetCount_v2";
        let get = function(call, &self.0.nvmlDeviceGetCount_v2)?;
        let mut count = 0;
        // SAFETY: the function is that of the header and of a library which is loaded. It writes the number, which
        // lives and is unaliased for the call.
        let code = unsafe { get(&raw mut count) };
        self.accept(call, code)?;
        Ok(count)
    }

    /// The GPU of this index.
    pub(crate) fn gpu(&self, index: u32) -> Result<Gpu<'_>, Error> {
        let call = "nvmlDeviceGetHandleByIndex_v2";
        let get = function(call, &self.0.nvmlDeviceGetHandleByIndex_v2)?;
        let mut handle = std::ptr::null_mut();
        // SAFETY: the function is that of the header and of a library which is loaded. It writes the pointer, which
        // lives and is unaliased for the call.
        let code = unsafe { get(index, &raw mut handle) };
        self.accept(call, code)?;
        Ok(Gpu { nvml: self, handle })
    }

    /// Says that the GPUs may accept work.
    pub(crate) fn set_ready(&self) -> Result<(), Error> {
        let call = "nvmlSystemSetConfComputeGpusReadyState";
        let set = function(call, &self.0.nvmlSystemSetConfComputeGpusReadyState)?;
        // SAFETY: the function is that of the header and of a library which is loaded, and takes a number.
        let code = unsafe { set(sys::NVML_CC_ACCEPTING_CLIENT_REQUESTS_TRUE) };
        self.accept(call, code)
    }

    fn accept(&self, call: &'static str, code: u32) -> Result<(), Error> {
        if code == sys::nvmlReturn_enum_NVML_SUCCESS {
            return Ok(());
        }
        Err(Error::Refused { call, code, text: text(&self.0, code) })
    }
}

impl Drop for Nvml {
    fn drop(&mut self) {
        if let Ok(shutdown) = self.0.nvmlShutdown {
            // SAFETY: the function is that of the header and of a library which is loaded and initialised, and takes
            // nothing. No handle outlives `self`, and the library is unloaded afterwards only.
            let _ = unsafe { shutdown() };
        }
    }
}

impl Gpu<'_> {
    /// Its architecture, as a number of `NVML_DEVICE_ARCH`.
    pub(crate) fn architecture(&self) -> Result<u32, Error> {
        let call = "nvmlDeviceGetArchitecture";
        let get = function(call, &self.nvml.0.nvmlDeviceGetArchitecture)?;
        let mut architecture = 0;
        // SAFETY: the function is that of the header and of a library which is loaded; it gave the handle and was not
        // shut down since. It writes the number, which lives and is unaliased for the call.
        let code = unsafe { get(self.handle, &raw mut architecture) };
        self.nvml.accept(call, code)?;
        Ok(architecture)
    }

    /// The certificate chain of its attestation key, as the driver has it.
    pub(crate) fn certificate_chain(&self) -> Result<Vec<u8>, Error> {
        let call = "nvmlDeviceGetConfComputeGpuCertificate";
        let get = function(call, &self.nvml.0.nvmlDeviceGetConfComputeGpuCertificate)?;
        let mut answer = sys::nvmlConfComputeGpuCertificate_t {
            certChainSize: 0,
            attestationCertChainSize: 0,
            certChain: [0; 0x1000],
            attestationCertChain: [0; 0x1400],
        };
        // SAFETY: the function is that of the header and of a library which is loaded; it gave the handle and was not
        // shut down since. It writes the structure, which lives and is unaliased for the call.
        let code = unsafe { get(self.handle, &raw mut answer) };
        self.nvml.accept(call, code)?;
        part("certificate chain", &answer.attestationCertChain, answer.attestationCertChainSize)
    }

    /// A report over `nonce`, as the driver has it.
    pub(crate) fn report(&self, nonce: &[u8; 32]) -> Result<Vec<u8>, Error> {
        let call = "nvmlDeviceGetConfComputeGpuAttestationReport";
        let get = function(call, &self.nvml.0.nvmlDeviceGetConfComputeGpuAttestationReport)?;
        let mut answer = sys::nvmlConfComputeGpuAttestationReport_t {
            isCecAttestationReportPresent: 0,
            attestationReportSize: 0,
            cecAttestationReportSize: 0,
            nonce: *nonce,
            attestationReport: [0; 0x2000],
            cecAttestationReport: [0; 0x1000],
        };
        // SAFETY: the function is that of the header and of a library which is loaded; it gave the handle and was not
        // shut down since. It reads and writes the structure, which lives and is unaliased for the call.
        let code = unsafe { get(self.handle, &raw mut answer) };
        self.nvml.accept(call, code)?;
        part("attestation report", &answer.attestationReport, answer.attestationReportSize)
    }
}

/// The function of that name.
fn function<F: Copy, E>(name: &'static str, found: &Result<F, E>) -> Result<F, Error> {
    found.as_ref().copied().map_err(|_| Error::NoFunction(name))
}

/// The bytes of `buffer` that the library says it has written.
fn part(what: &'static str, buffer: &[u8], size: u32) -> Result<Vec<u8>, Error> {
    let written = usize::try_from(size).ok().and_then(|size| buffer.get(..size));
    written.map(<[u8]>::to_vec).ok_or(Error::Size { what, size, room: buffer.len() })
}

/// What the library says about an error.
fn text(library: &sys::NvmlLib, code: u32) -> String {
    let Ok(text_of) = library.nvmlErrorString else {
        return "error without a text".to_owned();
    };
    // SAFETY: the function is that of the header and of a library which is loaded, and takes a number.
    let text = unsafe { text_of(code) };
    if text.is_null() {
        return "error without a text".to_owned();
    }
    // SAFETY: the header says that the function returns a text that ends with NUL and is never freed; it is copied here,
    // while the library is loaded.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
