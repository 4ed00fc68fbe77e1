//! The worker itself.

use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::ExitCode;

use cc_core::Finding;
use cc_core::message::{Denial, Message as _};
use rustix::event::{PollFd, PollFlags, poll};

use super::wire::{self, Ask, HEAD, Say};
use super::{Kind, confine};
use crate::contract;
use crate::load::{InProcess, Library};
use crate::plugin::{Call, CallError, Runner as _};

/// Where the sealed library is.
const LIBRARY: &str = "/proc/self/fd/1";

/// Becomes a worker: answers the host on standard input until it hangs up. For a process that a
/// [`WorkerCommand`](super::WorkerCommand) started, before it does anything else; started by anybody else it ends at
/// once.
pub fn become_worker() -> ExitCode {
    // A plugin that never returns must not outlive the host. The thread is on its way before anything is refused.
    let (started, starting) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let _ = started.send(());
        wait_for_hang_up();
        std::process::exit(0);
    });
    if starting.recv().is_err() {
        return ExitCode::FAILURE;
    }
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn wait_for_hang_up() {
    let connection = rustix::stdio::stdin();
    let mut polled = [PollFd::from_borrowed_fd(connection, PollFlags::empty())];
    // Only a hang-up or an error of the connection is reported.
    while matches!(poll(&mut polled, None), Ok(0) | Err(rustix::io::Errno::INTR)) {}
}

/// What the worker has so far.
enum State {
    Empty,
    Loaded(Library),
    Ready(Library, InProcess),
}

fn serve() -> rustix::io::Result<()> {
    let mut state = State::Empty;
    while let Some((ask, request)) = receive()? {
        let (next, answer) = step(state, ask, &request);
        state = next;
        match answer {
            Ok(message) => send(Say::Message, &message)?,
            Err(CallError::Denied(denial)) => send(Say::Denied, &denial)?,
            Err(CallError::Oversize(size)) => {
                let size = u64::try_from(size).unwrap_or(u64::MAX);
                send(Say::Oversize, &size.to_le_bytes())?;
            }
            Err(other) => send(Say::Denied, &Denial::from(other.into_finding()).to_bytes())?,
        }
    }
    Ok(())
}

fn step(state: State, ask: Ask, request: &[u8]) -> (State, Result<Vec<u8>, CallError>) {
    match (state, ask) {
        (State::Empty, Ask::LoadVerifier) => load(Kind::Verifier, request),
        (State::Empty, Ask::LoadCollector) => load(Kind::Collector, request),
        (State::Loaded(library), Ask::Create) => match library.create(request) {
            Ok(authorizer) => (State::Ready(library, authorizer), Ok(Vec::new())),
            Err(finding) => (State::Loaded(library), Err(denied(finding))),
        },
        (State::Loaded(library), Ask::Identify) => {
            let answer = library.identify();
            (State::Loaded(library), answer)
        }
        (State::Ready(library, authorizer), Ask::Identify | Ask::Collect | Ask::Plan | Ask::Verify) => {
            let answer = authorizer.call(call(ask), request);
            (State::Ready(library, authorizer), answer)
        }
        (state, _) => (state, Err(denied(contract::broken("a request out of order")))),
    }
}

const fn call(ask: Ask) -> Call {
    match ask {
        Ask::Collect => Call::Collect,
        Ask::Plan => Call::Plan,
        Ask::Verify => Call::Verify,
        Ask::LoadVerifier | Ask::LoadCollector | Ask::Create | Ask::Identify => Call::Identify,
    }
}

fn load(kind: Kind, request: &[u8]) -> (State, Result<Vec<u8>, CallError>) {
    let loaded = (|| {
        let memory = request.first_chunk().copied().map(u64::from_le_bytes);
        let memory = memory.ok_or_else(|| contract::broken("no limit of memory"))?;
        confine::before_loading(kind, memory)?;
        let library = Library::open_at(Path::new(LIBRARY))?;
        confine::after_loading(kind)?;
        Ok(library)
    })();
    match loaded {
        Ok(library) => (State::Loaded(library), Ok(Vec::new())),
        Err(finding) => (State::Empty, Err(denied(finding))),
    }
}

fn denied(finding: Finding) -> CallError {
    CallError::Denied(Denial::from(finding).to_bytes())
}

/// The next request; nothing once the host has hung up.
fn receive() -> rustix::io::Result<Option<(Ask, Vec<u8>)>> {
    let mut head = [0; HEAD];
    if !fill(&mut head)? {
        return Ok(None);
    }
    let read = wire::read_head(head).and_then(|(number, length)| Some((Ask::of(number)?, length)));
    let (ask, length) = read.ok_or(rustix::io::Errno::PROTO)?;
    let mut request = vec![0; length];
    Ok(fill(&mut request)?.then_some((ask, request)))
}

/// Fills the bytes; says whether there were enough.
fn fill(mut bytes: &mut [u8]) -> rustix::io::Result<bool> {
    while !bytes.is_empty() {
        match rustix::io::read(connection(), &mut *bytes) {
            Ok(0) => return Ok(false),
            Ok(count) => bytes = bytes.get_mut(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn send(say: Say, bytes: &[u8]) -> rustix::io::Result<()> {
    for mut part in [wire::head(say.number(), bytes.len()).as_slice(), bytes] {
        while !part.is_empty() {
            match rustix::io::write(connection(), part) {
                Ok(count) => part = part.get(count..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

fn connection() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}
