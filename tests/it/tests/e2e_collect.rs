//! `muster evidence collect` over emulated kernel interfaces: the report that it writes is signed under the test
//! kit's roots and verifies with the certificates that came with it.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use cc_testkit::fuse::configfs::{ReportTree, TreeFault};
use cc_testkit::fuse::firmware::{Fault, Firmware};
use cc_testkit::fuse::sev_guest::Guest;
use cc_testkit::fuse::{configfs_fs, namespace, sev_guest_fs};
use cc_testkit::snp::{LeafKind, Product, World};
use muster_it::cli::Muster;
use muster_it::place::{entry, test_plugin};
use serde_json::{Value, json};

/// A machine with one emulated processor.
struct Machine {
    muster: Muster,
    world: World,
    configfs: PathBuf,
    device: PathBuf,
    plugins: String,
}

impl Machine {
    /// Neither interface is there yet.
    fn new() -> Self {
        let muster = Muster::new();
        let (configfs, device) = (muster.folder().join("report"), muster.folder().join("sev-guest"));
        // Each machine has a lock of its own: the emulated hosts have nothing to do with each other.
        let lock = muster.folder().join("lock");
        let settings = format!("configfs = {configfs:?}\ndevice = {device:?}\nlock = {lock:?}");
        let plugin = entry(&test_plugin("libemulated_snp.so"), &["snp-raw-1"], &settings);
        let plugins = format!("version = 1\n{plugin}\n[danger]\nallow_emulated = true\n");
        let plugins = muster.write("plugins.toml", plugins);
        Self { muster, world: World::new(Product::Turin, LeafKind::Vcek), configfs, device, plugins }
    }

    /// Firmware that signs what it is asked to.
    fn firmware(&self) -> Firmware {
        let world = self.world.clone();
        Firmware::new(move |report_data, vmpl| {
            let mut world = world.clone();
            world.edit_report(|report| {
                report.set_report_data(report_data).set_vmpl(vmpl);
            });
            world.report.bytes().to_vec()
        })
    }

    fn tree(&self) -> ReportTree {
        let mut tree = ReportTree::new(self.firmware());
        tree.certs = self.world.cert_table().build();
        tree
    }

    /// Runs `call` while the report tree is mounted.
    fn with_tree<T>(&self, tree: ReportTree, call: impl FnOnce() -> T) -> T {
        std::fs::create_dir_all(&self.configfs).unwrap();
        let mounted = configfs_fs::mount(Arc::new(Mutex::new(tree)), &self.configfs).unwrap();
        let result = call();
        drop(mounted);
        result
    }

    fn out(&self) -> String {
        self.muster.folder().join("report.bin").display().to_string()
    }

    fn collect(&self, exit: i32, binding: &str) -> Value {
        let line = format!("evidence collect --profile snp-raw-1 --binding {binding} --out {}", self.out());
        let result = self.muster.json(exit, &format!("{line} --plugins {}", self.plugins));
        let mut fields: Vec<_> = result.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, ["code", "detail", "endorsements", "evidence", "plugin", "profile", "schema"]);
        result
    }

    /// Verifies what was collected, with what came with it.
    fn verify(&self, exit: i32, binding: &str) -> Value {
        let crl = self.muster.write("ark.crl", &self.world.crl);
        let (out, plugins) = (self.out(), &self.plugins);
        self.muster.json(exit, &format!(
            "evidence verify --profile snp-raw-1 --evidence {out} --endorsements {out}.aux.0 \
             --endorsements {crl} --expect-binding {binding} --offline --at 2026-06-01T00:00:00Z --plugins {plugins}"
        ))
    }

    /// Collects and verifies, with this binding and with another one.
    fn collects(&self, byte: &str) {
        let (binding, other) = (byte.repeat(64), "ee".repeat(64));
        let collected = self.collect(0, &binding);
        assert_eq!(collected["schema"], "muster.evidence.collect/1");
        assert_eq!(collected["evidence"], self.out());
        assert_eq!(collected["endorsements"], json!([format!("{}.aux.0", self.out())]));
        assert_eq!(
            (&collected["code"], &collected["plugin"]["name"]),
            (&json!(null), &"emulated-snp".into())
        );

        let verified = self.verify(0, &binding);
        assert_eq!((&verified["binding"], &verified["waived"]), (&"matched".into(), &json!([])));
        assert_eq!(verified["claims"]["report_data"], binding);
        assert_eq!(verified["claims"]["product"], "Turin");
        assert_eq!(self.verify(3, &other)["code"], "bind.report_data.mismatch");
    }

    /// Collection ends in this code and writes nothing.
    fn refuses(&self, exit: i32, code: &str) {
        let refused = self.collect(exit, &"5a".repeat(64));
        assert_eq!((&refused["code"], &refused["evidence"]), (&code.into(), &json!(null)), "{refused}");
        assert!(!PathBuf::from(self.out()).exists(), "{code}: nothing is written");
    }
}

/// Runs `call` in a private mount namespace, or says loudly that it was not run.
fn with_fuse(what: &str, call: impl FnOnce() + Send) {
    match namespace::available() {
        Ok(()) => namespace::isolated(call),
        Err(reason) => {
            // Past `eprintln!`, which the test harness would keep to itself.
            let notice = format!("\n*** SKIPPED over FUSE: {what}: {reason} ***\n\n");
            std::io::stderr().write_all(notice.as_bytes()).unwrap();
        }
    }
}

#[test]
fn a_report_of_the_report_tree_verifies_with_what_came_with_it() {
    with_fuse("collect over configfs-tsm", || {
        let machine = Machine::new();
        machine.with_tree(machine.tree(), || machine.collects("5a"));
    });
}

#[test]
fn a_report_of_the_guest_device_verifies_with_what_came_with_it() {
    with_fuse("collect over /dev/sev-guest", || {
        let machine = Machine::new();
        let mut guest = Guest::new(machine.firmware());
        guest.certs = machine.world.cert_table().build();
        std::fs::File::create(&machine.device).unwrap();
        let mounted = sev_guest_fs::mount(Arc::new(Mutex::new(guest)), &machine.device).unwrap();
        machine.collects("a5");
        drop(mounted);
    });
}

#[test]
fn a_device_that_answers_something_else_is_refused() {
    with_fuse("collect from faulty devices", || {
        for (exit, code, fault) in [
            (3, "snp.collect.wrong_report", Fault::WrongReportData),
            (3, "snp.collect.wrong_report", Fault::Length { length: 1183, filler: 0 }),
            (3, "snp.collect.wrong_report", Fault::Length { length: 1185, filler: 1 }),
        ] {
            let machine = Machine::new();
            let mut tree = machine.tree();
            tree.firmware.fault = Some(fault);
            machine.with_tree(tree, || machine.refuses(exit, code));
        }
    });
}

#[test]
fn another_platforms_driver_is_no_device() {
    with_fuse("collect from another platform's driver", || {
        for fault in [TreeFault::NoProvider, TreeFault::Provider("tdx_guest")] {
            let machine = Machine::new();
            let mut tree = machine.tree();
            tree.fault = Some(fault);
            machine.with_tree(tree, || machine.refuses(3, "snp.collect.no_device"));
        }
    });
}

#[test]
fn without_a_device_nothing_is_collected() {
    let machine = Machine::new();
    machine.refuses(3, "snp.collect.no_device");
    let line = format!("--binding {} --out {} --plugins {}", "5a".repeat(64), machine.out(), machine.plugins);
    let ran = machine.muster.run(&format!("evidence collect --profile snp-raw-1 {line}"));
    assert!(ran.exit == 3 && ran.stdout.starts_with("NOT COLLECTED snp.collect.no_device\n"), "{ran}");
    assert!(
        ran.stdout.contains("configfs-tsm: ") && ran.stdout.contains("sev-guest: "),
        "why not each: {ran}"
    );

    let unserved = machine.muster.json(6, &format!("evidence collect --profile aci-raw-1 {line}"));
    assert_eq!(unserved["code"], "plug.profile.unserved");
    let short = line.replacen("5a", "", 1);
    assert_eq!(machine.muster.run(&format!("evidence collect --profile snp-raw-1 {short}")).exit, 2);
}
