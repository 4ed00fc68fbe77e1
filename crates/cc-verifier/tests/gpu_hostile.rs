//! What comes from a stranger: no bit of a report or of a chain can be another one, nothing can be cut off or added, limits
//! hold, and a memory changes nothing.

use cc_core::gpu::{Device, DeviceClass, decode, encode};
use cc_core::limits::{MAX_CERTIFICATE, MAX_CLAIM_ENTRIES, MAX_CLAIMS, MAX_ENDORSEMENT, MAX_ENDORSEMENTS};
use cc_core::message::{Blob, Message, VerifyReply, VerifyRequest, WireOutcome};
use cc_core::{Claims, Profile, UnixTime};
use cc_testkit::gpu::{Arch, DAY, NOW, World};
use cc_verifier::gpu::{Opaque, Report, Verifier};
use proptest::prelude::*;

use crate::common::codes::{outcome_code, reply_code};
use crate::common::gpu::{Parts, anchors, hopper};

/// A verifier that knows the devices of a world.
fn knowing(request: &VerifyRequest) -> Verifier {
    let verifier = Verifier::new(anchors(), 16);
    assert_eq!(reply_code(&verifier.verify(request)), "accept");
    verifier
}

/// The device of a request; making it anew would sign its certificates anew.
fn only_device(request: &VerifyRequest) -> Device {
    decode(&request.evidence).unwrap().remove(0)
}

fn with_device(request: &VerifyRequest, device: Device) -> VerifyRequest {
    VerifyRequest { evidence: encode(&[device]), ..request.clone() }
}

#[test]
fn no_bit_of_a_report_can_be_flipped() {
    for arch in Arch::ALL {
        let world = World::new(arch, 1);
        let request = Parts::of(&world).request();
        let verifier = knowing(&request);
        let genuine = only_device(&request);
        for position in 0..genuine.report.len() {
            let mut device = genuine.clone();
            device.report[position] ^= 1 << (position % 8);
            let reply = verifier.verify(&with_device(&request, device));
            assert_ne!(reply_code(&reply), "accept", "{arch:?}: byte {position}");
        }
    }
}

#[test]
fn nothing_can_be_cut_off_or_added() {
    let world = hopper();
    let request = Parts::of(&world).request();
    let verifier = knowing(&request);
    let genuine = only_device(&request);
    for end in (0..genuine.report.len()).step_by(7) {
        let mut device = genuine.clone();
        device.report.truncate(end);
        assert_eq!(
            reply_code(&verifier.verify(&with_device(&request, device))),
            "gpu.spdm.malformed",
            "{end}"
        );
    }
    for more in [&[0][..], &[0; 96], &[7; 500]] {
        let mut device = genuine.clone();
        device.report.extend(more);
        assert_eq!(reply_code(&verifier.verify(&with_device(&request, device))), "gpu.spdm.malformed");
    }
}

/// A chain with another bit is another chain; what it must not be is accepted, but for the lines of its text.
#[test]
fn no_bit_of_a_chain_can_be_flipped() {
    let world = hopper();
    let request = Parts::of(&world).request();
    let genuine = only_device(&request);
    let verifier = knowing(&request);
    for position in (0..genuine.cert_chain.len()).step_by(3) {
        let mut device = genuine.clone();
        device.cert_chain[position] ^= 1 << (position % 7);
        let reply = verifier.verify(&with_device(&request, device.clone()));
        let is_layout = genuine.cert_chain[position].is_ascii_whitespace();
        assert!(is_layout || reply_code(&reply) != "accept", "byte {position}");
    }
}

#[test]
fn requests_have_limits() {
    let world = hopper();
    let good = Parts::of(&world).request();
    let verifier = Verifier::new(anchors(), 0);
    let code = |request: &VerifyRequest| reply_code(&verifier.verify(request)).to_owned();
    let other = VerifyRequest { profile: Profile::tdx_quote_1(), ..good.clone() };
    assert_eq!(code(&other), "plug.contract");
    let waived = VerifyRequest { waivers: vec!["gpu.chain.missing".to_owned()], ..good.clone() };
    assert_eq!(code(&waived), "plug.contract");
    let mut many = good.clone();
    many.endorsements.resize(MAX_ENDORSEMENTS + 1, Blob(vec![1]));
    let reply = verifier.verify(&many);
    assert_eq!(reply_code(&reply), "env.size.exceeded");
    assert!(reply.recognised.len() == many.endorsements.len());
    assert!(reply.recognised.iter().all(|name| name == "unknown"));
    many.endorsements.pop();
    assert_eq!(code(&many), "accept", "as many as may be");
    let empty = VerifyRequest { evidence: Vec::new(), ..good };
    assert_eq!(code(&empty), "env.format.invalid");
}

#[test]
fn slots_have_limits() {
    type Choose = fn(&mut Parts) -> &mut Vec<Vec<u8>>;
    let slots: [(&str, usize, Choose); 3] = [
        ("manifests", MAX_ENDORSEMENT, |p| &mut p.rims),
        ("answers", MAX_ENDORSEMENT, |p| &mut p.ocsp),
        ("certificates", MAX_CERTIFICATE, |p| &mut p.certificates),
    ];
    for (what, longest, choose) in slots {
        let code = |count: usize, length: usize| {
            let mut parts = Parts::of(&hopper());
            let slot = choose(&mut parts);
            let own = slot.len();
            slot.resize(own.max(count), vec![1; length]);
            outcome_code(&parts.outcome()).to_owned()
        };
        assert_eq!(code(MAX_ENDORSEMENTS, 1), "accept", "{what}: as many as may be");
        assert_eq!(code(MAX_ENDORSEMENTS + 1, 1), "env.size.exceeded", "{what}: one more");
        assert_eq!(code(8, longest), "accept", "{what}: as long as may be");
        assert_eq!(code(8, longest + 1), "env.size.exceeded", "{what}: longer");
    }
}

/// What is remembered of a GPU is not taken for a switch.
#[test]
fn a_memory_keeps_classes_apart() {
    let world = hopper();
    let request = Parts::of(&world).request();
    let verifier = knowing(&request);
    let device = Device { class: DeviceClass::Switch, arch: None, ..only_device(&request) };
    let swapped = with_device(&request, device);
    assert_eq!(reply_code(&verifier.verify(&swapped)), "gpu.arch.mismatch");
    assert_eq!(reply_code(&verifier.verify(&request)), "accept");
}

#[test]
fn endorsements_are_recognised_by_content() {
    let world = hopper();
    let mut request = Parts::of(&world).request();
    let known = request.endorsements.len();
    let chain = &world.members[0].chain;
    for other in [
        b"{}".to_vec(),
        Vec::new(),
        vec![0x30, 0x80],
        chain.pem(),
        chain.ders()[1].clone(),
        world.service_answers()[0].clone(),
        b"-----BEGIN CERTIFICATE-----".to_vec(),
    ] {
        request.endorsements.push(Blob(other));
    }
    let reply = Verifier::new(anchors(), 0).verify(&request);
    assert_eq!(reply_code(&reply), "accept");
    let names: Vec<_> = reply.recognised.iter().map(String::as_str).collect();
    assert_eq!(names[..known], [&["gpu.rim"; 2][..], &["gpu.ocsp"; 6]].concat());
    let others = ["unknown", "unknown", "unknown", "gpu.chain", "gpu.chain", "gpu.rim", "unknown"];
    assert_eq!(names[known..], others);
}

/// As many devices as may be: their claims fit.
#[test]
fn the_largest_evidence_fits() {
    let mut world = World::new(Arch::Hopper, 16);
    let switches = World::new(Arch::Ls10, 24);
    world.members.extend(switches.members.into_iter().skip(16));
    world.manifests.extend(switches.manifests);
    let reply = Verifier::new(anchors(), 0).verify(&Parts::of(&world).request());
    let WireOutcome::Accept { claims, .. } = &reply.outcome else { panic!("{:?}", reply.outcome) };
    let size = claims_size(claims);
    let shown = serde_json::to_value(claims).unwrap();
    assert_eq!((&shown["gpu_count"], &shown["switch_count"]), (&16.into(), &8.into()));
    println!("claims of {size} bytes, {} entries", entries(&shown));
    assert!(size <= MAX_CLAIMS && entries(&shown) <= MAX_CLAIM_ENTRIES);
    assert_eq!(VerifyReply::from_bytes(&reply.to_bytes()).unwrap(), reply);
    assert!(Parts::of(&world).plan().is_ok());
}

/// In JSON, which takes more than CBOR.
fn claims_size(claims: &Claims) -> usize {
    serde_json::to_vec(claims).unwrap().len()
}

fn entries(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(list) => list.iter().map(|value| 1 + entries(value)).sum(),
        serde_json::Value::Object(map) => map.values().map(|value| 1 + entries(value)).sum(),
        _ => 0,
    }
}

/// With and without memory the answers are the same to the byte, over all instants.
#[test]
fn a_memory_changes_nothing() {
    let world = World::new(Arch::Hopper, 2);
    let complete = Parts::of(&world);
    let variants = [
        complete.clone(),
        Parts { rims: world.service_answers(), ..complete.clone() },
        Parts { ocsp: Vec::new(), ..complete.clone() },
        Parts { rims: complete.rims[..1].to_vec(), ..complete.clone() },
        Parts { evidence: hopper().evidence(), ..complete },
    ];
    let (none, some) = (Verifier::new(anchors(), 0), Verifier::new(anchors(), 4));
    let mut accepted = 0;
    for at in [NOW, NOW + DAY, NOW + DAY + 1, NOW - 1, NOW + 700 * DAY, NOW] {
        for parts in &variants {
            let request = VerifyRequest { now: UnixTime::from_secs(at.unsigned_abs()), ..parts.request() };
            let (plain, remembered) = (none.verify(&request), some.verify(&request));
            assert_eq!(plain.to_bytes(), remembered.to_bytes(), "{at}");
            accepted += usize::from(reply_code(&plain) == "accept");
        }
    }
    assert_eq!(accepted, 3 * 3);
}

/// What is remembered for one device is not taken for another one with the same endorsements.
#[test]
fn a_memory_keeps_devices_apart() {
    let complete = Parts::of(&World::new(Arch::Hopper, 2)).request();
    let verifier = Verifier::new(anchors(), 16);
    for device in decode(&complete.evidence).unwrap() {
        assert_eq!(reply_code(&verifier.verify(&with_device(&complete, device))), "accept");
    }
}

proptest! {
    /// Any bytes are read or refused; what is read is all there.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = Report::new(&bytes);
        if let Ok(opaque) = Opaque::new(&bytes) {
            let length: usize = opaque.iter().map(|(_, content)| content.len() + 4).sum();
            prop_assert_eq!(length, bytes.len());
        }
    }
}
