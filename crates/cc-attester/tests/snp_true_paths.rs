//! Both kernel interfaces at their true paths in a private mount namespace: our collector with its default paths,
//! and the unmodified `sev` crate as a judge of the emulation.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cc_attester::snp::{Collector, Options};
use cc_core::message::Blob;
use cc_testkit::fuse::configfs::ReportTree;
use cc_testkit::fuse::firmware::{Fault, Firmware};
use cc_testkit::fuse::sev_guest::Guest;
use cc_testkit::fuse::{configfs_fs, namespace, sev_guest_fs};

use crate::support::{binding, certs, report, with_fuse};

#[test]
fn default_options_and_the_sev_crate() {
    with_fuse("default_options_and_the_sev_crate", || {
        let (configfs, device) = namespace::true_paths().unwrap();
        let tree = Arc::new(Mutex::new(ReportTree::new(Firmware::new(report))));
        let guest = Arc::new(Mutex::new(Guest::new(Firmware::new(report))));
        let table = certs(9000);
        tree.lock().unwrap().certs.clone_from(&table);
        guest.lock().unwrap().certs.clone_from(&table);

        let directory = tempfile::tempdir().unwrap();
        let lock = directory.path().join("lock");
        let options = Options { lock, min_interval: Duration::ZERO, ..Options::default() };

        let mounted = configfs_fs::mount(Arc::clone(&tree), &configfs).unwrap();
        let collected = Collector::new(options.clone()).collect(&binding(1)).unwrap();
        assert_eq!(collected.evidence, report(*binding(1).report_data().unwrap(), 0));
        assert_eq!(collected.endorsements, [Blob(table.clone())]);
        assert_eq!(tree.lock().unwrap().firmware.asked(), 1);
        drop(mounted);

        let mounted = sev_guest_fs::mount(Arc::clone(&guest), &device).unwrap();
        guest.lock().unwrap().certs = certs(100);
        let collected = Collector::new(options.clone()).collect(&binding(2)).unwrap();
        assert_eq!(collected.evidence, report(*binding(2).report_data().unwrap(), 0));
        assert_eq!(collected.endorsements, [Blob(certs(100))]);
        guest.lock().unwrap().certs = table;
        sev_crate(&guest);
        drop(mounted);
    });
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains("emulated"), "mounts are seen outside: {mounts}");
    assert!(!Path::new(namespace::GUEST_DEVICE).exists(), "the device is seen outside");
}

/// The `sev` crate gets from the emulated device what it would get from the kernel.
fn sev_crate(guest: &Mutex<Guest>) {
    use sev::error::{FirmwareError, SevError, UserApiError};
    use sev::firmware::host::CertType;

    let mut firmware = sev::firmware::guest::Firmware::open().unwrap();
    let data = *binding(3).report_data().unwrap();
    assert_eq!(firmware.get_report(None, Some(data), Some(2)).unwrap(), report(data, 2));

    let (bytes, table) = firmware.get_ext_report(None, Some(data), Some(0)).unwrap();
    assert_eq!(bytes, report(data, 0));
    let found: Vec<_> = table.unwrap().into_iter().map(|entry| (entry.cert_type, entry.data.len())).collect();
    assert_eq!(found, [(CertType::VCEK, 8992), (CertType::ASK, 8)]);

    guest.lock().unwrap().firmware.fault = Some(Fault::Status(0x16));
    let error = firmware.get_report(None, Some(data), Some(0)).unwrap_err();
    let UserApiError::FirmwareError(FirmwareError::KnownSevError(error)) = error else {
        panic!("{error:?}");
    };
    assert!(matches!(error, SevError::InvalidParam), "{error:?}");
}
