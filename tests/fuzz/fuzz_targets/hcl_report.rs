//! Any bytes as HCL report of a machine that is otherwise genuine, and as runtime data that its processor reports on: a
//! report is accepted only with what the processor signed and with the genuine runtime data, and runtime data only if they
//! name the key that quotes.

#![no_main]

use cc_testkit::snp::report::SIGNED_LENGTH;
use cc_testkit::vtpm::Processor;
use cc_verifier::vtpm::{Hardware, HclReport};
use libfuzzer_sys::fuzz_target;
use muster_fuzz::vtpm::{WORLDS, accepts};

fuzz_target!(|bytes: &[u8]| {
    let report = HclReport::new(bytes);
    for world in WORLDS.iter() {
        let mut machine = world.machine();
        machine.hcl_report = bytes.to_vec();
        if accepts(&machine, world) {
            let report = report.clone().unwrap();
            assert_eq!(report.runtime_data(), world.hcl.runtime_data);
            match (report.hardware(), &world.processor) {
                // ECDSA signatures are random, so that there are many of the same report.
                (Hardware::Snp(report), Processor::Snp(world)) => {
                    assert_eq!(report[..SIGNED_LENGTH], world.report.bytes()[..SIGNED_LENGTH]);
                }
                // What is signed is the quote beside it.
                (Hardware::Tdx(_), Processor::Tdx(_)) => {}
                other => panic!("{:?} is of another processor", other.0),
            }
        }
    }
    let mut world = WORLDS[0].clone();
    world.report_on(bytes.to_vec());
    // A name can be written with escapes.
    let named = bytes.contains(&b'\\') || bytes.windows(8).any(|name| name == b"HCLAkPub");
    assert!(!accepts(&world.machine(), &world) || named);
});
