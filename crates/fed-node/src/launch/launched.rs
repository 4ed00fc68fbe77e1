//! A job that was started.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fed_proto::job::JobId;
use fed_proto::scheduler::Exit;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::watch;

/// How a job's program ended. Everything that it had started is gone too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How the scheduler counts it.
    pub exit: Exit,
    /// The same for people, for example `exit code 3`.
    pub detail: String,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.detail)
    }
}

/// What the job's thread and its owner share.
#[derive(Debug)]
pub(super) struct Shared {
    /// The first process, which leads the group of all others, until it has been waited for: from then on its number
    /// may be somebody else's.
    pub(super) leader: Mutex<Option<Pid>>,
    /// Somebody wants it to end.
    pub(super) stopping: AtomicBool,
    pub(super) ended: watch::Sender<Option<Ended>>,
}

impl Shared {
    pub(super) fn new(leader: Pid) -> Self {
        let (ended, _) = watch::channel(None);
        Self { leader: Mutex::new(Some(leader)), stopping: AtomicBool::new(false), ended }
    }

    /// Sends a signal to the job's group, as long as that is the job's.
    pub(super) fn signal(&self, signal: Signal) {
        let leader = self.leader.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(leader) = *leader {
            let _ = kill_process_group(leader, signal);
        }
    }

    /// Asks the job to end.
    pub(super) fn stop(&self, signal: Signal) {
        self.stopping.store(true, Ordering::SeqCst);
        self.signal(signal);
    }
}

/// A job that runs, or has ended. Dropping it kills the job: nothing runs that nobody watches.
#[derive(Debug)]
pub struct Launched {
    job: JobId,
    grace: Duration,
    shared: Arc<Shared>,
    process: u32,
}

impl Launched {
    pub(super) const fn new(job: JobId, process: u32, grace: Duration, shared: Arc<Shared>) -> Self {
        Self { job, grace, shared, process }
    }

    /// The job.
    pub const fn job(&self) -> &JobId {
        &self.job
    }

    /// The number of the program's process.
    pub const fn process(&self) -> u32 {
        self.process
    }

    /// Waits until the job has ended. May be given up and called again.
    pub async fn ended(&self) -> Ended {
        let mut ended = self.shared.ended.subscribe();
        let lost = Ended { exit: Exit::Abnormal, detail: "the job's thread is gone".to_owned() };
        match ended.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone().unwrap_or(lost),
            Err(_) => lost,
        }
    }

    /// Asks the job's processes to end (SIGTERM), kills what has not done so within the grace, and says how it ended:
    /// as [`Exit::Stopped`], unless it had ended before.
    pub async fn stop(&self) -> Ended {
        self.shared.stop(Signal::TERM);
        if let Ok(ended) = tokio::time::timeout(self.grace, self.ended()).await {
            return ended;
        }
        self.shared.stop(Signal::KILL);
        self.ended().await
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        self.shared.stop(Signal::KILL);
    }
}
