//! What is missing is noted and does not stop anything; the first rejection wins over all that is missing, and the first
//! missing thing is the outcome otherwise (*decisions.md* 1 to 3). And of several manifests the right one is taken.

use cc_core::Outcome;
use cc_testkit::gpu::report::item;
use cc_testkit::gpu::{Arch, Member, NOW, World};

use crate::common::codes::outcome_code;
use crate::common::gpu::{Parts, first, hopper, now, waive};

const OCSP: &str = "gpu.ocsp.unavailable";
const RIM: &str = "gpu.rim.not_found";

/// The code and the waivers that were used.
fn verify(parts: &Parts, waivers: &[&str]) -> (String, Vec<String>) {
    let outcome = parts.verify(&waive(waivers), now()).outcome;
    let waived = match &outcome {
        Outcome::Accept(accepted) => accepted.waived.iter().map(|code| code.as_str().to_owned()).collect(),
        Outcome::Reject(_) | Outcome::Indeterminate(_) => Vec::new(),
    };
    (outcome_code(&outcome).to_owned(), waived)
}

#[test]
fn the_first_missing_thing_counts_and_waivers_are_recorded() {
    let accept =
        |waived: &[&str]| ("accept".to_owned(), waived.iter().map(|code| (*code).to_owned()).collect());
    let denied = |code: &str| (code.to_owned(), Vec::new());
    let complete = Parts::of(&hopper());
    let no_ocsp = Parts { ocsp: Vec::new(), ..complete.clone() };
    let no_rims = Parts { rims: Vec::new(), ..complete.clone() };
    let nothing = Parts { rims: Vec::new(), ..no_ocsp.clone() };
    for (parts, waivers, expected) in [
        (&complete, &[OCSP, RIM][..], accept(&[])),
        (&no_ocsp, &[], denied(OCSP)),
        (&no_ocsp, &[RIM], denied(OCSP)),
        (&no_ocsp, &[OCSP], accept(&[OCSP])),
        (&no_rims, &[], denied(RIM)),
        (&no_rims, &[RIM], accept(&[RIM])),
        (&nothing, &[], denied(OCSP)),
        (&nothing, &[OCSP], denied(RIM)),
        (&nothing, &[RIM], denied(OCSP)),
        (&nothing, &[OCSP, RIM], accept(&[OCSP, RIM])),
    ] {
        assert_eq!(verify(parts, waivers), expected, "{waivers:?}");
    }
}

/// Rejections of every step win over what is missing before them.
#[test]
fn rejections_win_over_what_is_missing() {
    type Case = (&'static str, fn(&mut Member), &'static str);
    let cases: [Case; 7] = [
        ("dates", |m| m.chain.specs[1].not_after = NOW - 1, "gpu.chain.expired"),
        ("label", |m| m.label = Some("LS10".to_owned()), "gpu.arch.mismatch"),
        ("firmware", |m| m.edit(|r| r.item_mut(item::FWID)[0] ^= 1), "gpu.fwid.mismatch"),
        ("signature", |m| m.report.nonce[0] ^= 1, "gpu.signature.invalid"),
        ("opaque", |m| m.edit(|r| r.remove_item(item::PROJECT)), "gpu.opaque.missing"),
        ("name", |m| m.edit(|r| r.set_item(item::PROJECT, b"a/b")), "gpu.rim.id_invalid"),
        ("decoder", |m| m.edit(|r| r.set_item(item::NVDEC0_STATUS, &[1])), "gpu.nvdec.unknown"),
    ];
    for (what, edit, expected) in cases {
        let mut world = hopper();
        edit(first(&mut world));
        let parts = Parts { evidence: world.evidence(), ..Parts::default() };
        assert_eq!(parts.code(), expected, "{what}, without endorsements");
        let waived = parts.verify(&waive(&[OCSP, RIM]), now()).outcome;
        assert_eq!(outcome_code(&waived), expected, "{what}, with everything waived");
    }
    // One manifest is compared although the other one is missing.
    let mut world = hopper();
    first(&mut world).edit(|report| report.blocks[20].value[0] ^= 1);
    let mut parts = Parts::of(&world);
    parts.rims.remove(0);
    assert_eq!(parts.code(), "gpu.measurement.mismatch");
    parts.rims.clear();
    assert_eq!(parts.code(), RIM);
    // A device without a chain has at least what it must have.
    let mut world = hopper();
    first(&mut world).pem = Some(Vec::new());
    assert_eq!(Parts::of(&world).code(), "gpu.chain.missing");
    first(&mut world).edit(|report| report.remove_item(item::CHIP_SKU));
    assert_eq!(Parts::of(&world).code(), "gpu.opaque.missing");
    // And the others are judged.
    let mut world = World::new(Arch::Hopper, 2);
    first(&mut world).pem = Some(Vec::new());
    world.members[1].report.nonce[1] ^= 1;
    world.members[0].report.nonce[1] ^= 1;
    assert_eq!(Parts::of(&world).code(), "gpu.signature.invalid");
}

#[test]
fn a_missing_chain_cannot_be_waived() {
    let refused = cc_core::Waivers::new([cc_core::codes::GPU_CHAIN_MISSING]);
    assert!(refused.is_err());
}

/// All devices of a list have one nonce, whatever else is wrong with them.
#[test]
fn one_nonce_for_all() {
    let mut world = World::new(Arch::Hopper, 2);
    world.members[1].edit(|report| report.nonce[31] ^= 1);
    assert_eq!(Parts::of(&world).code(), "bind.gpu_nonce.mismatch");
    let Outcome::Accept(accepted) = Parts::of(&World::new(Arch::Hopper, 2)).outcome() else { panic!() };
    assert_eq!(accepted.bound.kind, cc_core::BoundKind::GpuNonce);
    assert_eq!(accepted.bound.bytes, [0x5A; 32]);
}

/// The nearest candidate is told; a good one wins over all others, wherever it is.
#[test]
fn manifests_are_selected_by_name_kind_and_version() {
    let world = hopper();
    let files = world.files();
    let answers = world.service_answers();
    let [driver, vbios] = [&world.manifests[0], &world.manifests[1]];
    let mut old = driver.tag.clone();
    old.version = "535.86.09".to_owned();
    let (old_file, old_answer) =
        (world.signer.sign(&old), world.signer.answer("NV_GPU_DRIVER_GH100_535.86.09", &old));
    let renamed = world.signer.answer("NV_GPU_DRIVER_GH100_550.90.08", &driver.tag);
    let other_vbios = world.signer.answer("NV_GPU_VBIOS_1010_0200_882_96009F0002", &vbios.tag);
    let mut garbled = String::from_utf8(files[0].clone()).unwrap();
    garbled = garbled.replacen("revision=\"r1\"", "revision=\"r2\"", 1);
    let garbled = garbled.into_bytes();
    let garbled_answer = cc_testkit::gpu::rim::answer(&driver.id, &garbled);
    let code = |rims: &[&Vec<u8>]| {
        let rims = rims.iter().map(|rim| (*rim).clone()).collect();
        Parts { rims, ..Parts::of(&world) }.code()
    };
    for (what, rims, expected) in [
        ("files", vec![&files[0], &files[1]], "accept"),
        ("files in another order", vec![&files[1], &files[0]], "accept"),
        ("answers", vec![&answers[0], &answers[1]], "accept"),
        ("both kinds", vec![&answers[0], &files[1]], "accept"),
        ("others before", vec![&garbled, &old_file, &renamed, &old_answer, &files[0], &files[1]], "accept"),
        ("others after", vec![&files[0], &files[1], &garbled, &garbled_answer, &old_file], "accept"),
        ("another version, a file", vec![&old_file, &files[1]], "gpu.rim.version_mismatch"),
        ("another version, an answer", vec![&old_answer, &files[1]], "gpu.rim.id_mismatch"),
        ("the right one under another name", vec![&renamed, &files[1]], "gpu.rim.id_mismatch"),
        ("two answers that nobody asked for", vec![&renamed, &old_answer, &files[1]], RIM),
        ("an answer for the other part", vec![&files[0], &other_vbios], "gpu.rim.id_mismatch"),
        ("an answer for the other part only", vec![&answers[1]], RIM),
        ("a file for the other part only", vec![&files[1]], RIM),
        ("garbled", vec![&garbled, &files[1]], "gpu.rim.signature"),
        ("garbled answer", vec![&garbled_answer, &files[1]], "gpu.rim.signature"),
        ("garbled and another version", vec![&garbled, &old_file, &files[1]], "gpu.rim.version_mismatch"),
        ("the name and another version", vec![&garbled_answer, &old_file, &files[1]], "gpu.rim.signature"),
    ] {
        assert_eq!(code(&rims), expected, "{what}");
    }
}

/// The earliest instant at which a new answer is due is claimed, whichever certificate it is of.
#[test]
fn the_earliest_next_update_is_claimed() {
    let world = hopper();
    for at in 0..6 {
        let mut answers = world.answers();
        answers[at].singles[0].next_update = Some(NOW + 60);
        let ocsp = answers.iter().map(cc_testkit::ocsp::Answer::sign).collect();
        let claims = serde_json::to_value(Parts { ocsp, ..Parts::of(&world) }.claims()).unwrap();
        assert_eq!(claims["devices"][0]["ocsp"]["next_update"], "2026-06-01T00:01:00Z", "{at}");
    }
}
