//! What an earlier agent has left running.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{ErrorKind, Result, Write};
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::error::LeftoverError;
use super::folder::{JOBS, RECORD};
use super::processes::{self, Process};

/// Changes with every start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A job that an earlier agent left running; its processes have been killed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The job's identity.
    pub job: String,
    /// How many processes it had.
    pub processes: usize,
}

/// The first process of a job, and the start of the machine in which it ran.
struct Record {
    leader: Pid,
    start: u64,
    boot: String,
}

/// Notes the first process of a job; it is on disk when this returns.
pub(super) fn note(file: &mut File, leader: &Process) -> Result<()> {
    let boot = std::fs::read_to_string(BOOT_ID)?;
    let mut text = String::new();
    let _ = writeln!(text, "{} {} {}", leader.number(), leader.start, boot.trim());
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(text: &str) -> Option<Record> {
    let mut words = text.strip_suffix('\n')?.split(' ');
    let leader = processes::pid(words.next()?)?;
    let start = words.next()?.parse().ok()?;
    let boot = words.next()?.to_owned();
    words.next().is_none().then_some(Record { leader, start, boot })
}

/// Kills what is left of all jobs, and waits until it is gone.
pub(super) fn kill(data: &Path) -> std::result::Result<Vec<Leftover>, LeftoverError> {
    let folders = folders(data)?;
    let proc = |error: std::io::Error| unreadable(Path::new("/proc"), &error);
    let boot = std::fs::read_to_string(BOOT_ID).map_err(|error| unreadable(Path::new(BOOT_ID), &error))?;
    let records: Vec<(&PathBuf, Option<Record>)> = folders
        .iter()
        .map(|folder| match std::fs::read_to_string(folder.join(RECORD)) {
            // An incomplete one belongs to a process that has not become a program.
            Ok(text) => Ok((folder, read(&text).filter(|record| record.boot == boot.trim()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok((folder, None)),
            Err(error) => Err(unreadable(&folder.join(RECORD), &error)),
        })
        .collect::<std::result::Result<_, _>>()?;
    let job_of = |process: &Process| {
        let of = |(folder, record): &&(&PathBuf, Option<Record>)| {
            record.as_ref().is_some_and(|record| is_of(process, record.leader, record.start))
                || processes::is_in(process, folder)
        };
        records.iter().find(of).map(|(folder, _)| (*folder).clone())
    };
    let find = || Ok(processes::all()?.into_iter().filter(|process| job_of(process).is_some()).collect());
    let before: Vec<(Process, PathBuf)> = processes::all()
        .map_err(proc)?
        .into_iter()
        .filter_map(|process| Some((process, job_of(&process)?)))
        .collect();
    let (_, alive) = processes::kill(find).map_err(proc)?;
    if !alive.is_empty() {
        return Err(LeftoverError::Alive { pids: alive.iter().map(Process::number).collect() });
    }
    for folder in &folders {
        let _ = std::fs::remove_file(folder.join(RECORD));
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (_, folder) in before {
        let job = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let count = counts.entry(job).or_default();
        *count = count.saturating_add(1);
    }
    Ok(counts.into_iter().map(|(job, processes)| Leftover { job, processes }).collect())
}

/// Whether a process belongs to the group that was noted.
pub(super) fn is_of(process: &Process, leader: Pid, start: u64) -> bool {
    if process.group != leader.as_raw_nonzero().get() {
        return false;
    }
    // The number of a group cannot pass on while the group has members. If the leader's number belongs to another
    // process now, its group has been empty meanwhile, and this is another one.
    match processes::process_or_zombie(leader) {
        Some(now) => now.start == start,
        None => process.start >= start,
    }
}

/// The folders of all jobs.
fn folders(data: &Path) -> std::result::Result<Vec<PathBuf>, LeftoverError> {
    let jobs = data.join(JOBS);
    let fail = |error: std::io::Error| unreadable(&jobs, &error);
    let jobs = match jobs.canonicalize() {
        Ok(jobs) => jobs,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(fail(error)),
    };
    std::fs::read_dir(&jobs)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(fail)
}

fn unreadable(path: &Path, error: &std::io::Error) -> LeftoverError {
    LeftoverError::Unreadable { path: path.to_owned(), detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_written_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("process");
        let me = processes::process(rustix::process::getpid()).unwrap();
        note(&mut File::create(&path).unwrap(), &me).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let record = read(&text).unwrap();
        assert_eq!((record.leader, record.start), (me.pid, me.start));
        for length in 0..text.len() {
            assert!(read(&text[..length]).is_none(), "{length}");
        }
        assert!(read("1 2 boot more\n").is_none());
    }

    #[test]
    fn a_number_that_passed_on_is_somebody_else() {
        let me = processes::process(rustix::process::getpid()).unwrap();
        let leader = processes::process(Pid::from_raw(me.group).unwrap()).unwrap();
        assert!(is_of(&me, leader.pid, leader.start));
        assert!(!is_of(&me, leader.pid, leader.start - 1), "the number belonged to an earlier process");
        assert!(!is_of(&leader, Pid::from_raw(i32::MAX).unwrap(), 0), "another group");
        let gone = Pid::from_raw(i32::MAX).unwrap();
        let member = Process { group: i32::MAX, ..me };
        assert!(is_of(&member, gone, me.start), "the leader is gone, its group is not");
        assert!(!is_of(&member, gone, me.start + 1), "older than the leader was");
    }
}
