//! Any bytes as HCL report of a machine that is otherwise genuine, and as runtime data that its processor reports on: a
//! report is accepted only if it is the genuine one and zeros, and runtime data only if they name the key that quotes.

#![no_main]

use std::sync::LazyLock;

use cc_verifier::vtpm::HclReport;
use libfuzzer_sys::fuzz_target;
use muster_fuzz::vtpm::{WORLDS, accepts};

static REPORTS: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| WORLDS.iter().map(|world| trimmed(&world.hcl.bytes())).collect());

/// Without the zeros at the end.
fn trimmed(report: &[u8]) -> Vec<u8> {
    let end = report.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    report[..end].to_vec()
}

fuzz_target!(|bytes: &[u8]| {
    let _ = HclReport::new(bytes);
    for world in WORLDS.iter() {
        let mut machine = world.machine();
        machine.hcl_report = bytes.to_vec();
        assert!(!accepts(&machine, world) || REPORTS.contains(&trimmed(bytes)));
    }
    let mut world = WORLDS[0].clone();
    world.report_on(bytes.to_vec());
    // A name can be written with escapes.
    let named = bytes.contains(&b'\\') || bytes.windows(8).any(|name| name == b"HCLAkPub");
    assert!(!accepts(&world.machine(), &world) || named);
});
