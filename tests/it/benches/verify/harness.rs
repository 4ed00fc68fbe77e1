//! Interleaved measurement in thread CPU time.

use rustix::time::{ClockId, clock_gettime};

/// Thread CPU time that one slice should take, in nanoseconds.
const SLICE: u64 = 10_000_000;

/// One thing to measure.
pub(crate) struct Bench {
    pub(crate) name: &'static str,
    /// The name of the bare operation which it is compared with; its own for that operation.
    pub(crate) bare: &'static str,
    pub(crate) run: Box<dyn FnMut()>,
}

impl Bench {
    #[allow(dead_code, reason = "only one of the two programs that share this file filters")]
    pub(crate) fn is_bare(&self) -> bool {
        self.name == self.bare
    }
}

/// What was measured.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) bare: &'static str,
    /// Median nanoseconds of thread CPU time for one run.
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
    let repeats: Vec<u64> = benches.iter_mut().map(calibrate).collect();
    let mut samples = vec![Vec::with_capacity(rounds); benches.len()];
    for _ in 0..rounds {
        for ((bench, repeat), samples) in benches.iter_mut().zip(&repeats).zip(&mut samples) {
            samples.push(slice(bench, *repeat));
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
fn calibrate(bench: &mut Bench) -> u64 {
    (bench.run)();
    let once = slice(bench, 3).max(1.0);
    ((SLICE as f64 / once) as u64).max(1)
}

/// Nanoseconds of thread CPU time for one run, over `repeat` runs.
fn slice(bench: &mut Bench, repeat: u64) -> f64 {
    let start = cpu_time();
    for _ in 0..repeat {
        (bench.run)();
    }
    (cpu_time() - start) as f64 / repeat as f64
}

fn cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
