//! One machine under many names.

use std::collections::BTreeMap;

use cc_core::{Code, codes};
use fed_proto::sybil::{Candidate, Identifiers, refuse};

use super::fixture::name;

/// Name, organisation, guest, chip, devices; an empty text is none.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// Judges rows, which must not depend on their order; returns who is refused, and why.
fn judge(rows: &[Row], quota: u32) -> BTreeMap<String, Code> {
    let once = |rows: &[Row]| {
        let some = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
        let all: Vec<_> = rows
            .iter()
            .map(|(name, organisation, guest, chip, devices)| {
                let devices = devices.iter().map(|device| device.as_bytes().to_vec()).collect();
                let hardware = Identifiers { guest: some(guest), chip: some(chip), devices };
                (self::name(name), *organisation, hardware)
            })
            .collect();
        let candidate = |(name, organisation, hardware)| Candidate { name, organisation, hardware };
        let candidates: Vec<_> = all.iter().map(|(n, o, h)| candidate((n, *o, h))).collect();
        let refused = refuse(&candidates, quota);
        refused
            .into_iter()
            .map(|(name, finding)| (String::from(name), finding.code))
            .collect::<BTreeMap<_, _>>()
    };
    let judged = once(rows);
    let mut reversed = rows.to_vec();
    reversed.reverse();
    assert_eq!(once(&reversed), judged, "whoever comes first");
    judged
}

fn all(code: Code, names: &[&str]) -> BTreeMap<String, Code> {
    names.iter().map(|name| ((*name).to_owned(), code.clone())).collect()
}

#[test]
fn machines_of_their_own_are_fine() {
    let rows = [
        ("server", "owner", "g0", "c0", &["d0"][..]),
        ("site-1", "one", "g1", "c1", &["d1", "d2"]),
        ("site-2", "two", "g2", "c2", &[]),
    ];
    assert_eq!(judge(&rows, 1), BTreeMap::new());
    assert_eq!(judge(&[], 1), BTreeMap::new());
    // What the hardware does not name cannot be compared.
    let nameless = [("site-1", "one", "", "", &[][..]), ("site-2", "two", "", "", &[])];
    assert_eq!(judge(&nameless, 1), BTreeMap::new());
}

#[test]
fn n_fl_17_two_names_with_one_report_id() {
    let rows = [
        ("site-1", "one", "g1", "c1", &[][..]),
        ("site-2", "two", "g2", "c2", &[]),
        ("site-3", "one", "g1", "c3", &[]),
    ];
    assert_eq!(judge(&rows, 4), all(codes::FL_SYBIL_SAME_GUEST, &["site-1", "site-3"]));
}

#[test]
fn n_fl_18_two_names_with_one_gpu() {
    let rows = [
        ("site-1", "one", "g1", "c1", &["d1", "d2"][..]),
        ("site-2", "two", "g2", "c2", &["d2", "d3"]),
        ("site-3", "two", "g3", "c3", &["d4"]),
    ];
    assert_eq!(judge(&rows, 4), all(codes::FL_SYBIL_SAME_DEVICE, &["site-1", "site-2"]));
    let twice = [("site-1", "one", "g1", "c1", &["d1", "d1"][..])];
    assert_eq!(judge(&twice, 1), BTreeMap::new(), "one name is not two");
}

#[test]
fn n_fl_19_third_guest_on_one_chip_with_quota_2() {
    let rows = [
        ("site-1", "one", "g1", "c1", &[][..]),
        ("site-2", "one", "g2", "c1", &[]),
        ("site-3", "one", "g3", "c1", &[]),
        ("site-4", "one", "g4", "c2", &[]),
    ];
    assert_eq!(judge(&rows, 3), BTreeMap::new());
    assert_eq!(judge(&rows, 2), all(codes::FL_SYBIL_CHIP_QUOTA, &["site-3"]), "the last in name order");
    assert_eq!(judge(&rows, 1), all(codes::FL_SYBIL_CHIP_QUOTA, &["site-2", "site-3"]));
}

#[test]
fn n_fl_43_one_chip_of_two_operators() {
    let rows = [
        ("site-1", "one", "g1", "c1", &[][..]),
        ("site-2", "two", "g2", "c1", &[]),
        ("site-3", "two", "g3", "c2", &[]),
    ];
    assert_eq!(judge(&rows, 4), all(codes::FL_PLATFORM_CONCURRENT, &["site-1", "site-2"]));
}

#[test]
fn the_most_telling_reason_is_given() {
    let rows = [
        ("site-1", "one", "g1", "c1", &["d1"][..]),
        ("site-2", "two", "g1", "c1", &["d1"]),
        ("site-3", "two", "g3", "c1", &["d1"]),
        ("site-4", "two", "g4", "c1", &["d4"]),
    ];
    let expected = [
        ("site-1", codes::FL_SYBIL_SAME_GUEST),
        ("site-2", codes::FL_SYBIL_SAME_GUEST),
        ("site-3", codes::FL_SYBIL_SAME_DEVICE),
        ("site-4", codes::FL_PLATFORM_CONCURRENT),
    ];
    let expected = expected.map(|(name, code)| (name.to_owned(), code)).into();
    assert_eq!(judge(&rows, 1), expected);
}
