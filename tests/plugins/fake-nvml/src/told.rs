//! What the library is told: lines of the file `told` in its own folder, read at each call. Later lines hold over
//! earlier ones.
//!
//! ```text
//! gpu 9                  a GPU of this architecture; as many lines as there are GPUs
//! settings 2 1 0 0       environment, ccFeature, devToolsMode, multiGpuMode
//! fail NAME 15           the function of this name returns this code
//! hang NAME              the function of this name does not return while the line is there
//! nonce 5                reports are over 32 such bytes
//! report zeros 20        so many zeros after a report
//! report more 20         so many other bytes after a report
//! report cut 20          so many bytes less of a report
//! report size 9000       its size, whatever is in the buffer
//! chain zeros 20         so many zeros after a chain
//! chain size 9000        its size, whatever is in the buffer
//! ```
//!
//! In the file `calls` beside it each call leaves a line when it enters and another one when it leaves.

use std::ffi::{CStr, OsStr};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::report;

/// What the library was told when a call came.
pub(crate) struct Told {
    folder: PathBuf,
    text: String,
}

impl Told {
    /// Notes that a call came, and keeps it for as long as it is to hang.
    pub(crate) fn enter(name: &str) -> Self {
        let folder = folder();
        let mut told = Self { text: read(&folder), folder };
        told.note(&format!("enter {name}"));
        while told.values("hang").any(|hanging| hanging == name) {
            std::thread::sleep(Duration::from_millis(5));
            told.text = read(&told.folder);
        }
        told
    }

    /// Notes that a call goes.
    pub(crate) fn leave(&self, name: &str) {
        self.note(&format!("leave {name}"));
    }

    /// The code with which a call is to fail.
    pub(crate) fn failure(&self, name: &str) -> Option<u32> {
        self.number(&format!("fail {name}"))
    }

    /// The four values of the settings; production, on, if nothing was said.
    pub(crate) fn settings(&self) -> [u32; 4] {
        let text = self.values("settings").last().unwrap_or("2 1 0 0");
        let values: Vec<u32> = text.split(' ').filter_map(|value| value.parse().ok()).collect();
        values.try_into().unwrap_or([u32::MAX; 4])
    }

    /// The architectures of the GPUs.
    pub(crate) fn gpus(&self) -> Vec<u32> {
        self.values("gpu").filter_map(|value| value.parse().ok()).collect()
    }

    /// The chain of a GPU.
    pub(crate) fn chain(&self, gpu: usize) -> Vec<u8> {
        let mut chain = report::chain(gpu);
        chain.extend(vec![0; self.size("chain zeros")]);
        chain
    }

    /// The report of a GPU.
    pub(crate) fn report(&self, gpu: usize, nonce: [u8; 32]) -> Vec<u8> {
        let other = self.number("nonce").and_then(|byte| u8::try_from(byte).ok());
        let mut report = report::report(gpu, other.map_or(nonce, |byte| [byte; 32]));
        report.truncate(report.len().saturating_sub(self.size("report cut")));
        report.extend(vec![0; self.size("report zeros")]);
        report.extend(vec![0xEE; self.size("report more")]);
        report
    }

    /// The number that a line begins with so.
    pub(crate) fn number(&self, key: &str) -> Option<u32> {
        self.values(key).last()?.parse().ok()
    }

    /// Leaves a line in the file of calls.
    pub(crate) fn note(&self, line: &str) {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("calls"));
        if let Ok(mut file) = file {
            let _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }

    fn size(&self, key: &str) -> usize {
        self.number(key).and_then(|size| usize::try_from(size).ok()).unwrap_or(0)
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &str> {
        self.text.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix(' '))
    }
}

fn read(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("told")).unwrap_or_default()
}

/// Something of this library.
static HERE: u8 = 0;

/// Where this library lies.
fn folder() -> PathBuf {
    let mut info = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: the address is one of this library; the structure is writable and lives for the call.
    let found = unsafe { libc::dladdr((&raw const HERE).cast(), info.as_mut_ptr()) };
    // SAFETY: all zeros are a value of the structure, and the call wrote nothing but one.
    let info = unsafe { info.assume_init() };
    if found == 0 || info.dli_fname.is_null() {
        return PathBuf::new();
    }
    // SAFETY: the name is a text that ends with NUL and lives as long as this library is loaded.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    path.parent().map(Path::to_owned).unwrap_or_default()
}
