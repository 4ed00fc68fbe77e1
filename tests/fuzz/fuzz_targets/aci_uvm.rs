//! Any bytes as an endorsement of a utility VM, as its protected headers and as its payload under a good signature: what
//! is endorsed was signed, and is named by the headers of a known form.

#![no_main]

use std::sync::LazyLock;

use cc_testkit::aci::{Chain, Endorsement, FEED};
use cc_verifier::aci::Uvm;
use cc_verifier::aci::uvm::verify;
use libfuzzer_sys::fuzz_target;
use muster_fuzz::aci::{MEASUREMENT, PAYLOADS};

static CHAIN: LazyLock<Chain> = LazyLock::new(Chain::new);
static TRUST: LazyLock<Uvm> = LazyLock::new(|| Uvm::new(&CHAIN.did(), FEED));
static GOOD: LazyLock<Endorsement> = LazyLock::new(|| Endorsement::header(&CHAIN, &MEASUREMENT));

fuzz_target!(|bytes: &[u8]| {
    // A signature that fits cannot be found by trying: what is accepted holds a payload that was signed.
    if verify(bytes, &TRUST).is_ok() {
        let holds = |signed: &Vec<u8>| bytes.windows(signed.len()).any(|part| part == signed);
        assert!(PAYLOADS.iter().any(holds));
    }
    if let Ok(said) = verify(&GOOD.sign_as(bytes), &TRUST) {
        let names = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(names(&CHAIN.did()) && names(FEED) && said.launch_measurement == Some(MEASUREMENT));
    }
    let payload = Endorsement { payload: bytes.to_vec(), ..GOOD.clone() };
    if let Ok(said) = verify(&payload.sign(), &TRUST) {
        assert!(said.launch_measurement.is_some());
    }
});
