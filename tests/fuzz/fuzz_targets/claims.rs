//! Any bytes as claims: what is read is written in no more bytes, and those are read as the same claims.
//!
//! The bytes need not be the same: a number or length may come in a longer form than necessary.

#![no_main]

use cc_core::Claims;
use libfuzzer_sys::fuzz_target;
use minicbor::Decoder;

fuzz_target!(|bytes: &[u8]| {
    let mut decoder = Decoder::new(bytes);
    let Ok(claims) = decoder.decode::<Claims>() else { return };
    let written = minicbor::to_vec(&claims).unwrap();
    assert!(written.len() <= decoder.position());
    let mut decoder = Decoder::new(&written);
    assert_eq!(decoder.decode::<Claims>().unwrap(), claims);
    assert_eq!(decoder.position(), written.len());
});
