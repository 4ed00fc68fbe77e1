//! The collector: how a quote is asked for, and whether what comes back answers the request.

use std::path::PathBuf;
use std::time::Duration;

use cc_core::limits::MAX_EVIDENCE;
use cc_core::message::{Collected, MESSAGE_VERSION};
use cc_core::{Binding, Code, Finding, codes, tdx};
use rustix::io::Errno;

use super::{Options, ccel};
use crate::pace::{Gate, Pace, SystemPace};
use crate::queue::{Asker, Conditions, Queue};
use crate::tsm::{Directories, FileTree, Refused, Tree};

/// How long to wait before each further attempt.
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

static CONDITIONS: Conditions = Conditions {
    thread: "tdx-collector",
    busy: codes::TDX_COLLECT_SERVICE_UNAVAILABLE,
    no_device: codes::TDX_COLLECT_NO_DEVICE,
    failed: codes::TDX_COLLECT_FAILED,
};

/// Collects quotes of this machine, one at a time.
///
/// It asks only while it has the lock of [`Options::lock`]. Its thread starts with the first request and ends after
/// the collector is dropped, when the request that it is at, if any, comes back.
pub struct Collector(Queue<dyn Asker>);

impl Collector {
    /// A collector on the kernel's interfaces. Touches no hardware yet.
    pub fn new(options: Options) -> Self {
        Self::with_tree(FileTree(options.configfs.clone()), Box::new(SystemPace), &options)
    }

    /// A collector on another report tree and another clock; [`Options::configfs`] is not used.
    pub fn with_tree(tree: impl Tree + 'static, pace: Box<dyn Pace>, options: &Options) -> Self {
        let gate = Gate::new(pace, Duration::ZERO, options.lock.clone());
        let quotes = Box::new(Quotes { directories: Directories::new(tree), ccel: options.ccel.clone() });
        Self(Queue::new(quotes, gate, options.timeout, &CONDITIONS))
    }

    /// Obtains a quote over `binding`, and the firmware's event log where there is one.
    ///
    /// A quoting service that is busy, silent or answers with nothing is asked up to three times more, after 2, 5 and
    /// 10 s, and then it is `tdx.collect.service_unavailable`. Blocks for as long as [`Options::timeout`] says; a
    /// request that is under way then goes on, and until it comes back callers are turned away with the same code.
    pub fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        self.0.collect(binding)
    }
}

struct Quotes<T> {
    directories: Directories<T>,
    ccel: PathBuf,
}

/// Why an attempt gave no quote.
enum Failure {
    /// Another attempt may give one.
    Passing(String),
    Final(Finding),
}

impl<T: Tree + 'static> Asker for Quotes<T> {
    fn ask(&mut self, binding: &Binding, gate: &mut Gate) -> Result<Collected, Finding> {
        binding.report_data()?;
        let mut waits = WAITS.into_iter();
        let quote = loop {
            match self.quote(binding) {
                Ok(quote) => break quote,
                Err(Failure::Final(finding)) => return Err(finding),
                Err(Failure::Passing(_)) if waits.next().is_some_and(|wait| gate.pause(wait)) => {}
                Err(Failure::Passing(detail)) => {
                    return Err(Finding::new(codes::TDX_COLLECT_SERVICE_UNAVAILABLE, detail));
                }
            }
        };
        let evidence = check(quote, binding)?;
        let endorsements = ccel::read(&self.ccel)?.into_iter().collect();
        Ok(Collected { version: MESSAGE_VERSION, evidence, endorsements })
    }
}

impl<T: Tree> Quotes<T> {
    /// One attempt, in a directory of its own.
    fn quote(&mut self, binding: &Binding) -> Result<Vec<u8>, Failure> {
        let absent = |detail| denied(codes::TDX_COLLECT_NO_DEVICE, detail);
        let directory = self.directories.make().map_err(absent)?;
        directory.provider("tdx_guest").map_err(absent)?;
        let start = directory.number("generation").map_err(absent)?;
        directory.write("inblob", binding.as_bytes()).map_err(refused)?;
        let conflict = |detail| denied(codes::TDX_COLLECT_GENERATION_CONFLICT, detail);
        // A binary attribute is taken over when it is closed, which cannot say that the driver was busy.
        if directory.number("generation").map_err(conflict)? == start {
            return Err(Failure::Passing("configfs-tsm: inblob was not taken over".to_owned()));
        }
        let quote = directory.blob("outblob", MAX_EVIDENCE).map_err(refused)?;
        directory.confirm(start, 1).map_err(conflict)?;
        if quote.is_empty() {
            return Err(Failure::Passing("configfs-tsm: outblob is empty".to_owned()));
        }
        Ok(quote)
    }
}

/// What an error of the kernel means.
fn refused(Refused { errno, detail }: Refused) -> Failure {
    match errno {
        Some(Errno::BUSY | Errno::INTR | Errno::TIMEDOUT) => Failure::Passing(detail),
        Some(Errno::NXIO | Errno::NOTTY) => denied(codes::TDX_COLLECT_NO_DEVICE, detail),
        Some(Errno::WOULDBLOCK) => denied(codes::TDX_COLLECT_GENERATION_CONFLICT, detail),
        _ => denied(codes::TDX_COLLECT_FAILED, detail),
    }
}

fn denied(code: Code, detail: String) -> Failure {
    Failure::Final(Finding::new(code, detail))
}

/// Whether a quote answers the request: its header, its length, after zeros beyond its declared end are cut
/// (*decisions.md* 12), and all 64 bytes of REPORTDATA.
fn check(mut quote: Vec<u8>, binding: &Binding) -> Result<Vec<u8>, Finding> {
    let wrong = |detail: String| Finding::new(codes::TDX_COLLECT_WRONG_QUOTE, detail);
    let report_data = *tdx::report_data(&quote).map_err(|finding| wrong(finding.detail))?;
    let end = tdx::declared_length(&quote).map_err(|finding| wrong(finding.detail))?;
    if quote.get(end..).unwrap_or_default().iter().any(|byte| *byte != 0) {
        let length = quote.len();
        return Err(wrong(format!("the quote declares {end} bytes and has {length}, not all of them zero")));
    }
    if report_data != *binding.report_data()? {
        let found = Binding::new(report_data);
        return Err(wrong(format!("REPORTDATA is {found:?}, requested was {binding:?}")));
    }
    quote.truncate(end);
    Ok(quote)
}
