//! The rows of the negative test catalogue (*verification.md* 7) about virtual TPMs, for machines of both technologies.

use cc_testkit::vtpm::World;
use cc_testkit::vtpm::hcl::{jwk, keys};

use crate::common::vtpm::{Row, assert_rows, claims, worlds};

/// Values of two PCRs that anyone in the guest can set as they like, here to what firmware is measured as.
const RESETTABLE: [(u8, [u8; 32]); 2] = [(16, [0; 32]), (23, [1; 32])];

const ROWS: [Row; 12] = [
    ("N-VTPM-01", presented_as_others, "vtpm.pcr.selection"),
    ("N-VTPM-01, in the bitmap", presented_in_the_bitmap, "vtpm.signature.invalid"),
    ("N-VTPM-02", |w| _ = w.edit_quote(|quote| quote.banks[0].0 = 0x0004), "vtpm.pcr.algorithm"),
    ("N-VTPM-03", |w| _ = w.edit_quote(|quote| quote.kind = 0x8017), "vtpm.attest.type"),
    ("N-VTPM-04", |w| _ = w.edit_quote(|quote| quote.magic ^= 1), "vtpm.attest.magic"),
    ("N-VTPM-05", without_the_key, "vtpm.ak.mismatch"),
    ("N-VTPM-05, by another name", under_another_name, "vtpm.ak.mismatch"),
    ("N-VTPM-06", |w| flip_runtime(w), "vtpm.hcl.mismatch"),
    ("N-VTPM-06, another digest", |w| _ = w.set_report_data([7; 64]), "vtpm.hcl.mismatch"),
    ("N-VTPM-07", |w| user_data(w, 63), "vtpm.user_data.length"),
    ("N-VTPM-07, half", |w| user_data(w, 32), "vtpm.user_data.length"),
    ("N-VTPM-07, none", |w| user_data(w, 0), "vtpm.user_data.length"),
];

#[test]
fn rows_have_their_codes() {
    for (name, world) in worlds() {
        println!("{name}");
        assert_rows(&world, &ROWS);
    }
}

/// Evidence lists values without numbers. So a quote over few PCRs can be presented as one over others only by values of
/// those others.
fn presented_as_others(world: &mut World) {
    let all = world.pcrs.clone();
    world.quote_over(&RESETTABLE);
    world.pcrs = all;
}

fn presented_in_the_bitmap(world: &mut World) {
    world.quote_over(&RESETTABLE);
    let mut quote = world.quote.clone();
    quote.banks[0].1 = vec![0b11, 0, 0];
    world.message = quote.bytes();
}

/// What is presented honestly has the numbers that it was quoted with; that others are wanted says policy (N-VTPM-01).
#[test]
fn n_vtpm_01_claims_have_the_numbers_of_the_selection() {
    for (name, mut world) in worlds() {
        world.quote_over(&RESETTABLE);
        let claims = serde_json::to_value(claims(&world)).unwrap();
        assert_eq!(claims["vtpm"]["pcr_selection"], serde_json::json!([16, 23]), "{name}");
        let expected = serde_json::json!({"16": "00".repeat(32), "23": "01".repeat(32)});
        assert_eq!(claims["vtpm"]["pcrs"], expected, "{name}");
    }
}

/// Evidence does not carry the attestation key beside the runtime data, so this is the one way in which it is not there; a
/// quote by any other key has an invalid signature.
fn without_the_key(world: &mut World) {
    let key = world.key;
    world.edit_runtime(|runtime| runtime.set("keys", &keys(&[jwk("HCLEkPub", "encrypt", key)])));
}

fn under_another_name(world: &mut World) {
    let key = world.key;
    world.edit_runtime(|runtime| runtime.set("keys", &keys(&[jwk("HCLAkPub2", "sign", key)])));
}

fn flip_runtime(world: &mut World) {
    let last = world.hcl.runtime_data.len() - 3;
    world.hcl.runtime_data[last] ^= 1;
}

fn user_data(world: &mut World, length: usize) {
    world.edit_runtime(|runtime| runtime.set_text("user-data", &"0a".repeat(length)));
}
