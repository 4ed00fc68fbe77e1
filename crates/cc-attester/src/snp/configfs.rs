//! configfs-tsm: the kernel's report tree (*verification.md* 1.5; kernel 6.7 and later).
//!
//! One directory for each request, removed in all cases. The tree has no owner: `generation` says whether somebody else
//! wrote to our directory meanwhile, and then the report is discarded.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use cc_core::codes;
use rustix::io::Errno;

use super::device::MAX_CERTS;
use super::{Device, Failure, Gate, RawReport, ReportRequest};

/// Most bytes of a text attribute; the kernel's limit is a page.
const MAX_TEXT: usize = 4096;
/// Most bytes of a report blob that are read; a report has 1184.
const MAX_REPORT: usize = 4096;
/// How many names are tried when others are left over from a process with our id.
const MAX_NAMES: u32 = 64;

/// A tree of report directories, each of which comes with its attributes.
pub trait Tree: Send {
    /// Makes a directory.
    fn make(&self, name: &str) -> io::Result<()>;
    /// Reads a whole attribute, [`Errno::FBIG`] when it has more than `limit` bytes.
    fn read(&self, name: &str, attribute: &str, limit: usize) -> io::Result<Vec<u8>>;
    /// Writes an attribute in one write, and closes it: binary ones take effect only then.
    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> io::Result<()>;
    /// Removes a directory.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// The tree below a directory of the file system.
#[derive(Clone, Debug)]
pub struct FileTree(pub PathBuf);

impl Tree for FileTree {
    fn make(&self, name: &str) -> io::Result<()> {
        let path = self.0.join(name);
        fs::create_dir(&path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    }

    fn read(&self, name: &str, attribute: &str, limit: usize) -> io::Result<Vec<u8>> {
        let mut value = Vec::new();
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        File::open(self.0.join(name).join(attribute))?.take(most).read_to_end(&mut value)?;
        if value.len() > limit { Err(Errno::FBIG.into()) } else { Ok(value) }
    }

    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(self.0.join(name).join(attribute))?;
        if file.write(value)? == value.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }
}

/// The interface on a tree.
pub struct Configfs<T> {
    tree: T,
    names: u32,
}

impl<T: Tree> Configfs<T> {
    /// Asks through `tree`.
    pub const fn new(tree: T) -> Self {
        Self { tree, names: 0 }
    }

    /// Makes a directory that nobody has.
    fn directory(&mut self) -> Result<Directory<'_, T>, Failure> {
        for _ in 0..MAX_NAMES {
            self.names = self.names.wrapping_add(1);
            let name = format!("muster-{}-{}", std::process::id(), self.names);
            match self.tree.make(&name) {
                Ok(()) => return Ok(Directory { tree: &self.tree, name }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(absent("making a report directory", &error)),
            }
        }
        Err(Failure::Absent(format!("configfs-tsm: the last {MAX_NAMES} names for a directory are taken")))
    }
}

impl<T: Tree> Device for Configfs<T> {
    fn report(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<RawReport, Failure> {
        let directory = self.directory()?;
        let provider = directory.text("provider")?;
        if provider != "sev_guest" {
            return Err(Failure::Absent(format!(
                "configfs-tsm: provider is {provider:?}, expected \"sev_guest\""
            )));
        }
        let floor = directory.number("privlevel_floor")?;
        let level = u64::from(request.vmpl.unwrap_or(0)).max(floor);
        if let Some(vmpl) = request.vmpl
            && u64::from(vmpl) < floor
        {
            return Err(Failure::denied(
                codes::SNP_COLLECT_FIRMWARE_ERROR,
                format!("configfs-tsm: privilege level {vmpl} is wanted, the lowest allowed is {floor}"),
            ));
        }
        let start = directory.number("generation")?;
        directory.write("privlevel", level.to_string().as_bytes())?;
        directory.write("inblob", request.binding.as_bytes())?;
        let pass = gate.pass();
        let certs = directory.blob("auxblob", MAX_CERTS)?;
        let report = directory.blob("outblob", MAX_REPORT)?;
        drop(pass);
        let (end, expected) = (directory.number("generation").map_err(unconfirmed)?, start.saturating_add(2));
        if end != expected {
            return Err(Failure::denied(
                codes::SNP_COLLECT_GENERATION_CONFLICT,
                format!(
                    "configfs-tsm: generation is {end} after our two writes from {start}, expected {expected}"
                ),
            ));
        }
        Ok(RawReport { report, certs })
    }
}

/// A report directory of ours; removed when dropped.
struct Directory<'t, T: Tree> {
    tree: &'t T,
    name: String,
}

impl<T: Tree> Drop for Directory<'_, T> {
    fn drop(&mut self) {
        // Nothing is left to do about a directory that does not go.
        let _ = self.tree.remove(&self.name);
    }
}

impl<T: Tree> Directory<'_, T> {
    /// A text attribute without its line feed. It tells whether the interface is the one we know.
    fn text(&self, attribute: &str) -> Result<String, Failure> {
        let value =
            self.tree.read(&self.name, attribute, MAX_TEXT).map_err(|error| absent(attribute, &error))?;
        Ok(String::from_utf8_lossy(&value).trim_end().to_owned())
    }

    fn number(&self, attribute: &str) -> Result<u64, Failure> {
        let text = self.text(attribute)?;
        text.parse()
            .map_err(|_| Failure::Absent(format!("configfs-tsm: {attribute} is {text:?}, not a number")))
    }

    fn write(&self, attribute: &str, value: &[u8]) -> Result<(), Failure> {
        self.tree.write(&self.name, attribute, value).map_err(|error| refused("writing", attribute, &error))
    }

    /// A binary attribute; reading the first one makes the report.
    fn blob(&self, attribute: &str, limit: usize) -> Result<Vec<u8>, Failure> {
        match self.tree.read(&self.name, attribute, limit) {
            Err(error) if attribute == "auxblob" && error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            result => result.map_err(|error| refused("reading", attribute, &error)),
        }
    }
}

fn absent(what: &str, error: &io::Error) -> Failure {
    Failure::Absent(format!("configfs-tsm: {what}: {error}"))
}

/// The interface has made a report, so it is there, but whether the report is ours cannot be told.
fn unconfirmed(failure: Failure) -> Failure {
    match failure {
        Failure::Absent(detail) => Failure::denied(codes::SNP_COLLECT_GENERATION_CONFLICT, detail),
        other => other,
    }
}

fn refused(action: &str, attribute: &str, error: &io::Error) -> Failure {
    let detail = format!("configfs-tsm: {action} {attribute}: {error}");
    match Errno::from_io_error(error) {
        Some(Errno::NOTTY) => Failure::KeyGone(detail),
        Some(Errno::TIMEDOUT) => Failure::denied(codes::SNP_COLLECT_THROTTLED, detail),
        Some(Errno::BUSY) => Failure::denied(codes::SNP_COLLECT_GENERATION_CONFLICT, detail),
        _ => Failure::denied(codes::SNP_COLLECT_FIRMWARE_ERROR, detail),
    }
}
