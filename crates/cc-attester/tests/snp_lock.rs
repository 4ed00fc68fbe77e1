//! Collectors of one host keep clear of each other, and a request ends when the device says so (*verification.md* 1.5).

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::time::Duration;

use cc_attester::pace::Gate;
use cc_attester::snp::configfs::Configfs;
use cc_attester::snp::sev_guest::{Answer, Port, SevGuest};
use cc_attester::snp::{Collector, Device, Failure, Options, RawReport, ReportRequest};
use cc_attester::tsm::Tree;
use cc_core::{Finding, codes};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::support::{Backing, Rig, TestPace, binding, report};

const MINUTE: Duration = Duration::from_secs(60);
const DISTANCE: Duration = Duration::from_secs(2);

/// A tree whose report takes a minute.
struct SlowTree<T>(T, TestPace);

impl<T: Tree> Tree for SlowTree<T> {
    fn make(&self, name: &str) -> std::io::Result<()> {
        self.0.make(name)
    }

    fn read(&self, name: &str, attribute: &str, limit: usize) -> std::io::Result<Vec<u8>> {
        if attribute == "outblob" {
            *self.1.now.lock().unwrap() += MINUTE;
        }
        self.0.read(name, attribute, limit)
    }

    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> std::io::Result<()> {
        self.0.write(name, attribute, value)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.0.remove(name)
    }
}

/// A device that takes a minute to say that it wants more room for certificates.
struct SlowPort(TestPace);

impl Port for SlowPort {
    fn ext_report(&mut self, _: &[u8; 64], _: u32, _: &mut [u8]) -> std::io::Result<Answer> {
        *self.0.now.lock().unwrap() += MINUTE;
        Ok(Answer { result: Err(Errno::IO), exitinfo2: 1 << 32, response: [0; 4000], certs_len: 0x3000 })
    }
}

#[test]
fn the_distance_counts_from_the_end_of_a_request() {
    let rig = Rig::new(Backing::Plain);
    let tree = SlowTree(rig.tree(), rig.pace.clone());
    let collector = rig.collector(vec![Box::new(Configfs::new(tree))]);
    collector.collect(&binding(1)).unwrap();
    collector.collect(&binding(2)).unwrap();
    assert_eq!(*rig.pace.waits.lock().unwrap(), [DISTANCE]);

    let rig = Rig::new(Backing::Plain);
    let collector = rig.collector(vec![Box::new(SevGuest::new(SlowPort(rig.pace.clone())))]);
    let refused = collector.collect(&binding(1)).map_err(|finding| finding.code);
    assert_eq!(refused, Err(codes::SNP_COLLECT_FIRMWARE_ERROR));
    assert_eq!(*rig.pace.waits.lock().unwrap(), [DISTANCE], "between the two requests");
}

#[test]
fn collectors_with_the_same_lock_keep_their_distance() {
    let rig = Rig::new(Backing::Plain);
    for number in 1..=3 {
        let tree = SlowTree(rig.tree(), rig.pace.clone());
        rig.collector(vec![Box::new(Configfs::new(tree))]).collect(&binding(number)).unwrap();
    }
    assert_eq!(*rig.pace.waits.lock().unwrap(), [DISTANCE; 2]);
}

/// The notes of a host that was started anew since, of other programs, and none.
#[test]
fn times_that_cannot_be_are_ignored() {
    let future = (u64::try_from(TestPace::new().now.lock().unwrap().as_nanos()).unwrap() + 1).to_le_bytes();
    for note in [&future[..], &[0xFF; 8], b"pid 77\n", b""] {
        let rig = Rig::new(Backing::Plain);
        std::fs::write(&rig.options.lock, note).unwrap();
        rig.collector(vec![rig.configfs()]).collect(&binding(1)).unwrap();
        assert!(rig.pace.waits.lock().unwrap().is_empty(), "{note:?}");
    }
}

fn open(path: &PathBuf) -> File {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap()
}

#[test]
fn nobody_asks_while_another_collector_does() {
    let rig = Rig::new(Backing::Plain);
    let other = open(&rig.options.lock);
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let collector = rig.collector(vec![rig.configfs(), rig.device()]);
    let Finding { code, detail } = collector.collect(&binding(1)).unwrap_err();
    assert_eq!(code, codes::SNP_COLLECT_THROTTLED);
    assert!(detail.contains(rig.options.lock.to_str().unwrap()), "{detail}");
    assert_eq!(rig.tree.lock().unwrap().firmware.asked(), 0);
    assert_eq!(rig.guest.lock().unwrap().firmware.asked(), 0);
    let waited: Duration = rig.pace.waits.lock().unwrap().iter().sum();
    assert!(waited < rig.options.timeout, "{waited:?}");

    drop(other);
    collector.collect(&binding(2)).unwrap();
}

/// A device that looks whether others are locked out, and then does what it is told.
struct Looks {
    lock: PathBuf,
    panics: bool,
}

impl Device for Looks {
    fn report(&mut self, request: &ReportRequest, gate: &mut Gate) -> Result<RawReport, Failure> {
        let _pass = gate.pass();
        let locked = flock(open(&self.lock), FlockOperation::NonBlockingLockExclusive);
        assert_eq!(locked, Err(Errno::WOULDBLOCK));
        if std::mem::take(&mut self.panics) {
            panic!("told to");
        }
        Ok(RawReport { report: report(*request.binding.report_data().unwrap(), 0), certs: vec![] })
    }
}

/// The caller is told, and neither the collector nor the lock is stuck.
#[test]
fn a_device_that_panics() {
    let rig = Rig::new(Backing::Plain);
    let device = Looks { lock: rig.options.lock.clone(), panics: true };
    let collector = rig.collector(vec![Box::new(device)]);
    let Finding { code, detail } = collector.collect(&binding(1)).unwrap_err();
    assert_eq!(code, codes::SNP_COLLECT_FIRMWARE_ERROR);
    assert!(detail.contains("told to"), "{detail}");
    flock(open(&rig.options.lock), FlockOperation::NonBlockingLockExclusive).unwrap();
    collector.collect(&binding(2)).unwrap();
    assert_eq!(*rig.pace.waits.lock().unwrap(), [DISTANCE], "a request that panicked counts");
}

#[test]
fn without_a_lock_a_collector_paces_itself() {
    let mut rig = Rig::new(Backing::Plain);
    rig.options = Options { lock: rig.nowhere().join("lock"), ..rig.options.clone() };
    let collector: Collector = rig.collector(vec![rig.configfs()]);
    collector.collect(&binding(1)).unwrap();
    collector.collect(&binding(2)).unwrap();
    assert_eq!(*rig.pace.waits.lock().unwrap(), [DISTANCE]);
}
