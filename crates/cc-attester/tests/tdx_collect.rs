//! The TDX collector against the emulated report tree: what it returns, and each fault with its exact code and the
//! waits that it costs (*verification.md* 2.6 and catalogue rows N-TDX-82 and 97).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cc_attester::tdx::{self, Collector, Options};
use cc_attester::tsm::Tree;
use cc_core::message::{Blob, Collected};
use cc_core::{Class, Code, codes};
use cc_testkit::fuse::configfs::{ReportTree, TreeFault};
use cc_testkit::fuse::firmware::{Fault, Firmware};
use cc_testkit::fuse::{Mounted, configfs_fs, namespace, tdx_guest_fs};
use cc_testkit::published::corpus;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::support::{Backing, PlainTree, TestPace, binding, with_each_backing, with_fuse};

/// Bytes of the signature data of [`quote`].
const SIGNATURE: u32 = 100;
/// Where they begin, after their length.
const SIGNATURE_DATA: usize = 48 + 584 + 4;
const LENGTH: usize = SIGNATURE_DATA + 100;

/// A quote of version 4 as far as the collector looks at it, zeros nowhere at its end.
fn quote(report_data: [u8; 64]) -> Vec<u8> {
    let mut quote = vec![0x5A; LENGTH];
    quote[..8].copy_from_slice(&[4, 0, 2, 0, 0x81, 0, 0, 0]);
    quote[568..632].copy_from_slice(&report_data);
    quote[632..636].copy_from_slice(&SIGNATURE.to_le_bytes());
    quote
}

/// The same of version 5 with a body of TD 1.5.
fn quote_5(report_data: [u8; 64]) -> Vec<u8> {
    let mut quote = vec![0x5A; 54 + 648 + 4];
    quote[..8].copy_from_slice(&[5, 0, 2, 0, 0x81, 0, 0, 0]);
    quote[48..54].copy_from_slice(&[3, 0, 0x88, 2, 0, 0]);
    quote[574..638].copy_from_slice(&report_data);
    quote[702..706].copy_from_slice(&SIGNATURE.to_le_bytes());
    quote.resize(quote.len() + 100, 0x5A);
    quote
}

/// A report tree of a trust domain, a clock, and where the event log may be.
struct Rig {
    tree: Arc<Mutex<ReportTree>>,
    pace: TestPace,
    options: Options,
    mount: Option<Mounted>,
    directory: tempfile::TempDir,
}

impl Rig {
    fn new(backing: Backing) -> Self {
        Self::of(backing, quote)
    }

    fn of(backing: Backing, mint: impl Fn([u8; 64]) -> Vec<u8> + Send + 'static) -> Self {
        let firmware = Firmware::new(move |report_data, _| mint(report_data));
        let tree = Arc::new(Mutex::new(ReportTree::tdx_guest(firmware)));
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        let (configfs, ccel, lock) = (place("report"), place("CCEL"), place("lock"));
        let mount = (backing == Backing::Fuse).then(|| {
            std::fs::create_dir(&configfs).unwrap();
            configfs_fs::mount(Arc::clone(&tree), &configfs).unwrap()
        });
        let options = Options { configfs, ccel, lock, ..Options::default() };
        Self { tree, pace: TestPace::new(), options, mount, directory }
    }

    fn collector(&self) -> Collector {
        let pace = Box::new(self.pace.clone());
        match self.mount {
            Some(_) => {
                let tree = cc_attester::tsm::FileTree(self.options.configfs.clone());
                Collector::with_tree(tree, pace, &self.options)
            }
            None => Collector::with_tree(PlainTree(Arc::clone(&self.tree)), pace, &self.options),
        }
    }

    fn waits(&self) -> Vec<u64> {
        self.pace.waits.lock().unwrap().iter().map(Duration::as_secs).collect()
    }
}

fn collected(evidence: Vec<u8>, log: &[u8]) -> Collected {
    let endorsements = if log.is_empty() { vec![] } else { vec![Blob(log.to_vec())] };
    Collected { version: cc_core::message::MESSAGE_VERSION, evidence, endorsements }
}

/// What is wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Behind(Fault),
    Tree(TreeFault),
}
use Wrong::{Behind, Tree as InTree};

struct Case {
    name: &'static str,
    wrong: Wrong,
    /// `None` is a quote.
    outcome: Option<Code>,
    /// How long was waited before each further attempt.
    waits: &'static [u64],
    /// Requests that reached the driver.
    asked: u64,
}

const fn errno(errno: Errno, times: u64) -> Wrong {
    Behind(Fault::Errno { errno: errno.raw_os_error(), times })
}

const fn length(length: usize, filler: u8) -> Wrong {
    Behind(Fault::Length { length, filler })
}

const ALL: &[u64] = &[2, 5, 10];
const UNAVAILABLE: Option<Code> = Some(codes::TDX_COLLECT_SERVICE_UNAVAILABLE);
const WRONG: Option<Code> = Some(codes::TDX_COLLECT_WRONG_QUOTE);
const NO_DEVICE: Option<Code> = Some(codes::TDX_COLLECT_NO_DEVICE);
const CONFLICT: Option<Code> = Some(codes::TDX_COLLECT_GENERATION_CONFLICT);
const FAILED: Option<Code> = Some(codes::TDX_COLLECT_FAILED);

const fn case(
    name: &'static str,
    wrong: Wrong,
    outcome: Option<Code>,
    waits: &'static [u64],
    asked: u64,
) -> Case {
    Case { name, wrong, outcome, waits, asked }
}

const CASES: &[Case] = &[
    case("N-TDX-82 a zero-length quote", Behind(Fault::Empty(u64::MAX)), UNAVAILABLE, ALL, 4),
    case("a zero-length quote, then one", Behind(Fault::Empty(1)), None, &[2], 2),
    case("an earlier quote is in flight", errno(Errno::BUSY, u64::MAX), UNAVAILABLE, ALL, 4),
    case("an earlier quote was in flight", errno(Errno::BUSY, 3), None, ALL, 4),
    case("interrupted", errno(Errno::INTR, u64::MAX), UNAVAILABLE, ALL, 4),
    case("interrupted once", errno(Errno::INTR, 1), None, &[2], 2),
    case("no answer of the host", errno(Errno::TIMEDOUT, u64::MAX), UNAVAILABLE, ALL, 4),
    case("an answer at the third attempt", errno(Errno::TIMEDOUT, 2), None, &[2, 5], 3),
    case("too many unread writes", InTree(TreeFault::Busy), UNAVAILABLE, ALL, 0),
    case("N-TDX-97 an older quote", Behind(Fault::WrongReportData), WRONG, &[], 1),
    case("a quote cut short", length(LENGTH - 1, 0), WRONG, &[], 1),
    case("a header alone", length(48, 0), WRONG, &[], 1),
    case("bytes after the quote", length(LENGTH + 1, 1), WRONG, &[], 1),
    case("zeros after the quote are cut", length(8000, 0), None, &[], 1),
    case("a quote larger than the kernel takes", errno(Errno::FBIG, u64::MAX), FAILED, &[], 1),
    case("a quote larger than evidence may be", length(128 * 1024 + 1, 0), FAILED, &[], 1),
    case("the largest padding", length(128 * 1024, 0), None, &[], 1),
    case("the host refuses", errno(Errno::IO, u64::MAX), FAILED, &[], 1),
    case("the driver has gone", errno(Errno::NXIO, u64::MAX), NO_DEVICE, &[], 1),
    case("the driver has no hardware", errno(Errno::NOTTY, u64::MAX), NO_DEVICE, &[], 1),
    case("the kernel saw a race", errno(Errno::WOULDBLOCK, u64::MAX), CONFLICT, &[], 1),
    case("another writer", InTree(TreeFault::OtherWriter), CONFLICT, &[], 1),
    case("no driver registered", InTree(TreeFault::NoProvider), NO_DEVICE, &[], 0),
    case("the tree of another technology", InTree(TreeFault::Provider("sev_guest")), NO_DEVICE, &[], 0),
];

#[test]
fn every_fault_has_its_code() {
    with_each_backing("every_fault_has_its_code", |backing| {
        for Case { name, wrong, outcome, waits, asked } in CASES {
            let rig = Rig::new(backing);
            match *wrong {
                Behind(fault) => rig.tree.lock().unwrap().firmware.fault = Some(fault),
                InTree(fault) => rig.tree.lock().unwrap().fault = Some(fault),
            }
            let got = rig.collector().collect(&binding(1)).map_err(|finding| finding.code);
            let expected = match outcome {
                None => Ok(collected(quote(*binding(1).report_data().unwrap()), b"")),
                Some(code) => Err(code.clone()),
            };
            assert_eq!(got, expected, "{name}, {backing:?}");
            let tree = rig.tree.lock().unwrap();
            assert_eq!((rig.waits(), tree.firmware.asked()), (waits.to_vec(), *asked), "{name}, {backing:?}");
            assert_eq!(tree.directories(), [""; 0], "{name}: directories left behind");
            assert_eq!(
                tree.made(),
                if *name == "no driver registered" { 0 } else { 1 + u64::try_from(waits.len()).unwrap() }
            );
        }
    });
}

/// What the host's service is to blame for can be asked again (*decisions.md* 33).
#[test]
fn classes_of_the_codes() {
    for code in [UNAVAILABLE, WRONG] {
        assert_eq!(code.unwrap().class(), Class::Indeterminate);
    }
    for code in [NO_DEVICE, CONFLICT, FAILED] {
        assert_eq!(code.unwrap().class(), Class::Reject);
    }
}

#[test]
fn collect_works_again_and_again() {
    with_each_backing("collect_works_again_and_again", |backing| {
        for mint in [quote, quote_5] {
            let rig = Rig::of(backing, mint);
            let collector = rig.collector();
            for number in 1..4 {
                let expected = collected(mint(*binding(number).report_data().unwrap()), b"");
                assert_eq!(collector.collect(&binding(number)), Ok(expected));
            }
            assert_eq!((rig.waits(), rig.tree.lock().unwrap().made()), (vec![], 3));
        }
    });
}

/// Bytes that are no TDX quote, or not exactly one.
#[test]
fn check_wrong_quotes_are_refused() {
    type Spoil = fn(&mut Vec<u8>);
    let spoil: [(&str, Spoil); 8] = [
        ("version 3", |quote| quote[0] = 3),
        ("SGX", |quote| quote[4] = 0),
        ("signature data longer than they are", |quote| quote[632] += 1),
        ("signature data shorter than they are", |quote| quote[632] -= 1),
        ("a length that overflows", |quote| quote[632..636].fill(0xFF)),
        ("first byte of REPORTDATA", |quote| quote[568] ^= 1),
        ("last byte of REPORTDATA", |quote| quote[631] ^= 1),
        ("a local report", |quote| *quote = vec![0x81; 1024]),
    ];
    for (what, spoil) in spoil {
        let rig = Rig::of(Backing::Plain, move |report_data| {
            let mut quote = quote(report_data);
            spoil(&mut quote);
            quote
        });
        let refused = rig.collector().collect(&binding(1)).unwrap_err();
        assert_eq!(Some(refused.code), WRONG, "{what}");
        assert_eq!(rig.waits(), [0; 0], "{what}");
    }
    // The padding may not hide anything either.
    let rig = Rig::of(Backing::Plain, |report_data| {
        let mut quote = quote(report_data);
        quote.resize(8000, 0);
        quote[7999] = 1;
        quote
    });
    assert_eq!(Some(rig.collector().collect(&binding(1)).unwrap_err().code), WRONG);
}

/// Attempts end with the patience of the caller, not with their number.
#[test]
fn nothing_is_tried_for_a_caller_who_would_be_gone() {
    // The real time that the queue takes counts, too; there are seconds for it.
    for (timeout, waits) in [(2, &[][..]), (6, &[2]), (7, &[2]), (12, &[2, 5]), (17, &[2, 5]), (60, ALL)] {
        let mut rig = Rig::new(Backing::Plain);
        rig.options.timeout = Duration::from_secs(timeout);
        rig.tree.lock().unwrap().firmware.fault =
            Some(Fault::Errno { errno: Errno::BUSY.raw_os_error(), times: u64::MAX });
        let refused = rig.collector().collect(&binding(1)).unwrap_err();
        assert_eq!((Some(refused.code), rig.waits()), (UNAVAILABLE, waits.to_vec()), "{timeout} s");
    }
}

#[test]
fn nobody_asks_while_another_collector_does() {
    let rig = Rig::new(Backing::Plain);
    let other = std::fs::File::create(&rig.options.lock).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    let collector = rig.collector();
    let refused = collector.collect(&binding(1)).unwrap_err();
    assert_eq!((Some(refused.code), rig.tree.lock().unwrap().made()), (UNAVAILABLE, 0));
    drop(other);
    collector.collect(&binding(2)).unwrap();
}

/// A tree whose attribute cannot be read any more, or reads differently, once a quote was asked for.
struct Spoilt<T> {
    tree: T,
    attribute: &'static str,
    panics: bool,
    written: std::sync::atomic::AtomicBool,
}

impl<T: Tree> Tree for Spoilt<T> {
    fn make(&self, name: &str) -> std::io::Result<()> {
        self.tree.make(name)
    }

    fn read(&self, name: &str, attribute: &str, limit: usize) -> std::io::Result<Vec<u8>> {
        if attribute == self.attribute && self.written.load(std::sync::atomic::Ordering::Relaxed) {
            assert!(!self.panics, "told to");
            return Err(Errno::IO.into());
        }
        self.tree.read(name, attribute, limit)
    }

    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> std::io::Result<()> {
        assert_eq!((attribute, value.len()), ("inblob", 64), "the one write");
        self.written.store(true, std::sync::atomic::Ordering::Relaxed);
        self.tree.write(name, attribute, value)
    }

    fn remove(&self, name: &str) -> std::io::Result<()> {
        self.tree.remove(name)
    }
}

#[test]
fn errors_half_way() {
    for (attribute, panics, code) in
        [("generation", false, CONFLICT), ("outblob", false, FAILED), ("outblob", true, FAILED)]
    {
        let rig = Rig::new(Backing::Plain);
        let tree = PlainTree(Arc::clone(&rig.tree));
        let tree = Spoilt { tree, attribute, panics, written: false.into() };
        let collector = Collector::with_tree(tree, Box::new(rig.pace.clone()), &rig.options);
        assert_eq!(collector.collect(&binding(1)).map_err(|finding| Some(finding.code)), Err(code));
        assert_eq!(rig.tree.lock().unwrap().directories(), [""; 0], "{attribute}");
    }
}

/// A log with one event.
fn log() -> Vec<u8> {
    let header = [&[1, 0, 0, 0, 3, 0, 0, 0][..], &[0; 20], &[4, 0, 0, 0], b"Spec"].concat();
    let event = [&[1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0xC, 0][..], &[9; 48], &[2, 0, 0, 0, 0, 0]].concat();
    [header, event].concat()
}

#[test]
fn the_event_log_comes_along() {
    let rig = Rig::new(Backing::Plain);
    let (collector, evidence) = (rig.collector(), quote(*binding(1).report_data().unwrap()));
    let collect = |content: Option<&[u8]>| {
        let _ = std::fs::remove_file(&rig.options.ccel);
        if let Some(content) = content {
            std::fs::write(&rig.options.ccel, content).unwrap();
        }
        collector.collect(&binding(1)).map_err(|finding| finding.code)
    };
    let padded = |fill: u8| {
        let mut log = log();
        log.resize(65_536, fill);
        log
    };
    for (what, content, expected) in [
        ("no log", None, vec![]),
        ("an empty file", Some(vec![]), vec![]),
        ("memory that nobody wrote to", Some(vec![0xFF; 65_536]), vec![]),
        ("a log", Some(log()), log()),
        ("with zeros after it", Some(padded(0)), log()),
        ("with ones after it", Some(padded(0xFF)), log()),
        ("what is no log is for its verifier to see", Some(b"no log".to_vec()), b"no log".to_vec()),
        ("the largest", Some(vec![7; 1024 * 1024]), vec![7; 1024 * 1024]),
    ] {
        assert_eq!(collect(content.as_deref()), Ok(collected(evidence.clone(), &expected)), "{what}");
    }
    assert_eq!(collect(Some(&vec![7; 1024 * 1024 + 1])), Err(codes::TDX_COLLECT_FAILED));
    std::fs::remove_file(&rig.options.ccel).unwrap();
    std::fs::create_dir(&rig.options.ccel).unwrap();
    let finding = collector.collect(&binding(1)).unwrap_err();
    assert_eq!(finding.code, codes::TDX_COLLECT_FAILED);
    assert!(finding.detail.contains("CCEL"), "{finding}");
}

#[test]
fn published_memory_of_a_log_is_trimmed() {
    let rig = Rig::new(Backing::Plain);
    let memory = std::fs::read(corpus().join("tdx/v4-gotdx-cos113-ccel/ccel_data.dat")).unwrap();
    std::fs::write(&rig.options.ccel, &memory).unwrap();
    let collected = rig.collector().collect(&binding(1)).unwrap();
    let [Blob(log)] = &collected.endorsements[..] else { panic!("one log") };
    let (used, unused) = memory.split_at(log.len());
    assert!(used == &log[..] && used.last() != Some(&0xFF) && unused.iter().all(|byte| *byte == 0xFF));
    println!("published event logs: 1, {} bytes of {}", log.len(), memory.len());
}

#[test]
fn nothing_there() {
    let rig = Rig::new(Backing::Plain);
    let options = Options { configfs: rig.directory.path().join("nothing"), ..rig.options.clone() };
    let refused = Collector::new(options).collect(&binding(1)).unwrap_err();
    assert_eq!(Some(refused.code), NO_DEVICE);
    // An ordinary directory cannot pass for the kernel's.
    std::fs::create_dir(&rig.options.configfs).unwrap();
    let refused = Collector::new(rig.options.clone()).collect(&binding(1)).unwrap_err();
    assert_eq!(Some(refused.code), NO_DEVICE);
    assert_eq!(std::fs::read_dir(&rig.options.configfs).unwrap().count(), 0);
}

/// The default paths, in a private mount namespace.
#[test]
fn true_paths() {
    with_fuse("true_paths", || {
        let (configfs, _) = namespace::true_paths().unwrap();
        let rig = Rig::new(Backing::Plain);
        let _mounted = configfs_fs::mount(Arc::clone(&rig.tree), &configfs).unwrap();
        let options = Options { lock: rig.options.lock.clone(), ..Options::default() };
        let collected = Collector::new(options).collect(&binding(1)).unwrap();
        assert_eq!(collected.evidence, quote(*binding(1).report_data().unwrap()));
        assert_eq!(rig.tree.lock().unwrap().firmware.asked(), 1);
    });
}

/// A local report of a trust domain with registers of 0, 1, 2 and 3.
fn local_report(report_data: [u8; 64]) -> [u8; 1024] {
    let mut report = [0x5A; 1024];
    report[0] = 0x81;
    report[128..192].copy_from_slice(&report_data);
    for register in 0..4 {
        report[720 + 48 * usize::from(register)..][..48].fill(register);
    }
    report
}

#[test]
fn registers_of_the_running_domain() {
    with_fuse("registers_of_the_running_domain", || {
        let directory = tempfile::tempdir().unwrap();
        let device = directory.path().join("tdx_guest");
        std::fs::write(&device, b"").unwrap();
        let rtmrs = || tdx::rtmrs(&device).map_err(|finding| Some(finding.code));
        assert_eq!(rtmrs(), Err(NO_DEVICE), "an ordinary file");

        type Report = fn([u8; 64]) -> Result<[u8; 1024], i32>;
        let spoilt = |at: usize| {
            move |report_data| {
                let mut report = local_report(report_data);
                report[at] ^= 1;
                Ok(report)
            }
        };
        let refuses: Report = |_| Err(Errno::IO.raw_os_error());
        let answers: Report = |report_data| Ok(local_report(report_data));
        let mounted = tdx_guest_fs::mount(&device, answers).unwrap();
        assert_eq!(rtmrs(), Ok([[0; 48], [1; 48], [2; 48], [3; 48]]));
        drop(mounted);
        for at in [0, 128, 191] {
            let mounted = tdx_guest_fs::mount(&device, spoilt(at)).unwrap();
            assert_eq!(rtmrs(), Err(FAILED), "byte {at}");
            drop(mounted);
        }
        let mounted = tdx_guest_fs::mount(&device, refuses).unwrap();
        assert_eq!(rtmrs(), Err(FAILED));
        drop(mounted);
    });
    let nothing = tdx::rtmrs(std::path::Path::new("/nothing/tdx_guest"));
    assert_eq!(nothing.map_err(|finding| Some(finding.code)), Err(NO_DEVICE));
}
