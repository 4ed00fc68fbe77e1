//! Processes as `/proc` shows them, and their end.

use std::io::{Error, Result};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::environment::JOB_DIR;

/// How long a killed process may take to be gone. One that waits for a device takes as long as the device.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often is looked again for processes that were created meanwhile.
const ROUNDS: usize = 16;

/// A process that runs. The start tells it from a later one with its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: Pid,
    /// The number of its process group.
    pub(super) group: i32,
    /// Ticks since the machine was started.
    pub(super) start: u64,
}

impl Process {
    pub(super) const fn number(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }
}

/// The number of a process.
pub(super) fn pid(text: &str) -> Option<Pid> {
    text.parse().ok().filter(|number| *number > 0).and_then(Pid::from_raw)
}

/// One process. `None` if there is none, or if it has ended and only waits to be heard of.
pub(super) fn process(pid: Pid) -> Option<Process> {
    let (process, state) = stat(pid)?;
    (!matches!(state, 'Z' | 'X')).then_some(process)
}

/// One process, even if it has ended and only waits to be heard of.
pub(super) fn process_or_zombie(pid: Pid) -> Option<Process> {
    stat(pid).map(|(process, _)| process)
}

/// proc(5): the name is in brackets and may contain anything, brackets too.
fn stat(pid: Pid) -> Option<(Process, char)> {
    let text = std::fs::read(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    // Fields 3, 5 and 22.
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let start = fields.nth(16)?.parse().ok()?;
    Some((Process { pid, group, start }, state))
}

/// All processes that run.
pub(super) fn all() -> Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let name = entry?.file_name();
        found.extend(name.to_str().and_then(pid).and_then(process));
    }
    Ok(found)
}

/// Whether the process was started with this folder as that of its job. Says no of a process that may not be looked
/// at: it is not one that this user's agent has started.
pub(super) fn is_in(process: &Process, folder: &Path) -> bool {
    let Ok(environment) = std::fs::read(format!("/proc/{}/environ", process.number())) else { return false };
    let wanted = [JOB_DIR.as_bytes(), b"=", folder.as_os_str().as_bytes()].concat();
    environment.split(|byte| *byte == 0).any(|variable| variable == wanted)
}

/// A process by a descriptor, which no other process can take over.
struct Held(std::os::fd::OwnedFd);

impl Held {
    /// `None` if it is gone.
    fn of(found: &Process) -> Result<Option<Self>> {
        match pidfd_open(found.pid, PidfdFlags::empty()) {
            // Looked at again, now that the number cannot pass to another one.
            Ok(held) => Ok((process(found.pid) == Some(*found)).then_some(Self(held))),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether it is gone within this time.
    fn wait(&self, time: Duration) -> Result<bool> {
        let time = rustix::event::Timespec::try_from(time).map_err(Error::other)?;
        let mut fds = [PollFd::new(&self.0, PollFlags::IN)];
        loop {
            match poll(&mut fds, Some(&time)) {
                Ok(ready) => return Ok(ready > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Waits until a process is gone, for this long.
pub(super) fn wait(process: &Process, time: Duration) {
    if let Ok(Some(held)) = Held::of(process) {
        let _ = held.wait(time);
    }
}

/// Kills whatever `which` finds, until it finds nothing. Returns those that it killed and those that do not end.
pub(super) fn kill(which: impl Fn() -> Result<Vec<Process>>) -> Result<(Vec<Process>, Vec<Process>)> {
    let mut killed: Vec<Process> = Vec::new();
    for _ in 0..ROUNDS {
        let found = which()?;
        if found.is_empty() {
            return Ok((killed, Vec::new()));
        }
        // All first: while one is waited for, others could go on creating processes.
        let mut held = Vec::new();
        for process in found {
            let Some(descriptor) = Held::of(&process)? else { continue };
            match pidfd_send_signal(&descriptor.0, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => held.push((process, descriptor)),
                Err(error) => return Err(error.into()),
            }
        }
        for (process, descriptor) in held {
            if descriptor.wait(PATIENCE)? && !killed.contains(&process) {
                killed.push(process);
            }
        }
    }
    Ok((killed, which()?))
}
