//! Any bytes as opaque data: what is read is everything that is there, each type once.

#![no_main]

use std::collections::BTreeSet;

use cc_verifier::gpu::Opaque;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(opaque) = Opaque::new(bytes) else { return };
    let mut written = Vec::new();
    for (kind, content) in opaque.iter() {
        written.extend(kind.0.to_le_bytes());
        written.extend(u16::try_from(content.len()).unwrap().to_le_bytes());
        written.extend(content);
        assert_eq!(opaque.item(kind), Some(content));
    }
    assert_eq!(written, bytes);
    let kinds: BTreeSet<_> = opaque.iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.len(), opaque.iter().count());
});
