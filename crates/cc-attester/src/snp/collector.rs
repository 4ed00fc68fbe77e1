//! The collector: which interface is asked, and whether what it returns answers the request.

use cc_core::message::{Blob, Collected, MESSAGE_VERSION};
use cc_core::{Binding, Finding, codes};

use super::configfs::Configfs;
use super::device::{REPORT_DATA, REPORT_LENGTH};
use super::sev_guest::{DevicePort, SevGuest};
use super::{Device, Failure, Options, RawReport, ReportRequest};
use crate::pace::{Gate, Pace, SystemPace};
use crate::queue::{Asker, Conditions, Queue};
use crate::tsm::FileTree;

static CONDITIONS: Conditions = Conditions {
    thread: "snp-collector",
    busy: codes::SNP_COLLECT_THROTTLED,
    no_device: codes::SNP_COLLECT_NO_DEVICE,
    failed: codes::SNP_COLLECT_FIRMWARE_ERROR,
};

/// Collects reports of this machine, one at a time.
///
/// It asks only while it has the lock of [`Options::lock`]. Its thread starts with the first request and ends after
/// the collector is dropped, when the request that it is at, if any, comes back.
pub struct Collector(Queue<dyn Asker>);

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
        let slots = devices.into_iter().map(|device| Slot { device, answered: false }).collect();
        let gate = Gate::new(pace, options.min_interval, options.lock.clone());
        let interfaces = Box::new(Interfaces { slots, vmpl: options.vmpl });
        Self(Queue::new(interfaces, gate, options.timeout, &CONDITIONS))
    }

    /// Obtains a report over `binding`, and the host's certificate table where there is one.
    ///
    /// Blocks for as long as [`Options::timeout`] says. A request that is under way then goes on, and until it comes
    /// back callers are turned away with `snp.collect.throttled`.
    pub fn collect(&self, binding: &Binding) -> Result<Collected, Finding> {
        self.0.collect(binding)
    }
}

struct Interfaces {
    slots: Vec<Slot>,
    vmpl: Option<u32>,
}

struct Slot {
    device: Box<dyn Device>,
    /// It has talked to the firmware before.
    answered: bool,
}

impl Asker for Interfaces {
    /// Asks the first interface that is there. An interface that is there and denies is not gone around.
    fn ask(&mut self, binding: &Binding, gate: &mut Gate) -> Result<Collected, Finding> {
        binding.report_data()?;
        let request = ReportRequest { binding: binding.clone(), vmpl: self.vmpl };
        let mut absent = Vec::new();
        for slot in &mut self.slots {
            match slot.device.report(&request, gate) {
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
