//! The one thread that asks the hardware, and the callers that wait for it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use cc_core::message::Collected;
use cc_core::{Binding, Code, Finding};

use crate::pace::Gate;

/// Most callers that queue; more are turned away at once.
const MAX_QUEUE: usize = 16;

/// What a technology of processors does on the thread.
pub(crate) trait Asker: Send + 'static {
    /// Obtains evidence over `binding` with the host's lock at hand. Not called again before it returned.
    fn ask(&mut self, binding: &Binding, gate: &mut Gate) -> Result<Collected, Finding>;
}

/// What a technology calls the conditions of the queue.
pub(crate) struct Conditions {
    /// Name of the thread.
    pub(crate) thread: &'static str,
    /// It is not this caller's turn, or not in time.
    pub(crate) busy: Code,
    /// There is no way to a device.
    pub(crate) no_device: Code,
    /// The asker panicked.
    pub(crate) failed: Code,
}

/// Serves callers one at a time, each while the process has the host's lock.
///
/// The thread, which alone has the `A` that asks, starts with the first request and ends after the queue is dropped,
/// when the request that it is at, if any, comes back.
pub(crate) struct Queue<A: ?Sized> {
    jobs: Mutex<Start<A>>,
    /// A request whose caller has gone is still at the device.
    stuck: Arc<AtomicBool>,
    timeout: Duration,
    conditions: &'static Conditions,
}

enum Start<A: ?Sized> {
    Ready(Worker<A>),
    Running(SyncSender<Job<A>>),
    Failed(String),
}

/// A request on the thread: what it asks, and whom it tells.
type Job<A> = Box<dyn FnOnce(&mut Worker<A>) + Send>;

/// Where a caller's request stands.
struct Ticket<T> {
    phase: Mutex<Phase<T>>,
    changed: Condvar,
}

enum Phase<T> {
    Queued,
    AtDevice,
    Done(Result<T, Finding>),
    Abandoned,
}

impl Queue<dyn Asker> {
    /// [`run`](Self::run) for evidence over `binding`.
    pub(crate) fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        let binding = binding.clone();
        self.run(move |asker, gate| asker.ask(&binding, gate))
    }
}

impl<A: Send + ?Sized + 'static> Queue<A> {
    /// A queue before `asker`. Callers wait for `timeout`, queueing included.
    pub(crate) fn new(asker: Box<A>, gate: Gate, timeout: Duration, conditions: &'static Conditions) -> Self {
        let stuck = Arc::new(AtomicBool::new(false));
        let worker = Worker { asker, gate, timeout, stuck: Arc::clone(&stuck), conditions };
        Self { jobs: Mutex::new(Start::Ready(worker)), stuck, timeout, conditions }
    }

    /// Waits for what `request` returns on the thread. A request that is under way when the time is over goes on, and
    /// until it comes back callers are turned away.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        request: impl FnOnce(&mut A, &mut Gate) -> Result<T, Finding> + Send + 'static,
    ) -> Result<T, Finding> {
        let busy = |detail: String| Err(Finding::new(self.conditions.busy.clone(), detail));
        if self.stuck.load(Ordering::Acquire) {
            return busy("an earlier request that nobody waits for is still at the device".to_owned());
        }
        let ticket = Arc::new(Ticket { phase: Mutex::new(Phase::Queued), changed: Condvar::new() });
        let (since, of_worker) = (Instant::now(), Arc::clone(&ticket));
        let job: Job<A> = Box::new(move |worker| {
            if of_worker.begin() {
                let result = worker.serve(since, request);
                of_worker.finish(result, &worker.stuck);
            }
        });
        match self.jobs()?.try_send(job) {
            Ok(()) => ticket.wait(self.timeout, &self.stuck).unwrap_or_else(busy),
            Err(TrySendError::Full(_)) => {
                busy(format!("{MAX_QUEUE} requests are waiting already, which is the limit"))
            }
            Err(TrySendError::Disconnected(_)) => Err(self.no_thread("it has ended")),
        }
    }

    /// The way to the thread, which is started if it was not.
    fn jobs(&self) -> Result<SyncSender<Job<A>>, Finding> {
        let mut start = lock(&self.jobs);
        if let Start::Ready(_) = *start {
            let (sender, receiver) = sync_channel(MAX_QUEUE);
            let ready = std::mem::replace(&mut *start, Start::Running(sender));
            if let Start::Ready(worker) = ready {
                let spawned = std::thread::Builder::new()
                    .name(self.conditions.thread.to_owned())
                    .spawn(move || worker.run(&receiver));
                if let Err(error) = spawned {
                    *start = Start::Failed(error.to_string());
                }
            }
        }
        match &*start {
            Start::Running(sender) => Ok(sender.clone()),
            Start::Failed(error) => Err(self.no_thread(error)),
            Start::Ready(_) => Err(self.no_thread("it was not started")),
        }
    }

    /// Without its thread a collector has no way to a device.
    fn no_thread(&self, why: &str) -> Finding {
        Finding::new(self.conditions.no_device.clone(), format!("collector thread: {why}"))
    }
}

impl<T> Ticket<T> {
    /// Waits for the result; `Err` says why there is none in time. On leaving, says so, and whether the request is at
    /// the device.
    fn wait(&self, timeout: Duration, stuck: &AtomicBool) -> Result<Result<T, Finding>, String> {
        let (mut phase, _) = self
            .changed
            .wait_timeout_while(lock(&self.phase), timeout, |phase| !matches!(phase, Phase::Done(_)))
            .unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *phase, Phase::Abandoned) {
            Phase::Done(result) => Ok(result),
            Phase::AtDevice => {
                stuck.store(true, Ordering::Release);
                Err(format!("no answer from the device within {timeout:?}"))
            }
            Phase::Queued | Phase::Abandoned => Err(format!("earlier requests took longer than {timeout:?}")),
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
    fn finish(&self, result: Result<T, Finding>, stuck: &AtomicBool) {
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
struct Worker<A: ?Sized> {
    asker: Box<A>,
    gate: Gate,
    timeout: Duration,
    stuck: Arc<AtomicBool>,
    conditions: &'static Conditions,
}

impl<A: ?Sized> Worker<A> {
    fn run(mut self, jobs: &Receiver<Job<A>>) {
        while let Ok(job) = jobs.recv() {
            job(&mut self);
        }
    }

    /// Asks with the host's lock. A panic of an interface is this request's error, not the end of the thread.
    fn serve<T>(
        &mut self,
        since: Instant,
        request: impl FnOnce(&mut A, &mut Gate) -> Result<T, Finding>,
    ) -> Result<T, Finding> {
        let patience = self.timeout.saturating_sub(since.elapsed());
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let entered = self.gate.enter(patience);
            entered.map_err(|detail| Finding::new(self.conditions.busy.clone(), detail))?;
            request(&mut self.asker, &mut self.gate)
        }));
        self.gate.leave();
        asked.unwrap_or_else(|panic| {
            let detail = format!("the interface panicked: {}", message(panic.as_ref()));
            Err(Finding::new(self.conditions.failed.clone(), detail))
        })
    }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
