//! The scheduler against *workflow.md* S1 to S8, and the cases of NVFlare's own tests of its scheduler in our terms.

mod attempts;
mod model;
mod nvflare;
mod records;
mod resources;
mod running;

use std::collections::BTreeSet;
use std::time::Duration;

use cc_core::UnixTime;
use fed_proto::job::{JobFile, JobId};
use fed_proto::name::Name;
use fed_proto::scheduler::{Attempt, Limits, Outcome, Record, Scheduler, SchedulerError, Status};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn names(list: &[&str]) -> BTreeSet<Name> {
    list.iter().map(|text| name(text)).collect()
}

fn id(number: usize) -> JobId {
    JobId::parse(&format!("{number:064x}")).unwrap()
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds)
}

/// A job of one app at `targets`, as a TOML list; `keys` come before the tables, `tables` at the end.
fn job_with(targets: &str, keys: &str, tables: &str) -> JobFile {
    let text = format!(
        "version = 1\nname = \"job\"\n{keys}\n[deploy]\napp = {targets}\n[app.app]\ncommand = [\"run\"]\n{tables}\n"
    );
    JobFile::parse(&text).unwrap()
}

fn job(targets: &str, keys: &str) -> JobFile {
    job_with(targets, keys, "")
}

/// At all sites.
fn everywhere(keys: &str) -> JobFile {
    job(r#"["@ALL"]"#, keys)
}

/// A server whose wall clock is at `now`; the monotonic one runs along.
struct World {
    scheduler: Scheduler,
    now: u64,
    online: BTreeSet<Name>,
}

impl World {
    fn new(limits: Limits, online: &[&str]) -> Self {
        Self { scheduler: Scheduler::new(limits, name("server")), now: 0, online: names(online) }
    }

    /// Takes the job numbered `number`.
    fn submit(&mut self, number: usize, file: JobFile) {
        self.scheduler.submit(id(number), file, at(self.now)).unwrap();
    }

    fn begin(&mut self) -> Option<Attempt> {
        self.scheduler.begin(at(self.now), Duration::from_secs(self.now), &self.online)
    }

    fn finish(&mut self, attempt: &Attempt, outcome: Outcome) -> Result<(), SchedulerError> {
        self.scheduler.finish(&attempt.job, attempt.number, outcome, at(self.now))
    }

    /// The next attempt fails for want of something.
    fn fail(&mut self, reason: &str) -> Attempt {
        let attempt = self.begin().unwrap();
        self.finish(&attempt, Outcome::NoResource { reason: reason.to_owned() }).unwrap();
        attempt
    }

    /// The next attempt admits these.
    fn schedule(&mut self, sites: &[&str]) -> Attempt {
        let attempt = self.begin().unwrap();
        self.finish(&attempt, Outcome::Scheduled { sites: names(sites) }).unwrap();
        attempt
    }

    /// The job numbered `number` runs at these.
    fn run(&mut self, number: usize, sites: &[&str]) {
        assert_eq!(self.schedule(sites).job, id(number));
        self.scheduler.dispatched(&id(number)).unwrap();
        for site in sites {
            self.scheduler.started(&id(number), &name(site)).unwrap();
        }
        assert_eq!(self.status(number), Status::Running);
    }

    fn record(&self, number: usize) -> &Record {
        &self.scheduler.job(&id(number)).unwrap().record
    }

    fn status(&self, number: usize) -> Status {
        self.record(number).status
    }
}

fn quick() -> Limits {
    Limits { max_jobs: 8, ..Limits::default() }
}
