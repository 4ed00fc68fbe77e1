//! Any bytes as what a TPM signed, without and with a signature: accepted only with one, and only if exactly the PCRs
//! whose values are there are said to be quoted.

#![no_main]

use cc_testkit::vtpm::quote::sign;
use cc_verifier::vtpm::Attest;
use libfuzzer_sys::fuzz_target;
use muster_fuzz::vtpm::{WORLDS, accepts};

fuzz_target!(|bytes: &[u8]| {
    let [world, _] = &*WORLDS;
    let mut machine = world.machine();
    let genuine = machine.message == bytes;
    machine.message = bytes.to_vec();
    assert!(genuine || !accepts(&machine, world));
    let attest = Attest::new(bytes);
    if attest.is_err() {
        return;
    }
    machine.signature = sign(world.key, bytes);
    if accepts(&machine, world) {
        let attest = attest.unwrap();
        assert_eq!(attest.banks.len(), 1);
        assert_eq!(attest.banks[0].selected().len(), machine.pcrs.len());
        assert_eq!(attest.extra_data, machine.extra_data().unwrap());
    }
});
