//! The configfs-tsm report tree as a state machine (*verification.md* 1.5 and 2.6; the kernel's
//! `Documentation/ABI/testing/configfs-tsm-report`), with the SNP or the TDX guest driver behind it.
//!
//! Keeps the rules a client can trip over: a directory brings its attributes with it and is removed with them; each
//! accepted write raises `generation`; a report is made when a blob is first read after a write and kept until the
//! next one; the outcome of writing `inblob` is not seen by its writer, because the kernel takes a binary attribute
//! over when it is closed.

use std::collections::BTreeMap;

use super::firmware::{Firmware, Refusal};

/// The attributes of a report directory, in the order of their inode numbers.
pub const ATTRIBUTES: [&str; 7] =
    ["provider", "generation", "inblob", "outblob", "auxblob", "privlevel", "privlevel_floor"];
/// How many of them every driver has; the others are those of the SNP guest driver.
const COMMON: usize = 4;

/// What goes wrong in the tree, as opposed to behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeFault {
    /// Too many writes of others wait for their report: writes fail.
    Busy,
    /// The driver has no certificates to offer: there is no `auxblob`.
    NoAuxblob,
    /// No driver has registered: directories cannot be made.
    NoProvider,
    /// The tree belongs to this driver instead.
    Provider(&'static str),
    /// Another program writes its own `inblob` into the directory, after ours.
    OtherWriter,
}

#[derive(Default)]
struct Entry {
    generation: u64,
    inblob: Vec<u8>,
    privlevel: u32,
    /// The generation for which `blobs` were made.
    made: Option<u64>,
    report: Vec<u8>,
}

/// The tree below `/sys/kernel/config/tsm/report`.
pub struct ReportTree {
    /// What answers.
    pub firmware: Firmware,
    /// The certificate table of the host; empty when it has none.
    pub certs: Vec<u8>,
    /// Lowest privilege level that may be asked for.
    pub floor: u32,
    /// What goes wrong.
    pub fault: Option<TreeFault>,
    provider: &'static str,
    entries: BTreeMap<String, Entry>,
    made: u64,
}

impl ReportTree {
    /// An empty tree of the SNP guest driver without certificate table, floor 0, without faults of its own.
    pub fn new(firmware: Firmware) -> Self {
        Self::of("sev_guest", firmware)
    }

    /// An empty tree of the TDX guest driver, without faults of its own. It has no privilege levels and no auxiliary
    /// blob; the firmware is asked for level 0.
    pub fn tdx_guest(firmware: Firmware) -> Self {
        Self::of("tdx_guest", firmware)
    }

    fn of(provider: &'static str, firmware: Firmware) -> Self {
        let (certs, entries) = (Vec::new(), BTreeMap::new());
        Self { firmware, certs, floor: 0, fault: None, provider, entries, made: 0 }
    }

    /// The attributes that each directory has.
    pub fn attributes(&self) -> &'static [&'static str] {
        if self.provider == "sev_guest" { &ATTRIBUTES } else { &ATTRIBUTES[..COMMON] }
    }

    /// The directories that exist.
    pub fn directories(&self) -> Vec<String> {
        self.entries.keys().cloned().collect()
    }

    /// How many directories were ever made.
    pub const fn made(&self) -> u64 {
        self.made
    }

    /// mkdir(2). `Err` is an errno, here and below.
    pub fn make(&mut self, name: &str) -> Result<(), i32> {
        if self.fault == Some(TreeFault::NoProvider) {
            return Err(libc::ENXIO);
        }
        if self.entries.contains_key(name) {
            return Err(libc::EEXIST);
        }
        self.made += 1;
        self.entries.insert(name.to_owned(), Entry::default());
        Ok(())
    }

    /// rmdir(2).
    pub fn remove(&mut self, name: &str) -> Result<(), i32> {
        self.entries.remove(name).map(|_| ()).ok_or(libc::ENOENT)
    }

    /// Reads a whole attribute.
    pub fn read(&mut self, name: &str, attribute: &str) -> Result<Vec<u8>, i32> {
        let entry = self.entries.get(name).ok_or(libc::ENOENT)?;
        match attribute {
            other if !self.attributes().contains(&other) => Err(libc::ENOENT),
            "provider" => match self.fault {
                Some(TreeFault::Provider(other)) => Ok(format!("{other}\n").into_bytes()),
                _ => Ok(format!("{}\n", self.provider).into_bytes()),
            },
            "generation" => Ok(format!("{}\n", entry.generation).into_bytes()),
            "privlevel_floor" => Ok(format!("{}\n", self.floor).into_bytes()),
            "outblob" => self.answer(name),
            "auxblob" if self.fault == Some(TreeFault::NoAuxblob) => Err(libc::ENOENT),
            "auxblob" => self.answer(name).map(|_| self.certs.clone()),
            _ => Err(libc::EACCES),
        }
    }

    /// Writes a whole attribute: one write(2) and, for `inblob`, the close(2) after it.
    pub fn write(&mut self, name: &str, attribute: &str, value: &[u8]) -> Result<(), i32> {
        let known = self.attributes().contains(&attribute);
        let entry = self.entries.get_mut(name).filter(|_| known).ok_or(libc::ENOENT)?;
        let busy = self.fault == Some(TreeFault::Busy);
        match attribute {
            "inblob" if value.len() > 64 => Err(libc::EFBIG),
            "inblob" if busy => Ok(()),
            "inblob" => {
                entry.inblob = value.to_vec();
                entry.generation += 1;
                if self.fault == Some(TreeFault::OtherWriter) {
                    entry.inblob = vec![0xAA; 64];
                    entry.generation += 1;
                }
                Ok(())
            }
            "privlevel" => {
                let text = std::str::from_utf8(value).map_err(|_| libc::EINVAL)?;
                let level: u32 = text.trim_end().parse().map_err(|_| libc::EINVAL)?;
                if level < self.floor || level > 3 {
                    return Err(libc::EINVAL);
                }
                if busy {
                    return Err(libc::EBUSY);
                }
                entry.privlevel = level;
                entry.generation += 1;
                Ok(())
            }
            _ => Err(libc::EACCES),
        }
    }

    fn answer(&mut self, name: &str) -> Result<Vec<u8>, i32> {
        let entry = self.entries.get_mut(name).ok_or(libc::ENOENT)?;
        if entry.made != Some(entry.generation) {
            let inblob = <[u8; 64]>::try_from(entry.inblob.as_slice()).map_err(|_| libc::EINVAL)?;
            entry.report =
                self.firmware.report(inblob, entry.privlevel).map_err(|refusal| match refusal {
                    Refusal::Errno(errno) => errno,
                    Refusal::KeyGone => libc::ENOTTY,
                    Refusal::Throttled => libc::ETIMEDOUT,
                    Refusal::Status(super::firmware::INVALID_PARAMETERS) => libc::EINVAL,
                    Refusal::Status(_) => libc::ENXIO,
                })?;
            entry.made = Some(entry.generation);
        }
        Ok(entry.report.clone())
    }
}
