//! The form of a report, field by field: everything that is not the one form is refused, and nothing that may vary is.

use cc_testkit::gpu::report::item;
use cc_testkit::gpu::{Arch, Report, World};

use crate::common::gpu::{Parts, first};

const MALFORMED: &str = "gpu.spdm.malformed";

/// What is done to the report of a Hopper before it is signed, and the code.
type Row = (&'static str, fn(&mut Report), &'static str);

#[rustfmt::skip]
const ROWS: [Row; 27] = [
    ("request without signature", |r| r.request[2] = 0, MALFORMED),
    ("request of one measurement", |r| r.request[3] = 1, MALFORMED),
    ("slot", |r| r.slot = 1, MALFORMED),
    ("Param1 of the response", |r| r.response[2] = 1, MALFORMED),
    ("Param2 of the response", |r| r.response[3] = 1, MALFORMED),
    ("another specification", |r| r.blocks[0].specification = 2, MALFORMED),
    ("kind of a measurement", |r| r.blocks[0].kind = 0x83, "accept"),
    ("block too long", |r| r.blocks[3].size = Some(52), MALFORMED),
    ("block too short", |r| r.blocks[3].size = Some(50), MALFORMED),
    ("value too long", |r| r.blocks[3].value_size = Some(49), MALFORMED),
    ("value too short", |r| r.blocks[3].value_size = Some(47), MALFORMED),
    ("last block cut", |r| r.blocks[63].size = Some(52), MALFORMED),
    ("blocks in another order", |r| r.blocks.reverse(), "accept"),
    ("no measurements", |r| r.blocks.clear(), "gpu.measurement.missing"),
    ("record longer than the report", |r| r.record_length = Some(0xFF_FFFF), MALFORMED),
    ("responder's nonce", |r| r.responder_nonce = [0; 32], "accept"),
    ("opaque data too long", |r| r.opaque_length = Some(0xFFFF), MALFORMED),
    ("bytes behind the opaque data", |r| r.opaque_length = Some(8 + 4), MALFORMED),
    ("no opaque data", |r| r.opaque.clear(), "gpu.opaque.missing"),
    ("an item without content", |r| r.opaque.push((40, Vec::new())), "accept"),
    ("an item that nobody knows", |r| r.opaque.push((0xFFFF, vec![1])), "accept"),
    ("as many items as may be", |r| r.opaque.extend((100..148).map(|kind| (kind, vec![]))), "accept"),
    ("one more", |r| r.opaque.extend((100..149).map(|kind| (kind, vec![]))), MALFORMED),
    ("older opaque data", |r| r.set_item(item::VERSION, &[0, 0]), "accept"),
    ("opaque data of no version", |r| r.remove_item(item::VERSION), "accept"),
    ("a version of another length", |r| r.set_item(item::VERSION, &[1, 0, 0]), "gpu.opaque.version"),
    ("a VBIOS of another length", |r| r.set_item(item::VBIOS_VERSION, &[0; 7]), "gpu.rim.id_invalid"),
];

#[test]
fn reports_have_one_form() {
    for (what, edit, expected) in ROWS {
        let mut world = World::new(Arch::Hopper, 1);
        first(&mut world).edit(edit);
        assert_eq!(Parts::of(&world).code(), expected, "{what}");
    }
}

/// Everything that a report of that class must have.
#[test]
fn required_items_are_required() {
    let gpu = [item::DRIVER_VERSION, item::VBIOS_VERSION, item::CHIP_SKU, item::PROJECT, item::PROJECT_SKU];
    for (arch, items) in
        [(Arch::Hopper, &gpu[..]), (Arch::Blackwell, &gpu), (Arch::Ls10, &[item::VBIOS_VERSION, item::PDI])]
    {
        for kind in items {
            let mut world = World::new(arch, 1);
            first(&mut world).edit(|report| report.remove_item(*kind));
            assert_eq!(Parts::of(&world).code(), "gpu.opaque.missing", "{arch:?} without {kind}");
        }
    }
}

/// What goes into a manifest's name has few characters, and not many of them.
#[test]
fn names_of_manifests_have_few_characters() {
    for (kind, content, expected) in [
        (item::DRIVER_VERSION, &b"550"[..], "gpu.rim.version_mismatch"),
        (item::DRIVER_VERSION, b"550.90.07.01", "gpu.rim.version_mismatch"),
        (item::DRIVER_VERSION, b"550..07", "gpu.rim.id_invalid"),
        (item::DRIVER_VERSION, b".550", "gpu.rim.id_invalid"),
        (item::DRIVER_VERSION, b"550.90.07?a=b", "gpu.rim.id_invalid"),
        (item::DRIVER_VERSION, b"550.90.0a", "gpu.rim.id_invalid"),
        (item::DRIVER_VERSION, b"", "gpu.rim.id_invalid"),
        (item::DRIVER_VERSION, b"550\x0090", "gpu.rim.id_invalid"),
        (item::DRIVER_VERSION, &[b'5'; 24], "gpu.rim.version_mismatch"),
        (item::DRIVER_VERSION, &[b'5'; 25], "gpu.rim.id_invalid"),
        (item::PROJECT, b"g520", "gpu.rim.id_invalid"),
        (item::PROJECT, "\u{661}".as_bytes(), "gpu.rim.id_invalid"),
        (item::CHIP_SKU, b"88 2", "gpu.rim.id_invalid"),
    ] {
        let mut world = World::new(Arch::Hopper, 1);
        first(&mut world).edit(|report| report.set_item(kind, content));
        assert_eq!(Parts::of(&world).code(), expected, "{kind}: {}", content.escape_ascii());
    }
}
