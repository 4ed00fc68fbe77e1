//! The collector: what is asked in which order, and what the ready state takes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use cc_core::gpu::Device;
use cc_core::{Claims, Finding, Verified, codes};

use super::Options;
use super::ready::{Collection, premature};
use super::session::Session;
use crate::pace::{Gate, SystemPace};
use crate::queue::{Conditions, Queue};

static CONDITIONS: Conditions = Conditions {
    thread: "gpu-collector",
    busy: codes::GPU_COLLECT_TIMEOUT,
    no_device: codes::GPU_COLLECT_FAILED,
    failed: codes::GPU_COLLECT_FAILED,
};

/// Collects reports of this machine's GPUs; the driver sees one call at a time.
///
/// It asks only while it has the lock of [`Options::lock`]. Its thread starts with the first call and ends after the
/// collector is dropped, when the call that it is at, if any, comes back: a thread in a call that never does ends with
/// the process.
pub struct Collector {
    queue: Queue<Session>,
    /// The last collection that succeeded.
    last: Mutex<Option<Collection>>,
}

impl Collector {
    /// A collector on the driver. Loads nothing yet.
    pub fn new(options: Options) -> Self {
        let gate = Gate::new(Box::new(SystemPace), Duration::ZERO, options.lock);
        let session = Box::new(Session::new(options.library));
        Self { queue: Queue::new(session, gate, options.timeout, &CONDITIONS), last: Mutex::new(None) }
    }

    /// Obtains report and chain of every GPU over `nonce`, in the ascending order of the reports' SHA-256
    /// (*verification.md* 5.3), with the state of confidential computing.
    ///
    /// Without a GPU in that state there is nothing to collect: `gpu.collect.no_driver`, `gpu.collect.no_device`,
    /// `gpu.cc.disabled`, `gpu.cc.devtools`, `gpu.cc.environment`. A report that does not answer the request, and every
    /// other error of the driver, is `gpu.collect.failed`.
    ///
    /// Blocks for no longer than [`Options::timeout`] for each step, then it is `gpu.collect.timeout`. The call that
    /// did not answer goes on, and until it comes back callers are turned away with the same code at once.
    pub fn collect(&self, nonce: &[u8; 32]) -> Result<Vec<Device>, Finding> {
        let nonce = *nonce;
        let survey = self.queue.run(|session, _| session.survey())?;
        let evidence = |gpu| self.queue.run(move |session, _| session.evidence(gpu, &nonce, survey.state));
        let mut devices = (0..survey.gpus).map(evidence).collect::<Result<Vec<_>, _>>()?;
        devices.sort_by_cached_key(|device| digest(&SHA256, &device.report).as_ref().to_vec());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Collection::new(nonce, &devices));
        Ok(devices)
    }

    /// Lets the GPUs accept work.
    ///
    /// `verified` must be what a verification for the present made of the evidence of the last [`collect`](Self::collect),
    /// and the driver must still show as many GPUs in a state in which there can be evidence, so never in developer
    /// mode: otherwise `gpu.ready.premature`. What the driver says against it is `gpu.collect.failed`.
    pub fn set_ready(&self, verified: &Verified<Claims>) -> Result<(), Finding> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let last = last.ok_or_else(|| premature("no evidence was collected"))?;
        last.proven_by(verified)?;
        let gpus = last.gpus();
        self.queue.run(move |session, _| session.set_ready(gpus))
    }
}
