//! Any bytes as the report of a device: planned for only from NVIDIA's services, and accepted only if what is signed is the
//! genuine report of the synthetic device.

#![no_main]

use std::sync::LazyLock;

use cc_core::message::WireOutcome;
use cc_testkit::gpu::{device_chain, rim};
use cc_verifier::gpu::{Anchors, RootCertificates, Verifier};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::gpu::{WORLDS, plan_request, verify_request};

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let (device, rim) = (device_chain::root_der(), rim::root_der());
    Verifier::new(Anchors::new(RootCertificates { device, switch_device: device, rim, switch_rim: rim }), 16)
});

fuzz_target!(|report: &[u8]| {
    for (member, endorsements) in WORLDS.iter() {
        if let Ok(plan) = VERIFIER.plan(&plan_request(member, report, endorsements)) {
            let nvidia = ["https://rim.attestation.nvidia.com/v1/rim/NV_", "https://ocsp.ndis.nvidia.com"];
            assert!(plan.requests.iter().all(|r| nvidia.iter().any(|service| r.url.starts_with(service))));
        }
        let reply = VERIFIER.verify(&verify_request(member, report, endorsements));
        // ECDSA signatures can be mirrored, so that the rest may differ.
        let genuine = report.starts_with(&member.report.signed());
        assert!(genuine || !matches!(reply.outcome, WireOutcome::Accept { .. }));
    }
});
