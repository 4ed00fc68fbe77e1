//! The process is killed under load, again and again: nothing that was acknowledged is lost, no epoch is given out
//! twice, and no job is started twice.
//!
//! What this does not show is a loss of power: the system keeps what a killed process has written. For that the store
//! relies on SQLite's flush at every commit.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use cc_core::UnixTime;
use cc_store::{Handle, Job, Judgement, Stage, Statement, StoreError};

/// Names the store, for the process that is killed.
const STORE: &str = "CC_STORE_CRASH_STORE";
/// Tells the starts apart.
const ROUND: &str = "CC_STORE_CRASH_ROUND";
/// Another seed for another series.
const SEED: &str = "CC_STORE_CRASH_SEED";

const ROUNDS: u64 = 25;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

/// What the killed process says it has been acknowledged.
#[derive(Default)]
struct Acknowledged {
    epochs: Vec<u64>,
    /// Stage by job.
    jobs: BTreeMap<String, Stage>,
    /// Started jobs, as often as they were.
    started: Vec<String>,
    /// Epochs with a verdict.
    verdicts: BTreeSet<u64>,
    /// Highest floor.
    floor: u64,
}

impl Acknowledged {
    fn note(&mut self, line: &str) -> bool {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ack", "epoch", epoch] => self.epochs.push(epoch.parse().unwrap()),
            ["ack", "job", id] => {
                self.jobs.entry(id.to_owned()).or_insert(Stage::Waiting);
            }
            ["ack", "start", id] => {
                self.jobs.insert(id.to_owned(), Stage::Dispatched);
                self.started.push(id.to_owned());
            }
            ["ack", "end", id] => {
                self.jobs.insert(id.to_owned(), Stage::Ended);
            }
            ["ack", "verdict", epoch] => {
                self.verdicts.insert(epoch.parse().unwrap());
            }
            ["ack", "floor", number] => self.floor = self.floor.max(number.parse().unwrap()),
            _ => return false,
        }
        true
    }

    fn compare(&self, store: &Handle) {
        store
            .read(|view| {
                let last = view.last_epoch()?;
                assert!(self.epochs.iter().max().copied() <= last, "an epoch is lost, the last is {last:?}");
                let jobs: BTreeMap<_, _> = view.jobs()?.into_iter().map(|job| (job.id, job.stage)).collect();
                for (id, stage) in &self.jobs {
                    let kept = jobs.get(id);
                    assert!(kept.is_some_and(|kept| kept >= stage), "job {id} was {stage} and is {kept:?}");
                }
                for epoch in &self.verdicts {
                    let (verdicts, signed) = (view.verdicts(*epoch)?, view.statements(*epoch)?);
                    assert_eq!((verdicts.len(), signed.len()), (3, 1), "verdicts of {epoch}");
                }
                assert!(view.floor("crl")? >= Some(self.floor.into()), "a floor went back");
                Ok(())
            })
            .unwrap();
        let once: BTreeSet<_> = self.epochs.iter().collect();
        assert_eq!(once.len(), self.epochs.len(), "an epoch was given out twice");
        let once: BTreeSet<_> = self.started.iter().collect();
        assert_eq!(once.len(), self.started.len(), "a job was started twice");
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice() {
    let seed = std::env::var(SEED).map_or(20_260_601, |seed| seed.parse().unwrap());
    println!("seed {seed} ({SEED})");
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("muster.db");
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let kill_after = 1 + random.below(400);
        run_and_kill(&path, round, kill_after, &mut acknowledged);
        let store = Handle::open(&path).unwrap();
        acknowledged.compare(&store);
        drop(store);
        let database = rusqlite::Connection::open(&path).unwrap();
        let whole: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(whole, "ok");
    }
    assert!(!acknowledged.started.is_empty() && !acknowledged.verdicts.is_empty(), "there was load");
}

/// Lets the other process work until it has been acknowledged so much, kills it, and hears what it still said.
fn run_and_kill(path: &Path, round: u64, kill_after: u64, acknowledged: &mut Acknowledged) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::works_until_it_is_killed", "--nocapture"])
        .env(STORE, path)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = 0;
    while heard < kill_after {
        let line = lines.next().expect("it works until it is killed").unwrap();
        heard += u64::from(acknowledged.note(&line));
    }
    let in_use = StoreError::InUse { path: path.to_owned(), pid: Some(child.id()) };
    assert_eq!(Handle::open(path).unwrap_err(), in_use);
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(!status.success());
    // What was acknowledged before the kill is in the pipe; only the last line may be cut short.
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    for line in &rest {
        acknowledged.note(line);
    }
    println!("round {round}: killed after {heard} acknowledgements, {} more were under way", rest.len());
}

/// The process that is killed; as a test of its own it does nothing.
#[test]
fn works_until_it_is_killed() {
    let Some(path) = std::env::var_os(STORE) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let store = Handle::open(Path::new(&path)).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..3 {
            let store = &store;
            scope.spawn(move || submit(store, round, worker));
        }
        scope.spawn(|| judge(&store, round));
        scope.spawn(|| schedule(&store));
    });
}

/// One line, whole: what has been acknowledged.
fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("ack {line}\n").as_bytes()).unwrap();
}

fn submit(store: &Handle, round: u64, worker: u64) {
    for number in 0_u64.. {
        let id = format!("job-{round}-{worker}-{number}");
        let job = Job {
            id: id.clone(),
            sequence: round * 1_000_000 + number,
            nonce: [0; 16],
            file: vec![0; 500],
            stage: Stage::Waiting,
            record: b"submitted".to_vec(),
        };
        store.write(move |change| change.add_job(&job)).unwrap();
        say(&format!("job {id}"));
    }
}

fn judge(store: &Handle, round: u64) {
    for number in 0_u64.. {
        // The clock stands still: only the store keeps epochs apart.
        let epoch = store.write(|change| change.next_epoch(1_780_000_000_000)).unwrap();
        say(&format!("epoch {epoch}"));
        let statement = Statement {
            epoch,
            purpose: 2,
            job: None,
            verifier: "server".to_owned(),
            policy_digest: [1; 32],
            at: UnixTime::from_secs(epoch),
            signed: vec![0; 300],
        };
        let judged = move |change: &dyn cc_store::Change| {
            let judgements = ["site-1", "site-2", "site-3"].map(|subject| Judgement {
                subject: subject.to_owned(),
                code: None,
                detail: String::new(),
                policy_line: String::new(),
                evidence: None,
            });
            change.put_verdicts(&statement, &judgements)
        };
        store.write(judged).unwrap();
        say(&format!("verdict {epoch}"));
        let floor = round * 1_000_000 + number;
        store.write(move |change| change.raise_floor("crl", floor.into())).unwrap();
        say(&format!("floor {floor}"));
    }
}

/// Starts every job that waits: first it is noted, then it starts.
fn schedule(store: &Handle) {
    loop {
        let jobs = store.read(|view| view.unfinished_jobs()).unwrap();
        for Job { id, stage, .. } in jobs {
            let (start, end) = (id.clone(), id.clone());
            if stage == Stage::Waiting {
                store.write(move |change| change.update_job(&start, Stage::Dispatched, b"started")).unwrap();
                say(&format!("start {id}"));
            }
            store.write(move |change| change.update_job(&end, Stage::Ended, b"ended")).unwrap();
            say(&format!("end {id}"));
        }
    }
}
