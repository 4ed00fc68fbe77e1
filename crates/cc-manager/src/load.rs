//! From a sealed library to a configured authorizer: the one place that touches the dynamic linker.
//!
//! A library runs code as soon as it is opened, before anything of it can be examined; so only sealed content
//! gets here, and when it is provisioned its digest was compared before. `abi_stable` then compares interface
//! versions and layouts. Libraries are never unloaded, and the sealed memory stays open for the life of the
//! process, since the dynamic linker knows libraries by path and would return the first one for a re-used
//! descriptor number (*decisions.md* 23).

use std::mem::ManuallyDrop;
use std::os::fd::{IntoRawFd as _, OwnedFd};
use std::path::Path;

use abi_stable::library::{LibraryError, RootModuleError, lib_header_from_path};
use abi_stable::std_types::{RErr, ROk, RResult, RSlice, RVec};
use cc_core::abi::v1::{AuthorizerModuleRef, AuthorizerObject};
use cc_core::limits::MAX_MESSAGE;
use cc_core::{Claims, Code, Finding, codes};

use crate::contract;
use crate::plugin::{Call, CallError, Runner};

/// Longest part of the linker's or layout checker's text that is kept, in bytes; the end is the telling part.
const MAX_REASON: usize = 600;

/// A library whose interface fits.
pub(crate) struct Library {
    root: AuthorizerModuleRef,
}

impl Library {
    /// Opens sealed content and checks interface version and layout.
    pub(crate) fn open(memory: OwnedFd) -> Result<Self, Finding> {
        // From here on never closed, whatever happens: see the module's text.
        let descriptor = memory.into_raw_fd();
        Self::open_at(Path::new(&format!("/proc/self/fd/{descriptor}")))
    }

    /// [`open`](Self::open) for sealed content that a descriptor of this process names for good.
    pub(crate) fn open_at(place: &Path) -> Result<Self, Finding> {
        open_root(place).map(|root| Self { root })
    }

    /// Asks who the plugin is; the raw answer.
    pub(crate) fn identify(&self) -> Result<Vec<u8>, CallError> {
        answer((self.root.identify())())
    }

    /// Makes an authorizer with these settings, [`encode`]d.
    pub(crate) fn create(&self, settings: &[u8]) -> Result<InProcess, Finding> {
        match (self.root.create())(RSlice::from_slice(settings)) {
            ROk(authorizer) => Ok(InProcess { root: self.root, authorizer: ManuallyDrop::new(authorizer) }),
            RErr(denial) => Err(match copy(&denial) {
                Ok(bytes) => contract::denial(&bytes),
                Err(error) => error.into_finding(),
            }),
        }
    }
}

/// Settings as [`Library::create`] takes them.
pub(crate) fn encode(settings: &Claims) -> Result<Vec<u8>, Finding> {
    minicbor::to_vec(settings).map_err(|error| Finding::new(codes::PLUG_CONFIG_INVALID, error.to_string()))
}

/// An authorizer in this process. It is never dropped: a destructor is foreign code outside the panic guard.
pub(crate) struct InProcess {
    root: AuthorizerModuleRef,
    authorizer: ManuallyDrop<AuthorizerObject>,
}

impl Runner for InProcess {
    fn call(&self, call: Call, request: &[u8]) -> Result<Vec<u8>, CallError> {
        let request = RSlice::from_slice(request);
        answer(match call {
            Call::Identify => (self.root.identify())(),
            Call::Collect => self.authorizer.collect(request),
            Call::Plan => self.authorizer.plan(request),
            Call::Verify => self.authorizer.verify(request),
        })
    }

    fn waits(&self) -> bool {
        false
    }
}

fn answer(answer: RResult<RVec<u8>, RVec<u8>>) -> Result<Vec<u8>, CallError> {
    match answer {
        ROk(message) => copy(&message),
        RErr(denial) => Err(CallError::Denied(copy(&denial)?)),
    }
}

/// The limit holds before anything is copied.
fn copy(bytes: &RVec<u8>) -> Result<Vec<u8>, CallError> {
    if bytes.len() > MAX_MESSAGE { Err(CallError::Oversize(bytes.len())) } else { Ok(bytes.to_vec()) }
}

fn open_root(place: &Path) -> Result<AuthorizerModuleRef, Finding> {
    let header = lib_header_from_path(place).map_err(|error| finding(&error))?;
    if header.layout().is_none() {
        let detail = "the plugin carries no description of its layout";
        return Err(Finding::new(codes::PLUG_ABI_LAYOUT, detail));
    }
    header.init_root_module::<AuthorizerModuleRef>().map_err(|error| finding(&error))
}

fn finding(error: &LibraryError) -> Finding {
    let code: Code = match error {
        LibraryError::OpenError { .. } => codes::PLUG_LOAD_FAILED,
        LibraryError::GetSymbolError { .. } => codes::PLUG_ROOT_MISSING,
        LibraryError::ParseVersionError(_)
        | LibraryError::IncompatibleVersionNumber { .. }
        | LibraryError::InvalidAbiHeader(_) => codes::PLUG_ABI_VERSION,
        LibraryError::AbiInstability(_) | LibraryError::InvalidCAbi { .. } => codes::PLUG_ABI_LAYOUT,
        LibraryError::RootModule { err: RootModuleError::Unwound, .. } => codes::PLUG_PANICKED,
        LibraryError::RootModule { .. } => codes::PLUG_CONTRACT,
        LibraryError::Many(errors) => return many(errors),
    };
    let reason = match error {
        LibraryError::OpenError { err, .. } | LibraryError::GetSymbolError { err, .. } => err.to_string(),
        LibraryError::IncompatibleVersionNumber { expected_version, actual_version, .. } => {
            format!("the plugin has interface version {actual_version}, the host {expected_version}")
        }
        // Hundreds of lines, of which the last ones tell where the layouts part.
        LibraryError::AbiInstability(report) => format!("the layouts differ: {}", tail(&report.to_string())),
        other => tail(&other.to_string()),
    };
    Finding::new(code, contract::printable(&reason))
}

fn many(errors: &[LibraryError]) -> Finding {
    let nothing = || Finding::new(codes::PLUG_LOAD_FAILED, "the loader gave no reason");
    errors.first().map_or_else(nothing, finding)
}

/// The end of a long text, on one line.
fn tail(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = line.len().saturating_sub(MAX_REASON);
    let start = (start..=line.len()).find(|&i| line.is_char_boundary(i)).unwrap_or(line.len());
    match line.get(start..) {
        Some(end) if start > 0 => format!("... {end}"),
        _ => line,
    }
}
