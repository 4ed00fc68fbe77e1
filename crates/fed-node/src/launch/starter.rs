//! The step between the agent and a job's program.
//!
//! What a process may do to itself between its creation and its program is unsafe code in the agent, which has other
//! threads; in a process of its own it is not. So the agent starts itself anew, and that process waits until the
//! agent has noted it on disk, gives up what the job must not have, and becomes the program.
//!
//! They talk over the process's standard input: the agent sends one message, how to become what; the process answers
//! [`READY`], then either ends the connection by becoming the program, or says why it cannot. If the agent dies
//! first, the process ends.

use std::ffi::{OsStr, OsString};
use std::io::{Error, Read, Result, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{Resource, Rlimit, Signal};

/// Everything that the job must not have is gone.
pub(super) const READY: u8 = b'+';

/// Longest message; the kernel takes no longer command line and environment either.
const MAX_MESSAGE: u32 = 8 * 1024 * 1024;

/// What to become.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The agent's process.
    pub(super) agent: u32,
    /// Program and arguments.
    pub(super) command: Vec<OsString>,
    /// Its whole environment.
    pub(super) environment: Vec<(OsString, OsString)>,
}

impl Message {
    /// A length, then texts that end with a zero byte each: the agent, the number of words of the command, the words,
    /// names and values in turn.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        let mut add = |text: &OsStr| {
            if text.as_bytes().contains(&0) {
                return Err(Error::other("a zero byte in the command or the environment"));
            }
            body.extend_from_slice(text.as_bytes());
            body.push(0);
            Ok(())
        };
        add(self.agent.to_string().as_ref())?;
        add(self.command.len().to_string().as_ref())?;
        self.command.iter().try_for_each(|word| add(word))?;
        for (name, value) in &self.environment {
            add(name)?;
            add(value)?;
        }
        let length = u32::try_from(body.len()).ok().filter(|length| *length <= MAX_MESSAGE);
        let length = length.ok_or_else(|| Error::other("the command and the environment are too long"))?;
        Ok([length.to_be_bytes().as_slice(), &body].concat())
    }

    fn read(from: &mut impl Read) -> Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > MAX_MESSAGE {
            return Err(Error::other("too long a message"));
        }
        let mut body = vec![0; usize::try_from(length).map_err(Error::other)?];
        from.read_exact(&mut body)?;
        Self::parse(&body).ok_or_else(|| Error::other("not a message"))
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let mut texts = body.strip_suffix(&[0])?.split(|byte| *byte == 0);
        let mut text = || Some(OsString::from_vec(texts.next()?.to_vec()));
        let mut number = || text()?.to_str()?.parse::<u32>().ok();
        let (agent, words) = (number()?, number()?);
        let command = (0..words).map(|_| text()).collect::<Option<_>>()?;
        let mut environment = Vec::new();
        while let Some(name) = text() {
            environment.push((name, text()?));
        }
        Some(Self { agent, command, environment })
    }
}

/// Becomes the program of a job, as the agent says on standard input. Only for a process that
/// [`Launcher`](super::Launcher) has started ([`Setup::starter`](super::Setup::starter)); returns if it fails.
pub fn become_job() -> ExitCode {
    // The connection moves away from standard input, and ends when the program takes over.
    let connection = rustix::io::fcntl_dupfd_cloexec(std::io::stdin().as_fd(), 3);
    let Ok(mut connection) = connection.map(UnixStream::from) else { return ExitCode::FAILURE };
    let error = try_become(&mut connection);
    let _ = connection.write_all(error.to_string().as_bytes());
    ExitCode::FAILURE
}

fn try_become(connection: &mut UnixStream) -> Error {
    match prepared(connection) {
        Ok(mut command) => match connection.write_all(&[READY]) {
            Ok(()) => command.exec(),
            Err(error) => error,
        },
        Err(error) => error,
    }
}

fn prepared(connection: &mut UnixStream) -> Result<Command> {
    // Before anything else: if the agent dies from here on, so does this process, and the program later.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let message = Message::read(connection)?;
    let parent = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get().cast_unsigned());
    if parent != Some(message.agent) {
        return Err(Error::other("the agent is gone"));
    }
    // A program with privileges of its own would shake off the death signal.
    rustix::thread::set_no_new_privs(true)?;
    // The memory of a job stays in memory.
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    let (program, arguments) =
        message.command.split_first().ok_or_else(|| Error::other("there is no command"))?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(message.environment);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            agent: 7,
            command: ["/bin/sh", "-c", ""].map(OsString::from).to_vec(),
            environment: vec![("A".into(), "".into()), ("B".into(), OsString::from_vec(vec![0xff]))],
        }
    }

    #[test]
    fn messages_are_read_as_written() {
        let bytes = message().to_bytes().unwrap();
        assert_eq!(Message::read(&mut bytes.as_slice()).unwrap(), message());
    }

    #[test]
    fn what_is_cut_short_is_no_message() {
        let bytes = message().to_bytes().unwrap();
        for length in 0..bytes.len() {
            assert!(Message::read(&mut &bytes[..length]).is_err(), "{length}");
        }
        for body in [&b""[..], b"\0", b"7\0", b"7\x001\0", b"x\x000\0", b"7\x000\0A\0", b"7\x000"] {
            assert_eq!(Message::parse(body), None, "{body:?}");
        }
    }

    #[test]
    fn what_cannot_be_said_is_not_sent() {
        let zero = Message { command: vec!["a\0b".into()], ..message() };
        assert!(zero.to_bytes().is_err());
        let long = Message { command: vec!["a".repeat(8 * 1024 * 1024).into()], ..message() };
        assert!(long.to_bytes().is_err());
        assert!(Message::read(&mut &[0xff; 8][..]).is_err());
    }
}
