//! configfs-tsm: the kernel's tree of reports (*verification.md* 1.5; kernel 6.7 and later).
//!
//! One directory for each request, removed in all cases. The tree has no owner: `generation` says whether somebody else
//! wrote to our directory meanwhile, and then what was read is discarded. What an error means says each technology.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use rustix::io::Errno;

/// Most bytes of a text attribute; the kernel's limit is a page.
const MAX_TEXT: usize = 4096;
/// How many names are tried when others are left over from a process with our id.
const MAX_NAMES: u32 = 64;

/// A tree of report directories, each of which comes with its attributes.
pub trait Tree: Send {
    /// Makes a directory.
    fn make(&self, name: &str) -> io::Result<()>;
    /// Reads a whole attribute, [`Errno::FBIG`] when it has more than `limit` bytes, [`Errno::INTR`] when a signal came
    /// before the answer.
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
        let mut file = File::open(self.0.join(name).join(attribute))?;
        let (mut value, mut part) = (Vec::new(), [0; MAX_TEXT]);
        // `read_to_end` would ask the hardware again, at once, when it is interrupted.
        loop {
            let count = file.read(&mut part)?;
            value.extend_from_slice(part.get(..count).unwrap_or_default());
            match count {
                0 => return Ok(value),
                _ if value.len() > limit => return Err(Errno::FBIG.into()),
                _ => {}
            }
        }
    }

    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).open(self.0.join(name).join(attribute))?;
        if file.write(value)? == value.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }
}

/// Makes directories in a tree.
pub(crate) struct Directories<T> {
    tree: T,
    names: u32,
}

impl<T: Tree> Directories<T> {
    pub(crate) const fn new(tree: T) -> Self {
        Self { tree, names: 0 }
    }

    /// Makes a directory that nobody has. `Err` says why there is nobody to ask.
    pub(crate) fn make(&mut self) -> Result<Directory<'_, T>, String> {
        for _ in 0..MAX_NAMES {
            self.names = self.names.wrapping_add(1);
            let name = format!("muster-{}-{}", std::process::id(), self.names);
            match self.tree.make(&name) {
                Ok(()) => return Ok(Directory { tree: &self.tree, name }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("making", "a report directory", &error)),
            }
        }
        Err(format!("configfs-tsm: the last {MAX_NAMES} names for a directory are taken"))
    }
}

/// A report directory of ours; removed when dropped.
pub(crate) struct Directory<'t, T: Tree> {
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
    /// Whether the tree belongs to the driver of this name. `Err` says what is there instead.
    pub(crate) fn provider(&self, expected: &str) -> Result<(), String> {
        let provider = self.text("provider")?;
        if provider == expected {
            return Ok(());
        }
        Err(format!("configfs-tsm: provider is {provider:?}, expected {expected:?}"))
    }

    /// A text attribute that is a number. `Err` says why it is none: the interface is not the one that we know.
    pub(crate) fn number(&self, attribute: &str) -> Result<u64, String> {
        let text = self.text(attribute)?;
        text.parse().map_err(|_| format!("configfs-tsm: {attribute} is {text:?}, not a number"))
    }

    /// Whether `writes` writes, ours, came since `generation` was `start`. `Err` says what it is instead.
    pub(crate) fn confirm(&self, start: u64, writes: u64) -> Result<(), String> {
        let (end, expected) = (self.number("generation")?, start.saturating_add(writes));
        if end == expected {
            return Ok(());
        }
        Err(format!(
            "configfs-tsm: generation is {end} after our {writes} writes from {start}, expected {expected}"
        ))
    }

    /// Writes an attribute.
    pub(crate) fn write(&self, attribute: &str, value: &[u8]) -> Result<(), Refused> {
        let written = self.tree.write(&self.name, attribute, value);
        written.map_err(|error| Refused::new("writing", attribute, &error))
    }

    /// A binary attribute; reading the first one makes the report.
    pub(crate) fn blob(&self, attribute: &str, limit: usize) -> Result<Vec<u8>, Refused> {
        let read = self.tree.read(&self.name, attribute, limit);
        read.map_err(|error| Refused::new("reading", attribute, &error))
    }

    /// A text attribute without its line feed.
    fn text(&self, attribute: &str) -> Result<String, String> {
        let value = self.tree.read(&self.name, attribute, MAX_TEXT);
        let value = value.map_err(|error| failed("reading", attribute, &error))?;
        Ok(String::from_utf8_lossy(&value).trim_end().to_owned())
    }
}

/// What the kernel says to a request.
pub(crate) struct Refused {
    /// The error, if it has a number.
    pub(crate) errno: Option<Errno>,
    /// The same for people.
    pub(crate) detail: String,
}

impl Refused {
    fn new(action: &str, attribute: &str, error: &io::Error) -> Self {
        Self { errno: Errno::from_io_error(error), detail: failed(action, attribute, error) }
    }
}

fn failed(action: &str, what: &str, error: &io::Error) -> String {
    format!("configfs-tsm: {action} {what}: {error}")
}
