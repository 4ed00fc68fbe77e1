//! Devices first, the processor last: what a site with GPUs shows, and what its peers hold it against.

use cc_core::{Binding, codes};
use fed_proto::binding::{Device, DeviceClass, Transcript, devices_digest};
use fed_proto::crypto::{sha256, sha512};
use fed_proto::envelope::Envelope;
use fed_proto::message::Kind;
use fed_proto::round::Evidence;

use super::evil::Stage;
use super::words::opened;

fn gpu(number: u8) -> Device {
    Device {
        class: DeviceClass::Gpu,
        report: vec![number; 64],
        cert_chain: vec![number],
        cc_state: [2, 1, 0, 0],
    }
}

/// In the order of an envelope.
fn gpus(count: u8) -> Vec<Device> {
    let mut devices: Vec<Device> = (1..=count).map(gpu).collect();
    devices.sort_by_key(|device| sha256(&device.report));
    devices
}

#[test]
fn the_processor_vouches_for_the_devices_that_were_asked_before() {
    let mut stage = Stage::new();
    let round = opened(&mut stage, 1);
    let seen = stage.publish(&round);
    let (_, order) = seen.collects.first().unwrap();
    let devices = gpus(3);
    // The nonce is known before any device has answered, and the binding depends on every answer.
    let nonce = order.gpu_nonce();
    let binding = order.binding(&devices);
    assert_ne!(binding, order.binding(&[]));
    for at in 0..devices.len() {
        let mut others = devices.clone();
        others[at].cc_state[1] ^= 1;
        assert_ne!(order.binding(&others), binding, "device {at}");
    }
    let evidence =
        Evidence { evidence: vec![1], aux: Vec::new(), devices: devices.clone(), endorsements: Vec::new() };
    let seen = stage.collected(&round, evidence);
    let token = seen.message(Kind::Token).unwrap();
    let envelope = Envelope::parse(&token.payload).unwrap();
    assert_eq!(envelope.devices, devices);
    assert_eq!(Binding::new(sha512(&envelope.transcript)), binding);
    assert!(matches!(nonce, Binding::Nonce(_)));
    assert_eq!(Transcript::stated_name(&envelope.transcript).unwrap(), stage.agent.me().name);
    assert_eq!(devices_digest(&envelope.devices), devices_digest(&devices));
}

#[test]
fn collected_devices_are_put_in_order_and_measured() {
    let evidence = |devices: &[Device]| Device::evidence(devices);
    let (one, two) = (gpu(1), gpu(2));
    let sorted = gpus(2);
    for given in [[one.clone(), two.clone()], [two, one.clone()]] {
        assert_eq!(Device::collected(&evidence(&given)).unwrap(), sorted);
    }
    let twice = Device::collected(&evidence(&[one.clone(), one])).unwrap_err();
    assert_eq!(twice.code, codes::PLUG_CONTRACT);
    assert_eq!(Device::collected(&evidence(&[])).unwrap_err().code, codes::GPU_DEVICES_EMPTY);
    // A switch has no state of its own; a GPU whose state nobody read was not measured.
    let unread = |class| {
        let device =
            cc_core::gpu::Device { class, report: vec![1], cert_chain: vec![], cc_state: None, arch: None };
        Device::collected(&cc_core::gpu::encode(&[device])).map(|devices| devices[0].cc_state)
    };
    assert_eq!(unread(DeviceClass::Switch), Ok([0; 4]));
    assert_eq!(unread(DeviceClass::Gpu).unwrap_err().code, codes::PLUG_CONTRACT);
}
