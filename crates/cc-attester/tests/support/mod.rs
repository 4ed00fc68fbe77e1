//! What the tests of the collectors share: emulated interfaces, with and without FUSE, and a clock.

pub(crate) mod group;
pub(crate) mod swtpm;

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cc_attester::pace::Pace;
use cc_attester::snp::configfs::Configfs;
use cc_attester::snp::sev_guest::{Answer, DevicePort, Port, SevGuest};
use cc_attester::snp::{Collector, Device, Options};
use cc_attester::tsm::{FileTree, Tree};
use cc_core::Binding;
use cc_testkit::fuse::configfs::ReportTree;
use cc_testkit::fuse::firmware::Firmware;
use cc_testkit::fuse::sev_guest::Guest;
use cc_testkit::fuse::{Mounted, configfs_fs, namespace, sev_guest_fs};
use cc_testkit::snp::certtable::{ASK_GUID, CertTable, VCEK_GUID};
use rustix::io::Errno;

/// A report as far as the collector looks at it: VMPL at 0x30, REPORT_DATA at 0x50, zeros nowhere at its end.
pub(crate) fn report(report_data: [u8; 64], vmpl: u32) -> Vec<u8> {
    let mut report = vec![0x5A; 1184];
    report[0x30..0x34].copy_from_slice(&vmpl.to_le_bytes());
    report[0x50..0x90].copy_from_slice(&report_data);
    report
}

/// A certificate table of two entries with this many bytes of blobs.
pub(crate) fn certs(bytes: usize) -> Vec<u8> {
    CertTable::default().push(VCEK_GUID, &vec![0xC1; bytes - 8]).push(ASK_GUID, &[0xC2; 8]).build()
}

/// A binding that no other number has.
pub(crate) fn binding(number: u8) -> Binding {
    Binding::new(std::array::from_fn(|at| u8::try_from(at).unwrap() ^ number))
}

/// A clock that moves when it is waited on, and remembers for how long.
#[derive(Clone)]
pub(crate) struct TestPace {
    pub(crate) now: Arc<Mutex<Duration>>,
    pub(crate) waits: Arc<Mutex<Vec<Duration>>>,
}

impl TestPace {
    pub(crate) fn new() -> Self {
        Self { now: Arc::new(Mutex::new(Duration::from_secs(1000))), waits: Arc::default() }
    }
}

impl Pace for TestPace {
    fn now(&mut self) -> Duration {
        *self.now.lock().unwrap()
    }

    fn wait(&mut self, duration: Duration) {
        *self.now.lock().unwrap() += duration;
        self.waits.lock().unwrap().push(duration);
    }
}

/// The report tree without a file system.
pub(crate) struct PlainTree(pub Arc<Mutex<ReportTree>>);

fn os<T>(result: Result<T, i32>) -> io::Result<T> {
    result.map_err(io::Error::from_raw_os_error)
}

impl Tree for PlainTree {
    fn make(&self, name: &str) -> io::Result<()> {
        os(self.0.lock().unwrap().make(name))
    }

    fn read(&self, name: &str, attribute: &str, limit: usize) -> io::Result<Vec<u8>> {
        let value = os(self.0.lock().unwrap().read(name, attribute))?;
        if value.len() > limit { Err(Errno::FBIG.into()) } else { Ok(value) }
    }

    fn write(&self, name: &str, attribute: &str, value: &[u8]) -> io::Result<()> {
        os(self.0.lock().unwrap().write(name, attribute, value))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        os(self.0.lock().unwrap().remove(name))
    }
}

/// The guest device without a file.
struct PlainPort(Arc<Mutex<Guest>>);

impl Port for PlainPort {
    fn ext_report(&mut self, report_data: &[u8; 64], vmpl: u32, certs: &mut [u8]) -> io::Result<Answer> {
        let certs_len = u32::try_from(certs.len()).unwrap();
        let mut request = [0; 112];
        request[..64].copy_from_slice(report_data);
        request[64..68].copy_from_slice(&vmpl.to_le_bytes());
        request[104..108].copy_from_slice(&certs_len.to_le_bytes());
        let reply = self.0.lock().unwrap().get_ext_report(&request);
        if let Some(table) = reply.certs {
            certs.copy_from_slice(&table);
        }
        Ok(Answer {
            result: if reply.errno == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(reply.errno)) },
            exitinfo2: reply.exitinfo2,
            response: reply.response.map_or([0; 4000], |response| response.try_into().unwrap()),
            certs_len: reply.certs_len.unwrap_or(certs_len),
        })
    }
}

/// How the emulations are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backing {
    /// By function calls.
    Plain,
    /// Through the kernel, over FUSE. Only within `namespace::isolated`.
    Fuse,
}

/// Both interfaces of an SNP guest, each over a firmware of its own, and a clock.
pub(crate) struct Rig {
    pub(crate) tree: Arc<Mutex<ReportTree>>,
    pub(crate) guest: Arc<Mutex<Guest>>,
    pub(crate) pace: TestPace,
    pub(crate) options: Options,
    mounts: Option<(Mounted, Mounted)>,
    directory: tempfile::TempDir,
}

impl Rig {
    pub(crate) fn new(backing: Backing) -> Self {
        let tree = Arc::new(Mutex::new(ReportTree::new(Firmware::new(report))));
        let guest = Arc::new(Mutex::new(Guest::new(Firmware::new(report))));
        let directory = tempfile::tempdir().unwrap();
        let (configfs, device) = (directory.path().join("report"), directory.path().join("sev-guest"));
        let mounts = (backing == Backing::Fuse).then(|| {
            std::fs::create_dir(&configfs).unwrap();
            std::fs::File::create(&device).unwrap();
            (
                configfs_fs::mount(Arc::clone(&tree), &configfs).unwrap(),
                sev_guest_fs::mount(Arc::clone(&guest), &device).unwrap(),
            )
        });
        let lock = directory.path().join("lock");
        let options = Options { configfs, device, lock, ..Options::default() };
        Self { tree, guest, pace: TestPace::new(), options, mounts, directory }
    }

    /// The configfs interface alone.
    pub(crate) fn configfs(&self) -> Box<dyn Device> {
        match self.mounts {
            Some(_) => Box::new(Configfs::new(FileTree(self.options.configfs.clone()))),
            None => Box::new(Configfs::new(self.tree())),
        }
    }

    /// The report tree, by function calls.
    pub(crate) fn tree(&self) -> impl Tree + use<> {
        PlainTree(Arc::clone(&self.tree))
    }

    /// The guest device alone.
    pub(crate) fn device(&self) -> Box<dyn Device> {
        match self.mounts {
            Some(_) => Box::new(SevGuest::new(DevicePort(self.options.device.clone()))),
            None => Box::new(SevGuest::new(PlainPort(Arc::clone(&self.guest)))),
        }
    }

    /// A collector on these interfaces and the test's clock.
    pub(crate) fn collector(&self, devices: Vec<Box<dyn Device>>) -> Collector {
        Collector::with_devices(devices, Box::new(self.pace.clone()), &self.options)
    }

    /// A path where nothing is.
    pub(crate) fn nowhere(&self) -> PathBuf {
        self.directory.path().join("nothing")
    }
}

/// Runs `call` with each backing that this machine offers. FUSE is left out, loudly, where it cannot be used.
pub(crate) fn with_each_backing(what: &str, call: impl Fn(Backing) + Sync) {
    call(Backing::Plain);
    with_fuse(what, || call(Backing::Fuse));
}

/// Runs `call` in a private mount namespace, or says loudly that it was not run.
pub(crate) fn with_fuse(what: &str, call: impl FnOnce() + Send) {
    match namespace::available() {
        Ok(()) => namespace::isolated(call),
        Err(reason) => {
            // Past `eprintln!`, which the test harness would keep to itself.
            let notice = format!("\n*** SKIPPED over FUSE: {what}: {reason} ***\n\n");
            io::stderr().write_all(notice.as_bytes()).unwrap();
        }
    }
}
