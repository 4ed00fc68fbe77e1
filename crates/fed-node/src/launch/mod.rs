//! Runs a site's part of a job as a child process, for as long as the job is admitted here and no longer.
//!
//! Steps of a launch; one that fails leaves nothing behind, and the job has not started:
//!
//! 1. `code`: code that came with the job and is not on the site's allow-list is refused ("BYOC").
//! 2. `folder`: a fresh folder for the job, `<data>/jobs/<job id>/`, for the owner alone. A job whose folder exists has
//!    run here and does not run again.
//! 3. `files`: inputs and code are copied into it from the site's store and hashed on the way.
//! 4. `grant`: the job's grant is written beside them.
//! 5. `record`: a process is created and noted on disk before it becomes the program ([`become_job`]), so that a later
//!    agent can find it.
//! 6. `program`: the program replaces it, with an environment that has nothing of the agent's but `PATH`, `HOME`,
//!    `LANG` and `TZ`.
//!
//! However a job ends, everything that it started ends with it: when the program ends, when it is stopped, when the
//! agent forgets it ([`Launched`] is dropped), when the agent dies (the kernel kills the program then; what that has
//! started itself is killed by the next [`Launcher::start`]).
//!
//! What this is not: a sandbox. The program runs as the agent's user, who can do more than it is told here: a program
//! that gives itself a new environment in a new session is not found again. What it writes, its standard output and
//! error included, is bounded only by the disk, and stays there when it has ended. Files that the agent, or a library in
//! it, has opened without close-on-exec are open in the program too.

mod environment;
mod error;
mod folder;
mod launched;
mod leftovers;
mod processes;
mod run;
mod starter;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fed_proto::crypto::Digest;
use fed_proto::job::{App, JobId};
use fed_proto::name::Name;
use tokio::sync::oneshot;

pub use environment::inherited;
pub use error::{LaunchError, LeftoverError};
pub use launched::{Ended, Launched};
pub use leftovers::Leftover;
pub use starter::become_job;

/// What a site allows, and where things are.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The site.
    pub site: Name,
    /// Folder of input and code files, each named by its SHA-256 in lower-case hex.
    pub inputs: PathBuf,
    /// Folder of the agent's own data; jobs run below it. Absolute.
    pub data: PathBuf,
    /// Code that may run here although it came with a job.
    pub allow_code: BTreeSet<Digest>,
    /// How a process is started that calls [`become_job`]: program and arguments, usually `/proc/self/exe` and a
    /// hidden subcommand of the agent's own.
    pub starter: Vec<OsString>,
    /// How long a job may take to end after it was asked to, before it is killed.
    pub grace: Duration,
    /// The part of the environment that jobs have in common: [`inherited`].
    pub environment: Vec<(OsString, OsString)>,
}

/// Starts jobs at one site.
#[derive(Clone, Debug)]
pub struct Launcher(Arc<Setup>);

impl Launcher {
    /// Kills whatever an earlier agent with the same data folder has left running, and returns only when it is gone:
    /// no job outlives its admission. Says what it killed. Blocks; to be called before anything else but the opening of
    /// the agent's store, whose lock makes sure that the earlier agent is gone.
    pub fn start(setup: Setup) -> Result<(Self, Vec<Leftover>), LeftoverError> {
        let killed = leftovers::kill(&setup.data)?;
        Ok((Self(Arc::new(setup)), killed))
    }

    /// Starts `app` for a job, with its grant. Returns when the program runs, or the reason why it does not.
    ///
    /// Whoever stops waiting for the answer gives the job up: what has been started by then is killed.
    pub async fn launch(&self, job: &JobId, app: &App, grant: &[u8]) -> Result<Launched, LaunchError> {
        let (started, answer) = oneshot::channel();
        let order = run::Order {
            setup: Arc::clone(&self.0),
            job: job.clone(),
            app: app.clone(),
            grant: grant.to_vec(),
        };
        // A thread of its own for each job: it waits for the process without a signal handler, and it lives exactly as
        // long as the process, which the kernel kills when the thread that created it is gone.
        std::thread::Builder::new()
            .name("job".to_owned())
            .spawn(move || run::run(&order, started))
            .map_err(|error| LaunchError::Process { detail: error.to_string() })?;
        let gone = || LaunchError::Process { detail: "the job's thread is gone".to_owned() };
        answer.await.unwrap_or_else(|_| Err(gone()))
    }
}
