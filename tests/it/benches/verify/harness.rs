//! Interleaved measurement in CPU time: of this thread, and of the processes that it started to work for it.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use rustix::time::{ClockId, clock_gettime};

/// CPU time that one slice should take, in nanoseconds.
const SLICE: u64 = 10_000_000;

/// One thing to measure.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    /// The name of the bare operation which it is compared with; its own for that operation.
    pub(crate) bare: &'static str,
    pub(crate) run: Box<dyn FnMut()>,
}

/// What was measured.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) bare: &'static str,
    /// Median nanoseconds of CPU time for one run.
    pub(crate) ns: f64,
    /// Median over the rounds of the ratio to the bare operation.
    pub(crate) ratio: f64,
}

impl Measured {
    /// One JSON object on one line.
    pub(crate) fn print(&self) {
        println!(
            "{{\"bench\": {:?}, \"value\": {:.0}, \"unit\": \"ns\", \"bare\": {:?}, \"ratio\": {:.3}}}",
            self.name, self.ns, self.bare, self.ratio
        );
    }
}

/// Lets everything take its turn, round after round.
pub(crate) fn measure(benches: &mut [Bench], rounds: usize) -> Vec<Measured> {
    // Once without measuring: afterwards everything is remembered that can be, and every process is there.
    benches.iter_mut().for_each(|bench| (bench.run)());
    let clock = Clock::new();
    let repeats: Vec<u64> = benches.iter_mut().map(|bench| calibrate(bench, &clock)).collect();
    let mut samples = vec![Vec::with_capacity(rounds); benches.len()];
    for _ in 0..rounds {
        for ((bench, repeat), samples) in benches.iter_mut().zip(&repeats).zip(&mut samples) {
            samples.push(slice(bench, *repeat, &clock));
        }
    }
    let bare_of = |bench: &Bench| benches.iter().position(|other| other.name == bench.bare).unwrap();
    benches
        .iter()
        .zip(&samples)
        .map(|(bench, own)| {
            let bare = &samples[bare_of(bench)];
            let ratios = own.iter().zip(bare).map(|(own, bare)| own / bare).collect();
            Measured { name: bench.name, bare: bench.bare, ns: median(own.clone()), ratio: median(ratios) }
        })
        .collect()
}

/// How often to repeat for one slice.
fn calibrate(bench: &mut Bench, clock: &Clock) -> u64 {
    let once = slice(bench, 3, clock).max(1.0);
    ((SLICE as f64 / once) as u64).max(1)
}

/// Nanoseconds of CPU time for one run, over `repeat` runs.
fn slice(bench: &mut Bench, repeat: u64, clock: &Clock) -> f64 {
    let children = clock.children();
    let start = thread_time();
    for _ in 0..repeat {
        (bench.run)();
    }
    let own = thread_time() - start;
    (own + clock.children() - children) as f64 / repeat as f64
}

/// CPU time of the first threads of all child processes, which do nothing but answer this one. One that has ended, since its
/// benchmark was not asked for, stands still.
struct Clock(Vec<(PathBuf, Cell<u64>)>);

impl Clock {
    fn new() -> Self {
        let own = std::process::id().to_string();
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        let is_child = |process: &PathBuf| {
            let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
            // After the name, which may hold anything: state and parent.
            let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
            parent == Some(own.as_str())
        };
        let clock = |process: PathBuf| (process.join("schedstat"), Cell::new(0));
        Self(processes.filter(is_child).map(clock).collect())
    }

    /// Nanoseconds.
    fn children(&self) -> u64 {
        let one = |(file, last): &(PathBuf, Cell<u64>)| -> u64 {
            if let Ok(text) = fs::read_to_string(file) {
                last.set(text.split_whitespace().next().unwrap().parse().unwrap());
            }
            last.get()
        };
        self.0.iter().map(one).sum()
    }
}

fn thread_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
