//! The host's end of one worker process.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::wire::{self, Ask, HEAD, Say};
use super::{Kind, Spec};
use crate::plugin::CallError;

/// A process that has loaded its plugin. Dropping it ends the process.
pub(super) struct Child {
    process: Option<std::process::Child>,
    connection: UnixStream,
}

impl Child {
    /// Starts a process, has it load the library and take the settings.
    pub(super) fn start(spec: &Spec, kind: Kind) -> Result<Self, CallError> {
        let mut child = Self::load(spec, kind)?;
        child.create(spec, kind)?;
        Ok(child)
    }

    /// Starts a process and has it load the library.
    pub(super) fn load(spec: &Spec, kind: Kind) -> Result<Self, CallError> {
        let mut child = Self::spawn(spec)
            .map_err(|error| CallError::Crashed(format!("no process for the plugin: {error}")))?;
        let load = match kind {
            Kind::Verifier => Ask::LoadVerifier,
            Kind::Collector => Ask::LoadCollector,
        };
        child.call(load, &spec.limits.memory_mib.to_le_bytes(), spec.deadline(kind))?;
        Ok(child)
    }

    /// Has it take the settings.
    pub(super) fn create(&mut self, spec: &Spec, kind: Kind) -> Result<(), CallError> {
        self.call(Ask::Create, &spec.settings, spec.deadline(kind)).map(drop)
    }

    fn spawn(spec: &Spec) -> std::io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let process = Command::new(&spec.command.program)
            .args(&spec.command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(spec.library.try_clone()?)
            .stderr(Stdio::inherit())
            .spawn()?;
        Ok(Self { process: Some(process), connection: ours })
    }

    /// Whether the process still runs: one that ended while it had nothing to do is no request's fault.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.process.as_mut().map(std::process::Child::try_wait), Some(Ok(None)))
    }

    /// Makes one call. After any error but a denial the process is of no use any more.
    pub(super) fn call(&mut self, ask: Ask, request: &[u8], within: Duration) -> Result<Vec<u8>, CallError> {
        let until = Instant::now().checked_add(within);
        let exchanged = until.ok_or_else(timed_out).and_then(|until| self.exchange(ask, request, until));
        let (number, answer) = match exchanged {
            Ok(answer) => answer,
            Err(error) if is_timeout(&error) => {
                self.end();
                return Err(CallError::TimedOut(within));
            }
            Err(error) => return Err(CallError::Crashed(self.last_words(&error))),
        };
        match Say::of(number) {
            Some(Say::Message) => Ok(answer),
            Some(Say::Denied) => Err(CallError::Denied(answer)),
            Some(Say::Oversize) => {
                let size = answer.first_chunk().copied().map(u64::from_le_bytes);
                Err(CallError::Oversize(
                    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX),
                ))
            }
            None => {
                let error = std::io::Error::other(format!("an answer of kind {number}"));
                Err(CallError::Crashed(self.last_words(&error)))
            }
        }
    }

    fn exchange(&mut self, ask: Ask, request: &[u8], until: Instant) -> std::io::Result<(u8, Vec<u8>)> {
        let head = wire::head(ask.number(), request.len());
        self.send(&head, until)?;
        self.send(request, until)?;
        let mut head = [0; HEAD];
        self.receive(&mut head, until)?;
        let oversize = || std::io::Error::new(std::io::ErrorKind::InvalidData, "an answer without bound");
        let (number, length) = wire::read_head(head).ok_or_else(oversize)?;
        let mut answer = vec![0; length];
        self.receive(&mut answer, until)?;
        Ok((number, answer))
    }

    fn send(&mut self, mut bytes: &[u8], until: Instant) -> std::io::Result<()> {
        while !bytes.is_empty() {
            self.connection.set_write_timeout(Some(remaining(until)?))?;
            match self.connection.write(bytes) {
                Ok(0) => return Err(std::io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn receive(&mut self, mut bytes: &mut [u8], until: Instant) -> std::io::Result<()> {
        while !bytes.is_empty() {
            self.connection.set_read_timeout(Some(remaining(until)?))?;
            match self.connection.read(bytes) {
                Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Ends the process and says how it ended.
    fn last_words(&mut self, error: &std::io::Error) -> String {
        let Some(mut process) = self.process.take() else {
            return error.to_string();
        };
        // A process whose connection closed because it ended has its status by now; any other one has this one.
        let _ = process.kill();
        match process.wait() {
            Ok(status) => format!("the plugin's process ended ({status})"),
            Err(_) => error.to_string(),
        }
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            reap(process);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

fn timed_out() -> std::io::Error {
    std::io::ErrorKind::TimedOut.into()
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::TimedOut | std::io::ErrorKind::WouldBlock)
}

/// Time until the deadline; none of it left is an error.
fn remaining(until: Instant) -> std::io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(timed_out()) } else { Ok(left) }
}

/// Collects the status of a killed process elsewhere: one that a driver holds may end late.
fn reap(mut process: std::process::Child) {
    std::thread::spawn(move || process.wait());
}
