//! The security context of a container group: where it is found, and what of it is refused.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cc_core::codes;
use cc_testkit::azure::{host_certificates, security_context};
use cc_testkit::published::corpus;
use cc_testkit::snp::cert::pem;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;

use crate::support::binding;
use crate::support::group::{ContainerGroup, Kernel, POLICY, UVM};

const FILES: [&str; 3] = ["host-amd-cert-base64", "reference-info-base64", "security-policy-base64"];

fn group() -> ContainerGroup {
    ContainerGroup::new(Kernel::Reports)
}

#[test]
fn the_context_is_found_where_the_platform_puts_it() {
    let mut group = group();
    let expected = group.endorsements();
    let found =
        |group: &ContainerGroup| group.collector().report(&binding(1)).unwrap().endorsements[..5].to_vec();
    assert_eq!(found(&group), expected);
    // Kata's place, where there is no other.
    let kata = group.options.root.join("opt/confidential-containers/share/kata-containers");
    std::fs::create_dir_all(kata.parent().unwrap()).unwrap();
    std::fs::rename(group.context(), &kata).unwrap();
    assert_eq!(found(&group), expected);
    // The one that is named, wherever it is.
    let named = group.options.root.join("elsewhere");
    std::fs::rename(&kata, &named).unwrap();
    assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MISSING));
    group.options.context_dir = Some(named);
    assert_eq!(found(&group), expected);
}

/// Whoever opens a pipe to which nobody writes waits for ever.
#[test]
fn a_pipe_is_not_waited_for() {
    let mut group = group();
    group.options.timeout = Duration::from_secs(5);
    let path = group.context().join(FILES[0]);
    std::fs::remove_file(&path).unwrap();
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MISSING));
}

#[test]
fn two_contexts_are_none() {
    let group = group();
    security_context(
        &group.options.root.join("security-context-2"),
        &host_certificates(&group.world),
        UVM,
        POLICY,
    );
    let refused = group.collector().report(&binding(1)).unwrap_err();
    assert_eq!(refused.code, codes::ACI_COLLECT_CONTEXT_MISSING);
    assert!(refused.detail.contains("several"), "{}", refused.detail);
}

#[test]
fn every_file_must_be_there_and_be_one() {
    for file in FILES {
        let group = group();
        let path = group.context().join(file);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MISSING), "{file} absent");
        std::fs::create_dir(&path).unwrap();
        assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MISSING), "{file} is a directory");
    }
    let mut nowhere = group();
    nowhere.options.root = nowhere.options.root.join("nothing");
    assert_eq!(nowhere.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MISSING));
}

#[test]
fn every_file_is_base64_of_something() {
    for file in FILES {
        let group = group();
        let path = group.context().join(file);
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&good[..], b"\n"].concat()).unwrap();
        assert_eq!(group.outcome(), Ok(()), "{file} ends with a line feed");
        for bad in [&b""[..], b"\n", b"*", b"AAA", &good[..good.len() - 1]] {
            std::fs::write(&path, bad).unwrap();
            let refused = group.outcome();
            assert_eq!(refused, Err(codes::ACI_COLLECT_CONTEXT_MALFORMED), "{file} is {:?}", bad.get(..8));
        }
        let largest = 1024 * 1024 / 3 * 4 + 8;
        std::fs::write(&path, vec![b'A'; largest + 4]).unwrap();
        let refused = group.collector().report(&binding(1)).unwrap_err();
        assert_eq!(refused.code, codes::ACI_COLLECT_CONTEXT_MALFORMED);
        assert!(refused.detail.contains("more than"), "{}", refused.detail);
    }
}

#[test]
fn the_certificates_are_of_their_form() {
    let group = group();
    let path = group.context().join(FILES[0]);
    let good = host_certificates(&group.world);
    let (one, two) = (pem(&group.world.leaf), pem(&group.world.leaf).repeat(2));
    for (member, value) in [
        ("vcekCert", json!("")),
        ("vcekCert", json!(two)),
        ("vcekCert", json!(1)),
        ("vcekCert", json!("-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n")),
        ("certificateChain", json!("none")),
        ("certificateChain", json!(one.repeat(11))),
        ("certificateChain", json!(null)),
        ("tcbm", json!("")),
        ("tcbm", json!("730800000000000")),
        ("tcbm", json!("x308000000000003")),
        ("tcbm", json!("+308000000000003")),
    ] {
        let mut bad = good.clone();
        bad[member] = value.clone();
        std::fs::write(&path, STANDARD.encode(bad.to_string())).unwrap();
        assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MALFORMED), "{member} {value}");
        bad.as_object_mut().unwrap().remove(member);
        std::fs::write(&path, STANDARD.encode(bad.to_string())).unwrap();
        assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MALFORMED), "no {member}");
    }
    let twice = good.to_string().replacen('{', r#"{"tcbm":"7308000000000003","#, 1);
    std::fs::write(&path, STANDARD.encode(twice)).unwrap();
    assert_eq!(group.outcome(), Err(codes::ACI_COLLECT_CONTEXT_MALFORMED), "a member twice");
}

/// The published context of a real group, in place.
#[test]
fn the_context_of_a_real_group_is_read() {
    let real = corpus().join("aci/milan-v3-skr-context");
    let mut group = group();
    group.options.context_dir = Some(real.clone());
    let endorsements = group.collector().report(&binding(1)).unwrap().endorsements;
    assert_eq!(endorsements.len(), 6, "three certificates, the statement, the policy, the kernel's table");
    assert!(endorsements[..3].iter().all(|certificate| certificate.0.starts_with(&[0x30, 0x82])));
    assert_eq!(endorsements[3].0, std::fs::read(real.join("uvm_endorsement.cose")).unwrap());
    assert!(endorsements[4].0.starts_with(b"package policy\n"));
    println!("1 published security context read");
}
