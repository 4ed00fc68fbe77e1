//! Reports of container groups: by the kernel, by a sidecar, and what a sidecar can do wrong.

use cc_attester::aci::{Collector, Options};
use cc_core::azure::{Group, runtime_data};
use cc_core::message::Blob;
use cc_core::{Binding, Code, codes};
use cc_testkit::https::Fault;
use cc_testkit::sidecar::{COMBINED, RAW, canned_report, report_data};
use cc_testkit::snp::cert::pem;

use crate::support::group::{ContainerGroup, Kernel, POLICY, UVM};
use crate::support::{binding, report};

#[test]
fn the_kernel_reports_over_the_binding_itself() {
    let group = ContainerGroup::new(Kernel::Reports);
    let collected = group.collector().report(&binding(7)).unwrap();
    let expected = report(*binding(7).report_data().unwrap(), 0);
    assert_eq!(Group::decode(&collected.evidence), Ok(Group { report: expected, runtime_data: vec![] }));
    // The certificates that the kernel has come last.
    let endorsements = [group.endorsements(), vec![Blob(vec![0xC1; 24])]].concat();
    assert_eq!(collected.endorsements, endorsements);
    assert!(group.sidecar.service().log().is_empty());
}

#[test]
fn a_sidecar_reports_over_runtime_data() {
    let group = ContainerGroup::beside_sidecar();
    let collected = group.collector().report(&binding(7)).unwrap();
    let runtime_data = runtime_data(binding(7).report_data().unwrap());
    let report = report(report_data(&runtime_data), 0);
    assert_eq!(Group::decode(&collected.evidence), Ok(Group { report, runtime_data }));
    assert_eq!(collected.endorsements, group.endorsements());
    assert_eq!(group.sidecar.service().log(), [COMBINED, RAW]);
}

#[test]
fn a_newer_sidecar_gives_endorsements_too() {
    let group = ContainerGroup::beside_sidecar();
    let world = &group.world;
    group.sidecar.combine(&[&world.leaf, &world.intermediate, &world.ark].map(|der| pem(der)).concat(), UVM);
    let collected = group.collector().report(&binding(7)).unwrap();
    assert_eq!(collected.endorsements, group.endorsements());
    assert_eq!(group.sidecar.service().log(), [COMBINED]);
    // It does not give the policy, which then need not be there.
    std::fs::remove_dir_all(group.context()).unwrap();
    let without = group.collector().report(&binding(7)).unwrap();
    assert_eq!(without.endorsements, group.endorsements()[..4]);
    assert_eq!(Group::decode(&without.evidence).unwrap().report.len(), 1184);
    // One that is there and malformed is not passed over.
    std::fs::create_dir(group.context()).unwrap();
    std::fs::write(group.context().join("host-amd-cert-base64"), "?").unwrap();
    assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MALFORMED));
}

#[test]
fn nobody_but_the_kernel_is_asked_outside_a_guest() {
    let mut group = ContainerGroup::beside_sidecar();
    group.sidecar.make(|report_data| canned_report(report_data).to_vec());
    group.options.guest_devices.clear();
    assert_eq!(group.outcome(), Err(codes::SNP_COLLECT_NO_DEVICE));
    // And none is there to be asked.
    group = ContainerGroup::new(Kernel::Absent);
    assert_eq!(group.outcome(), Err(codes::SNP_COLLECT_NO_DEVICE));
    assert!(group.sidecar.service().log().is_empty());
}

#[test]
fn a_kernel_that_denies_is_not_gone_around() {
    let mut group = ContainerGroup::beside_sidecar();
    group.kernel = Kernel::Denies(codes::SNP_COLLECT_THROTTLED);
    assert_eq!(group.outcome(), Err(codes::SNP_COLLECT_THROTTLED));
    assert!(group.sidecar.service().log().is_empty());
}

/// What a sidecar makes of REPORT_DATA.
type Maker = fn(&[u8; 64]) -> Vec<u8>;

#[test]
fn reports_of_other_requests_and_of_no_hardware_are_refused() {
    fn with(report_data: &[u8; 64], at: usize, value: u8) -> Vec<u8> {
        let mut report = report(*report_data, 0);
        report[at] = value;
        report
    }
    let cases: &[(&str, Maker, Code)] = &[
        ("short", |data| report(*data, 0)[..1183].to_vec(), codes::ACI_COLLECT_WRONG_REPORT),
        ("long", |data| [report(*data, 0), vec![0]].concat(), codes::ACI_COLLECT_WRONG_REPORT),
        ("empty", |_| Vec::new(), codes::ACI_COLLECT_WRONG_REPORT),
        ("digest of others", |data| with(data, 0x50, !data[0]), codes::ACI_COLLECT_WRONG_REPORT),
        ("last byte of the digest", |data| with(data, 0x6f, !data[31]), codes::ACI_COLLECT_WRONG_REPORT),
        ("upper half not zero", |data| with(data, 0x8f, 1), codes::ACI_COLLECT_WRONG_REPORT),
        ("canned", |data| canned_report(data).to_vec(), codes::ACI_COLLECT_FAKE_REPORT),
        ("version 1", |data| version(1, report(*data, 0)), codes::ACI_COLLECT_FAKE_REPORT),
        ("version 0", |data| version(0, report(*data, 0)), codes::ACI_COLLECT_FAKE_REPORT),
        (
            "canned, dressed up",
            |data| version(3, canned_report(data).to_vec()),
            codes::ACI_COLLECT_FAKE_REPORT,
        ),
    ];
    let group = ContainerGroup::beside_sidecar();
    let collector = group.collector();
    group.sidecar.make(|data| version(2, report(*data, 0)));
    assert!(collector.report(&binding(1)).is_ok());
    for combined in [false, true] {
        if combined {
            group.sidecar.combine(&pem(&group.world.leaf), UVM);
        }
        for (name, maker, code) in cases {
            group.sidecar.make(*maker);
            let refused = collector.report(&binding(1)).unwrap_err();
            assert_eq!(&refused.code, code, "{name}: {}", refused.detail);
        }
    }
}

fn version(version: u32, mut report: Vec<u8>) -> Vec<u8> {
    report[..4].copy_from_slice(&version.to_le_bytes());
    report
}

#[test]
fn answers_of_another_form_are_refused() {
    let group = ContainerGroup::beside_sidecar();
    let collector = group.collector();
    let refused = |path: &str, body: &str| {
        group.sidecar.service().fault(path, Fault::Say(body.as_bytes().to_vec()));
        let finding = collector.report(&binding(1)).unwrap_err();
        assert_eq!(finding.code, codes::ACI_COLLECT_REFUSED, "{path} {body}");
    };
    for body in [
        "",
        "{}",
        "[]",
        "garbage",
        r#"{"report":1}"#,
        r#"{"report":"0g"}"#,
        r#"{"report":"00","report":"00"}"#,
    ] {
        refused(RAW, body);
    }
    let (good, uvm) = ("LS0tLS0=", "AA==");
    for (evidence, endorsements, uvm) in
        [("*", good, uvm), ("AA==", "*", uvm), ("AA==", good, "*"), ("AA==", good, uvm)]
    {
        refused(
            COMBINED,
            &format!(
                r#"{{"evidence":"{evidence}","endorsements":"{endorsements}","uvm_endorsements":"{uvm}"}}"#
            ),
        );
    }
    refused(COMBINED, r#"{"evidence":"AA==","endorsements":""}"#);
}

#[test]
fn the_sidecar_is_on_this_machine_and_a_binding_has_64_bytes() {
    for address in [
        "http://example.org:8080",
        "https://localhost:8080",
        "http://localhost:8080/x",
        "http://u@localhost",
        "8080",
        "",
    ] {
        let options = Options { sidecar: Some(address.to_owned()), ..Options::default() };
        let refused = Collector::new(options).err().map(|finding| finding.code);
        assert_eq!(refused, Some(codes::PLUG_CONFIG_INVALID), "{address}");
    }
    assert!(Collector::new(Options::default()).is_ok());
    let group = ContainerGroup::new(Kernel::Reports);
    let short = group.collector().report(&Binding::Nonce([1; 32])).unwrap_err();
    assert_eq!(short.code, codes::PLUG_CONTRACT);
}

#[test]
fn a_policy_of_any_text_is_passed_on() {
    let group = ContainerGroup::new(Kernel::Reports);
    let collected = group.collector().report(&binding(1)).unwrap();
    assert_eq!(collected.endorsements[4], Blob(POLICY.to_vec()));
}
