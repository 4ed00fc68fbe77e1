//! The collector: one thread that asks, callers that wait.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes};

use super::configfs::{Configfs, FileTree};
use super::device::{REPORT_DATA, REPORT_LENGTH};
use super::sev_guest::{DevicePort, SevGuest};
use super::{Device, Failure, Gate, Options, Pace, RawReport, ReportRequest, SystemPace};

/// Most callers that queue; more are turned away at once.
const MAX_QUEUE: usize = 16;

/// Collects reports of this machine, one at a time.
///
/// It asks only while it has the lock of [`Options::lock`]. Its thread starts with the first request and ends after
/// the collector is dropped, when the request that it is at, if any, comes back.
pub struct Collector {
    jobs: Mutex<Start>,
    /// A request whose caller has gone is still at the device.
    stuck: Arc<AtomicBool>,
    timeout: Duration,
}

enum Start {
    Ready(Worker),
    Running(SyncSender<Job>),
    Failed(String),
}

struct Job {
    binding: Binding,
    since: Instant,
    ticket: Arc<Ticket>,
}

/// Where a caller's request stands.
#[derive(Default)]
struct Ticket {
    phase: Mutex<Phase>,
    changed: Condvar,
}

#[derive(Default)]
enum Phase {
    #[default]
    Queued,
    AtDevice,
    Done(Result<Collected, Finding>),
    Abandoned,
}

impl Collector {
    /// A collector on the kernel's interfaces. Touches no hardware yet.
    pub fn new(options: Options) -> Self {
        let devices: Vec<Box<dyn Device>> = vec![
            Box::new(Configfs::new(FileTree(options.configfs.clone()))),
            Box::new(SevGuest::new(DevicePort(options.device.clone()))),
        ];
        Self::with_devices(devices, Box::new(SystemPace), &options)
    }

    /// A collector on other interfaces, asked in order until one is there, and another clock. Of the paths in
    /// `options` only that of the lock is used.
    pub fn with_devices(devices: Vec<Box<dyn Device>>, pace: Box<dyn Pace>, options: &Options) -> Self {
        let stuck = Arc::new(AtomicBool::new(false));
        let worker = Worker {
            slots: devices.into_iter().map(|device| Slot { device, answered: false }).collect(),
            gate: Gate::new(pace, options.min_interval, options.lock.clone()),
            vmpl: options.vmpl,
            timeout: options.timeout,
            stuck: Arc::clone(&stuck),
        };
        Self { jobs: Mutex::new(Start::Ready(worker)), stuck, timeout: options.timeout }
    }

    /// Obtains a report over `binding`, and the host's certificate table where there is one.
    ///
    /// Blocks for as long as [`Options::timeout`] says. A request that is under way then goes on, and until it comes
    /// back callers are turned away with `snp.collect.throttled`.
    pub fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        if self.stuck.load(Ordering::Acquire) {
            return Err(throttled("an earlier request that nobody waits for is still at the device"));
        }
        let ticket = Arc::new(Ticket::default());
        let job = Job { binding: binding.clone(), since: Instant::now(), ticket: Arc::clone(&ticket) };
        match self.jobs()?.try_send(job) {
            Ok(()) => ticket.wait(self.timeout, &self.stuck),
            Err(TrySendError::Full(_)) => {
                Err(throttled(format!("{MAX_QUEUE} requests are waiting already, which is the limit")))
            }
            Err(TrySendError::Disconnected(_)) => Err(no_thread("it has ended")),
        }
    }

    /// The way to the thread, which is started if it was not.
    fn jobs(&self) -> Result<SyncSender<Job>, Finding> {
        let mut start = lock(&self.jobs);
        if let Start::Ready(_) = *start {
            let (sender, receiver) = sync_channel(MAX_QUEUE);
            let ready = std::mem::replace(&mut *start, Start::Running(sender));
            if let Start::Ready(worker) = ready {
                let spawned = std::thread::Builder::new()
                    .name("snp-collector".to_owned())
                    .spawn(move || worker.run(&receiver));
                if let Err(error) = spawned {
                    *start = Start::Failed(error.to_string());
                }
            }
        }
        match &*start {
            Start::Running(sender) => Ok(sender.clone()),
            Start::Failed(error) => Err(no_thread(error)),
            Start::Ready(_) => Err(no_thread("it was not started")),
        }
    }
}

impl Ticket {
    /// Waits for the result; on leaving, says so, and whether the request is at the device.
    fn wait(&self, timeout: Duration, stuck: &AtomicBool) -> Result<Collected, Finding> {
        let (mut phase, _) = self
            .changed
            .wait_timeout_while(lock(&self.phase), timeout, |phase| !matches!(phase, Phase::Done(_)))
            .unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *phase, Phase::Abandoned) {
            Phase::Done(result) => result,
            Phase::AtDevice => {
                stuck.store(true, Ordering::Release);
                Err(throttled(format!("no answer from the device within {timeout:?}")))
            }
            Phase::Queued | Phase::Abandoned => {
                Err(throttled(format!("earlier requests took longer than {timeout:?}")))
            }
        }
    }

    /// Whether the caller still waits; if so, the request is now at the device.
    fn begin(&self) -> bool {
        let mut phase = lock(&self.phase);
        let waiting = matches!(*phase, Phase::Queued);
        if waiting {
            *phase = Phase::AtDevice;
        }
        waiting
    }

    /// Hands the result over, or drops it if the caller has gone.
    fn finish(&self, result: Result<Collected, Finding>, stuck: &AtomicBool) {
        let mut phase = lock(&self.phase);
        if matches!(*phase, Phase::Abandoned) {
            stuck.store(false, Ordering::Release);
        } else {
            *phase = Phase::Done(result);
            self.changed.notify_one();
        }
    }
}

/// What the thread owns.
struct Worker {
    slots: Vec<Slot>,
    gate: Gate,
    vmpl: Option<u32>,
    timeout: Duration,
    stuck: Arc<AtomicBool>,
}

struct Slot {
    device: Box<dyn Device>,
    /// It has talked to the firmware before.
    answered: bool,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            if job.ticket.begin() {
                let result = self.serve(&job);
                job.ticket.finish(result, &self.stuck);
            }
        }
    }

    /// Asks with the host's lock. A panic of an interface is this request's error, not the end of the thread.
    fn serve(&mut self, job: &Job) -> Result<Collected, Finding> {
        let patience = self.timeout.saturating_sub(job.since.elapsed());
        let asked = catch_unwind(AssertUnwindSafe(|| {
            self.gate.enter(patience)?;
            self.ask(&job.binding)
        }));
        self.gate.leave();
        asked.unwrap_or_else(|panic| {
            let detail = format!("the interface panicked: {}", message(panic.as_ref()));
            Err(Finding::new(codes::SNP_COLLECT_FIRMWARE_ERROR, detail))
        })
    }

    /// Asks the first interface that is there. An interface that is there and denies is not gone around.
    fn ask(&mut self, binding: &Binding) -> Result<Collected, Finding> {
        let request = ReportRequest { binding: binding.clone(), vmpl: self.vmpl };
        let mut absent = Vec::new();
        for slot in &mut self.slots {
            match slot.device.report(&request, &mut self.gate) {
                Ok(raw) => {
                    slot.answered = true;
                    return check(raw, binding);
                }
                Err(Failure::Denied(finding)) => {
                    slot.answered = true;
                    return Err(finding);
                }
                Err(Failure::KeyGone(detail)) if slot.answered => {
                    return Err(Finding::new(codes::SNP_COLLECT_VMPCK_DISABLED, detail));
                }
                Err(Failure::KeyGone(detail) | Failure::Absent(detail)) => absent.push(detail),
            }
        }
        Err(Finding::new(codes::SNP_COLLECT_NO_DEVICE, absent.join("; ")))
    }
}

/// Whether a report answers the request: its length, after zeros beyond its end are cut (*decisions.md* 12), and all
/// 64 bytes of REPORT_DATA.
fn check(raw: RawReport, binding: &Binding) -> Result<Collected, Finding> {
    let (mut evidence, wrong) = (raw.report, codes::SNP_COLLECT_WRONG_REPORT);
    let length = evidence.len();
    if evidence.get(REPORT_LENGTH..).is_some_and(|rest| rest.iter().all(|byte| *byte == 0)) {
        evidence.truncate(REPORT_LENGTH);
    }
    if evidence.len() != REPORT_LENGTH {
        return Err(Finding::new(wrong, format!("the report has {length} bytes, expected {REPORT_LENGTH}")));
    }
    let report_data = evidence.get(REPORT_DATA).unwrap_or_default();
    if report_data != binding.as_bytes() {
        return Err(Finding::new(
            wrong,
            format!("REPORT_DATA is {}, requested was {binding:?}", hex(report_data)),
        ));
    }
    let endorsements = if raw.certs.is_empty() { Vec::new() } else { vec![Blob(raw.certs)] };
    Ok(Collected { version: MESSAGE_VERSION, evidence, endorsements })
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn throttled(detail: impl Into<String>) -> Finding {
    Finding::new(codes::SNP_COLLECT_THROTTLED, detail)
}

/// Without its thread a collector has no way to a device.
fn no_thread(why: &str) -> Finding {
    Finding::new(codes::SNP_COLLECT_NO_DEVICE, format!("collector thread: {why}"))
}
