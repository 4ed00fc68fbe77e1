//! The thread of one job: from its folder to its last process.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use fed_proto::job::{App, JobId};
use fed_proto::scheduler::Exit;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use tokio::sync::oneshot;

use super::Setup;
use super::environment;
use super::error::LaunchError;
use super::folder::Folder;
use super::launched::{Ended, Launched, Shared};
use super::leftovers;
use super::processes::{self, Process};
use super::starter::{Message, READY};

/// How long the process may take to become the program.
const START: Duration = Duration::from_secs(30);
/// Longest complaint that is taken from it.
const MAX_COMPLAINT: u64 = 4096;

/// A job to start.
pub(super) struct Order {
    pub(super) setup: Arc<Setup>,
    pub(super) job: JobId,
    pub(super) app: App,
    pub(super) grant: Vec<u8>,
}

/// Starts a job, says so, and stays until it is over.
pub(super) fn run(order: &Order, started: oneshot::Sender<Result<Launched, LaunchError>>) {
    let running = match start(order) {
        Ok(running) => running,
        Err(error) => {
            let _ = started.send(Err(error));
            return;
        }
    };
    let launched =
        Launched::new(order.job.clone(), running.child.id(), order.setup.grace, Arc::clone(&running.shared));
    // If nobody waits any more, the job is dropped with the message, and killed.
    drop(started.send(Ok(launched)));
    running.finish(order.setup.grace);
}

struct Running {
    folder: Folder,
    child: Child,
    leader: Process,
    shared: Arc<Shared>,
}

/// Steps `code` to `program`.
fn start(order: &Order) -> Result<Running, LaunchError> {
    let program = order.app.command.first().ok_or(LaunchError::NoCommand)?;
    let mut folder = Folder::prepare(&order.setup, &order.job, &order.app, &order.grant)?;
    let message = Message {
        agent: std::process::id(),
        command: order.app.command.iter().map(Into::into).collect(),
        environment: environment::of_job(
            &order.setup.environment,
            &order.app,
            &order.job,
            &order.setup.site,
            folder.path(),
            &folder.grant(),
        ),
    };
    let message = message
        .to_bytes()
        .map_err(|error| LaunchError::Program { program: program.clone(), detail: error.to_string() })?;
    let (connection, theirs) = UnixStream::pair().map_err(|error| LaunchError::process(&error))?;
    let mut child = starter(order, &folder, theirs).map_err(|error| LaunchError::process(&error))?;
    match become_program(&mut folder, &child, connection, &message) {
        Ok((leader, None)) => {
            folder.keep();
            let shared = Arc::new(Shared::new(leader.pid));
            Ok(Running { folder, child, leader, shared })
        }
        Ok((_, Some(detail))) => {
            end(&mut child);
            Err(LaunchError::Program { program: program.clone(), detail })
        }
        Err(error) => {
            end(&mut child);
            Err(LaunchError::process(&error))
        }
    }
}

/// Creates the process that will become the program.
fn starter(order: &Order, folder: &Folder, connection: UnixStream) -> std::io::Result<Child> {
    let (program, arguments) =
        order.setup.starter.split_first().ok_or_else(|| std::io::Error::other("it is not configured how"))?;
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env(environment::STARTER, "1")
        .current_dir(folder.path())
        .stdin(Stdio::from(OwnedFd::from(connection)))
        .stdout(folder.stdout.try_clone()?)
        .stderr(folder.stderr.try_clone()?)
        .process_group(0)
        .spawn()
}

/// Notes the process, and lets it become the program. Returns what it says if it cannot.
fn become_program(
    folder: &mut Folder,
    child: &Child,
    mut connection: UnixStream,
    message: &[u8],
) -> std::io::Result<(Process, Option<String>)> {
    let leader = processes::process_or_zombie(Pid::from_child(child));
    let leader = leader.ok_or_else(|| std::io::Error::other("the process is not in /proc"))?;
    leftovers::note(&mut folder.record, &leader)?;
    connection.set_read_timeout(Some(START))?;
    connection.set_write_timeout(Some(START))?;
    connection.write_all(message)?;
    connection.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    connection.take(MAX_COMPLAINT).read_to_end(&mut answer)?;
    match answer.split_first() {
        Some((&READY, [])) => Ok((leader, None)),
        Some((&READY, complaint)) => Ok((leader, Some(String::from_utf8_lossy(complaint).into_owned()))),
        _ => Err(std::io::Error::other(format!("the starter says {:?}", String::from_utf8_lossy(&answer)))),
    }
}

/// Ends a process that has not become the program.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

impl Running {
    /// Waits until the program has ended, and sees to it that everything else has.
    fn finish(mut self, grace: Duration) {
        let pid = self.leader.pid;
        // It is left unheard for now: its number, which is that of the group, stays its own.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
        let stopped = self.shared.stopping.load(Ordering::SeqCst);
        if stopped {
            // The others have been asked too. Whoever asked kills them when the grace is over.
            for process in self.others().unwrap_or_default() {
                processes::wait(&process, grace);
            }
        }
        self.shared.signal(Signal::KILL);
        let left = match processes::kill(|| self.others()) {
            Ok((_, alive)) if alive.is_empty() => None,
            Ok((_, alive)) => Some(format!("{} processes do not end", alive.len())),
            Err(error) => Some(format!("its processes are not known: {error}")),
        };
        let status = {
            let mut leader = self.shared.leader.lock().unwrap_or_else(PoisonError::into_inner);
            *leader = None;
            self.child.wait()
        };
        if left.is_none() {
            self.folder.forget_process();
        }
        self.shared.ended.send_replace(Some(judge(status, stopped, left)));
    }

    /// What runs of the job besides the program.
    fn others(&self) -> std::io::Result<Vec<Process>> {
        let of = |process: &Process| {
            leftovers::is_of(process, self.leader.pid, self.leader.start)
                || processes::is_in(process, self.folder.path())
        };
        Ok(processes::all()?.into_iter().filter(of).collect())
    }
}

fn judge(status: std::io::Result<ExitStatus>, stopped: bool, left: Option<String>) -> Ended {
    let (exit, mut detail) = match status.map(|status| (status.code(), status.signal())) {
        Ok((Some(0), _)) => (Exit::Completed, "completed".to_owned()),
        Ok((Some(code), _)) => (Exit::Exception, format!("exit code {code}")),
        Ok((None, Some(signal))) => (Exit::Abnormal, format!("killed by signal {signal}")),
        Ok((None, None)) => (Exit::Abnormal, "ended in an unknown way".to_owned()),
        Err(error) => (Exit::Abnormal, format!("ended in an unknown way: {error}")),
    };
    if stopped {
        detail = format!("stopped ({detail})");
    }
    if let Some(left) = left {
        detail = format!("{detail}; {left}");
    }
    Ended { exit: if stopped { Exit::Stopped } else { exit }, detail }
}
