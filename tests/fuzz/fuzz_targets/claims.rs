//! Any bytes as claims: what is read is written as the same bytes, so that equal claims are equal bytes.

#![no_main]

use cc_core::Claims;
use libfuzzer_sys::fuzz_target;
use minicbor::Decoder;

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new(bytes);
    let Ok(claims) = decoder.decode::<Claims>() else { return };
    let written = minicbor::to_vec(&claims).unwrap();
    assert_eq!(written, bytes[..decoder.position()]);
});
