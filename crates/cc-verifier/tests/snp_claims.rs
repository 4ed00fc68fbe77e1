//! The claims of accepted reports, each of them and nothing else (*decisions.md* 18).

use cc_core::{Accepted, Outcome};
use cc_testkit::snp::{LeafKind, Product, Tcb, World};
use serde_json::Value;

use LeafKind::{Vcek, Vlek};
use Product::{Milan, Turin};

use crate::common::codes::outcome_code;
use crate::common::synthetic;

type Row = (Product, LeafKind, fn(&mut World), &'static str);

const ROWS: [Row; 2] = [
    (Turin, Vcek, every_field_differs, include_str!("claims/turin-v5-vcek.json")),
    (Milan, Vlek, other_flags, include_str!("claims/milan-v3-vlek.json")),
];

/// No two fields of a report have the same value, and every second flag is set.
fn every_field_differs(world: &mut World) {
    let level =
        |low: u8| Tcb { fmc: low, bootloader: low + 1, tee: low + 2, snp: low + 3, microcode: low + 4 };
    world.edit_leaf(|leaf| leaf.set_tcb(level(0x10)));
    world.edit_report(|report| {
        report
            .set_guest_svn(7)
            .set_policy(0x156_0133)
            .set_family_id([0xfa; 16])
            .set_image_id([0x1a; 16])
            .set_vmpl(2)
            .set_platform_info(0x95)
            .set_key_info(1)
            .set_host_data([0xda; 32])
            .set_id_key_digest([0x1d; 48])
            .set_author_key_digest([0xa0; 48])
            .set_reported_tcb(level(0x10).encode(Turin))
            .set_committed_tcb(level(0x20).encode(Turin))
            .set_current_tcb(level(0x30).encode(Turin))
            .set_launch_tcb(level(0x40).encode(Turin))
            .set_committed_version([3, 2, 1])
            .set_current_version([6, 5, 4])
            .set_launch_mit_vector(0x11)
            .set_current_mit_vector(0x33);
    });
}

/// The flags that the other row leaves clear.
fn other_flags(world: &mut World) {
    world.edit_report(|report| {
        report.set_policy(0x2ab_0000).set_platform_info(0x2a);
    });
}

#[test]
fn claims_are_those_of_the_report() {
    for (product, kind, edit, expected) in ROWS {
        let mut world = World::new(product, kind);
        edit(&mut world);
        let outcome = synthetic::check(world.report.bytes(), &synthetic::slots(&world)).outcome;
        assert_eq!(outcome_code(&outcome), "accept");
        let Outcome::Accept(Accepted { claims, bound, waived }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(bound.bytes, world.report.report_data());
        assert!(waived.is_empty());
        let claims = serde_json::to_value(&claims).unwrap();
        let expected: Value = serde_json::from_str(expected).unwrap();
        assert_eq!(claims, expected, "{product:?} {kind:?}: {claims:#}");
    }
}
