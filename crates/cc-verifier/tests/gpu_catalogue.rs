//! The rows of the negative test catalogue (*verification.md* 7) that belong to the verification of devices.
//!
//! Each row changes one thing in an otherwise acceptable world and names the exact code. Rows that a policy judges
//! (*decisions.md* 6) are with the policy; here is only what they rest on, that the claim is made. What is about one OCSP
//! answer or one reference manifest alone is with those.

use cc_core::gpu::encode;
use cc_testkit::gpu::device_chain::{COMPOSITE_DEVICE_ID, TCB_INFO, bundle, root_with_key, tcb_info};
use cc_testkit::gpu::mint::FWID;
use cc_testkit::gpu::report::item;
use cc_testkit::gpu::rim::Measurement;
use cc_testkit::gpu::{Arch, DeviceChain, NOW, Report, World, keys};
use cc_testkit::ocsp::CertStatus;

use Arch::{Blackwell, Hopper, Ls10};

use crate::common::gpu::{Parts, first};

/// A world, and what of it is handed to the verifier in another form.
struct Case {
    world: World,
    /// Instead of the world's.
    evidence: Option<Vec<u8>>,
    /// Instead of the world's manifests.
    rims: Option<Vec<Vec<u8>>>,
    /// Instead of good answers.
    ocsp: Option<Vec<Vec<u8>>>,
}

impl Case {
    fn new(arch: Arch) -> Self {
        Self { world: World::new(arch, 1), evidence: None, rims: None, ocsp: None }
    }

    fn outcome(&self) -> String {
        let mut parts = Parts::of(&self.world);
        parts.evidence = self.evidence.clone().unwrap_or(parts.evidence);
        parts.rims = self.rims.clone().unwrap_or(parts.rims);
        parts.ocsp = self.ocsp.clone().unwrap_or(parts.ocsp);
        parts.code()
    }
}

type Row = (&'static str, Arch, fn(&mut Case), &'static str);

const FORM: [Row; 22] = [
    ("N-GPU-01", Hopper, |c| c.evidence = Some(encode(&[])), "gpu.devices.empty"),
    ("N-GPU-02", Hopper, |c| c.world.members.push(c.world.members[0].clone()), "gpu.devices.duplicate"),
    ("N-GPU-04", Hopper, |c| report(c, |r| r.request[0] = 0x12), "gpu.spdm.version"),
    ("N-GPU-04", Hopper, |c| report(c, |r| r.response[0] = 0x12), "gpu.spdm.version"),
    ("N-GPU-05", Hopper, |c| report(c, |r| r.request[1] = 0xE1), "gpu.spdm.malformed"),
    ("N-GPU-05", Hopper, |c| report(c, |r| r.response[1] = 0x61), "gpu.spdm.malformed"),
    ("N-GPU-06", Hopper, |c| report(c, |r| r.record_length = Some(64 * 55 - 1)), "gpu.spdm.malformed"),
    ("N-GPU-06", Hopper, |c| report(c, |r| r.record_length = Some(64 * 55 + 1)), "gpu.spdm.malformed"),
    ("N-GPU-07", Hopper, |c| report(c, |r| r.blocks[9].index = 5), "gpu.spdm.malformed"),
    ("N-GPU-08", Hopper, |c| report(c, |r| r.opaque_tail = vec![40, 0, 5, 0, 1]), "gpu.spdm.malformed"),
    ("N-GPU-09", Hopper, |c| report(c, |r| r.opaque_tail = vec![0; 3]), "gpu.spdm.malformed"),
    (
        "N-GPU-10",
        Hopper,
        |c| report(c, |r| r.opaque.push((item::VBIOS_VERSION, vec![0; 8]))),
        "gpu.spdm.malformed",
    ),
    // The number of blocks, one more and one less; an index that no manifest can name.
    ("N-GPU-06", Hopper, |c| report(c, |r| r.count = Some(63)), "gpu.spdm.malformed"),
    ("N-GPU-06", Hopper, |c| report(c, |r| r.count = Some(65)), "gpu.spdm.malformed"),
    ("N-GPU-07", Hopper, |c| report(c, |r| r.blocks[9].index = 0), "gpu.spdm.malformed"),
    ("N-GPU-11", Hopper, |c| first(&mut c.world).label = Some("BLACKWELL".to_owned()), "gpu.arch.mismatch"),
    ("N-GPU-11", Blackwell, |c| first(&mut c.world).label = Some("HOPPER".to_owned()), "gpu.arch.mismatch"),
    ("N-GPU-11", Hopper, |c| first(&mut c.world).label = None, "accept"),
    ("N-GPU-66", Hopper, |c| report(c, |r| r.remove_item(item::DRIVER_VERSION)), "gpu.opaque.missing"),
    ("N-GPU-66", Ls10, |c| report(c, |r| r.remove_item(item::PDI)), "gpu.opaque.missing"),
    ("N-GPU-67", Hopper, |c| report(c, |r| r.set_item(item::VERSION, &[9, 0])), "gpu.opaque.version"),
    ("N-GPU-67", Hopper, |c| report(c, |r| r.set_item(item::VERSION, &[1])), "gpu.opaque.version"),
];

const CHAIN: [Row; 22] = [
    ("N-GPU-12", Hopper, attackers_root, "gpu.chain.untrusted_root"),
    (
        "N-GPU-13",
        Hopper,
        // Another certificate of the same name and key, as one with the same SHA-1 would be.
        |c| chain(c, |chain| chain.root = root_with_key(keys::root()).sign(keys::root())),
        "gpu.chain.untrusted_root",
    ),
    ("N-GPU-14", Hopper, |c| without(c, 2), "gpu.chain.length"),
    ("N-GPU-14", Hopper, |c| without(c, 0), "gpu.chain.length"),
    ("N-GPU-15", Hopper, |c| chain(c, |chain| chain.specs[0].not_after = NOW - 1), "gpu.chain.expired"),
    ("N-GPU-15", Hopper, |c| chain(c, |chain| chain.specs[0].not_after = NOW), "accept"),
    ("N-GPU-15", Hopper, |c| chain(c, |chain| chain.specs[3].not_after = NOW - 1), "gpu.chain.expired"),
    (
        "N-GPU-15",
        Hopper,
        |c| chain(c, |chain| chain.specs[2].not_before = NOW + 1),
        "gpu.chain.not_yet_valid",
    ),
    ("N-GPU-17", Hopper, |c| report(c, |r| r.item_mut(item::FWID)[47] ^= 1), "gpu.fwid.mismatch"),
    ("N-GPU-17", Blackwell, |c| report(c, |r| r.item_mut(item::FWID)[0] ^= 1), "gpu.fwid.mismatch"),
    ("N-GPU-17", Hopper, |c| report(c, |r| r.item_mut(item::FWID).truncate(47)), "gpu.fwid.mismatch"),
    (
        "N-GPU-18",
        Hopper,
        |c| chain(c, |chain| chain.specs[0].remove_ext(COMPOSITE_DEVICE_ID)),
        "gpu.fwid.missing",
    ),
    ("N-GPU-18", Blackwell, |c| chain(c, |chain| chain.specs[0].remove_ext(TCB_INFO)), "gpu.fwid.missing"),
    (
        "N-GPU-19",
        Blackwell,
        |c| chain(c, |chain| chain.specs[0].set_ext(TCB_INFO, tcb_info(&[&[7; 48], &FWID]))),
        "gpu.fwid.mismatch",
    ),
    ("N-GPU-20", Hopper, response_only, "gpu.signature.invalid"),
    ("N-GPU-21", Hopper, |c| first(&mut c.world).report.blocks[40].value[3] ^= 1, "gpu.signature.invalid"),
    ("N-GPU-62", Hopper, |c| garbled(c, 2), "gpu.chain.signature"),
    ("N-GPU-62", Hopper, |c| garbled(c, 0), "gpu.chain.signature"),
    ("N-GPU-62", Blackwell, |c| garbled(c, 3), "gpu.chain.signature"),
    ("N-GPU-63", Hopper, |c| first(&mut c.world).report.signature[48..].fill(0), "gpu.signature.malformed"),
    ("N-GPU-63", Hopper, |c| first(&mut c.world).report.signature[..48].fill(0), "gpu.signature.malformed"),
    (
        "N-GPU-63",
        Hopper,
        |c| first(&mut c.world).report.signature[48..].fill(0xFF),
        "gpu.signature.malformed",
    ),
];

const MANIFESTS: [Row; 25] = [
    (
        "N-GPU-32",
        Hopper,
        |c| report(c, |r| r.set_item(item::DRIVER_VERSION, b"../../x\0")),
        "gpu.rim.id_invalid",
    ),
    ("N-GPU-32", Hopper, |c| report(c, |r| r.set_item(item::PROJECT, b"10_10")), "gpu.rim.id_invalid"),
    ("N-GPU-32", Hopper, |c| report(c, |r| r.set_item(item::PROJECT_SKU, b"\0")), "gpu.rim.id_invalid"),
    ("N-GPU-32", Hopper, |c| report(c, |r| r.set_item(item::CHIP_SKU, b"8%32")), "gpu.rim.id_invalid"),
    ("N-GPU-32", Blackwell, |c| report(c, |r| r.set_item(item::CHIP_INFO, b"GB1/0")), "gpu.rim.id_invalid"),
    (
        "N-GPU-32",
        Ls10,
        |c| report(c, |r| r.set_item(item::VBIOS_VERSION, b"96.10.55.00")),
        "gpu.rim.id_invalid",
    ),
    ("N-GPU-33", Hopper, |c| answered(c, 0, "NV_GPU_DRIVER_GH100_550.90.08"), "gpu.rim.id_mismatch"),
    (
        "N-GPU-39",
        Hopper,
        |c| c.world.manifests[0].tag.version = "550.54.15".to_owned(),
        "gpu.rim.version_mismatch",
    ),
    (
        "N-GPU-40",
        Hopper,
        |c| {
            let (id, tag) = (c.world.manifests[0].id.clone(), c.world.manifests[1].tag.clone());
            let vbios = c.world.signer.sign(&tag);
            c.rims = Some(vec![c.world.signer.answer(&id, &tag), vbios]);
        },
        "gpu.rim.version_mismatch",
    ),
    ("N-GPU-41", Hopper, |c| measure(c, 1, Measurement::of(7, &[0x87])), "gpu.rim.index_conflict"),
    ("N-GPU-44", Hopper, |c| measure(c, 0, Measurement::of(64, &[1])), "gpu.measurement.missing"),
    ("N-GPU-44", Hopper, |c| report(c, |r| _ = r.blocks.remove(21)), "gpu.measurement.missing"),
    ("N-GPU-45", Hopper, |c| report(c, |r| r.blocks[21].value.truncate(47)), "gpu.measurement.mismatch"),
    ("N-GPU-45", Hopper, |c| report(c, |r| r.blocks[21].value.push(0)), "gpu.measurement.mismatch"),
    ("N-GPU-45", Hopper, |c| report(c, |r| r.blocks[21].value.clear()), "gpu.measurement.mismatch"),
    ("N-GPU-45", Hopper, |c| report(c, |r| r.blocks[20].value[47] ^= 1), "gpu.measurement.mismatch"),
    // The other value that the manifest has.
    ("N-GPU-45", Hopper, |c| report(c, |r| r.blocks[21].value.fill(0)), "accept"),
    (
        "N-GPU-46",
        Hopper,
        |c| {
            report(c, |r| {
                r.blocks[35].value[0] ^= 1;
                r.set_item(item::NVDEC0_STATUS, &[0xAA]);
            });
        },
        "gpu.measurement.mismatch",
    ),
    ("N-GPU-46", Hopper, |c| report(c, |r| r.blocks[35].value[0] ^= 1), "accept"),
    (
        "N-GPU-46",
        Hopper,
        |c| {
            report(c, |r| {
                r.blocks[35].value[0] ^= 1;
                r.remove_item(item::NVDEC0_STATUS);
            });
        },
        "gpu.measurement.mismatch",
    ),
    ("N-GPU-47", Hopper, |c| report(c, |r| r.set_item(item::NVDEC0_STATUS, &[0])), "gpu.nvdec.unknown"),
    ("N-GPU-47", Hopper, |c| report(c, |r| r.set_item(item::NVDEC0_STATUS, &[0x55, 0])), "gpu.nvdec.unknown"),
    ("N-GPU-69", Hopper, |c| c.rims = Some(Vec::new()), "gpu.rim.not_found"),
    ("N-GPU-72", Hopper, |c| c.world.signer.chain.specs[3].not_after = NOW - 1, "gpu.rim.expired"),
    (
        "N-GPU-39",
        Hopper,
        |c| c.world.manifests[1].tag.product = "GB100".to_owned(),
        "gpu.rim.version_mismatch",
    ),
];

/// Answers in the order of [`World::answers`]: device, provisioner, model; signer, issuer, authority of the manifests.
const REVOCATION: [Row; 8] = [
    ("N-GPU-24", Hopper, |c| status(c, 1, CertStatus::Revoked(None)), "gpu.cert.revoked"),
    ("N-GPU-25", Hopper, |c| status(c, 0, CertStatus::Revoked(Some(6))), "gpu.cert.revoked"),
    ("N-GPU-31", Hopper, |c| c.ocsp = Some(Vec::new()), "gpu.ocsp.unavailable"),
    ("N-GPU-65", Hopper, |c| status(c, 2, CertStatus::Unknown), "gpu.cert.unknown"),
    ("N-GPU-71", Hopper, |c| status(c, 3, CertStatus::Revoked(None)), "gpu.rim.revoked"),
    ("N-GPU-71", Ls10, |c| status(c, 5, CertStatus::Revoked(Some(6))), "gpu.rim.revoked"),
    ("N-GPU-31", Hopper, |c| unanswered(c, 2), "gpu.ocsp.unavailable"),
    ("N-GPU-31", Hopper, |c| unanswered(c, 4), "gpu.ocsp.unavailable"),
];

#[test]
fn every_row_has_its_code() {
    let mut wrong = Vec::new();
    for (id, arch, mutate, expected) in FORM.into_iter().chain(CHAIN).chain(MANIFESTS).chain(REVOCATION) {
        let mut case = Case::new(arch);
        assert_eq!(case.outcome(), "accept", "{id}: the world before its mutation");
        mutate(&mut case);
        let code = case.outcome();
        if code != expected {
            wrong.push(format!("{id}: {code}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// N-GPU-03, N-GPU-16, N-GPU-50, N-GPU-51 and N-GPU-61 are the policy's: what it judges is claimed.
#[test]
fn rows_of_the_policy_have_their_claims() {
    let claims = serde_json::to_value(Parts::of(&World::new(Hopper, 7)).claims()).unwrap();
    assert_eq!((&claims["gpu_count"], &claims["switch_count"]), (&7.into(), &0.into()), "N-GPU-03");

    let mut world = World::new(Hopper, 1);
    first(&mut world).edit(|report| report.remove_item(item::FWID));
    let claims = serde_json::to_value(Parts::of(&world).claims()).unwrap();
    assert!(claims["devices"][0].get("fwid").is_none(), "N-GPU-16");

    let mut world = World::new(Hopper, 2);
    world.members[0].edit(|report| report.set_item(item::FEATURE_FLAG, &[1, 0]));
    world.members[1].edit(|report| report.set_item(item::FEATURE_FLAG, &[7, 0]));
    let claims = serde_json::to_value(Parts::of(&world).claims()).unwrap();
    assert_eq!(claims["devices"][0]["feature_flag"], "MPT", "N-GPU-50");
    assert_eq!(claims["devices"][1]["feature_flag"], "7", "N-GPU-51");

    let claims = serde_json::to_value(Parts::of(&World::new(Blackwell, 1)).claims()).unwrap();
    assert_eq!(claims["devices"][0]["arch"], "BLACKWELL", "N-GPU-61");
}

fn report(case: &mut Case, edit: impl FnOnce(&mut Report)) {
    first(&mut case.world).edit(edit);
}

fn chain(case: &mut Case, edit: impl FnOnce(&mut DeviceChain)) {
    edit(&mut first(&mut case.world).chain);
}

/// A chain of the same names under a root of the attacker's.
fn attackers_root(case: &mut Case) {
    chain(case, |chain| {
        chain.keys[4] = keys::stranger();
        chain.root = root_with_key(keys::stranger()).sign(keys::stranger());
    });
}

/// The chain without one of its certificates.
fn without(case: &mut Case, at: usize) {
    let member = first(&mut case.world);
    let mut ders = member.chain.ders();
    ders.remove(at);
    member.pem = Some(bundle(&ders));
}

/// The chain with another signature on one of its certificates.
fn garbled(case: &mut Case, at: usize) {
    let member = first(&mut case.world);
    let mut ders = member.chain.ders();
    ders[at] = member.chain.specs[at].sign(keys::stranger());
    member.pem = Some(bundle(&ders));
}

/// Signs the response without the request.
fn response_only(case: &mut Case) {
    let member = first(&mut case.world);
    let signature = keys::leaf().sign_fixed(&member.report.signed()[37..]);
    member.report.signature = signature.try_into().unwrap();
}

/// The service's answer under another name, and the others as files.
fn answered(case: &mut Case, at: usize, id: &str) {
    let mut rims = case.world.files();
    rims[at] = case.world.signer.answer(id, &case.world.manifests[at].tag);
    case.rims = Some(rims);
}

/// Adds a measurement to a manifest.
fn measure(case: &mut Case, manifest: usize, measurement: Measurement) {
    case.world.manifests[manifest].tag.measurements.as_mut().unwrap().push(measurement);
}

/// Another status in one answer.
fn status(case: &mut Case, at: usize, status: CertStatus) {
    let mut answers = case.world.answers();
    answers[at].singles[0].status = status;
    case.ocsp = Some(answers.iter().map(|answer| answer.sign()).collect());
}

/// Without one answer.
fn unanswered(case: &mut Case, at: usize) {
    let mut answers = case.world.answers();
    answers.remove(at);
    case.ocsp = Some(answers.iter().map(|answer| answer.sign()).collect());
}
