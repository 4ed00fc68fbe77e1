//! A site in a temporary folder.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use fed_node::launch::{Launcher, Setup};
use fed_proto::crypto::{Digest, sha256};
use fed_proto::job::{App, JobId};
use fed_proto::name::Name;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

pub(crate) struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(site.inputs()).unwrap();
        site
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(crate) fn inputs(&self) -> PathBuf {
        self.path().join("inputs")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// The folder of a job.
    pub(crate) fn folder(&self, number: u64) -> PathBuf {
        self.data().join("jobs").join(job(number).as_str())
    }

    /// Puts a file into the site's store.
    pub(crate) fn offer(&self, content: &[u8]) -> Digest {
        let digest = sha256(content);
        std::fs::write(self.inputs().join(digest.to_string()), content).unwrap();
        digest
    }

    pub(crate) fn launcher(&self, change: impl FnOnce(&mut Setup)) -> Launcher {
        let mut setup = setup(self.inputs(), self.data());
        change(&mut setup);
        let (launcher, leftovers) = Launcher::start(setup).unwrap();
        assert_eq!(leftovers, []);
        launcher
    }

    /// What a job printed, after what the test's own harness prints while it becomes the job.
    pub(crate) fn stdout(&self, number: u64) -> String {
        std::fs::read_to_string(self.folder(number).join("stdout")).unwrap()
    }

    pub(crate) fn fifo(&self, name: &str) -> Fifo {
        let path = self.path().join(name);
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        Fifo(path)
    }
}

pub(crate) fn setup(inputs: PathBuf, data: PathBuf) -> Setup {
    let itself = std::env::current_exe().unwrap().into_os_string();
    let arguments = ["--exact", "site::starts_a_job", "--nocapture"].map(OsString::from);
    Setup {
        site: Name::new("site-1").unwrap(),
        inputs,
        data,
        allow_code: [].into(),
        starter: std::iter::once(itself).chain(arguments).collect(),
        grace: Duration::from_secs(600),
        environment: fed_node::launch::inherited(),
    }
}

/// Where a job says something, and the test waits for it.
pub(crate) struct Fifo(PathBuf);

impl Fifo {
    /// The app, with the path in `READY`.
    pub(crate) fn known_to(&self, mut app: App) -> App {
        app.env.insert("READY".to_owned(), self.0.display().to_string());
        app
    }

    /// Waits until somebody has written and closed it.
    pub(crate) fn next(&self) -> String {
        let mut text = String::new();
        File::open(&self.0).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// The processes that somebody names in one line.
    pub(crate) fn pids<const N: usize>(&self) -> [u32; N] {
        let pids: Vec<u32> = self.next().split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        pids.try_into().unwrap()
    }
}

pub(crate) fn job(number: u64) -> JobId {
    JobId::parse(&format!("{number:064x}")).unwrap()
}

pub(crate) fn shell(script: &str) -> App {
    App {
        command: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: [].into(),
        inputs: Vec::new(),
        code: Vec::new(),
    }
}

pub(crate) fn app(script: &str) -> App {
    shell(script)
}

/// Whether a process runs.
pub(crate) fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

pub(crate) fn gone(pid: u32) -> bool {
    !runs(pid)
}

/// Waits until a process has ended.
pub(crate) fn ends(pid: u32) -> bool {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    let limit = rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 };
    poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&limit)).unwrap() > 0
}

/// The process that becomes a job; as a test of its own it does nothing.
#[test]
fn starts_a_job() {
    if std::env::var_os("MUSTER_JOB_STARTER").is_some() {
        let _ = fed_node::launch::become_job();
        std::process::exit(1);
    }
}
