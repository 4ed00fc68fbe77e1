//! A processor's report that is made anew for a binding, by a software TPM and what a paravisor does around it.

use std::time::Duration;

use cc_attester::vtpm::{Collector, Options, Port, Surroundings};
use cc_core::azure::Machine;
use cc_core::{Binding, Finding, codes};
use cc_testkit::azure::{Metadata, host_certificates};
use cc_testkit::snp::{LeafKind, Product, World};
use cc_testkit::vtpm::HclBuilder;

use crate::support::TestPace;
use crate::support::swtpm::{Paravisor, SoftPort, SoftTpm};

const EXTRA_DATA: [u8; 32] = [0xA5; 32];
const USER_DATA: [u8; 64] = [0x7a; 64];

/// A report with these user data; in upper case, as some paravisors write them.
fn report(user_data: &[u8]) -> Vec<u8> {
    let runtime = format!("{{\"user-data\":\"{}\"}}", hex::encode_upper(user_data));
    let mut report = HclBuilder::healthy(2, vec![1; 1184], runtime.into_bytes());
    // A software TPM has no room for as many zeros.
    report.trailing = vec![0; 100];
    report.bytes()
}

struct Rig {
    tpm: SoftTpm,
    pace: TestPace,
}

impl Rig {
    fn new() -> Self {
        Self { tpm: SoftTpm::with_hcl_report(&report(&[0; 64]), true), pace: TestPace::new() }
    }

    /// The way through a paravisor that needs so many looks to make a report.
    fn paravisor(&self, late: usize) -> Paravisor {
        Paravisor { inner: self.tpm.port(), late, report, due: None }
    }

    fn collect(
        &self,
        port: impl Port + 'static,
        fresh_hcl: bool,
        binding: &Binding,
    ) -> Result<Machine, Finding> {
        let world = World::new(Product::Milan, LeafKind::Vcek);
        let metadata = Metadata::start(&host_certificates(&world), |_| Vec::new());
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            fresh_hcl,
            metadata: metadata.service().url(),
            lock: directory.path().join("lock"),
            ..Options::default()
        };
        let pace = Box::new(self.pace.clone());
        let surroundings = Surroundings { port: Box::new(port), pace, chance: Box::new(|| 255) };
        let collected = Collector::within(surroundings, &options).unwrap().collect(binding)?;
        Ok(Machine::decode(&collected.evidence).unwrap())
    }

    fn waits(&self) -> Vec<Duration> {
        self.pace.waits.lock().unwrap().clone()
    }
}

fn binding() -> Binding {
    Binding::machine(EXTRA_DATA, &USER_DATA)
}

#[test]
fn the_report_is_made_anew_where_that_is_wanted() {
    let rig = Rig::new();
    let machine = rig.collect(rig.paravisor(3), true, &binding()).unwrap();
    assert_eq!(machine.hcl_report, report(&USER_DATA));
    assert_eq!(machine.extra_data().unwrap(), EXTRA_DATA);
    assert_eq!(rig.waits(), [Duration::from_millis(500); 3], "the report was looked at until it was new");
    // The index is there now; another binding is written into it.
    let other = Binding::machine(EXTRA_DATA, &[0x11; 64]);
    let machine = rig.collect(rig.paravisor(0), true, &other).unwrap();
    assert_eq!(machine.hcl_report, report(&[0x11; 64]));
}

#[test]
fn otherwise_nothing_is_written() {
    let rig = Rig::new();
    for (fresh_hcl, binding) in [(false, binding()), (true, Binding::Nonce(EXTRA_DATA))] {
        let machine = rig.collect(ReadOnly(rig.tpm.port()), fresh_hcl, &binding).unwrap();
        assert_eq!(machine.hcl_report, report(&[0; 64]));
        assert_eq!(machine.extra_data().unwrap(), EXTRA_DATA);
    }
    let wide = rig.collect(rig.paravisor(0), true, &Binding::new([0; 64])).unwrap_err();
    assert_eq!(wide.code, codes::PLUG_CONTRACT);
}

/// Lets nothing through that changes a TPM's memory.
struct ReadOnly(SoftPort);

impl Port for ReadOnly {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        assert!(![[0, 0, 1, 0x2a], [0, 0, 1, 0x37]].contains(&command[6..10].try_into().unwrap()));
        self.0.transmit(command)
    }
}

#[test]
fn a_report_that_stays_old_is_refused() {
    let rig = Rig::new();
    let stale = rig.collect(rig.tpm.port(), true, &binding()).unwrap_err();
    assert_eq!(stale.code, codes::VTPM_COLLECT_STALE);
    assert!(stale.detail.contains(&"0".repeat(128)) && stale.detail.contains(&"7a".repeat(64)), "{stale}");
    assert_eq!(rig.waits().len(), 29);
    // Somebody else's user data, a byte beside ours.
    let others = Paravisor {
        report: |user_data| {
            let mut other = user_data.to_vec();
            other[63] ^= 1;
            report(&other)
        },
        ..rig.paravisor(0)
    };
    assert_eq!(rig.collect(others, true, &binding()).unwrap_err().code, codes::VTPM_COLLECT_STALE);
    let nothing = Paravisor { report: |_| vec![0; report(&[0; 64]).len()], ..rig.paravisor(0) };
    let stale = rig.collect(nothing, true, &binding()).unwrap_err();
    assert_eq!(stale.code, codes::VTPM_COLLECT_STALE);
    assert!(stale.detail.contains("user data none"), "{stale}");
}

#[test]
fn an_index_that_is_there_is_used_as_it_is() {
    let mut rig = Rig::new();
    rig.tpm.define_user_data(64, false);
    let machine = rig.collect(rig.paravisor(0), true, &binding()).unwrap();
    assert_eq!(machine.hcl_report, report(&USER_DATA), "with its own authorization");
    let mut rig = Rig::new();
    rig.tpm.define_user_data(32, true);
    let refused = rig.collect(rig.paravisor(0), true, &binding()).unwrap_err();
    assert_eq!(refused.code, codes::VTPM_COLLECT_FAILED);
    assert_eq!(refused.detail, "NV index 0x1400002 has 32 bytes, needed are 64");
}

/// Refuses one kind of command.
struct Refusing(Paravisor, u32);

impl Port for Refusing {
    fn transmit(&mut self, command: &[u8]) -> std::io::Result<Vec<u8>> {
        if command[6..10] == self.1.to_be_bytes() {
            return Ok([&[0x80, 1, 0, 0, 0, 10][..], &0x920_u32.to_be_bytes()].concat());
        }
        self.0.transmit(command)
    }
}

#[test]
fn what_the_tpm_refuses_is_said() {
    for (command, name) in
        [(0x169, "TPM2_NV_ReadPublic"), (0x12a, "TPM2_NV_DefineSpace"), (0x137, "TPM2_NV_Write")]
    {
        let rig = Rig::new();
        let refused = rig.collect(Refusing(rig.paravisor(0), command), true, &binding()).unwrap_err();
        assert_eq!(refused.code, codes::VTPM_COLLECT_FAILED);
        assert_eq!(refused.detail, format!("{name}: response code 0x920"));
    }
}
