//! The SNP collector against both emulated kernel interfaces: what it returns, and each fault with its exact code
//! (*verification.md* 1.5 and catalogue rows N-SNP-89, 90, 98 to 101).

use std::time::Duration;

use cc_attester::snp::{Collector, Options};
use cc_core::message::{Blob, Collected};
use cc_core::{Code, Finding, codes};
use cc_testkit::fuse::configfs::TreeFault;
use cc_testkit::fuse::firmware::{Fault, Firmware};
use cc_testkit::fuse::sev_guest::GuestFault;
use rustix::io::Errno;

use crate::support::{Backing, Rig, binding, certs, report, with_each_backing, with_fuse};

/// Which interface a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Configfs,
    Device,
}
use On::{Configfs, Device};

/// What is wrong.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Nothing,
    Behind(Fault),
    Tree(TreeFault),
    Guest(GuestFault),
}

struct Case {
    name: &'static str,
    on: &'static [On],
    wrong: Wrong,
    /// What consecutive requests end with; `None` is a report.
    outcomes: &'static [Option<Code>],
}

const VMM_BUSY: u64 = 2 << 32;

const fn ends(errno: Errno, exitinfo2: u64) -> Wrong {
    Wrong::Guest(GuestFault::Ends { errno: errno.raw_os_error(), exitinfo2 })
}

const BOTH: &[On] = &[Configfs, Device];

const CASES: &[Case] = &[
    Case { name: "works", on: BOTH, wrong: Wrong::Nothing, outcomes: &[None, None] },
    Case {
        name: "N-SNP-89 another writer",
        on: &[Configfs],
        wrong: Wrong::Tree(TreeFault::OtherWriter),
        outcomes: &[Some(codes::SNP_COLLECT_GENERATION_CONFLICT)],
    },
    Case {
        name: "too many unread writes",
        on: &[Configfs],
        wrong: Wrong::Tree(TreeFault::Busy),
        outcomes: &[Some(codes::SNP_COLLECT_GENERATION_CONFLICT)],
    },
    Case {
        name: "N-SNP-90 key gone after success",
        on: BOTH,
        wrong: Wrong::Behind(Fault::KeyLostAfter(1)),
        outcomes: &[None, Some(codes::SNP_COLLECT_VMPCK_DISABLED), Some(codes::SNP_COLLECT_VMPCK_DISABLED)],
    },
    Case {
        name: "N-SNP-98 ENOTTY from the start",
        on: BOTH,
        wrong: Wrong::Behind(Fault::KeyLostAfter(0)),
        outcomes: &[Some(codes::SNP_COLLECT_NO_DEVICE), Some(codes::SNP_COLLECT_NO_DEVICE)],
    },
    Case {
        name: "N-SNP-98 no driver registered",
        on: &[Configfs],
        wrong: Wrong::Tree(TreeFault::NoProvider),
        outcomes: &[Some(codes::SNP_COLLECT_NO_DEVICE)],
    },
    Case {
        name: "N-SNP-98 the tree of another technology",
        on: &[Configfs],
        wrong: Wrong::Tree(TreeFault::Provider("tdx_guest")),
        outcomes: &[Some(codes::SNP_COLLECT_NO_DEVICE)],
    },
    Case {
        name: "N-SNP-98 a file that is no guest device",
        on: &[Device],
        wrong: ends(Errno::NOTTY, 0),
        outcomes: &[Some(codes::SNP_COLLECT_NO_DEVICE)],
    },
    Case {
        name: "N-SNP-98 a device without its hardware",
        on: &[Device],
        wrong: ends(Errno::NXIO, 0),
        outcomes: &[Some(codes::SNP_COLLECT_NO_DEVICE)],
    },
    Case {
        name: "N-SNP-99 throttled until the driver gives up, which costs it its key",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Throttled),
        outcomes: &[Some(codes::SNP_COLLECT_THROTTLED), Some(codes::SNP_COLLECT_VMPCK_DISABLED)],
    },
    Case {
        name: "N-SNP-99 throttled, passed on at once",
        on: &[Device],
        wrong: ends(Errno::IO, VMM_BUSY),
        outcomes: &[Some(codes::SNP_COLLECT_THROTTLED), Some(codes::SNP_COLLECT_THROTTLED)],
    },
    Case {
        name: "N-SNP-99 timed out, and the host says nothing",
        on: &[Device],
        wrong: ends(Errno::TIMEDOUT, 0),
        outcomes: &[Some(codes::SNP_COLLECT_THROTTLED)],
    },
    Case {
        name: "N-SNP-99 success with the error of a throttling host",
        on: &[Device],
        wrong: Wrong::Guest(GuestFault::Ends { errno: 0, exitinfo2: VMM_BUSY }),
        outcomes: &[Some(codes::SNP_COLLECT_THROTTLED)],
    },
    Case {
        name: "success with an error of the firmware",
        on: &[Device],
        wrong: Wrong::Guest(GuestFault::Ends { errno: 0, exitinfo2: 0x16 }),
        outcomes: &[Some(codes::SNP_COLLECT_FIRMWARE_ERROR)],
    },
    Case {
        name: "another errno",
        on: &[Device],
        wrong: ends(Errno::INVAL, 0),
        outcomes: &[Some(codes::SNP_COLLECT_FIRMWARE_ERROR)],
    },
    Case {
        name: "N-SNP-100 status 0x16",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Status(0x16)),
        outcomes: &[Some(codes::SNP_COLLECT_FIRMWARE_ERROR)],
    },
    Case {
        name: "N-SNP-100 another status",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Status(0x27)),
        outcomes: &[Some(codes::SNP_COLLECT_FIRMWARE_ERROR)],
    },
    Case {
        name: "N-SNP-101 another REPORT_DATA",
        on: BOTH,
        wrong: Wrong::Behind(Fault::WrongReportData),
        outcomes: &[Some(codes::SNP_COLLECT_WRONG_REPORT)],
    },
    Case {
        name: "no report",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Length { length: 0, filler: 0 }),
        outcomes: &[Some(codes::SNP_COLLECT_WRONG_REPORT)],
    },
    Case {
        name: "short report",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Length { length: 1183, filler: 0 }),
        outcomes: &[Some(codes::SNP_COLLECT_WRONG_REPORT)],
    },
    Case {
        name: "bytes after the report",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Length { length: 1185, filler: 1 }),
        outcomes: &[Some(codes::SNP_COLLECT_WRONG_REPORT)],
    },
    Case {
        name: "zeros after the report are cut",
        on: BOTH,
        wrong: Wrong::Behind(Fault::Length { length: 2000, filler: 0 }),
        outcomes: &[None],
    },
    Case {
        name: "report larger than the response structure",
        on: &[Device],
        wrong: Wrong::Behind(Fault::Length { length: 3969, filler: 0 }),
        outcomes: &[Some(codes::SNP_COLLECT_WRONG_REPORT)],
    },
    Case {
        name: "report larger than will be read",
        on: &[Configfs],
        wrong: Wrong::Behind(Fault::Length { length: 4097, filler: 0 }),
        outcomes: &[Some(codes::SNP_COLLECT_FIRMWARE_ERROR)],
    },
];

fn collected(number: u8, certs: &[u8]) -> Collected {
    Collected {
        version: cc_core::message::MESSAGE_VERSION,
        evidence: report(*binding(number).report_data().unwrap(), 0),
        endorsements: if certs.is_empty() { vec![] } else { vec![Blob(certs.to_vec())] },
    }
}

fn check(case: &Case, on: On, backing: Backing) {
    let what = format!("{} on {on:?}, {backing:?}", case.name);
    let rig = Rig::new(backing);
    let firmware = || match case.wrong {
        Wrong::Behind(fault) => Firmware::new(report).with_fault(fault),
        _ => Firmware::new(report),
    };
    {
        let (mut tree, mut guest) = (rig.tree.lock().unwrap(), rig.guest.lock().unwrap());
        (tree.firmware, guest.firmware) = (firmware(), firmware());
        (tree.certs, guest.certs) = (certs(100), certs(100));
        match case.wrong {
            Wrong::Tree(fault) => tree.fault = Some(fault),
            Wrong::Guest(fault) => guest.fault = Some(fault),
            Wrong::Nothing | Wrong::Behind(_) => {}
        }
    }
    let collector = rig.collector(vec![if on == Configfs { rig.configfs() } else { rig.device() }]);
    for (number, outcome) in (1..).zip(case.outcomes) {
        let expected = match outcome {
            None => Ok(collected(number, &certs(100))),
            Some(code) => Err(code.clone()),
        };
        let got = collector.collect(&binding(number));
        assert_eq!(got.map_err(|finding| finding.code), expected, "{what}, request {number}");
    }
    assert_eq!(rig.tree.lock().unwrap().directories(), [""; 0], "{what}: directories left behind");
}

#[test]
fn every_fault_has_its_code() {
    with_each_backing("every_fault_has_its_code", |backing| {
        for case in CASES {
            for on in case.on {
                check(case, *on, backing);
            }
        }
    });
}

#[test]
fn certificates_are_optional() {
    with_each_backing("certificates_are_optional", |backing| {
        let rig = Rig::new(backing);
        for device in [rig.configfs(), rig.device()] {
            assert_eq!(rig.collector(vec![device]).collect(&binding(1)), Ok(collected(1, &[])));
        }
        rig.tree.lock().unwrap().fault = Some(TreeFault::NoAuxblob);
        assert_eq!(rig.collector(vec![rig.configfs()]).collect(&binding(2)), Ok(collected(2, &[])));
    });
}

/// Blobs of 9000 bytes need three pages, two are offered first.
#[test]
fn a_larger_table_is_asked_for_again_once() {
    with_each_backing("a_larger_table_is_asked_for_again_once", |backing| {
        let rig = Rig::new(backing);
        let table = certs(9000);
        rig.tree.lock().unwrap().certs.clone_from(&table);
        rig.guest.lock().unwrap().certs.clone_from(&table);
        assert_eq!(rig.collector(vec![rig.configfs()]).collect(&binding(1)), Ok(collected(1, &table)));

        let collector = rig.collector(vec![rig.device()]);
        assert_eq!(collector.collect(&binding(1)), Ok(collected(1, &table)));
        assert_eq!(collector.collect(&binding(2)), Ok(collected(2, &table)));
        assert_eq!(rig.guest.lock().unwrap().certs_lengths(), [0x2000, 0x3000, 0x3000]);
        assert_eq!(*rig.pace.waits.lock().unwrap(), [Duration::from_secs(2); 3]);
    });
}

/// A host which is never content is asked once more at most, and only with a length that the kernel takes.
#[test]
fn hosts_cannot_ask_for_any_length() {
    let cases: [(u32, &[u32]); 5] = [
        (0x2001, &[0x2000]),
        (0x2000, &[0x2000]),
        (0x1000, &[0x2000]),
        (0xFFFF_F000, &[0x2000]),
        (0x3000, &[0x2000, 0x3000]),
    ];
    with_each_backing("hosts_cannot_ask_for_any_length", |backing| {
        for (wanted, lengths) in cases {
            let rig = Rig::new(backing);
            rig.guest.lock().unwrap().fault = Some(GuestFault::CertsLength(wanted));
            let refused = rig.collector(vec![rig.device()]).collect(&binding(1));
            assert_eq!(refused.map_err(|finding| finding.code), Err(codes::SNP_COLLECT_FIRMWARE_ERROR));
            assert_eq!(rig.guest.lock().unwrap().certs_lengths(), lengths, "{wanted:#x}");
        }
    });
}

#[test]
fn a_table_beyond_the_kernels_limit_is_refused() {
    with_each_backing("a_table_beyond_the_kernels_limit_is_refused", |backing| {
        let rig = Rig::new(backing);
        rig.tree.lock().unwrap().certs = vec![1; 0x4001];
        let refused = rig.collector(vec![rig.configfs()]).collect(&binding(1));
        assert_eq!(refused.map_err(|finding| finding.code), Err(codes::SNP_COLLECT_FIRMWARE_ERROR));
        rig.tree.lock().unwrap().certs = vec![1; 0x4000];
        let taken = rig.collector(vec![rig.configfs()]).collect(&binding(1)).unwrap();
        assert_eq!(taken.endorsements, [Blob(vec![1; 0x4000])]);
    });
}

#[test]
fn privilege_levels() {
    let cases = [
        (None, 0, Some(0)),
        (None, 2, Some(2)),
        (Some(0), 0, Some(0)),
        (Some(3), 2, Some(3)),
        (Some(2), 2, Some(2)),
        (Some(1), 2, None),
        (Some(4), 0, None),
    ];
    with_each_backing("privilege_levels", |backing| {
        for (wanted, floor, level) in cases {
            let mut rig = Rig::new(backing);
            rig.options.vmpl = wanted;
            rig.tree.lock().unwrap().floor = floor;
            let expected = match level {
                Some(level) => Ok(report(*binding(1).report_data().unwrap(), level)),
                None => Err(codes::SNP_COLLECT_FIRMWARE_ERROR),
            };
            let got = |device| {
                let result = rig.collector(vec![device]).collect(&binding(1));
                result.map(|collected| collected.evidence).map_err(|finding| finding.code)
            };
            assert_eq!(got(rig.configfs()), expected, "{wanted:?} of {floor}");
            if floor == 0 {
                assert_eq!(got(rig.device()), expected, "{wanted:?} on the device");
            }
        }
    });
}

/// The second interface is for a machine without the first one, not for a first one that denies.
#[test]
fn the_device_is_asked_where_configfs_is_absent() {
    let cases = [
        (Wrong::Tree(TreeFault::NoProvider), true),
        (Wrong::Tree(TreeFault::Provider("arm_cca_guest")), true),
        (Wrong::Behind(Fault::KeyLostAfter(0)), true),
        (Wrong::Nothing, false),
        (Wrong::Tree(TreeFault::OtherWriter), false),
        (Wrong::Behind(Fault::Throttled), false),
        (Wrong::Behind(Fault::Status(1)), false),
        (Wrong::Behind(Fault::WrongReportData), false),
    ];
    with_each_backing("the_device_is_asked_where_configfs_is_absent", |backing| {
        for (wrong, asked) in cases {
            let rig = Rig::new(backing);
            match wrong {
                Wrong::Tree(fault) => rig.tree.lock().unwrap().fault = Some(fault),
                Wrong::Behind(fault) => rig.tree.lock().unwrap().firmware.fault = Some(fault),
                Wrong::Nothing | Wrong::Guest(_) => {}
            }
            let got = rig.collector(vec![rig.configfs(), rig.device()]).collect(&binding(1));
            assert_eq!(got.is_ok(), asked || matches!(wrong, Wrong::Nothing), "{wrong:?}");
            assert_eq!(rig.guest.lock().unwrap().firmware.asked(), u64::from(asked), "{wrong:?}");
        }
    });
}

/// N-SNP-98, with real paths.
#[test]
fn nothing_there() {
    let rig = Rig::new(Backing::Plain);
    let options = Options { configfs: rig.nowhere(), device: rig.nowhere(), ..rig.options.clone() };
    let Finding { code, detail } = Collector::new(options).collect(&binding(1)).unwrap_err();
    assert_eq!(code, codes::SNP_COLLECT_NO_DEVICE);
    assert!(detail.contains("configfs-tsm: ") && detail.contains("sev-guest: "), "{detail}");
}

/// Nothing in an ordinary directory or file can pass for the kernel's interfaces.
#[test]
fn ordinary_files_are_no_devices() {
    let rig = Rig::new(Backing::Plain);
    std::fs::create_dir(&rig.options.configfs).unwrap();
    std::fs::write(&rig.options.device, [0; 4000]).unwrap();
    let collector = Collector::new(rig.options.clone());
    assert_eq!(collector.collect(&binding(1)).unwrap_err().code, codes::SNP_COLLECT_NO_DEVICE);
    assert_eq!(std::fs::read_dir(&rig.options.configfs).unwrap().count(), 0);
}

#[test]
fn names_left_over_by_others_are_passed_over() {
    with_each_backing("names_left_over_by_others_are_passed_over", |backing| {
        let rig = Rig::new(backing);
        let taken: Vec<_> = (1..=3).map(|n| format!("muster-{}-{n}", std::process::id())).collect();
        for name in &taken {
            rig.tree.lock().unwrap().make(name).unwrap();
        }
        assert_eq!(rig.collector(vec![rig.configfs()]).collect(&binding(1)), Ok(collected(1, &[])));
        assert_eq!(rig.tree.lock().unwrap().directories(), taken);
    });
}

/// The paths of [`Options`] lead to the interfaces, configfs first.
#[test]
fn paths_are_configurable() {
    with_fuse("paths_are_configurable", || {
        let rig = Rig::new(Backing::Fuse);
        let options = Options { min_interval: Duration::ZERO, ..rig.options.clone() };
        let asked =
            || (rig.tree.lock().unwrap().firmware.asked(), rig.guest.lock().unwrap().firmware.asked());
        assert_eq!(Collector::new(options.clone()).collect(&binding(1)), Ok(collected(1, &[])));
        assert_eq!(asked(), (1, 0));
        let options = Options { configfs: rig.nowhere(), ..options };
        assert_eq!(Collector::new(options).collect(&binding(2)), Ok(collected(2, &[])));
        assert_eq!(asked(), (1, 1));
    });
}
