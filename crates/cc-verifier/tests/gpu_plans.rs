//! Plans: what is asked for, where, and what is refused at once.

use std::collections::BTreeSet;

use cc_core::message::{Message, Plan};
use cc_testkit::der;
use cc_testkit::gpu::report::item;
use cc_testkit::gpu::{Arch, NOW, World};
use cc_testkit::ocsp::{Authority, Hash};

use crate::common::gpu::{Parts, first, hopper};

const RIM: &str = "https://rim.attestation.nvidia.com/v1/rim/";

fn plan(parts: &Parts) -> Plan {
    let plan = parts.plan().unwrap();
    // As it crosses to the host.
    assert_eq!(Plan::from_bytes(&plan.to_bytes()).unwrap(), plan);
    plan
}

fn urls(plan: &Plan, kind: &str) -> Vec<String> {
    plan.requests.iter().filter(|request| request.kind == kind).map(|request| request.url.clone()).collect()
}

#[test]
fn manifests_are_asked_for_by_name() {
    for (arch, ids) in [
        (Arch::Hopper, &["NV_GPU_DRIVER_GH100_550.90.07", "NV_GPU_VBIOS_1010_0200_882_96009F0001"][..]),
        (Arch::Blackwell, &["NV_GPU_CC_DRIVER_GB100_550.90.07", "NV_GPU_VBIOS_G525_0220_886_970088000F"]),
        (Arch::Ls10, &["NV_SWITCH_BIOS_5612_0002_890_9610550001"]),
    ] {
        let world = World::new(arch, 3);
        let bare = Parts { evidence: world.evidence(), ..Parts::default() };
        let expected: Vec<_> = ids.iter().map(|id| format!("{RIM}{id}")).collect();
        assert_eq!(urls(&plan(&bare), "gpu.rim"), expected, "{arch:?}");
        // Not for those at hand, whether file or answer.
        for rims in [world.files(), world.service_answers()] {
            let parts = Parts { rims, ..bare.clone() };
            assert_eq!(urls(&plan(&parts), "gpu.rim"), Vec::<String>::new(), "{arch:?}");
        }
    }
    // A Blackwell that does not name its chip is the first one.
    let mut world = World::new(Arch::Blackwell, 1);
    first(&mut world).edit(|report| report.remove_item(item::CHIP_INFO));
    let parts = Parts { evidence: world.evidence(), ..Parts::default() };
    assert_eq!(urls(&plan(&parts), "gpu.rim")[0], format!("{RIM}NV_GPU_CC_DRIVER_GB100_550.90.07"));
    first(&mut world).edit(|report| report.set_item(item::CHIP_INFO, b"GB102\0\0"));
    let parts = Parts { evidence: world.evidence(), ..Parts::default() };
    assert_eq!(urls(&plan(&parts), "gpu.rim")[0], format!("{RIM}NV_GPU_CC_DRIVER_GB102_550.90.07"));
}

#[test]
fn a_garbled_manifest_is_asked_for_again() {
    let world = hopper();
    let mut rims = world.files();
    let last = rims[0].len() - 200;
    rims[0][last] ^= 1;
    let parts = Parts { rims, evidence: world.evidence(), ..Parts::default() };
    assert_eq!(urls(&plan(&parts), "gpu.rim").len(), 1);
}

#[test]
fn statuses_are_asked_for_with_a_nonce_of_the_evidence() {
    let world = World::new(Arch::Hopper, 2);
    let bare = Parts { evidence: world.evidence(), ..Parts::default() };
    let asked = |parts: &Parts| -> Vec<_> {
        let plan = plan(parts);
        plan.requests.iter().filter(|request| request.kind == "gpu.ocsp").cloned().collect()
    };
    // Two devices under one provisioner and one model.
    let of_devices = asked(&bare);
    assert_eq!(of_devices.len(), 4);
    let chain = &world.members[0].chain;
    let id =
        Authority::new(&chain.specs[1].issuer, chain.keys[2]).cert_id(Hash::Sha384, &chain.specs[1].serial);
    let post = of_devices[0].post.clone().unwrap();
    assert_eq!((post.media_type.as_str(), &post.key), ("application/ocsp-request", &id));
    assert_eq!(of_devices[0].url, "https://ocsp.ndis.nvidia.com/");
    let nonce = {
        let hash = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            &[b"MUSTER-OCSP-NONCE\0", bare.evidence.as_slice(), &id].concat(),
        );
        der::octet_string(hash.as_ref())
    };
    assert!(post.body.windows(nonce.len()).any(|window| window == nonce));
    assert!(post.body.windows(id.len()).any(|window| window == id));
    let keys: BTreeSet<_> = of_devices.iter().map(|request| request.post.clone().unwrap().key).collect();
    assert_eq!(keys.len(), 4, "each certificate once");
    // The same evidence has the same plan, other evidence another nonce and the same keys.
    assert_eq!(asked(&bare), of_devices);
    let mut other = world.clone();
    other.members.iter_mut().for_each(|member| member.edit(|report| report.nonce = [7; 32]));
    let again = asked(&Parts { evidence: other.evidence(), ..Parts::default() });
    assert_ne!(again[0].post.clone().unwrap().body, post.body);
    assert_eq!(again[0].post.clone().unwrap().key, post.key);
    // With the manifests at hand their chain is asked about, too, and answers at hand change nothing.
    assert_eq!(asked(&Parts { rims: world.files(), ..bare.clone() }).len(), 7);
    assert_eq!(asked(&Parts::of(&world)).len(), 7);
}

#[test]
fn claims_are_shown_and_what_verification_would_refuse_is_refused() {
    type Case = (fn(&mut World), &'static str);
    let world = hopper();
    let claims = serde_json::to_value(plan(&Parts::of(&world)).claims).unwrap();
    assert_eq!(claims["devices"][0]["driver_version"], "550.90.07");
    assert!(claims["devices"][0].get("driver_rim").is_none(), "nothing of it is judged");
    let refused = |edit: fn(&mut World)| {
        let mut world = hopper();
        edit(&mut world);
        let parts = Parts { evidence: world.evidence(), ..Parts::default() };
        parts.plan().map_or_else(|finding| finding.code.as_str().to_owned(), |_| "planned".to_owned())
    };
    let cases: [Case; 9] = [
        (|w| first(w).report.request[0] = 9, "gpu.spdm.version"),
        (|w| w.members.push(w.members[0].clone()), "gpu.devices.duplicate"),
        (|w| first(w).label = Some("LS10".to_owned()), "gpu.arch.mismatch"),
        (|w| first(w).report.nonce[0] ^= 1, "gpu.signature.invalid"),
        (|w| first(w).edit(|r| r.item_mut(item::FWID)[0] ^= 1), "gpu.fwid.mismatch"),
        (|w| first(w).edit(|r| r.remove_item(item::PROJECT)), "gpu.opaque.missing"),
        (|w| first(w).edit(|r| r.set_item(item::PROJECT, b"..")), "gpu.rim.id_invalid"),
        // Not what depends on time, nor what is missing.
        (|w| first(w).chain.specs[0].not_after = NOW - 1, "planned"),
        (|w| first(w).pem = Some(Vec::new()), "planned"),
    ];
    for (edit, expected) in cases {
        assert_eq!(refused(edit), expected);
    }
}
