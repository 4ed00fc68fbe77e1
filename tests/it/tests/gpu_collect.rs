//! The GPU collector against a fake of the driver's library: what it returns, each fault with its exact code, hanging
//! calls, and the ready state (*verification.md* 3.4, G19 and catalogue row N-GPU-75).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use aws_lc_rs::digest::{SHA256, digest};
use cc_attester::gpu::{Collector, Options};
use cc_core::gpu::{Device, DeviceClass};
use cc_core::{
    Authentic, Binding, BoundField, BoundKind, Claims, Code, Instant, TrustClass, UnixTime, Verified, codes,
};
use muster_it::place::test_plugin;

const NONCE: [u8; 32] = [0xA7; 32];
const SET_READY: &str = "nvmlSystemSetConfComputeGpusReadyState";
const GET_REPORT: &str = "nvmlDeviceGetConfComputeGpuAttestationReport";
/// Two GPUs, and a chain and reports with what a driver's buffers leave behind them.
const GOOD: &str = "gpu 9\ngpu 10\nreport zeros 7\nchain zeros 3\n";
/// Bytes of a report of the fake.
const REPORT: usize = 187;

/// A fake library in a folder of its own.
struct Driver {
    folder: tempfile::TempDir,
}

impl Driver {
    fn told(lines: &str) -> Self {
        let driver = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::copy(test_plugin("libfake_nvml.so"), driver.place("libnvidia-ml.so.1")).unwrap();
        driver.tell(lines);
        driver
    }

    fn tell(&self, lines: &str) {
        // In one step: the library may be reading.
        std::fs::write(self.place("new"), lines).unwrap();
        std::fs::rename(self.place("new"), self.place("told")).unwrap();
    }

    fn place(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self) -> Options {
        let timeout = Duration::from_secs(60);
        Options { library: self.place("libnvidia-ml.so.1"), lock: self.place("lock"), timeout }
    }

    fn collector(&self) -> Collector {
        Collector::new(self.options())
    }

    /// What the library was called for, in order: a line when a call enters, one when it leaves.
    fn calls(&self) -> String {
        std::fs::read_to_string(self.place("calls")).unwrap_or_default()
    }

    fn entered(&self, call: &str) -> usize {
        self.calls().matches(&format!("enter {call}\n")).count()
    }
}

#[test]
fn each_gpu_gives_report_chain_state_and_architecture() {
    let driver = Driver::told(GOOD);
    let devices = driver.collector().collect(&NONCE).unwrap();
    assert_eq!(devices.len(), 2);
    for (arch, number) in [("HOPPER", 0), ("BLACKWELL", 1)] {
        let device = devices.iter().find(|device| device.arch.as_deref() == Some(arch)).unwrap();
        assert_eq!(device.class, DeviceClass::Gpu);
        assert_eq!(device.cc_state, Some([2, 1, 0, 0]));
        let chain = format!("-----BEGIN CERTIFICATE-----\nGPU{number}\n-----END CERTIFICATE-----\n");
        assert_eq!(String::from_utf8(device.cert_chain.clone()).unwrap(), chain, "without its zeros");
        assert_eq!(device.report.len(), REPORT, "without zeros after its declared end");
        assert_eq!(device.report[4..36], NONCE);
        assert_eq!(device.report[52], number, "chain and report are of one GPU");
    }
}

#[test]
fn devices_are_in_the_order_of_their_digests() {
    let driver = Driver::told(&"gpu 9\n".repeat(8));
    let collector = driver.collector();
    for nonce in 0..3 {
        let devices = collector.collect(&[nonce; 32]).unwrap();
        let digests: Vec<_> = devices.iter().map(|device| digest(&SHA256, &device.report)).collect();
        assert_eq!(digests.len(), 8);
        assert!(digests.is_sorted_by(|a, b| a.as_ref() < b.as_ref()));
    }
}

#[test]
fn each_fault_has_its_code() {
    let one = "gpu 9\n";
    let nothing = "";
    // What the library is told, the code, and a part of the text.
    let cases: &[(&str, &str, Code, &str)] = &[
        ("no device", nothing, codes::GPU_COLLECT_NO_DEVICE, "no GPU"),
        ("driver not loaded", "fail nvmlInit_v2 9", codes::GPU_COLLECT_NO_DRIVER, "Driver Not Loaded"),
        ("libraries of another driver", "fail nvmlInit_v2 18", codes::GPU_COLLECT_FAILED, "version mismatch"),
        ("an error without text", "fail nvmlInit_v2 77", codes::GPU_COLLECT_FAILED, "without a text (77)"),
        ("switched off", "settings 0 0 0 0", codes::GPU_CC_DISABLED, "--set-cc-mode=on"),
        (
            "not capable",
            "fail nvmlSystemGetConfComputeSettings 3",
            codes::GPU_CC_DISABLED,
            "--set-cc-mode=on",
        ),
        ("unknown feature", "settings 2 2 0 0", codes::GPU_CC_DISABLED, "ccFeature is 2"),
        ("unknown multi-GPU mode instead", "settings 2 0 0 3", codes::GPU_CC_DISABLED, "multiGpuMode 3"),
        ("developer mode", "settings 2 1 1 0", codes::GPU_CC_DEVTOOLS, "devToolsMode is 1"),
        ("unknown developer mode", "settings 2 1 2 0", codes::GPU_CC_DEVTOOLS, "devToolsMode is 2"),
        ("developer mode of several", "settings 2 0 1 1", codes::GPU_CC_DEVTOOLS, "devToolsMode is 1"),
        ("simulation", "settings 1 1 0 0", codes::GPU_CC_ENVIRONMENT, "environment is 1"),
        ("no environment", "settings 0 1 0 0", codes::GPU_CC_ENVIRONMENT, "environment is 0"),
        ("state that fits no byte", "settings 2 1 0 256", codes::GPU_COLLECT_FAILED, "multiGpuMode is 256"),
        ("Ampere", "gpu 7", codes::GPU_COLLECT_FAILED, "GPU 1: architecture 7"),
        ("architecture of the future", "gpu 11", codes::GPU_COLLECT_FAILED, "GPU 1: architecture 11"),
        ("too many", &one.repeat(16), codes::ENV_SIZE_EXCEEDED, "17 GPUs"),
        (
            "count",
            "fail nvmlDeviceGetCount_v2 999",
            codes::GPU_COLLECT_FAILED,
            "nvmlDeviceGetCount_v2: Unknown",
        ),
        ("handle", "fail nvmlDeviceGetHandleByIndex_v2 15", codes::GPU_COLLECT_FAILED, "GPU is lost (15)"),
        ("architecture", "fail nvmlDeviceGetArchitecture 15", codes::GPU_COLLECT_FAILED, "GPU is lost"),
        ("chain", "fail nvmlDeviceGetConfComputeGpuCertificate 15", codes::GPU_COLLECT_FAILED, "GPU is lost"),
        ("report", &format!("fail {GET_REPORT} 15"), codes::GPU_COLLECT_FAILED, "GPU 0: nvmlDevice"),
        ("timeout of its own", &format!("fail {GET_REPORT} 10"), codes::GPU_COLLECT_TIMEOUT, "Timeout"),
        ("report larger than its buffer", "report size 8193", codes::GPU_COLLECT_FAILED, "has 8193 bytes"),
        ("report of the largest size", "report size 4294967295", codes::GPU_COLLECT_FAILED, "has 4294967295"),
        ("chain larger than its buffer", "chain size 5121", codes::GPU_COLLECT_FAILED, "has 5121 bytes"),
        ("chain of the largest size", "chain size 4294967295", codes::GPU_COLLECT_FAILED, "has 4294967295"),
        ("no report", "report size 0", codes::GPU_COLLECT_FAILED, "report of 0 bytes"),
        ("no chain", "chain size 0", codes::GPU_COLLECT_FAILED, "chain is empty"),
        ("report cut", "report cut 1", codes::GPU_COLLECT_FAILED, "report of 186 bytes"),
        (
            "bytes after the report",
            "report more 1",
            codes::GPU_COLLECT_FAILED,
            "declares 187 bytes and has 188",
        ),
        ("another nonce", "nonce 5", codes::GPU_COLLECT_FAILED, "nonce is 0505"),
    ];
    for (name, lines, code, text) in cases {
        let gpus = if *lines == nothing { nothing } else { one };
        let finding = Driver::told(&format!("{gpus}{lines}")).collector().collect(&NONCE).unwrap_err();
        assert_eq!(finding.code, *code, "{name}: {finding}");
        assert!(finding.detail.contains(text), "{name}: {finding}");
    }
    println!("{} faults", cases.len());
}

#[test]
fn buffers_may_be_full() {
    let lines = format!("gpu 9\nreport zeros {}\nreport size 8192\nchain size 5120", 8192 - REPORT);
    let devices = Driver::told(&lines).collector().collect(&NONCE).unwrap();
    assert_eq!(devices[0].report.len(), REPORT);
}

#[test]
fn modes_of_several_gpus_are_carried() {
    for mode in [1, 2] {
        for feature in [0, 1] {
            let driver = Driver::told(&format!("gpu 9\nsettings 2 {feature} 0 {mode}"));
            let devices = driver.collector().collect(&NONCE).unwrap();
            assert_eq!(devices[0].cc_state, Some([2, feature, 0, mode]));
        }
    }
}

#[test]
fn without_a_library_there_is_no_driver() {
    let driver = Driver::told(GOOD);
    let collect = |library: PathBuf| {
        Collector::new(Options { library, ..driver.options() }).collect(&NONCE).unwrap_err()
    };
    let absent = collect(driver.place("nothing.so"));
    assert_eq!(absent.code, codes::GPU_COLLECT_NO_DRIVER, "{absent}");
    std::fs::write(driver.place("text.so"), "no library").unwrap();
    assert_eq!(collect(driver.place("text.so")).code, codes::GPU_COLLECT_NO_DRIVER);
    // A library, of something else, and by a name that the system looks up.
    let other = collect("libc.so.6".into());
    assert_eq!(other.code, codes::GPU_COLLECT_NO_DRIVER);
    assert!(other.detail.ends_with("has no nvmlInit_v2"), "{other}");
}

#[test]
fn what_was_wrong_may_be_put_right() {
    let driver = Driver::told("gpu 9\nfail nvmlInit_v2 9");
    let collector = driver.collector();
    assert_eq!(collector.collect(&NONCE).unwrap_err().code, codes::GPU_COLLECT_NO_DRIVER);
    driver.tell("gpu 9\nsettings 2 0 0 0");
    assert_eq!(collector.collect(&NONCE).unwrap_err().code, codes::GPU_CC_DISABLED);
    driver.tell(GOOD);
    assert_eq!(collector.collect(&NONCE).unwrap().len(), 2);
    // A library that was initialised is shut down once, and one that answers is kept.
    assert_eq!((driver.entered("nvmlInit_v2"), driver.entered("nvmlShutdown")), (3, 1));
    collector.collect(&NONCE).unwrap();
    assert_eq!(driver.entered("nvmlInit_v2"), 3);
}

#[test]
fn a_call_that_hangs_costs_its_deadline_and_later_callers_nothing() {
    let driver = Driver::told(&format!("{GOOD}hang {GET_REPORT}\n"));
    let timeout = Duration::from_secs(2);
    let collector = Collector::new(Options { timeout, ..driver.options() });
    let finding = collector.collect(&NONCE).unwrap_err();
    assert_eq!(finding.code, codes::GPU_COLLECT_TIMEOUT, "{finding}");
    assert!(finding.detail.contains("no answer from the device within 2s"), "{finding}");
    let start = Clock::now();
    let finding = collector.collect(&NONCE).unwrap_err();
    assert_eq!(finding.code, codes::GPU_COLLECT_TIMEOUT);
    assert!(finding.detail.contains("still at the device"), "{finding}");
    assert!(start.elapsed() < timeout, "turned away at once");
    // Another collector of this host does not ask while the driver hangs.
    let other = Collector::new(Options { timeout: Duration::from_millis(100), ..driver.options() });
    assert_eq!(other.collect(&NONCE).unwrap_err().code, codes::GPU_COLLECT_TIMEOUT);
    assert_eq!(driver.entered(GET_REPORT), 1);
    // The driver comes to itself.
    driver.tell(GOOD);
    let start = Clock::now();
    while collector.collect(&NONCE).is_err() {
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn a_driver_that_hangs_while_it_loads_is_a_timeout() {
    let driver = Driver::told("gpu 9\nhang nvmlInit_v2\n");
    let collector = Collector::new(Options { timeout: Duration::from_millis(100), ..driver.options() });
    assert_eq!(collector.collect(&NONCE).unwrap_err().code, codes::GPU_COLLECT_TIMEOUT);
    driver.tell(GOOD);
}

#[test]
fn the_driver_sees_one_call_at_a_time() {
    let driver = Driver::told(GOOD);
    let collector = Arc::new(driver.collector());
    let callers: Vec<_> = (0..8)
        .map(|number| {
            let collector = Arc::clone(&collector);
            std::thread::spawn(move || collector.collect(&[number; 32]).unwrap())
        })
        .collect();
    for (number, caller) in (0..).zip(callers) {
        let devices: Vec<Device> = caller.join().unwrap();
        assert!(devices.iter().all(|device| device.report[4..36] == [number; 32]));
    }
    let calls = driver.calls();
    let lines: Vec<_> = calls.lines().collect();
    let pairs = lines.as_chunks::<2>().0;
    assert_eq!(pairs.len(), 1 + 8 * (2 + 2 * 4));
    for [enter, leave] in pairs {
        assert_eq!(enter.strip_prefix("enter ").unwrap(), leave.strip_prefix("leave ").unwrap());
    }
}

/// What a verification of devices of these architectures is like, with this nonce and for this instant.
fn verified(nonce: [u8; 32], archs: &[&str], at: Instant) -> Verified<Claims> {
    let device = |arch: &&str| {
        let mut device = Claims::new();
        device.insert("class", if *arch == "LS10" { "switch" } else { "gpu" });
        device.insert("arch", *arch);
        device
    };
    let mut claims = Claims::new();
    claims.insert("devices", archs.iter().map(device).collect::<Vec<_>>());
    let bound = BoundField { kind: BoundKind::GpuNonce, bytes: nonce.to_vec() };
    let authentic = Authentic::assertion(claims, bound, Vec::new(), at, TrustClass::Emulated);
    authentic.compare(&Binding::Nonce(nonce)).unwrap()
}

const NOW: Instant = Instant::Present(UnixTime::from_secs(1_780_272_000));

/// N-GPU-75.
#[test]
fn n_gpu_75_the_ready_state_is_set_after_verification_only() {
    let driver = Driver::told(GOOD);
    let collector = driver.collector();
    let premature = |verified: &Verified<Claims>, why: &str| {
        let finding = collector.set_ready(verified).unwrap_err();
        assert_eq!(finding.code, codes::GPU_READY_PREMATURE, "{why}: {finding}");
        assert!(finding.detail.contains(why), "{why}: {finding}");
        assert_eq!(driver.entered(SET_READY), 0, "{why}");
    };
    let good = verified(NONCE, &["LS10", "BLACKWELL", "HOPPER"], NOW);
    premature(&good, "no evidence was collected");
    collector.collect(&NONCE).unwrap();
    premature(&verified([1; 32], &["HOPPER", "BLACKWELL"], NOW), "another nonce");
    premature(&verified(NONCE, &[], NOW), "[] were verified");
    premature(&verified(NONCE, &["HOPPER"], NOW), "[\"HOPPER\"] were verified");
    premature(&verified(NONCE, &["HOPPER", "LS10"], NOW), "[\"HOPPER\"] were verified");
    premature(&verified(NONCE, &["HOPPER", "HOPPER"], NOW), "were verified");
    premature(&verified(NONCE, &["HOPPER", "BLACKWELL", "HOPPER"], NOW), "were verified");
    let replayed = Instant::Replayed(NOW.time());
    premature(&verified(NONCE, &["HOPPER", "BLACKWELL"], replayed), "clk.replayed");
    // What the machine is now counts, not what it was.
    driver.tell(&format!("{GOOD}settings 2 1 1 0"));
    premature(&good, "gpu.cc.devtools");
    driver.tell(&format!("{GOOD}settings 2 0 0 0"));
    premature(&good, "gpu.cc.disabled");
    driver.tell(&format!("{GOOD}settings 1 1 0 0"));
    premature(&good, "gpu.cc.environment");
    driver.tell(&format!("{GOOD}gpu 9"));
    premature(&good, "there are 3 GPUs");
    driver.tell(GOOD);
    // A collection that did not succeed changes nothing; one that did makes the older proof worthless.
    driver.tell(&format!("{GOOD}nonce 5"));
    collector.collect(&[5; 32]).unwrap();
    premature(&good, "another nonce");
    driver.tell(GOOD);
    collector.collect(&NONCE).unwrap();
    collector.set_ready(&good).unwrap();
    assert!(driver.calls().contains("ready 1\n"));
    assert_eq!(driver.entered(SET_READY), 1);
}

#[test]
fn a_driver_that_refuses_the_ready_state_is_heard() {
    let driver = Driver::told(&format!("gpu 9\nfail {SET_READY} 4"));
    let collector = driver.collector();
    collector.collect(&NONCE).unwrap();
    let finding = collector.set_ready(&verified(NONCE, &["HOPPER"], NOW)).unwrap_err();
    assert_eq!(finding.code, codes::GPU_COLLECT_FAILED);
    assert!(finding.detail.starts_with(SET_READY), "{finding}");
}
